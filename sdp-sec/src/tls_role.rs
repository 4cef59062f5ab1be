//! Who connects and who is TLS client, from an offer and its answer.
//!
//! | protocol | TLS client | standard |
//! |---|---|---|
//! | `TCP/TLS/MSRP`, `TCP/TLS` | the active side | RFC 8122 §6.2; TS 23.334 §5.11.2 |
//! | `TCP/TLS/BFCP` | the offerer, whoever opens the connection | RFC 8856 §8; TS 23.334 §5.11.2 |
//! | DTLS: `UDP/TLS/...`, `TCP/DTLS/BFCP` | the active side | RFC 8842 §5, RFC 7345 §4 |
//!
//! RFC 8856 §10 also says that the active side sends the ClientHello of `TCP/TLS/BFCP`; §8, which is
//! what RFC 4583 peers do and what 3GPP asks, is followed here.

use crate::fingerprint::Fingerprint;
use crate::lines::Media;
use crate::protocol::Protocol;
use crate::{Connection, Rule, SdpError, Setup, TlsId};

/// Which side of an offer/answer exchange an endpoint is on.
///
/// ```
/// use sdp_sec::tls_role::{Side, TlsRole, TlsRoleRule, TransportRole};
///
/// let bfcp = TlsRoleRule::AnswererIsServer;
/// assert_eq!(bfcp.role(Side::Answerer, TransportRole::Active), TlsRole::Server);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there are two sides")]
pub enum Side {
    /// It sent the offer.
    Offerer,
    /// It sent the answer.
    Answerer,
}

/// Who opens the transport connection ([RFC 4145 §4]).
///
/// ```
/// use sdp_sec::Setup;
/// use sdp_sec::tls_role::TransportRole;
///
/// assert_eq!(TransportRole::Active.peer().setup(), Setup::Passive);
/// ```
///
/// [RFC 4145 §4]: https://www.rfc-editor.org/rfc/rfc4145#section-4
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there are two ends")]
pub enum TransportRole {
    /// Opens it: the TCP client.
    Active,
    /// Accepts it: the TCP server.
    Passive,
}

impl TransportRole {
    /// The role of the other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Active => Self::Passive,
            Self::Passive => Self::Active,
        }
    }

    /// The role as `a=setup` says it.
    #[must_use]
    pub const fn setup(self) -> Setup {
        match self {
            Self::Active => Setup::Active,
            Self::Passive => Setup::Passive,
        }
    }
}

/// Who sends the TLS or DTLS ClientHello.
///
/// ```
/// use sdp_sec::tls_role::TlsRole;
///
/// assert_eq!(TlsRole::Client.peer(), TlsRole::Server);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there are two ends")]
pub enum TlsRole {
    /// Sends it.
    Client,
    /// Waits for it.
    Server,
}

impl TlsRole {
    /// The role of the other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// How the TLS role is found.
///
/// ```
/// use sdp_sec::Protocol;
/// use sdp_sec::tls_role::TlsRoleRule;
///
/// assert_eq!(TlsRoleRule::of(Protocol::TcpTlsMsrp), Some(TlsRoleRule::FollowsTransport));
/// assert_eq!(TlsRoleRule::of(Protocol::TcpTlsBfcp), Some(TlsRoleRule::AnswererIsServer));
/// assert_eq!(TlsRoleRule::of(Protocol::TcpBfcp), None);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TlsRoleRule {
    /// The active side is TLS client (RFC 8122 §6.2; TR 33.829 annex D.2).
    FollowsTransport,
    /// The answerer is TLS server (RFC 8856 §8).
    AnswererIsServer,
    /// The offerer is TLS server: for a profile that says so, none of ours does.
    OffererIsServer,
}

impl TlsRoleRule {
    /// The rule of a protocol; `None` if it has no TLS or DTLS.
    #[must_use]
    pub const fn of(protocol: Protocol<'_>) -> Option<Self> {
        match protocol {
            Protocol::TcpTlsBfcp => Some(Self::AnswererIsServer),
            other if other.is_tls() || other.is_dtls() => Some(Self::FollowsTransport),
            _ => None,
        }
    }

    /// The TLS role of `side`, whose transport role is `transport`.
    #[must_use]
    pub const fn role(self, side: Side, transport: TransportRole) -> TlsRole {
        match (self, side, transport) {
            (Self::FollowsTransport, _, TransportRole::Active)
            | (Self::AnswererIsServer, Side::Offerer, _)
            | (Self::OffererIsServer, Side::Answerer, _) => TlsRole::Client,
            _ => TlsRole::Server,
        }
    }
}

/// What a media section says about its connection ([RFC 4145], "comedia").
///
/// ```
/// use sdp_sec::tls_role::Comedia;
/// use sdp_sec::{Connection, Sdp, Setup};
///
/// let sdp = Sdp::parse(
///     b"a=setup:actpass\r\nm=application 5000 TCP/TLS/BFCP *\r\na=connection:new\r\n",
/// )?;
/// for media in sdp.media() {
///     let (setup, connection) = (Some(Setup::Actpass), Some(Connection::New));
///     assert_eq!(Comedia::of(&media)?, Comedia { setup, connection });
/// }
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// [RFC 4145]: https://www.rfc-editor.org/rfc/rfc4145
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Comedia {
    /// `a=setup`, if it is there.
    pub setup: Option<Setup>,
    /// `a=connection`, if it is there.
    pub connection: Option<Connection>,
}

