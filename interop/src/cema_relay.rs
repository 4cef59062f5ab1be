//! A media anchor for MSRP ([RFC 6714]): it writes its own address into offer and answer, and carries
//! the octets of one TCP connection into another. It has no keys and opens nothing.
//!
//! [RFC 6714]: https://www.rfc-editor.org/rfc/rfc6714

use alloc::sync::Arc;
use core::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    fs::File,
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
};

use sdp_sec::lines::EditError;
use sdp_sec::{Rule, Sdp, SdpError};

/// How often a thread looks whether it shall end.
const POLL: Duration = Duration::from_millis(10);

/// The relay. Its threads end when it is dropped.
#[derive(Debug)]
pub struct Relay {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    ended: AtomicBool,
    octets: AtomicUsize,
    log: Option<Mutex<File>>,
}

/// A description cannot be anchored.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The line cannot be written.
    #[error("relay: {0}")]
    Edit(#[from] EditError),
    /// It cannot listen, or not write its log.
    #[error("relay: {0}")]
    Io(#[from] io::Error),
    /// The description has no address of an endpoint.
    #[error("relay: {0}")]
    Sdp(#[from] SdpError),
}

impl Relay {
    /// A relay; all that it carries goes to the file `log`, too.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn new(log: Option<&Path>) -> io::Result<Self> {
        let log = log.map(File::create).transpose()?.map(Mutex::new);
        let state = Arc::new(State {
            ended: AtomicBool::new(false),
            octets: AtomicUsize::new(0),
            log,
        });
        Ok(Self { state })
    }

    /// Puts itself into a description, offer or answer: what connects to the address that it then
    /// says is carried to the one that it said before. `a=path` stays ([RFC 6714 §4.4]).
    ///
    /// # Errors
    ///
    /// [`RelayError`] if there is no address or it cannot listen.
    ///
    /// [RFC 6714 §4.4]: https://www.rfc-editor.org/rfc/rfc6714#section-4.4
    pub fn anchor(&self, description: &str) -> Result<String, RelayError> {
        let sdp = Sdp::parse(description.as_bytes())?;
        let missing = Rule::MissingValue.at(0);
        let media = sdp.media().next().ok_or(missing)?;
        let (m_line, c_line) = (media.media_line()?, media.connection_line().ok_or(missing)?);
        let value = c_line.value();
        let address = value.split(|octet| *octet == b' ').nth(2).ok_or(missing)?;
        let host = str::from_utf8(address)
            .ok()
            .and_then(|host| host.parse().ok());
        let endpoint = SocketAddr::new(host.ok_or(missing)?, m_line.port());

        let listener = TcpListener::bind((endpoint.ip(), 0))?;
        let here = listener.local_addr()?;
        let mut edits = [
            (
                c_line.number(),
                c_line.field(address),
                here.ip().to_string(),
            ),
            (
                m_line.line().number(),
                Some(m_line.port_field()),
                here.port().to_string(),
            ),
        ];
        // An editor goes from the top down; a c-line may stand on either side of its m-line.
        edits.sort_unstable_by_key(|(number, ..)| *number);
        let mut editor = sdp.edit();
        for (_, field, text) in edits {
            editor.replace(field.ok_or(missing)?, text)?;
        }
        let anchored = String::from_utf8(editor.finish()).map_err(|_| missing)?;

        listener.set_nonblocking(true)?;
        let state = Arc::clone(&self.state);
        thread::spawn(move || state.accept(&listener, endpoint));
        Ok(anchored)
    }

    /// Octets carried so far, in both directions.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.state.octets.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::Relaxed);
    }
}

impl State {
    fn accept(self: &Arc<Self>, listener: &TcpListener, endpoint: SocketAddr) {
        while !self.ended.load(Ordering::Relaxed) {
            match listener.accept() {
                // An endpoint that is gone is told by closing.
                Ok((stream, _)) => drop(self.join(stream, endpoint)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(POLL),
                Err(_) => return,
            }
        }
    }

    fn join(self: &Arc<Self>, from: TcpStream, endpoint: SocketAddr) -> io::Result<()> {
        from.set_nonblocking(false)?;
        let to = TcpStream::connect_timeout(&endpoint, Duration::from_secs(2))?;
        for stream in [&from, &to] {
            stream.set_nodelay(true)?;
        }
        for (mut from, mut to) in [(from.try_clone()?, to.try_clone()?), (to, from)] {
            let state = Arc::clone(self);
            thread::spawn(move || {
                let _ = state.carry(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
        Ok(())
    }

    fn carry(&self, from: &mut TcpStream, to: &mut TcpStream) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let len = from.read(&mut buffer)?;
            let octets = buffer.get(..len).unwrap_or_default();
            if octets.is_empty() {
                return Ok(());
            }
            self.octets.fetch_add(len, Ordering::Relaxed);
            if let Some(log) = &self.log {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.write_all(octets)?;
            }
            to.write_all(octets)?;
        }
    }
}
