//! A session of many streams.

use srtp::keying::{KeyEntry, KeySet, MasterKey, Parameters, Profile, StaticKeys};
use srtp::{Backend, Sender};

/// A sender of the SSRCs below `streams`, each with a key of its own.
pub(super) fn sender(suite: Profile, streams: u32, backend: Backend) -> Sender {
    let entries = (0..streams).map(|ssrc| {
        let seed = ssrc.to_be_bytes();
        let secret: Vec<u8> = seed.iter().copied().cycle().take(suite.key_len()).collect();
        let salt = vec![1; suite.salt_len()];
        let key = MasterKey::new(suite, &secret, &salt).expect("lengths of the profile");
        KeyEntry::new(key).for_ssrc(ssrc)
    });
    let keys = KeySet::new(suite, Parameters::default(), entries.collect()).expect("keys");
    let source = StaticKeys::new(keys.duplicate(), keys);
    let builder = Sender::builder(&source).any_ssrc(1 << 20).backend(backend);
    builder.build().expect("a sender")
}