impl Comedia {
    /// Reads the two attributes of a media section.
    ///
    /// # Errors
    ///
    /// As [`Setup::of`] and [`Connection::of`].
    pub fn of(media: &Media<'_>) -> Result<Self, SdpError> {
        Ok(Self {
            setup: Setup::of(media)?,
            connection: Connection::of(media.section())?,
        })
    }
}

/// The roles of one endpoint.
///
/// ```
/// use sdp_sec::tls_role::{Roles, TlsRole, TransportRole};
///
/// let gateway = Roles { transport: TransportRole::Passive, tls: Some(TlsRole::Server) };
/// assert_eq!(gateway.transport.peer(), TransportRole::Active);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Roles {
    /// Who opens the connection.
    pub transport: TransportRole,
    /// Who is TLS client; `None` if the protocol has no TLS.
    pub tls: Option<TlsRole>,
}

/// What an offer and its answer agree on about the connection.
///
/// ```
/// use sdp_sec::tls_role::{Agreement, Comedia, Side};
/// use sdp_sec::{Protocol, Setup};
///
/// let held = Comedia { setup: Some(Setup::Holdconn), connection: None };
/// let agreed = Agreement::of(Protocol::TcpTlsBfcp, held, held, Side::Offerer);
/// assert_eq!(agreed, Ok(Agreement::Hold));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Agreement {
    /// A connection is to be made, with these roles.
    Establish(Roles),
    /// The connection that is there goes on, with the roles it has ([RFC 4145 §5.1]).
    ///
    /// [RFC 4145 §5.1]: https://www.rfc-editor.org/rfc/rfc4145#section-5.1
    Keep,
    /// No connection for the time being: `holdconn`.
    Hold,
}

impl Agreement {
    /// What `side` does after `offer` was answered with `answer`.
    ///
    /// MSRP and DTLS have no `a=connection`, and it is ignored there ([RFC 6135 §4.4], [RFC 7345
    /// §4.1]): whether a re-offer asks for a new connection is told by `a=path`, or by
    /// [`Association::is_replaced_by`]. MSRP has no `holdconn` either and takes it for absent
    /// ([RFC 6135 §4.2.1]).
    ///
    /// ```
    /// use sdp_sec::tls_role::{Agreement, Comedia, Roles, Side, TlsRole, TransportRole};
    /// use sdp_sec::{Protocol, Setup};
    ///
    /// let offer = Comedia { setup: Some(Setup::Actpass), connection: None };
    /// let answer = Comedia { setup: Some(Setup::Active), connection: None };
    /// let bfcp = Agreement::of(Protocol::TcpTlsBfcp, offer, answer, Side::Answerer)?;
    /// let (transport, tls) = (TransportRole::Active, Some(TlsRole::Server));
    /// assert_eq!(bfcp, Agreement::Establish(Roles { transport, tls }));
    /// # Ok::<(), sdp_sec::Rule>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Rule::SetupAnswer`] or [`Rule::ConnectionAnswer`] if the pair is not one that
    /// [RFC 4145 §4.1, §5.1] allow; [`Rule::Holdconn`] where DTLS forbids it ([RFC 8842 §5.1]).
    ///
    /// [RFC 4145 §4.1, §5.1]: https://www.rfc-editor.org/rfc/rfc4145#section-4.1
    /// [RFC 6135 §4.2.1]: https://www.rfc-editor.org/rfc/rfc6135#section-4.2.1
    /// [RFC 6135 §4.4]: https://www.rfc-editor.org/rfc/rfc6135#section-4.4
    /// [RFC 7345 §4.1]: https://www.rfc-editor.org/rfc/rfc7345#section-4.1
    /// [RFC 8842 §5.1]: https://www.rfc-editor.org/rfc/rfc8842#section-5.1
    pub fn of(
        protocol: Protocol<'_>,
        offer: Comedia,
        answer: Comedia,
        side: Side,
    ) -> Result<Self, Rule> {
        Self::by_rule(TlsRoleRule::of(protocol), protocol, offer, answer, side)
    }

