/// The flags of a Ticket Policy ([RFC 6043 §6.10]).
///
/// They bind one another: see [`check`](Self::check).
///
/// ```
/// use mikey::payload::{TicketFlagRule, TicketFlags};
///
/// let flags = TicketFlags {
///     kms_generated: true,
///     resolve_mandatory: true,
///     response: true,
///     responder_rand: true,
///     initiator_rand: true,
///     forking: true,
///     ..TicketFlags::NONE
/// };
/// assert_eq!(flags.check(), Ok(()));
/// assert_eq!(
///     TicketFlags { resolve_mandatory: false, ..flags }.check(),
///     Err(TicketFlagRule::ForkingNeedsResolve)
/// );
/// ```
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[allow(
    clippy::exhaustive_structs,
    reason = "the field has these flags; the rest is Res"
)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "the standard has twelve flags"
)]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TicketFlags {
    /// D: the KMS made the ticket, not the Initiator.
    pub kms_generated: bool,
    /// E: the Ticket Resolve exchange is mandatory; else the Responder may resolve it alone.
    pub resolve_mandatory: bool,
    /// F: TRANSFER_RESP shall be sent; else it shall not.
    pub response: bool,
    /// G: the Responder shall make a RANDRr; else it shall not.
    pub responder_rand: bool,
    /// H: RANDRi shall be used in deriving from a TGK or GTGK; else it shall not.
    pub initiator_rand: bool,
    /// I: keys shall be forked; else they shall not.
    pub forking: bool,
    /// J: the ticket may be used again, and so kept; else it shall not.
    pub reusable: bool,
    /// K: the KMS changed what was asked for. 0 in a TP payload.
    pub changed: bool,
    /// L: the Initiator may supply session keys; else it shall not.
    pub initiator_keys: bool,
    /// M: the Responder may supply session keys; else it shall not.
    pub responder_keys: bool,
    /// N: an Initiator of RFC 6043 can use the ticket as it is.
    pub plain_initiator: bool,
    /// O: a Responder of RFC 6043 can process the ticket as it is.
    pub plain_responder: bool,
}

/// D, behind the PRF function in the first of three octets.
const D: u32 = 1 << 16;
const E: u32 = 1 << 15;
const F: u32 = 1 << 14;
const G: u32 = 1 << 13;
const H: u32 = 1 << 12;
const I: u32 = 1 << 11;
const J: u32 = 1 << 10;
const K: u32 = 1 << 9;
const L: u32 = 1 << 8;
const M: u32 = 1 << 7;
const N: u32 = 1 << 6;
/// O, before the five bits of Res.
const O: u32 = 1 << 5;

impl TicketFlags {
    /// All flags 0, which breaks a rule: H or G must be 1.
    pub const NONE: Self = Self {
        kms_generated: false,
        resolve_mandatory: false,
        response: false,
        responder_rand: false,
        initiator_rand: false,
        forking: false,
        reusable: false,
        changed: false,
        initiator_keys: false,
        responder_keys: false,
        plain_initiator: false,
        plain_responder: false,
    };

    /// Checks what the flags imply of one another ([RFC 6043 §6.10]).
    ///
    /// One rule needs more than the flags: F shall be 1 if I is and a TGK is in the ticket.
    ///
    /// # Errors
    ///
    /// The [`TicketFlagRule`] that is broken, the first in the order of the standard.
    ///
    /// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
    pub const fn check(self) -> Result<(), TicketFlagRule> {
        use TicketFlagRule as Rule;
        if !self.kms_generated && !self.initiator_keys {
            return Err(Rule::InitiatorTicketNeedsKeys);
        }
        if self.responder_rand && !self.response {
            return Err(Rule::ResponderRandNeedsResponse);
        }
        if !self.responder_rand && !self.initiator_rand {
            return Err(Rule::NoRand);
        }
        if self.forking && !self.resolve_mandatory {
            return Err(Rule::ForkingNeedsResolve);
        }
        if self.changed && !self.kms_generated {
            return Err(Rule::ChangedNeedsKms);
        }
        if self.responder_keys && !self.response {
            return Err(Rule::ResponderKeysNeedResponse);
        }
        Ok(())
    }

