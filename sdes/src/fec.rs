use srtp::keying::{KeySet, MasterKeySource};

/// Whether the media has forward error correction, and where its packets go
/// ([RFC 4568 §6.3.4], [§6.3.5]).
///
/// ```
/// assert_eq!(sdes::Fec::default(), sdes::Fec::NotUsed);
/// ```
///
/// [RFC 4568 §6.3.4]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.4
/// [§6.3.5]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.5
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Fec {
    /// There is none. FEC_ORDER may say the default, FEC_KEY must be absent.
    #[default]
    NotUsed,
    /// To the address and port of the media. FEC_KEY must be absent.
    SameTransport,
    /// To an address or port of its own. FEC_KEY must be there.
    SeparateTransport,
}

/// Whether the sender applies forward error correction before or after SRTP
/// ([RFC 4568 §6.3.4]).
///
/// ```
/// assert_eq!(sdes::FecOrder::default().as_str(), "FEC_SRTP");
/// ```
///
/// [RFC 4568 §6.3.4]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.4
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum FecOrder {
    /// FEC_SRTP, the default: FEC, then SRTP.
    #[default]
    FecSrtp,
    /// SRTP_FEC: SRTP, then FEC.
    SrtpFec,
}

impl FecOrder {
    /// The word in the line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FecSrtp => "FEC_SRTP",
            Self::SrtpFec => "SRTP_FEC",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::FecSrtp, Self::SrtpFec]
            .into_iter()
            .find(|order| order.as_str().eq_ignore_ascii_case(text))
    }
}

/// The keys of a FEC stream that has its own transport ([RFC 4568 §6.3.5]).
///
/// ```
/// use sdes::{Answer, Fec, FecOrder, Offer, Policy};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let policy = Policy::default().with_fec(Fec::SeparateTransport, FecOrder::FecSrtp);
/// let offer = Offer::new(&policy, &mut rng)?;
/// let (_, keys) = Answer::to(offer.lines(), &policy, &mut rng)?;
/// assert!(keys.fec().is_some());
/// # Ok::<(), sdes::Refused>(())
/// ```
///
/// [RFC 4568 §6.3.5]: https://www.rfc-editor.org/rfc/rfc4568#section-6.3.5
#[derive(Clone, Copy, Debug)]
pub struct FecKeys<'a> {
    pub(crate) outbound: &'a KeySet,
    pub(crate) inbound: &'a KeySet,
}

impl MasterKeySource for FecKeys<'_> {
    fn outbound(&self) -> &KeySet {
        self.outbound
    }

    fn inbound(&self) -> &KeySet {
        self.inbound
    }
}
