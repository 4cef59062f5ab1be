//! Captures: the streams of RTP in them, and the MIKEY and SIP messages.

use alloc::collections::BTreeMap;
use core::net::SocketAddr;
use std::io::Read;

use super::{Settings, mikey, mime, tree::Node};
use crate::{
    capture::{Datagram, Reader, Skipped},
    failure::Failure,
};

/// The port that is registered for MIKEY.
const MIKEY_PORT: u16 = 2269;

/// Streams and messages that are told apart; more are counted.
const MAX_STREAMS: usize = 4096;
const MAX_MESSAGES: usize = 1000;

/// The capture that `source` is.
pub(crate) fn explain(
    source: impl Read + Send + 'static,
    settings: &Settings,
) -> Result<Node, Failure> {
    let mut reader = Reader::new(source)?;
    let mut seen = Seen::default();
    let mut broken = None;
    while let Some(frame) = reader.next_frame().unwrap_or_else(|failure| {
        broken = Some(failure);
        None
    }) {
        seen.frames += 1;
        match Datagram::find(frame.link, &frame.octets) {
            Ok(datagram) => {
                let payload = datagram.payload(&frame.octets);
                seen.datagram(&datagram, payload, frame.number, settings);
            }
            Err(Skipped::Link) => seen.unknown_link += 1,
            Err(Skipped::Fragment | Skipped::Truncated) => seen.cut += 1,
            Err(Skipped::NotUdp) => {}
        }
    }
    match broken {
        Some(failure) if seen.frames == 0 => Err(failure),
        Some(failure) => Ok(seen.into_node().failed(failure.line())),
        None => Ok(seen.into_node()),
    }
}

#[derive(Default)]
struct Seen {
    frames: u64,
    unknown_link: u64,
    cut: u64,
    not_shown: u64,
    messages: Vec<Node>,
    streams: BTreeMap<(SocketAddr, SocketAddr, u32, bool), Stream>,
}

struct Stream {
    packets: u64,
    first_seq: u16,
    last_seq: u16,
    payload_type: u8,
}

impl Seen {
    fn datagram(&mut self, datagram: &Datagram, payload: &[u8], number: u64, settings: &Settings) {
        let ports = [datagram.source.port(), datagram.destination.port()];
        let message = if ports.contains(&MIKEY_PORT) {
            match mikey::explain(payload, settings) {
                Ok(node) => Some(node),
                Err(error) => Some(Node::new("MIKEY").failed(error.to_string())),
            }
        } else {
            mime::sip(payload, settings)
        };
        match message {
            Some(_) if self.messages.len() == MAX_MESSAGES => self.not_shown += 1,
            Some(message) => {
                let route = format!("{} to {}", datagram.source, datagram.destination);
                let frame = Node::new(format!("frame {number}")).value(route);
                self.messages.push(frame.child(message));
            }
            None => self.media(datagram, payload),
        }
    }

    /// RTP and RTCP, protected or not ([RFC 5761 §4], [RFC 7983]).
    ///
    /// [RFC 5761 §4]: https://www.rfc-editor.org/rfc/rfc5761#section-4
    /// [RFC 7983]: https://www.rfc-editor.org/rfc/rfc7983
    fn media(&mut self, datagram: &Datagram, payload: &[u8]) {
        let [128..=191, kind, s0, s1, t0, t1, t2, t3, rest @ ..] = payload else {
            return;
        };
        let is_rtcp = matches!(kind, 192..=223);
        let ssrc = match (is_rtcp, rest) {
            (true, _) => [*t0, *t1, *t2, *t3],
            (false, [a, b, c, d, ..]) => [*a, *b, *c, *d],
            _ => return,
        };
        let seq = u16::from_be_bytes([*s0, *s1]);
        let key = (
            datagram.source,
            datagram.destination,
            u32::from_be_bytes(ssrc),
            is_rtcp,
        );
        if self.streams.len() == MAX_STREAMS && !self.streams.contains_key(&key) {
            self.not_shown += 1;
            return;
        }
        let stream = self.streams.entry(key).or_insert(Stream {
            packets: 0,
            first_seq: seq,
            last_seq: seq,
            payload_type: *kind,
        });
        stream.packets += 1;
        stream.last_seq = seq;
    }

    fn into_node(self) -> Node {
        let mut node = Node::new("capture").value(format!("{} frames", self.frames));
        for ((source, destination, ssrc, is_rtcp), stream) in self.streams {
            let what = if is_rtcp {
                "RTCP or SRTCP"
            } else {
                "RTP or SRTP"
            };
            let mut shown = Node::new(what)
                .value(format!(
                    "SSRC 0x{ssrc:08x}, {source} to {destination}, {} packets",
                    stream.packets
                ))
                .reference(if is_rtcp {
                    "RFC 3550 §6"
                } else {
                    "RFC 3550 §5"
                });
            if !is_rtcp {
                shown.push(
                    Node::new("payload type").value((stream.payload_type & 0x7f).to_string()),
                );
                let (first, last) = (stream.first_seq, stream.last_seq);
                shown.push(Node::new("sequence numbers").value(format!("{first} to {last}")));
            }
            node.push(shown);
        }
        node = node.children(self.messages);
        for (count, what) in [
            (self.cut, "frames are fragments, cut short or malformed"),
            (
                self.unknown_link,
                "frames have a link type that is not known here",
            ),
            (
                self.not_shown,
                "messages or streams are not shown: too many",
            ),
        ] {
            if count > 0 {
                node.warn(format!("{count} {what}"));
            }
        }
        node
    }
}
