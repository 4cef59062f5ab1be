use subtle::ConstantTimeEq;

use crate::kernel::{self, HmacStates, Isa, MacJob};

/// HMAC-SHA1 ([RFC 2104]) with the inner and outer key blocks hashed in advance, which halves the
/// work on short packets.
///
/// [RFC 2104]: https://www.rfc-editor.org/rfc/rfc2104
pub(crate) struct HmacSha1 {
    states: HmacStates,
    isa: Isa,
}

impl HmacSha1 {
    /// The session authentication key: always 160 bits in SRTP.
    pub(crate) fn new(key: &[u8; 20], isa: Isa) -> Self {
        Self {
            states: HmacStates::new(key, isa),
            isa,
        }
    }

    /// Room for a key.
    pub(crate) fn blank(isa: Isa) -> Self {
        Self {
            states: HmacStates::UNUSED.clone(),
            isa,
        }
    }

    /// Takes the key of `other`, for the same instructions.
    pub(crate) fn set(&mut self, other: &Self) {
        self.states.set(&other.states);
    }

    /// The MAC of `message || trailer`; the trailer is the ROC, or nothing.
    pub(crate) fn tag(&self, message: &[u8], trailer: Option<[u8; 4]>) -> [u8; 20] {
        kernel::hmac(self.isa, &self.job(message, trailer))
    }

    /// What [`kernel::hmac_all`] needs for the MAC of `message || trailer`.
    pub(crate) const fn job<'a>(
        &'a self,
        message: &'a [u8],
        trailer: Option<[u8; 4]>,
    ) -> MacJob<'a> {
        MacJob {
            states: &self.states,
            message,
            trailer,
        }
    }

    pub(crate) const fn isa(&self) -> Isa {
        self.isa
    }

    /// Whether `tag` is what the MAC of `message || trailer` begins with, in constant time.
    pub(crate) fn verify(&self, message: &[u8], trailer: Option<[u8; 4]>, tag: &[u8]) -> bool {
        begins_with(&self.tag(message, trailer), tag)
    }
}

/// Whether `tag` is what `mac` begins with, in constant time.
#[inline]
pub(crate) fn begins_with(mac: &[u8; 20], tag: &[u8]) -> bool {
    if let ([head @ .., a, b], [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, ..]) = (tag, mac)
        && let Ok(head) = head.try_into()
    {
        // Ten octets, nearly always: as two numbers.
        let head =
            u64::from_ne_bytes(head) ^ u64::from_ne_bytes([*m0, *m1, *m2, *m3, *m4, *m5, *m6, *m7]);
        let last = u16::from_ne_bytes([*a, *b]) ^ u16::from_ne_bytes([*m8, *m9]);
        return (head | u64::from(last)).ct_eq(&0).into();
    }
    mac.get(..tag.len())
        .is_some_and(|mac| mac.ct_eq(tag).into())
}

#[cfg(test)]
mod tests {
    //! Independent implementation: the lengths at which padding changes, against `hmac` + `sha1`.

    use super::{HmacSha1, Isa};
    use crate::Backend;
    use hmac::{Hmac, KeyInit, Mac};

    #[test]
    fn equals_the_hmac_crate_at_every_length() {
        let key = [0x5a; 20];
        let message: [u8; 300] = core::array::from_fn(|i| u8::try_from(i % 251).unwrap());
        for isa in Backend::available().filter_map(Backend::isa) {
            let ours = HmacSha1::new(&key, isa);
            for len in 0..message.len() {
                for trailer in [None, Some([1, 2, 3, 4])] {
                    let mut theirs = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap();
                    theirs.update(&message[..len]);
                    theirs.update(trailer.as_ref().map_or(&[], |t| &t[..]));
                    assert_eq!(
                        ours.tag(&message[..len], trailer)[..],
                        theirs.finalize().into_bytes()[..]
                    );
                }
            }
        }
    }

    #[test]
    fn verify_refuses_a_tag_longer_than_the_mac_and_any_changed_bit() {
        let mac = HmacSha1::new(&[7; 20], Isa::PORTABLE);
        let mut tag = mac.tag(b"message", None);
        assert!(mac.verify(b"message", None, &tag[..10]));
        assert!(!mac.verify(b"message", Some([0; 4]), &tag[..10]));
        assert!(!mac.verify(b"message", None, &[0; 21]));
        tag[9] ^= 1;
        assert!(!mac.verify(b"message", None, &tag[..10]));
    }
}
