//! What the targets share.

use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use srtp::{
    Builder, HandoverKey, HandoverKeys, Receiver, Sender,
    keying::{KeyEntry, KeySet, MasterKey, Mki, Parameters, Profile},
};

/// A sender and a receiver with the same key, without or with an MKI, of the profile that `choice`
/// picks.
pub fn session(choice: u8) -> (Sender, Receiver) {
    let profile = Profile::ALL[usize::from(choice >> 1) % Profile::ALL.len()];
    let keys = || {
        let (key, salt) = ([0x5a; 32], [0xa5; 14]);
        let (key, salt) = (&key[..profile.key_len()], &salt[..profile.salt_len()]);
        let mut entry = KeyEntry::new(MasterKey::new(profile, key, salt).unwrap());
        if choice & 1 == 1 {
            entry = entry.with_mki(Mki::new(&[1, 2, 3]).unwrap());
        }
        KeySet::new(profile, Parameters::default(), vec![entry]).unwrap()
    };
    let sender = Builder::<Sender>::new(keys()).build().unwrap();
    let receiver = Builder::<Receiver>::new(keys()).build().unwrap();
    (sender, receiver)
}

/// All that the receiver remembers, as octets: equal octets, equal state.
pub fn state(receiver: &Receiver) -> Vec<u8> {
    receiver.export(
        &HandoverKey::new([0; 32]),
        HandoverKeys::Included,
        &mut SameNonce,
    )
}

/// Not random: what is exported is compared, not sent.
struct SameNonce;

impl TryRng for SameNonce {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Infallible> {
        octets.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for SameNonce {}
