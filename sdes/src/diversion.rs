//! SDES solution 2 of TR 33.829 §9.3.1.3 for diverted calls. **Experimental**: the TR itself
//! recommends no such thing (§9.3.1.4) and leaves open what is computed and how it is signalled.
//!
//! A (the caller) offers K1. B, who diverts the call, has seen K1 by then. C, to whom it is diverted,
//! answers with K2 and a modifier MOD; A and C protect what A sends with K1' = f(K1, MOD), which B
//! cannot compute unless it sees the answer too. K2 may itself be MOD; then the answer looks like any
//! other, and both sides must know from the signalling that the call was diverted ([`Cause`]).
//!
//! Choices made here, which both ends must share:
//!
//! - f is the key derivation in counter mode of NIST SP 800-108 with HMAC-SHA-256 under K1 (key and
//!   salt), label `mediasec SDES diversion`, context MOD;
//! - MOD is 16 to 64 octets, carried as `a=x-mediasec-mod:<base64>`, and only if C asks for a MOD of
//!   its own instead of K2.
//!
//! ```
//! use sdes::diversion::{Cause, Diverted, Modifier};
//! use sdes::{Answer, Offer, Policy, Refused};
//! use srtp::keying::MasterKeySource;
//!
//! # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
//! let policy = Policy::default();
//! let offer = Offer::new(&policy, &mut rng)?;
//!
//! // At C, whose Request-URI says `cause=302`:
//! assert_eq!(Cause::from_uri_parameter("302"), Some(Cause::Unconditional));
//! let (answer, keys) = Answer::to(offer.lines(), &policy, &mut rng)?;
//! let modifier = Modifier::random(&mut rng);
//! let at_c = Diverted::callee(&keys, &modifier).expect("one key a direction");
//! let line = modifier.encode();
//!
//! // At A, which was told by a 181 response:
//! let keys = offer.accept([answer.line()])?;
//! let modifier = Modifier::parse(&line).expect("as C wrote it");
//! let at_a = Diverted::caller(&keys, &modifier).expect("one key a direction");
//! assert_eq!(
//!     at_a.outbound().entries()[0].key().expose_key(),
//!     at_c.inbound().entries()[0].key().expose_key(),
//! );
//! # Ok::<(), Refused>(())
//! ```

use alloc::{string::String, vec::Vec};
use core::fmt;

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::Sha256;
use srtp::keying::{
    KeyEntry, KeySet, KeyingError, MAX_KEY_LEN, MAX_SALT_LEN, MasterKey, MasterKeySource,
};
use zeroize::Zeroizing;

use crate::Negotiated;

/// Name of the private attribute that carries MOD.
pub const ATTRIBUTE: &str = "x-mediasec-mod";

/// Octets of the shortest MOD.
pub const MIN_MODIFIER_LEN: usize = 16;

/// Octets of the longest MOD; K2 with its salt is shorter.
pub const MAX_MODIFIER_LEN: usize = 64;

const LABEL: &[u8] = b"mediasec SDES diversion";

/// Octets of HMAC-SHA-256.
const BLOCK_LEN: usize = 32;

/// Why a call was diverted: the `cause` parameter of the Request-URI (RFC 4458 §2, TS 24.604).
///
/// ```
/// use sdes::diversion::Cause;
///
/// assert_eq!(Cause::from_uri_parameter("486"), Some(Cause::UserBusy));
/// assert_eq!(Cause::from_uri_parameter("200"), None);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// 480: deflected at once.
    DeflectedImmediately,
    /// 487: deflected while ringing.
    DeflectedWhileRinging,
    /// 408: no reply.
    NoReply,
    /// 503: the mobile subscriber cannot be reached.
    NotReachable,
    /// 302: always diverted.
    Unconditional,
    /// 404: the user is unknown or not available.
    Unknown,
    /// 486: the user is busy.
    UserBusy,
}

impl Cause {
    /// Reads the parameter's value; `None` if it does not mean a diversion.
    #[must_use]
    pub fn from_uri_parameter(value: &str) -> Option<Self> {
        Some(match value {
            "302" => Self::Unconditional,
            "404" => Self::Unknown,
            "408" => Self::NoReply,
            "480" => Self::DeflectedImmediately,
            "486" => Self::UserBusy,
            "487" => Self::DeflectedWhileRinging,
            "503" => Self::NotReachable,
            _ => return None,
        })
    }
}

/// MOD: what the callee contributes to the caller's key. As secret as a key.
///
/// ```
/// use sdes::diversion::Modifier;
///
/// let modifier = Modifier::new(&[7; 16]).expect("16 to 64 octets");
/// assert_eq!(*modifier.encode(), "a=x-mediasec-mod:BwcHBwcHBwcHBwcHBwcHBw==");
/// assert!(Modifier::new(&[7; 15]).is_none());
/// ```
pub struct Modifier(Zeroizing<Vec<u8>>);

impl Modifier {
    /// Takes 16 to 64 octets; `None` for any other number.
    #[must_use]
    pub fn new(octets: &[u8]) -> Option<Self> {
        (MIN_MODIFIER_LEN..=MAX_MODIFIER_LEN)
            .contains(&octets.len())
            .then(|| Self(Zeroizing::new(octets.to_vec())))
    }

