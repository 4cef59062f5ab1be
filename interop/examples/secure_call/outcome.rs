//! What was sent, and what came of it.

use std::process::ExitCode;

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use interop::audio::SAMPLE_RATE;

use crate::{arguments::Options, user_agent::Counts};

/// 20 ms of audio that Alice sent.
pub(crate) struct Frame<'a> {
    pub(crate) timestamp: u32,
    pub(crate) samples: &'a [i16],
    pub(crate) lost: bool,
}

impl Frame<'_> {
    /// What Bob must hear of it: what G.711 leaves of the samples.
    pub(crate) fn arrives(&self) -> Option<Vec<i16>> {
        let coded = self
            .samples
            .iter()
            .map(|sample| decode_ulaw(encode_ulaw(*sample)));
        (!self.lost).then(|| coded.collect())
    }
}

/// What Alice sent.
#[derive(Default)]
pub(crate) struct Said<'a> {
    pub(crate) frames: Vec<Frame<'a>>,
    pub(crate) reports: usize,
    pub(crate) reports_lost: usize,
    /// What Bob's last receiver report says of packets that he misses.
    pub(crate) reported_lost: Option<u32>,
    /// Replays, and as many forgeries.
    pub(crate) attacks: usize,
}

/// How the call went.
pub(crate) struct Outcome<'a> {
    pub(crate) said: Said<'a>,
    /// The first and the last.
    pub(crate) sequence_numbers: (u16, u16),
    /// Where Bob's receiver stands at the end.
    pub(crate) roc: u32,
    pub(crate) counts: Counts,
    /// Frames that Bob heard otherwise than they were sent, or heard though they were lost.
    pub(crate) different: usize,
    /// Samples.
    pub(crate) heard: usize,
}

impl Outcome<'_> {
    /// Prints how the call went; success if all that was not lost arrived as it was sent, and
    /// nothing else did.
    pub(crate) fn print(&self, options: &Options) -> ExitCode {
        let Self { said, counts, .. } = self;
        let sent = said.frames.len();
        let lost = said.frames.iter().filter(|frame| frame.lost).count();
        let expected = Counts {
            rtp: sent - lost,
            rtcp: said.reports - said.reports_lost,
            forged: said.attacks,
            replayed: said.attacks,
            otherwise_refused: 0,
        };
        println!(
            "suite             {}",
            options.profile.sdes_name().unwrap_or("unregistered")
        );
        println!("packets sent      {sent} SRTP, {} SRTCP", said.reports);
        let (first, last) = self.sequence_numbers;
        println!(
            "sequence numbers  {first} to {last}, ROC {} at the end",
            self.roc
        );
        println!("lost on the path  {lost} SRTP, {} SRTCP", said.reports_lost);
        println!(
            "received          {} SRTP, {} SRTCP",
            counts.rtp, counts.rtcp
        );
        println!("replays refused   {} of {}", counts.replayed, said.attacks);
        println!("forgeries refused {} of {}", counts.forged, said.attacks);
        println!("wrongly refused   {}", counts.otherwise_refused);
        if let Some(missing) = said.reported_lost {
            println!("Bob's last report {missing} packets missing so far");
        }
        println!(
            "received audio    {} ms in {}",
            milliseconds(self.heard),
            options.out.display()
        );
        if self.different == 0 && *counts == expected {
            println!("audio             bit for bit as sent in G.711, {lost} lost packets aside");
            ExitCode::SUCCESS
        } else {
            println!(
                "audio             NOT as sent: {} of {sent} frames differ",
                self.different
            );
            ExitCode::FAILURE
        }
    }
}

fn milliseconds(samples: usize) -> usize {
    samples * 1000 / usize::try_from(SAMPLE_RATE).unwrap_or(usize::MAX)
}
