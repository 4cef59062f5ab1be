//! `a=msrp-cema`: MSRP through a media anchor that TLS passes end to end ([RFC 6714]).
//!
//! [RFC 6714]: https://www.rfc-editor.org/rfc/rfc6714

use core::net::IpAddr;

use crate::lines::{Media, Section};
use crate::msrp::{MsrpUri, Path};
use crate::tls_role::TransportRole;
use crate::{Rule, SdpError, Setup};

/// The name of the attribute, a media-level property ([RFC 6714 §5]).
///
/// [RFC 6714 §5]: https://www.rfc-editor.org/rfc/rfc6714#section-5
pub const NAME: &str = "msrp-cema";

/// The attribute as its line, without a line end.
pub const LINE: &str = "a=msrp-cema";

/// Whether a media section has `a=msrp-cema`.
///
/// # Errors
///
/// [`Rule::Duplicate`] if it stands twice, [`Rule::UnexpectedValue`] if it has a value.
pub fn is_offered(section: Section<'_>) -> Result<bool, SdpError> {
    match section.attribute(NAME)? {
        Some(attribute) if attribute.value().is_some() => {
            Err(Rule::UnexpectedValue.at(attribute.line().number()))
        }
        found => Ok(found.is_some()),
    }
}

/// What a media section says of where its MSRP endpoint is ([RFC 6714 §4]).
///
/// ```
/// use sdp_sec::Sdp;
/// use sdp_sec::cema::Anchoring;
///
/// let sdp = Sdp::parse(
///     b"c=IN IP4 192.0.2.1\r\nm=message 7654 TCP/TLS/MSRP *\r\na=msrp-cema\r\n\
///       a=path:msrps://192.0.2.1:7654/s;tcp\r\n",
/// )?;
/// for media in sdp.media() {
///     let endpoint = Anchoring::of(&media)?;
///     assert!(endpoint.cema && endpoint.address_matches);
/// }
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// [RFC 6714 §4]: https://www.rfc-editor.org/rfc/rfc6714#section-4
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Anchoring<'a> {
    /// Whether `a=msrp-cema` is there.
    pub cema: bool,
    /// `a=setup`, if it is there.
    pub setup: Option<Setup>,
    /// `a=path`.
    pub path: Path<'a>,
    /// Whether c-line and m-line say what one URI of the path says ([RFC 6714 §4.4]); where they do
    /// not, a middlebox has put itself there.
    ///
    /// [RFC 6714 §4.4]: https://www.rfc-editor.org/rfc/rfc6714#section-4.4
    pub address_matches: bool,
}

impl<'a> Anchoring<'a> {
    /// Reads a media section. Names are compared as names: resolve them before, with
    /// [`matches_resolved`](Self::matches_resolved), where c-line and path may differ in form.
    ///
    /// # Errors
    ///
    /// [`Rule::MissingValue`] with the m-line if there is no path or no c-line; what the attributes
    /// answer.
    pub fn of(media: &Media<'a>) -> Result<Self, SdpError> {
        let m_line = media.media_line()?;
        let missing = Rule::MissingValue.at(m_line.line().number());
        let path = Path::of(media.section())?.ok_or(missing)?;
        let c_line = media.connection_line().ok_or(missing)?;
        let address = connection_address(c_line.value()).ok_or(missing)?;
        let matches = path.uris().any(|uri| is_at(&uri, address, m_line.port()));
        Ok(Self {
            cema: is_offered(media.section())?,
            setup: Setup::of(media)?.filter(|setup| *setup != Setup::Holdconn),
            path,
            address_matches: matches,
        })
    }

    /// The same with [`address_matches`](Self::address_matches) as the caller found it by DNS.
    #[must_use]
    pub const fn matches_resolved(self, address_matches: bool) -> Self {
        Self {
            address_matches,
            ..self
        }
    }
}