    pub(super) const fn from_bits(bits: u32) -> Self {
        Self {
            kms_generated: bits & D != 0,
            resolve_mandatory: bits & E != 0,
            response: bits & F != 0,
            responder_rand: bits & G != 0,
            initiator_rand: bits & H != 0,
            forking: bits & I != 0,
            reusable: bits & J != 0,
            changed: bits & K != 0,
            initiator_keys: bits & L != 0,
            responder_keys: bits & M != 0,
            plain_initiator: bits & N != 0,
            plain_responder: bits & O != 0,
        }
    }

    pub(super) fn to_bits(self) -> u32 {
        let bit = |set: bool, bit: u32| if set { bit } else { 0 };
        bit(self.kms_generated, D)
            | bit(self.resolve_mandatory, E)
            | bit(self.response, F)
            | bit(self.responder_rand, G)
            | bit(self.initiator_rand, H)
            | bit(self.forking, I)
            | bit(self.reusable, J)
            | bit(self.changed, K)
            | bit(self.initiator_keys, L)
            | bit(self.responder_keys, M)
            | bit(self.plain_initiator, N)
            | bit(self.plain_responder, O)
    }
}

/// A rule that flags of a Ticket Policy break ([RFC 6043 §6.10]).
///
/// ```
/// use mikey::payload::{TicketFlagRule, TicketFlags};
///
/// let flags = TicketFlags { kms_generated: true, ..TicketFlags::NONE };
/// assert_eq!(flags.check(), Err(TicketFlagRule::NoRand));
/// ```
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TicketFlagRule {
    /// K implies D.
    #[error("K without D: only the KMS changes a policy")]
    ChangedNeedsKms,
    /// I implies E.
    #[error("I without E: forked keys need the KMS")]
    ForkingNeedsResolve,
    /// Not D implies L.
    #[error("neither D nor L: an Initiator that makes a ticket supplies its keys")]
    InitiatorTicketNeedsKeys,
    /// Not G implies H, and not H implies G.
    #[error("neither G nor H: derivation needs a RAND")]
    NoRand,
    /// M implies F.
    #[error("M without F: the Responder's keys need a response")]
    ResponderKeysNeedResponse,
    /// G implies F.
    #[error("G without F: RANDRr needs a response")]
    ResponderRandNeedsResponse,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Self-consistency: each rule by itself, and each flag in its own bit.
    #[test]
    fn ticket_flags_bind_one_another() {
        use TicketFlagRule as Rule;
        let sound = TicketFlags {
            kms_generated: true,
            initiator_rand: true,
            ..TicketFlags::NONE
        };
        assert_eq!(sound.check(), Ok(()));
        let cases = [
            (
                TicketFlags {
                    kms_generated: false,
                    ..sound
                },
                TicketFlags {
                    kms_generated: false,
                    initiator_keys: true,
                    ..sound
                },
                Rule::InitiatorTicketNeedsKeys,
            ),
            (
                TicketFlags {
                    responder_rand: true,
                    ..sound
                },
                TicketFlags {
                    responder_rand: true,
                    response: true,
                    ..sound
                },
                Rule::ResponderRandNeedsResponse,
            ),
            (
                TicketFlags {
                    initiator_rand: false,
                    ..sound
                },
                TicketFlags {
                    initiator_rand: false,
                    responder_rand: true,
                    response: true,
                    ..sound
                },
                Rule::NoRand,
            ),
            (
                TicketFlags {
                    forking: true,
                    ..sound
                },
                TicketFlags {
                    forking: true,
                    resolve_mandatory: true,
                    ..sound
                },
                Rule::ForkingNeedsResolve,
            ),
            (
                TicketFlags {
                    changed: true,
                    kms_generated: false,
                    initiator_keys: true,
                    ..sound
                },
                TicketFlags {
                    changed: true,
                    ..sound
                },
                Rule::ChangedNeedsKms,
            ),
            (
                TicketFlags {
                    responder_keys: true,
                    ..sound
                },
                TicketFlags {
                    responder_keys: true,
                    response: true,
                    ..sound
                },
                Rule::ResponderKeysNeedResponse,
            ),
        ];
        for (broken, mended, rule) in cases {
            assert_eq!(broken.check(), Err(rule));
            assert_eq!(mended.check(), Ok(()), "{rule:?}");
        }
        for bit in 5..=16 {
            assert_eq!(TicketFlags::from_bits(1 << bit).to_bits(), 1 << bit);
        }
        // D is the lowest bit of the first octet, O the highest but two of the last.
        assert!(TicketFlags::from_bits(1 << 16).kms_generated);
        assert!(TicketFlags::from_bits(1 << 5).plain_responder);
    }
}
