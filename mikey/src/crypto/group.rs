use alloc::vec::Vec;
use core::fmt;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U256, Uint};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::code_points::DhGroup;
use crate::derive::Secret;

/// The generator of all three groups.
const GENERATOR: u64 = 2;

const OAKLEY_1: &str = "\
FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
4FE1356D6D51C245E485B576625E7EC6F44C42E9A63A3620FFFFFFFFFFFFFFFF";

const OAKLEY_2: &str = "\
FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF";

const OAKLEY_5: &str = "\
FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05\
98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB\
9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF";

/// A Diffie-Hellman group of MIKEY that is implemented ([RFC 3830 §4.2.7]).
///
/// All are safe-prime groups. OAKLEY 1 and 2 are short for today; they are here for peers that have
/// nothing else.
///
/// ```
/// use mikey::crypto::Group;
///
/// assert_eq!((Group::Oakley5.value_len(), Group::Oakley1.value_len()), (192, 96));
/// ```
///
/// [RFC 3830 §4.2.7]: https://www.rfc-editor.org/rfc/rfc3830#section-4.2.7
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Group {
    /// OAKLEY 5: 1536 bits, mandatory where DH is supported.
    Oakley5,
    /// OAKLEY 1: 768 bits.
    Oakley1,
    /// OAKLEY 2: 1024 bits.
    Oakley2,
}

impl Group {
    /// The group of a `DH-Group` value; `None` for one that is not implemented.
    #[must_use]
    pub const fn from_code_point(group: DhGroup) -> Option<Self> {
        match group {
            DhGroup::Oakley5 => Some(Self::Oakley5),
            DhGroup::Oakley1 => Some(Self::Oakley1),
            DhGroup::Oakley2 => Some(Self::Oakley2),
            DhGroup::Unknown(_) => None,
        }
    }

    /// The `DH-Group` value.
    #[must_use]
    pub const fn code_point(self) -> DhGroup {
        match self {
            Self::Oakley5 => DhGroup::Oakley5,
            Self::Oakley1 => DhGroup::Oakley1,
            Self::Oakley2 => DhGroup::Oakley2,
        }
    }

    /// Octets of a DH value and of the TGK.
    #[must_use]
    pub const fn value_len(self) -> usize {
        match self {
            Self::Oakley5 => 192,
            Self::Oakley1 => 96,
            Self::Oakley2 => 128,
        }
    }
}

/// The secret exponent of one side, for one exchange ([RFC 3830 §3.3]).
///
/// 256 random bits: twice the strength of the largest group. Exponentiation takes the same time for
/// every exponent. Erased when dropped.
///
/// ```
/// use mikey::crypto::{DhSecret, Group};
///
/// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let (x, y) = (DhSecret::random(Group::Oakley1, &mut rng), DhSecret::random(Group::Oakley1, &mut rng));
/// let tgk = x.agree(&y.public_value())?;
/// assert_eq!(tgk.expose(), y.agree(&x.public_value())?.expose());
/// # Ok::<(), mikey::crypto::InvalidPublicValue>(())
/// ```
///
/// [RFC 3830 §3.3]: https://www.rfc-editor.org/rfc/rfc3830#section-3.3
#[derive(ZeroizeOnDrop)]
pub struct DhSecret {
    #[zeroize(skip)]
    group: Group,
    exponent: U256,
}

impl DhSecret {
    /// Draws an exponent.
    pub fn random<R: CryptoRng + ?Sized>(group: Group, rng: &mut R) -> Self {
        let mut octets = Zeroizing::new([0; 32]);
        rng.fill_bytes(octets.as_mut_slice());
        Self {
            group,
            exponent: U256::from_be_slice(octets.as_slice()),
        }
    }

    /// The group.
    #[must_use]
    pub const fn group(&self) -> Group {
        self.group
    }

    /// The DH value for the peer: [`Group::value_len`] octets.
    #[must_use]
    pub fn public_value(&self) -> Vec<u8> {
        match self.group {
            Group::Oakley1 => self.generate::<{ crypto_bigint::U768::LIMBS }>(OAKLEY_1),
            Group::Oakley2 => self.generate::<{ crypto_bigint::U1024::LIMBS }>(OAKLEY_2),
            Group::Oakley5 => self.generate::<{ crypto_bigint::U1536::LIMBS }>(OAKLEY_5),
        }
    }

    /// The TGK that both sides have: [`Group::value_len`] octets, leading zeros kept.
    ///
    /// # Errors
    ///
    /// [`InvalidPublicValue`] for a peer's value that is not between 2 and p - 2, or of another
    /// length.
    pub fn agree(&self, peer: &[u8]) -> Result<Secret, InvalidPublicValue> {
        if peer.len() != self.group.value_len() {
            return Err(InvalidPublicValue);
        }
        match self.group {
            Group::Oakley1 => self.power::<{ crypto_bigint::U768::LIMBS }>(OAKLEY_1, peer),
            Group::Oakley2 => self.power::<{ crypto_bigint::U1024::LIMBS }>(OAKLEY_2, peer),
            Group::Oakley5 => self.power::<{ crypto_bigint::U1536::LIMBS }>(OAKLEY_5, peer),
        }
    }

    fn generate<const LIMBS: usize>(&self, modulus: &str) -> Vec<u8> {
        let params = FixedMontyParams::new_vartime(Odd::<Uint<LIMBS>>::from_be_hex(modulus));
        let base = FixedMontyForm::new(&Uint::from_u64(GENERATOR), &params);
        base.pow(&self.exponent)
            .retrieve()
            .to_be_bytes()
            .as_ref()
            .to_vec()
    }

    fn power<const LIMBS: usize>(
        &self,
        modulus: &str,
        peer: &[u8],
    ) -> Result<Secret, InvalidPublicValue> {
        let modulus = Odd::<Uint<LIMBS>>::from_be_hex(modulus);
        let value = Uint::<LIMBS>::from_be_slice(peer);
        // p is odd, so p - 1 only clears the lowest bit.
        let last = modulus.as_ref().wrapping_sub(&Uint::ONE);
        if value <= Uint::ONE || value >= last {
            return Err(InvalidPublicValue);
        }
        let params = FixedMontyParams::new_vartime(modulus);
        let mut shared = FixedMontyForm::new(&value, &params)
            .pow(&self.exponent)
            .retrieve();
        let mut octets = shared.to_be_bytes();
        let tgk = Secret::new(octets.as_ref()).map_err(|_| InvalidPublicValue);
        octets.as_mut().zeroize();
        shared.zeroize();
        tgk
    }
}

impl fmt::Debug for DhSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DhSecret").field(&self.group).finish()
    }
}

/// A peer's DH value outside of the group, or one that gives away the result; no key was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the DH value is not one of the group")]
#[non_exhaustive]
pub struct InvalidPublicValue;
