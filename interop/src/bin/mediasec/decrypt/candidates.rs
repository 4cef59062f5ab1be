//! The keys that packets may be protected with.

use sdp_sec::interception::{Endpoint, KeyMaterial, StoredNegotiation};
use srtp::{Builder, Cryptex, Receiver, keying::KeySet};

use crate::failure::Failure;

/// Streams that one key may have.
const MAX_STREAMS: usize = 4096;

/// A receiver, and where its packets are expected.
pub(super) struct Candidate {
    /// Whose packets they are, for people.
    pub(super) name: String,
    pub(super) receiver: Receiver,
    /// Ports that the packets go to, as far as is known.
    pub(super) ports: Vec<u16>,
}

/// One for each direction of each stream that SDES keys.
pub(super) fn of_negotiation(
    offer: &[u8],
    answer: &[u8],
    allow: bool,
    candidates: &mut Vec<Candidate>,
) -> Result<(), Failure> {
    let stored = StoredNegotiation::new(offer, answer, "offerer", "answerer");
    let streams = stored
        .streams(&[])
        .map_err(|error| Failure::input(format!("offer and answer: {error}")))?;
    let before = candidates.len();
    let mut reasons = Vec::new();
    for stream in &streams {
        let name = format!("media {} ({})", stream.index() + 1, stream.media());
        let keys = match stream.keys() {
            KeyMaterial::Sdes(keys) => keys,
            KeyMaterial::Certificates => {
                reasons.push(format!("{name}: keyed by certificates"));
                continue;
            }
            KeyMaterial::KeyMgmt(_) => {
                reasons.push(format!("{name}: keyed by a=key-mgmt"));
                continue;
            }
            KeyMaterial::Unprotected => {
                reasons.push(format!("{name}: not protected"));
                continue;
            }
            KeyMaterial::Unrecoverable(refused) => {
                return Err(Failure::input(format!("{name}: {refused}")));
            }
            _ => continue,
        };
        for (who, description, to) in [
            ("offerer", keys.offerer(), stream.answerer()),
            ("answerer", keys.answerer(), stream.offerer()),
        ] {
            candidates.push(Candidate {
                name: format!("{name} of the {who}"),
                receiver: receiver(description.keys().duplicate(), allow)
                    .map_err(|failure| failure.within(&name))?,
                ports: ports(to),
            });
        }
    }
    if candidates.len() > before {
        return Ok(());
    }
    reasons.insert(0, "offer and answer: no stream with a=crypto".to_owned());
    Err(Failure::failed(reasons.join("; ")))
}

fn ports(endpoint: &Endpoint) -> Vec<u16> {
    [Some(endpoint.port()), endpoint.rtcp_port()]
        .into_iter()
        .flatten()
        .collect()
}

/// One for each key that was given.
pub(super) fn of_keys(
    given: Vec<KeySet>,
    allow: bool,
    candidates: &mut Vec<Candidate>,
) -> Result<(), Failure> {
    for (keys, number) in given.into_iter().zip(1_usize..) {
        let name = format!("key {number}");
        candidates.push(Candidate {
            receiver: receiver(keys, allow).map_err(|failure| failure.within(&name))?,
            name,
            ports: Vec::new(),
        });
    }
    Ok(())
}

fn receiver(keys: KeySet, allow: bool) -> Result<Receiver, Failure> {
    let ssrc = keys
        .entries()
        .first()
        .and_then(srtp::keying::KeyEntry::ssrc);
    let plain_payload = keys.parameters().unencrypted_srtp;
    let mut builder = Builder::<Receiver>::new(keys).replay_window(1024);
    // Packets say whether they use it; it excludes plain payload.
    if !plain_payload {
        builder = builder.cryptex(Cryptex::Enabled);
    }
    if ssrc.is_none() {
        builder = builder.any_ssrc(MAX_STREAMS);
    }
    if allow {
        builder = builder.allow_unprotected();
    }
    builder
        .build()
        .map_err(|error| Failure::input(format!("{error}; see --allow-unprotected")))
}
