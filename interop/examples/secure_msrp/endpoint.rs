//! One end of the session: its SDP, its roles, its connection.

use core::{fmt, net::SocketAddr, time::Duration};
use std::{
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Instant,
};

use interop::{
    keyed_media::{self, KeyingError, OFFERER},
    msrp::Session,
    tls_psk::{self, Transport},
};
use mikey_ticket::{Established, VerifiedTransfer};
use openssl::ssl::{SslCipherRef, SslStream};
use sdp_sec::{
    Path, Protocol, Sdp, Setup,
    cema::{self, Anchoring, CemaStep},
    lines::Media,
    tls_psk::{CryptoSessions, LineSessions, MixedLevels, Numbering},
    tls_role::{self, Agreement, Comedia, Roles, Side, TlsRole, TransportRole},
};

use crate::MsrpError;

/// A peer that has not come, or a connection that is silent, after this long is given up.
const TIMEOUT: Duration = Duration::from_secs(5);

/// MSRP over TLS.
pub(crate) type Msrp = Session<SslStream<TcpStream>>;

/// Where one end can be reached.
pub(crate) struct Line {
    listener: TcpListener,
    address: SocketAddr,
}

/// One end, once it has a key and knows its role.
#[derive(Clone)]
pub(crate) struct Endpoint {
    line: Arc<Line>,
    tls: Arc<tls_psk::Endpoint>,
    roles: Roles,
    /// Where c-line and m-line of the other side are; the relay, if there is one.
    peer: SocketAddr,
    own_path: String,
    peer_path: String,
}

impl Line {
    pub(crate) fn listen() -> Result<Self, MsrpError> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(crate) fn offer(&self, user: &str, message: &[u8]) -> Result<String, MsrpError> {
        self.describe(user, Setup::Actpass, message)
    }

    /// The answer to `offer`, in the role of `wish` where the offer allows it.
    pub(crate) fn answer(
        &self,
        user: &str,
        offer: &str,
        wish: TransportRole,
        message: &[u8],
    ) -> Result<String, MsrpError> {
        let sdp = Sdp::parse(offer.as_bytes())?;
        let media = media(&sdp)?;
        // One crypto session, of this line alone.
        let numbering = Numbering::PerSsrc(&[]);
        let sessions = CryptoSessions::of_offer(&sdp, numbering, MixedLevels::Refuse)?;
        let keyed = sessions.lines().first().map(LineSessions::cs_ids);
        let offered = Anchoring::of(&media)?;
        let step = CemaStep::of_answerer(&offered, false, true).end_to_end(&offered);
        if keyed != Some(OFFERER..=OFFERER) {
            return Err(MsrpError::Unfit);
        }
        if step != CemaStep::Connect {
            return Err(MsrpError::NoCema);
        }
        let setup = tls_role::answer_setup(Protocol::TcpTlsMsrp, offered.setup, wish);
        self.describe(user, setup.map_err(|rule| rule.at(0))?, message)
    }

    fn describe(&self, user: &str, setup: Setup, message: &[u8]) -> Result<String, MsrpError> {
        let key_mgmt = keyed_media::line(message).map_err(|rule| rule.at(0))?;
        let (ip, port) = (self.address.ip(), self.address.port());
        let lines = [
            "v=0".to_owned(),
            format!("o={user} 1 1 IN IP4 {ip}"),
            "s=-".to_owned(),
            format!("c=IN IP4 {ip}"),
            "t=0 0".to_owned(),
            format!("m=message {port} {} *", Protocol::TcpTlsMsrp.as_str()),
            "a=accept-types:*".to_owned(),
            format!("a=path:msrps://{ip}:{port}/{user}{port};tcp"),
            setup.line().to_string(),
            cema::LINE.to_owned(),
            key_mgmt,
        ];
        Ok(lines.map(|line| line + "\r\n").concat())
    }

