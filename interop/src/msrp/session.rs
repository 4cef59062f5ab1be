use alloc::collections::VecDeque;
use std::io::{self, Read, Write};

use getrandom::{
    SysRng,
    rand_core::{Rng, UnwrapErr},
};

use super::{ByteRange, CHUNK, Flag, Frame, FrameError, Kind, MAX_MESSAGE};

/// A session ends, or a message was not delivered.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The peer has closed the connection.
    #[error("the peer has closed the connection")]
    Closed,
    /// What came is not MSRP.
    #[error("{0}")]
    Frame(#[from] FrameError),
    /// The connection is broken.
    #[error("connection: {0}")]
    Io(io::Error),
    /// The peer answers a chunk with this status: the message is not delivered.
    #[error("the peer refuses with status {0}")]
    Refused(u16),
    /// Nothing comes from the peer for as long as the connection waits.
    #[error("the peer has fallen silent")]
    Silent,
}

impl From<io::Error> for SessionError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::Silent,
            _ => Self::Io(error),
        }
    }
}

/// A whole message.
#[allow(clippy::exhaustive_structs, reason = "what a message has")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Its media type.
    pub content_type: String,
    /// Its octets.
    pub body: Vec<u8>,
}

/// One end of an MSRP session over a connection that is there ([RFC 4975 §7]).
///
/// Every chunk is answered before the next one is sent.
///
/// [RFC 4975 §7]: https://www.rfc-editor.org/rfc/rfc4975#section-7
#[derive(Debug)]
pub struct Session<S> {
    stream: S,
    own: String,
    peer: String,
    buffer: Vec<u8>,
    /// A message of which chunks have come: its identifier, what there is, how long it will be.
    partial: Option<(String, Message)>,
    inbox: VecDeque<Message>,
}

impl<S: Read + Write> Session<S> {
    /// The session of `own` URI with `peer`, as `a=path` has them.
    pub fn new(stream: S, own: &str, peer: &str) -> Self {
        Self {
            stream,
            own: own.to_owned(),
            peer: peer.to_owned(),
            buffer: Vec::new(),
            partial: None,
            inbox: VecDeque::new(),
        }
    }

    /// Says which session this is: the first thing that who has connected sends
    /// ([RFC 4975 §5.4]).
    ///
    /// # Errors
    ///
    /// [`SessionError::Refused`] if the peer has no such session; others if the connection fails.
    ///
    /// [RFC 4975 §5.4]: https://www.rfc-editor.org/rfc/rfc4975#section-5.4
    pub fn announce(&mut self) -> Result<(), SessionError> {
        let id = random_id();
        self.request(&id, None, None, Flag::Last)
    }

    /// Sends a message in chunks.
    ///
    /// # Errors
    ///
    /// [`SessionError`] if it is not delivered as a whole.
    pub fn send(&mut self, content_type: &str, body: &[u8]) -> Result<(), SessionError> {
        let (message_id, total) = (random_id(), body.len());
        let mut start = 1;
        loop {
            let chunk = body.get(start - 1..total.min(start - 1 + CHUNK));
            let chunk = chunk.unwrap_or_default();
            let end = start - 1 + chunk.len();
            let range = ByteRange {
                start,
                end: Some(end),
                total: Some(total),
            };
            let flag = if end == total { Flag::Last } else { Flag::More };
            let content = Some((content_type, chunk));
            self.request(&message_id, Some(range), content, flag)?;
            if end == total {
                return Ok(());
            }
            start = end + 1;
        }
    }

    /// Waits for the next whole message.
    ///
    /// # Errors
    ///
    /// [`SessionError::Closed`] if none comes any more; others if the connection fails.
    pub fn receive(&mut self) -> Result<Message, SessionError> {
        loop {
            if let Some(message) = self.inbox.pop_front() {
                return Ok(message);
            }
            self.step(None)?;
        }
    }

