use alloc::vec::Vec;

use super::{Label, Prf, Rands, Secret, SessionKey};

/// How the keys of the crypto sessions of one bundle come from its TGKs: the PRF, the CSB ID and
/// the randomness of the exchange ([RFC 3830 §4.1.3], [RFC 6043 §5.1.3]).
///
/// ```
/// use mikey::derive::{CsbDerivation, Prf, Secret, SessionKey};
///
/// let tgk = Secret::new(&[0x11; 16])?;
/// let csb = CsbDerivation::rfc3830(Prf::Mikey1, 0x0102_0304, &[0x22; 16]);
/// let (mut first, mut second) = ([0; 16], [0; 16]);
/// csb.derive(&tgk, SessionKey::Tek, 1, &mut first);
/// csb.derive(&tgk, SessionKey::Tek, 2, &mut second);
/// assert_ne!(first, second);
/// # Ok::<(), mikey::derive::SecretLengthError>(())
/// ```
///
/// [RFC 3830 §4.1.3]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.3
/// [RFC 6043 §5.1.3]: https://www.rfc-editor.org/rfc/rfc6043#section-5.1.3
#[derive(Clone, Debug)]
pub struct CsbDerivation {
    prf: Prf,
    freshness: Freshness,
}

#[derive(Clone, Debug)]
enum Freshness {
    Rfc3830 { csb_id: u32, rand: Vec<u8> },
    Ticket { rand_i: Vec<u8>, rand_r: Vec<u8> },
}

impl CsbDerivation {
    /// With the labels of RFC 3830, for the exchanges of RFC 3830, 4650 and 4738.
    #[must_use]
    pub fn rfc3830(prf: Prf, csb_id: u32, rand: &[u8]) -> Self {
        Self {
            prf,
            freshness: Freshness::Rfc3830 {
                csb_id,
                rand: rand.to_vec(),
            },
        }
    }

    /// With the labels of RFC 6043, for MIKEY-TICKET.
    #[must_use]
    pub fn ticket(prf: Prf, rands: Rands<'_>) -> Self {
        let (rand_i, rand_r) = (rands.initiator().to_vec(), rands.responder().to_vec());
        Self {
            prf,
            freshness: Freshness::Ticket { rand_i, rand_r },
        }
    }

    /// The PRF.
    #[must_use]
    pub const fn prf(&self) -> Prf {
        self.prf
    }

    /// RAND of the exchanges of RFC 3830; those of RFC 6043 have two.
    pub(crate) fn rand(&self) -> Option<&[u8]> {
        match &self.freshness {
            Freshness::Rfc3830 { rand, .. } => Some(rand),
            Freshness::Ticket { .. } => None,
        }
    }

    /// Fills `out` with the key of crypto session `cs_id`, derived from `tgk`.
    pub fn derive(&self, tgk: &Secret, key: SessionKey, cs_id: u8, out: &mut [u8]) {
        let label = match &self.freshness {
            Freshness::Rfc3830 { csb_id, rand } => Label::session_key(key, cs_id, *csb_id, rand),
            Freshness::Ticket { rand_i, rand_r } => {
                // Built from Rands, so it is one.
                let rands = Rands::new(rand_i, rand_r).unwrap_or_default();
                Label::ticket_session_key(key, cs_id, rands)
            }
        };
        self.prf.derive(tgk.expose(), label.as_octets(), out);
    }
}