/// What an MSRP endpoint does about media anchoring.
///
/// ```
/// use sdp_sec::Sdp;
/// use sdp_sec::cema::{Anchoring, CemaStep};
///
/// // A middlebox wrote its own address, and the offerer knows nothing of CEMA.
/// let sdp = Sdp::parse(
///     b"c=IN IP4 198.51.100.7\r\nm=message 7654 TCP/TLS/MSRP *\r\n\
///       a=path:msrps://192.0.2.1:7654/s;tcp\r\n",
/// )?;
/// for media in sdp.media() {
///     let step = CemaStep::of_answerer(&Anchoring::of(&media)?, false, true);
///     assert_eq!(step, CemaStep::Refuse);
/// }
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CemaStep {
    /// CEMA holds: the answer has `a=msrp-cema`, and who becomes active connects to the address of
    /// c-line and m-line. TLS runs end to end through the middlebox.
    Connect,
    /// Without CEMA as in [RFC 4975]: the answer has no `a=msrp-cema`, and who becomes active
    /// connects to the path.
    ///
    /// [RFC 4975]: https://www.rfc-editor.org/rfc/rfc4975
    Classic,
    /// The offerer sends a new offer without `a=msrp-cema`: a middlebox will then be a B2BUA, which
    /// ends TLS ([RFC 6714 §4.2]).
    ///
    /// [RFC 6714 §4.2]: https://www.rfc-editor.org/rfc/rfc6714#section-4.2
    OfferAgainWithout,
    /// The stream is refused, by port 0 or 488 ([RFC 6714 §4.3]); or given up.
    ///
    /// [RFC 6714 §4.3]: https://www.rfc-editor.org/rfc/rfc6714#section-4.3
    Refuse,
}

impl CemaStep {
    /// What an answerer that supports CEMA does with an offer ([RFC 6714 §4.3]).
    ///
    /// `own_relay`: it uses an MSRP relay. `can_be_passive`: it can accept connections.
    ///
    /// [RFC 6714 §4.3]: https://www.rfc-editor.org/rfc/rfc6714#section-4.3
    #[must_use]
    pub fn of_answerer(offer: &Anchoring<'_>, own_relay: bool, can_be_passive: bool) -> Self {
        if !offer.cema {
            return if offer.address_matches {
                Self::Classic
            } else {
                Self::Refuse
            };
        }
        let offerer_active = matches!(offer.setup, None | Some(Setup::Active));
        let cannot_wait = !can_be_passive || offer.setup == Some(Setup::Passive);
        if offer.path.has_relay() && (own_relay || offerer_active) || own_relay && cannot_wait {
            Self::Classic
        } else {
            Self::Connect
        }
    }

    /// What an offerer that offered CEMA does with the answer ([RFC 6714 §4.2]).
    ///
    /// `own_relay`: it uses an MSRP relay. `role`: what it becomes by `a=setup`.
    ///
    /// [RFC 6714 §4.2]: https://www.rfc-editor.org/rfc/rfc6714#section-4.2
    #[must_use]
    pub fn of_offerer(answer: &Anchoring<'_>, own_relay: bool, role: TransportRole) -> Self {
        if answer.cema {
            return Self::Connect;
        }
        let relays = own_relay || answer.path.has_relay();
        match (answer.address_matches, role) {
            (false, TransportRole::Passive) => Self::OfferAgainWithout,
            (false, TransportRole::Active) if relays => Self::OfferAgainWithout,
            (true, _) if answer.path.has_relay() => Self::Classic,
            _ => Self::Connect,
        }
    }

    /// The same for a stream that key management protects end to end, where a middlebox may not end
    /// TLS: without CEMA at both peers it is refused as soon as a middlebox shows
    /// (TR 33.829 §8.3.1.2).
    #[must_use]
    pub const fn end_to_end(self, peer: &Anchoring<'_>) -> Self {
        match self {
            Self::OfferAgainWithout => Self::Refuse,
            Self::Connect | Self::Classic if !peer.cema && !peer.address_matches => Self::Refuse,
            other => other,
        }
    }
}

/// The address of a c-line's value: `IN IP4 192.0.2.1` ([RFC 8866 §5.7]).
///
/// [RFC 8866 §5.7]: https://www.rfc-editor.org/rfc/rfc8866#section-5.7
fn connection_address(value: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(value).ok()?;
    let address = text.trim_ascii().split(' ').nth(2)?;
    Some(address.split('/').next().unwrap_or(address))
}

/// Whether a URI names this address and port ([RFC 6714 §4.4]).
fn is_at(uri: &MsrpUri<'_>, address: &str, port: u16) -> bool {
    let host = uri.host();
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let same = match (inner.parse::<IpAddr>(), address.parse::<IpAddr>()) {
        (Ok(uri), Ok(connection)) => uri == connection,
        _ => inner.eq_ignore_ascii_case(address),
    };
    same && uri.port() == Some(port)
}