    /// As [`of`](Self::of), with the TLS role found by `rule`, `None` for no TLS: for `TCP/TLS` that
    /// carries BFCP, or a profile that says otherwise.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub fn by_rule(
        rule: Option<TlsRoleRule>,
        protocol: Protocol<'_>,
        offer: Comedia,
        answer: Comedia,
        side: Side,
    ) -> Result<Self, Rule> {
        let (offered, answered) = (effective(protocol, offer), effective(protocol, answer));
        let connection = (
            offered.connection.unwrap_or_default(),
            answered.connection.unwrap_or_default(),
        );
        if !connection.0.may_be_answered_by(connection.1) {
            return Err(Rule::ConnectionAnswer);
        }
        if connection.1 == Connection::Existing {
            return Ok(Self::Keep);
        }
        let offered = offered.setup.unwrap_or(Setup::DEFAULT_OFFER);
        let answered = answered.setup.unwrap_or(Setup::DEFAULT_ANSWER);
        if protocol.is_dtls() && (offered == Setup::Holdconn || answered == Setup::Holdconn) {
            return Err(Rule::Holdconn);
        }
        if !offered.may_be_answered_by(answered) {
            return Err(Rule::SetupAnswer);
        }
        let answerer = match answered {
            Setup::Active => TransportRole::Active,
            Setup::Holdconn => return Ok(Self::Hold),
            _ => TransportRole::Passive,
        };
        let transport = if side == Side::Answerer {
            answerer
        } else {
            answerer.peer()
        };
        Ok(Self::Establish(Roles {
            transport,
            tls: rule.map(|rule| rule.role(side, transport)),
        }))
    }
}

/// The attributes that the protocol has.
fn effective(protocol: Protocol<'_>, comedia: Comedia) -> Comedia {
    let msrp = matches!(protocol, Protocol::TcpMsrp | Protocol::TcpTlsMsrp);
    Comedia {
        setup: comedia
            .setup
            .filter(|setup| !(msrp && *setup == Setup::Holdconn)),
        connection: comedia.connection.filter(|_| !msrp && !protocol.is_dtls()),
    }
}

/// The `a=setup` with which to answer `offer` (`None` if it has none): `wish` if the offer allows
/// it, else the one that it allows ([RFC 4145 §4.1]).
///
/// ```
/// use sdp_sec::tls_role::{TransportRole, answer_setup};
/// use sdp_sec::{Protocol, Setup};
///
/// let answer = |offer| answer_setup(Protocol::TcpTlsMsrp, offer, TransportRole::Passive);
/// assert_eq!(answer(Some(Setup::Actpass)), Ok(Setup::Passive));
/// assert_eq!(answer(Some(Setup::Passive)), Ok(Setup::Active));
/// assert_eq!(answer(None), Ok(Setup::Passive));
/// ```
///
/// # Errors
///
/// [`Rule::Holdconn`] where DTLS forbids it.
///
/// [RFC 4145 §4.1]: https://www.rfc-editor.org/rfc/rfc4145#section-4.1
pub fn answer_setup(
    protocol: Protocol<'_>,
    offer: Option<Setup>,
    wish: TransportRole,
) -> Result<Setup, Rule> {
    let offer = effective(
        protocol,
        Comedia {
            setup: offer,
            connection: None,
        },
    )
    .setup;
    match offer.unwrap_or(Setup::DEFAULT_OFFER) {
        Setup::Holdconn if protocol.is_dtls() => Err(Rule::Holdconn),
        Setup::Holdconn => Ok(Setup::Holdconn),
        Setup::Active => Ok(Setup::Passive),
        Setup::Passive => Ok(Setup::Active),
        Setup::Actpass => Ok(wish.setup()),
    }
}

/// What tells one DTLS association from the next, of one endpoint ([RFC 8842 §3.1]).
///
/// ```
/// use sdp_sec::TlsId;
/// use sdp_sec::tls_role::{Association, TlsRole};
///
/// let id = |text| TlsId::parse(text).ok();
/// let old = Association {
///     tls_id: id("AAAAAAAAAAAAAAAAAAAA"),
///     role: TlsRole::Client,
///     fingerprints: &[],
///     transport: "192.0.2.1 4000",
/// };
/// let moved = Association { transport: "192.0.2.1 4002", ..old };
/// assert!(!old.is_replaced_by(&moved));
/// assert!(old.is_replaced_by(&Association { tls_id: id("BBBBBBBBBBBBBBBBBBBB"), ..old }));
/// ```
///
/// [RFC 8842 §3.1]: https://www.rfc-editor.org/rfc/rfc8842#section-3.1
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Association<'a> {
    /// `a=tls-id`, if it is there.
    pub tls_id: Option<TlsId<'a>>,
    /// The negotiated role.
    pub role: TlsRole,
    /// The fingerprints, in any order.
    pub fingerprints: &'a [Fingerprint],
    /// Local address and port, in any form that two descriptions share.
    pub transport: &'a str,
}

impl Association<'_> {
    /// Whether `new` asks for another association: another role, fingerprint or `tls-id`, or, where
    /// there is no `tls-id`, another transport address ([RFC 8842 §3.1, §4]).
    ///
    /// [RFC 8842 §3.1, §4]: https://www.rfc-editor.org/rfc/rfc8842#section-3.1
    #[must_use]
    pub fn is_replaced_by(&self, new: &Association<'_>) -> bool {
        let contains = |set: &[Fingerprint], other: &[Fingerprint]| {
            other.iter().all(|fingerprint| set.contains(fingerprint))
        };
        self.role != new.role
            || self.tls_id != new.tls_id
            || !contains(self.fingerprints, new.fingerprints)
            || !contains(new.fingerprints, self.fingerprints)
            || (new.tls_id.is_none() && self.transport != new.transport)
    }
}