    /// Draws 32 octets.
    pub fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut octets = Zeroizing::new(alloc::vec![0; BLOCK_LEN]);
        rng.fill_bytes(&mut octets);
        Self(octets)
    }

    /// K2 as MOD: key and salt of the first key that the callee sends with, so that nothing more
    /// has to be signalled.
    #[must_use]
    pub fn from_callee_key(keys: &KeySet) -> Option<Self> {
        Self::new(&key_and_salt(keys.entries().first()?.key()))
    }

    /// Reads `a=x-mediasec-mod:<base64>`; `None` if it is anything else.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let text = line
            .trim_end()
            .strip_prefix("a=")?
            .strip_prefix(ATTRIBUTE)?
            .strip_prefix(':')?;
        let mut octets = Zeroizing::new([0; MAX_MODIFIER_LEN + 2]);
        Self::new(Base64::decode(text, &mut *octets).ok()?)
    }

    /// Writes `a=x-mediasec-mod:<base64>`, without a line end.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(ATTRIBUTE.len() + 128));
        let text = Zeroizing::new(Base64::encode_string(&self.0));
        for part in ["a=", ATTRIBUTE, ":", &text] {
            line.push_str(part);
        }
        line
    }
}

impl fmt::Debug for Modifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modifier").finish_non_exhaustive()
    }
}

/// The keys of a diverted call: K1' for what the caller sends, K2 for what the callee sends.
///
/// See the [module](self) for an example. A later modification of the session does not know of the
/// change: renew the caller's key then ([`LocalKey::Renew`](crate::LocalKey::Renew)).
#[derive(Debug)]
pub struct Diverted {
    outbound: KeySet,
    inbound: KeySet,
}

impl Diverted {
    /// At the caller, who offered K1: `keys` is what the offer and the answer agreed on.
    ///
    /// # Errors
    ///
    /// [`KeyingError`] if the changed keys do not form a set any more.
    pub fn caller(keys: &Negotiated, modifier: &Modifier) -> Result<Self, KeyingError> {
        let outbound = modified(keys.outbound(), modifier)?;
        Ok(Self {
            outbound,
            inbound: keys.inbound().duplicate(),
        })
    }

    /// At the callee, who answered with K2.
    ///
    /// # Errors
    ///
    /// [`KeyingError`] if the changed keys do not form a set any more.
    pub fn callee(keys: &Negotiated, modifier: &Modifier) -> Result<Self, KeyingError> {
        let inbound = modified(keys.inbound(), modifier)?;
        Ok(Self {
            outbound: keys.outbound().duplicate(),
            inbound,
        })
    }
}

impl MasterKeySource for Diverted {
    fn outbound(&self) -> &KeySet {
        &self.outbound
    }

    fn inbound(&self) -> &KeySet {
        &self.inbound
    }
}

/// f for every key of a set; MKI and lifetime stay.
fn modified(keys: &KeySet, modifier: &Modifier) -> Result<KeySet, KeyingError> {
    let mut entries = Vec::with_capacity(keys.entries().len());
    for entry in keys.entries() {
        let key = derive(entry.key(), modifier)?;
        let new = KeyEntry::new(key).with_lifetime(entry.lifetime());
        entries.push(match entry.mki() {
            None => new,
            Some(mki) => new.with_mki(mki.clone()),
        });
    }
    KeySet::new(keys.profile(), keys.parameters(), entries)
}

/// `K(i) = HMAC-SHA-256(K1, [i] || label || 0x00 || MOD || [L])`, `[i]` and `[L]` (in bits) of 32
/// bits each.
fn derive(key: &MasterKey, modifier: &Modifier) -> Result<MasterKey, KeyingError> {
    let profile = key.profile();
    let len = profile.key_len() + profile.salt_len();
    let bits = u32::try_from(len * 8).unwrap_or(0).to_be_bytes();
    let k1 = key_and_salt(key);

    let mut output = Zeroizing::new([0; 2 * BLOCK_LEN]);
    for (counter, block) in (1_u32..).zip(output.chunks_exact_mut(BLOCK_LEN)) {
        let mut prf = Hmac::<Sha256>::new_from_slice(&k1).map_err(|_| KeyingError::NoKey)?;
        for part in [&counter.to_be_bytes()[..], LABEL, &[0], &modifier.0, &bits] {
            prf.update(part);
        }
        block.copy_from_slice(&prf.finalize().into_bytes());
    }
    let derived = output.get(..len).unwrap_or_default();
    let (key, salt) = derived
        .split_at_checked(profile.key_len())
        .unwrap_or_default();
    MasterKey::new(profile, key, salt)
}

fn key_and_salt(key: &MasterKey) -> Zeroizing<Vec<u8>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(MAX_KEY_LEN + MAX_SALT_LEN));
    octets.extend_from_slice(key.expose_key());
    octets.extend_from_slice(key.expose_salt());
    octets
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;
    use srtp::keying::Profile;

    use super::*;

    #[test]
    fn both_key_and_modifier_enter_the_derived_key() {
        let key =
            |octet| MasterKey::new(Profile::AesCm256HmacSha1_80, &[octet; 32], &[9; 14]).unwrap();
        let derived = |k, m| derive(&key(k), &Modifier::new(&[m; 16]).unwrap()).unwrap();
        let reference = derived(1, 2);
        assert_eq!(reference.expose_key(), derived(1, 2).expose_key());
        assert_ne!(reference.expose_key(), derived(1, 3).expose_key());
        assert_ne!(reference.expose_key(), derived(2, 2).expose_key());
        assert_ne!(reference.expose_salt(), key(1).expose_salt());
    }

    /// Independent implementation: Python's `hmac` and `hashlib`.
    #[test]
    fn the_derived_key_is_that_of_another_implementation() {
        let profile = Profile::AesCm256HmacSha1_80;
        let key = MasterKey::new(profile, &[1; 32], &[2; 14]).unwrap();
        let derived = derive(&key, &Modifier::new(&[7; 16]).unwrap()).unwrap();
        assert_eq!(
            derived.expose_key(),
            hex!("d6aa545c79b7ec8926a8e5589d84b01f3ab09e6b9e24e7dc33bf3eaecc38efb9")
        );
        assert_eq!(derived.expose_salt(), hex!("5e37f531514e8396b5764000d572"));
    }
}