    /// The connection.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    fn request(
        &mut self,
        message_id: &str,
        byte_range: Option<ByteRange>,
        content: Option<(&str, &[u8])>,
        flag: Flag,
    ) -> Result<(), SessionError> {
        let transaction = random_id();
        let frame = Frame {
            transaction: &transaction,
            kind: Kind::Request("SEND"),
            to_path: &self.peer,
            from_path: &self.own,
            message_id: Some(message_id),
            byte_range,
            content_type: content.map(|(content_type, _)| content_type),
            body: content.map(|(_, body)| body),
            flag,
        };
        let octets = frame.to_vec();
        // 64 random bits are in no body by chance; who knows them has seen this very chunk.
        self.stream.write_all(&octets)?;
        self.stream.flush()?;
        loop {
            match self.step(Some(&transaction))? {
                Some(200) => return Ok(()),
                Some(status) => return Err(SessionError::Refused(status)),
                None => (),
            }
        }
    }

    /// Takes in one frame: the status if it answers `transaction`.
    fn step(&mut self, transaction: Option<&str>) -> Result<Option<u16>, SessionError> {
        loop {
            let buffer = core::mem::take(&mut self.buffer);
            if let Some((frame, len)) = Frame::read(&buffer)? {
                let outcome = match frame.kind {
                    Kind::Response(status) => {
                        Ok(Some(status).filter(|_| transaction == Some(frame.transaction)))
                    }
                    Kind::Request(method) => {
                        let status = if method == "SEND" {
                            self.take(&frame)
                        } else {
                            501
                        };
                        self.respond(&frame, status).map(|()| None)
                    }
                };
                self.buffer = buffer.get(len..).unwrap_or_default().to_vec();
                return outcome;
            }
            self.buffer = buffer;
            let mut octets = [0; 4096];
            match self.stream.read(&mut octets)? {
                0 => return Err(SessionError::Closed),
                len => self
                    .buffer
                    .extend_from_slice(octets.get(..len).unwrap_or_default()),
            }
        }
    }

    /// Keeps what a SEND brings; the status to answer it with ([RFC 4975 §10]).
    ///
    /// [RFC 4975 §10]: https://www.rfc-editor.org/rfc/rfc4975#section-10
    fn take(&mut self, frame: &Frame<'_>) -> u16 {
        if frame.to_path != self.own || frame.from_path != self.peer {
            return 481;
        }
        let (Some(body), Some(content_type)) = (frame.body, frame.content_type) else {
            return 200;
        };
        let id = frame.message_id.unwrap_or_default();
        let start = frame.byte_range.map_or(1, |range| range.start);
        let partial = self.partial.take_if(|(known, _)| known == id);
        let (id, mut message) = partial.unwrap_or_else(|| {
            let content_type = content_type.to_owned();
            let body = Vec::new();
            (id.to_owned(), Message { content_type, body })
        });
        // The connection keeps the order, and so does our peer.
        if start != message.body.len() + 1 {
            return 400;
        }
        if message.body.len() + body.len() > MAX_MESSAGE {
            return 413;
        }
        message.body.extend_from_slice(body);
        match frame.flag {
            Flag::Last => self.inbox.push_back(message),
            Flag::More => self.partial = Some((id, message)),
            Flag::Aborted => (),
        }
        200
    }

    fn respond(&mut self, request: &Frame<'_>, status: u16) -> Result<(), SessionError> {
        let response = Frame {
            transaction: request.transaction,
            kind: Kind::Response(status),
            to_path: request.from_path,
            from_path: request.to_path,
            message_id: None,
            byte_range: None,
            content_type: None,
            body: None,
            flag: Flag::Last,
        };
        self.stream.write_all(&response.to_vec())?;
        Ok(self.stream.flush()?)
    }
}

/// 64 random bits, as an identifier.
fn random_id() -> String {
    format!("{:016x}", UnwrapErr(SysRng).next_u64())
}