    /// What offer and answer agree on, and the key.
    pub(crate) fn agreed(
        self,
        offer: &str,
        answer: &str,
        side: Side,
        keys: &Established,
    ) -> Result<Endpoint, MsrpError> {
        let (offer, answer) = (
            Sdp::parse(offer.as_bytes())?,
            Sdp::parse(answer.as_bytes())?,
        );
        let (offered, answered) = (media(&offer)?, media(&answer)?);
        let comedia = (Comedia::of(&offered)?, Comedia::of(&answered)?);
        let agreement = Agreement::of(Protocol::TcpTlsMsrp, comedia.0, comedia.1, side);
        let Agreement::Establish(roles) = agreement.map_err(|rule| rule.at(0))? else {
            return Err(MsrpError::Unfit);
        };
        let (own, peer) = match side {
            Side::Offerer => (&offered, &answered),
            Side::Answerer => (&answered, &offered),
        };
        let anchoring = Anchoring::of(peer)?;
        if side == Side::Offerer {
            let step = CemaStep::of_offerer(&anchoring, false, roles.transport);
            if step.end_to_end(&anchoring) != CemaStep::Connect {
                return Err(MsrpError::NoCema);
            }
        }
        let own_path = Path::of(own.section())?.ok_or(MsrpError::Unfit)?;
        let tls = roles.tls.ok_or(MsrpError::Unfit)?;
        let psk = keys.tls_psk(OFFERER)?;
        Ok(Endpoint {
            line: Arc::new(self),
            tls: Arc::new(tls_psk::Endpoint::new(tls, Transport::Stream, &psk)?),
            roles,
            peer: address(peer)?,
            own_path: own_path.to_string(),
            peer_path: anchoring.path.to_string(),
        })
    }
}

impl Endpoint {
    /// Connects, or waits for the other side to do so.
    pub(crate) fn connect(&self) -> Result<Msrp, MsrpError> {
        let stream = match self.roles.transport {
            TransportRole::Active => TcpStream::connect_timeout(&self.peer, TIMEOUT)?,
            TransportRole::Passive => accept(&self.line.listener)?,
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let stream = self.tls.handshake(stream)?;
        let mut session = Session::new(stream, &self.own_path, &self.peer_path);
        if self.roles.transport == TransportRole::Active {
            session.announce()?;
        }
        Ok(session)
    }

    pub(crate) fn role(&self) -> impl fmt::Display {
        match self.roles.tls {
            Some(TlsRole::Client) => "client",
            _ => "server",
        }
    }
}

/// The MIKEY message of a description, whose protection nobody has taken away.
pub(crate) fn key_mgmt(description: &str) -> Result<Vec<u8>, MsrpError> {
    let sdp = Sdp::parse(description.as_bytes())?;
    sdp_sec::key_mgmt::check_protected(&sdp)?;
    Ok(keyed_media::message(media(&sdp)?.section())?)
}

pub(crate) fn check_protocols(offer: &str, verified: &VerifiedTransfer) -> Result<(), MsrpError> {
    let sdp = Sdp::parse(offer.as_bytes())?;
    Ok(keyed_media::check_protocols(
        media(&sdp)?.section(),
        verified,
    )?)
}

/// That the answer protects what the offer did.
pub(crate) fn check_answer(offer: &str, answer: &str) -> Result<(), MsrpError> {
    let (offer, answer) = (
        Sdp::parse(offer.as_bytes())?,
        Sdp::parse(answer.as_bytes())?,
    );
    let numbering = Numbering::PerSsrc(&[]);
    let sessions = CryptoSessions::of_offer(&offer, numbering, MixedLevels::Refuse)?;
    Ok(sessions.check_answer(&offer, &answer)?)
}

pub(crate) fn suite(session: &Msrp) -> String {
    let ssl = session.stream().ssl();
    let cipher = ssl.current_cipher();
    let name = cipher.and_then(SslCipherRef::standard_name);
    format!("{} with {}", ssl.version_str(), name.unwrap_or("no suite"))
}

fn media<'a>(sdp: &Sdp<'a>) -> Result<Media<'a>, KeyingError> {
    sdp.media().next().ok_or(KeyingError::OtherSessions)
}

fn address(media: &Media<'_>) -> Result<SocketAddr, MsrpError> {
    let c_line = media.connection_line().ok_or(MsrpError::Unfit)?;
    let value = str::from_utf8(c_line.value()).map_err(|_| MsrpError::Unfit)?;
    let host = value.split(' ').nth(2).and_then(|host| host.parse().ok());
    let port = media.media_line()?.port();
    Ok(SocketAddr::new(host.ok_or(MsrpError::Unfit)?, port))
}

fn accept(listener: &TcpListener) -> Result<TcpStream, MsrpError> {
    let begin = Instant::now();
    while begin.elapsed() < TIMEOUT {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(MsrpError::Silence)
}
