//! What was sent, and what came of it.

use std::path::Path;

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use bytes::BytesMut;
use interop::{audio::SAMPLE_RATE, rtp};
use srtp::{Receiver, SessionError, keying::StaticKeys};

use crate::user_agent::{Counts, UserAgent};

/// 20 ms of audio that one end sent.
pub(crate) struct Frame<'a> {
    pub(crate) timestamp: u32,
    pub(crate) samples: &'a [i16],
    pub(crate) lost: bool,
}

impl Frame<'_> {
    /// What the other end must hear of it: what G.711 leaves of the samples.
    fn arrives(&self) -> Option<Vec<i16>> {
        let coded = self
            .samples
            .iter()
            .map(|sample| decode_ulaw(encode_ulaw(*sample)));
        (!self.lost).then(|| coded.collect())
    }
}

/// What one end sent.
#[derive(Default)]
pub(crate) struct Said<'a> {
    pub(crate) frames: Vec<Frame<'a>>,
    pub(crate) reports: usize,
    pub(crate) reports_lost: usize,
    /// What the other end's last receiver report says of packets that it misses.
    pub(crate) reported_lost: Option<u32>,
    /// Replays, and as many forgeries.
    pub(crate) attacks: usize,
    /// Who has other keys, and tries them.
    pub(crate) rival: Option<Overhearing>,
}

/// What someone hears of a call who answered its offer, and lost.
pub(crate) struct Overhearing {
    name: &'static str,
    receiver: Receiver,
    heard: usize,
    opened: usize,
}

impl Overhearing {
    pub(crate) fn new(name: &'static str, keys: &StaticKeys) -> Result<Self, SessionError> {
        Ok(Self {
            name,
            receiver: Receiver::builder(keys).any_ssrc(1).build()?,
            heard: 0,
            opened: 0,
        })
    }

    pub(crate) fn hear(&mut self, packet: &BytesMut) {
        let mut packet = packet.clone();
        let opened = if rtp::is_rtcp(&packet) {
            self.receiver.unprotect_rtcp(&mut packet)
        } else {
            self.receiver.unprotect_rtp(&mut packet)
        };
        self.heard += 1;
        self.opened += usize::from(opened.is_ok());
    }
}

impl Said<'_> {
    /// Prints how it went in one direction; whether all that was not lost arrived as it was sent,
    /// and nothing else did.
    pub(crate) fn print(
        &self,
        by: &UserAgent,
        to: &UserAgent,
        first: u16,
        out: Option<&Path>,
    ) -> bool {
        let sent = self.frames.len();
        let lost = self.frames.iter().filter(|frame| frame.lost).count();
        let frames = self.frames.iter();
        let different = frames.filter(|frame| to.frame(frame.timestamp) != frame.arrives());
        let different = different.count();
        let counts = to.counts;
        let expected = Counts {
            rtp: sent - lost,
            rtcp: self.reports - self.reports_lost,
            forged: self.attacks,
            replayed: self.attacks,
            otherwise_refused: 0,
        };
        println!("{} to {}", by.name, to.name);
        println!("packets sent      {sent} SRTP, {} SRTCP", self.reports);
        println!(
            "sequence numbers  {first} to {}, ROC {} at the end",
            by.source.sequence_number().wrapping_sub(1),
            to.roc()
        );
        println!("lost on the path  {lost} SRTP, {} SRTCP", self.reports_lost);
        println!(
            "received          {} SRTP, {} SRTCP",
            counts.rtp, counts.rtcp
        );
        println!("replays refused   {} of {}", counts.replayed, self.attacks);
        println!("forgeries refused {} of {}", counts.forged, self.attacks);
        println!("wrongly refused   {}", counts.otherwise_refused);
        if let Some(rival) = &self.rival {
            println!(
                "keys of {}     open {} of {} packets",
                rival.name, rival.opened, rival.heard
            );
        }
        if let Some(missing) = self.reported_lost {
            println!("last report       {missing} packets missing so far");
        }
        if let Some(out) = out {
            let heard = milliseconds(to.heard().len());
            println!("received audio    {heard} ms in {}", out.display());
        }
        let kept = self.rival.as_ref().is_none_or(|rival| rival.opened == 0);
        let exact = different == 0 && counts == expected;
        if exact {
            println!("audio             bit for bit as sent in G.711, {lost} lost packets aside");
        } else {
            println!("audio             NOT as sent: {different} of {sent} frames differ");
        }
        exact && kept
    }
}

fn milliseconds(samples: usize) -> usize {
    samples * 1000 / usize::try_from(SAMPLE_RATE).unwrap_or(usize::MAX)
}
