//! The IMS-AGW's own ports: reserved before their number is told to either end.

use core::net::{IpAddr, SocketAddr};
use std::io;
use std::net::{TcpListener, UdpSocket};

/// Tries to find an even port whose next one is free as well, where the system chooses.
const TRIES: usize = 100;

/// The ports that the IMS-AGW may take, first and last; the system's choice if there is no range.
pub type PortRange = Option<(u16, u16)>;

/// Binds with the first port of the range that is free, or with one that the system chooses.
fn bind_first<T>(range: PortRange, mut bind: impl FnMut(u16) -> io::Result<T>) -> io::Result<T> {
    let Some((first, last)) = range else {
        return bind(0);
    };
    let taken = || io::Error::new(io::ErrorKind::AddrInUse, "every port of the range is taken");
    (first..=last)
        .map(|port| match bind(port) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => None,
            result => Some(result),
        })
        .find_map(|result| result)
        .unwrap_or_else(|| Err(taken()))
}

/// An RTP socket and the RTCP socket beside it, on the next port ([RFC 3550 §11]).
///
/// [RFC 3550 §11]: https://www.rfc-editor.org/rfc/rfc3550#section-11
#[derive(Debug)]
pub struct Pair {
    /// The even port.
    pub rtp: UdpSocket,
    /// The odd one.
    pub rtcp: UdpSocket,
}

impl Pair {
    /// Two sockets that do not block, on ports that were free.
    ///
    /// # Errors
    ///
    /// What binding them came to; [`io::ErrorKind::AddrInUse`] if no pair is free.
    pub fn bind(ip: IpAddr, range: PortRange) -> io::Result<Self> {
        let taken = || io::Error::from(io::ErrorKind::AddrInUse);
        let pair = |port| {
            let rtp = UdpSocket::bind((ip, port))?;
            let port = rtp.local_addr()?.port();
            let next = port.checked_add(1).filter(|_| port % 2 == 0);
            let rtcp = UdpSocket::bind((ip, next.ok_or_else(taken)?))?;
            rtp.set_nonblocking(true)?;
            rtcp.set_nonblocking(true)?;
            Ok(Self { rtp, rtcp })
        };
        let tries = if range.is_some() { 1 } else { TRIES };
        let mut bound = bind_first(range, pair);
        for _ in 1..tries {
            match bound {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    bound = bind_first(range, pair);
                }
                _ => break,
            }
        }
        bound
    }
}

/// What one stream has at one side.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ports {
    /// RTP and RTCP.
    Rtp(Pair),
    /// MSRP or BFCP: where a connection may arrive.
    Tcp(TcpListener),
    /// T.38.
    Udptl(UdpSocket),
}

impl Ports {
    pub(super) fn tcp(ip: IpAddr, range: PortRange) -> io::Result<Self> {
        let listener = bind_first(range, |port| TcpListener::bind((ip, port)))?;
        listener.set_nonblocking(true)?;
        Ok(Self::Tcp(listener))
    }

    pub(super) fn udptl(ip: IpAddr, range: PortRange) -> io::Result<Self> {
        let socket = bind_first(range, |port| UdpSocket::bind((ip, port)))?;
        socket.set_nonblocking(true)?;
        Ok(Self::Udptl(socket))
    }

    /// The address to put in SDP.
    ///
    /// # Errors
    ///
    /// What asking for it came to.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Rtp(pair) => pair.rtp.local_addr(),
            Self::Tcp(listener) => listener.local_addr(),
            Self::Udptl(socket) => socket.local_addr(),
        }
    }
}

/// The ports of one stream: a termination at each side (TS 23.334 §5.11.2).
#[derive(Debug)]
pub struct Reserved {
    /// Towards the UE.
    pub access: Ports,
    /// Towards the IMS core.
    pub core: Ports,
}
