use core::fmt;

use super::MAX_FRAME;

/// A request or response as it stands on the connection ([RFC 4975 §9]).
///
/// ```
/// use interop::msrp::{Flag, Frame, Kind};
///
/// let octets = b"MSRP a786hjs2 SEND\r\nTo-Path: msrps://b.example:7394/2s93i9;tcp\r\n\
///                From-Path: msrps://a.example:7654/iau39s;tcp\r\nMessage-ID: 87652491\r\n\
///                Byte-Range: 1-2/2\r\nContent-Type: text/plain\r\n\r\nHi\r\n-------a786hjs2$\r\n";
/// let (frame, len) = Frame::read(octets)?.ok_or("not all there")?;
/// assert_eq!((len, frame.kind, frame.flag), (octets.len(), Kind::Request("SEND"), Flag::Last));
/// assert_eq!(frame.body, Some(&b"Hi"[..]));
/// assert_eq!(frame.to_vec(), octets);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 4975 §9]: https://www.rfc-editor.org/rfc/rfc4975#section-9
#[allow(clippy::exhaustive_structs, reason = "what a frame has")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame<'a> {
    /// The transaction identifier.
    pub transaction: &'a str,
    /// What it is.
    pub kind: Kind<'a>,
    /// To-Path.
    pub to_path: &'a str,
    /// From-Path.
    pub from_path: &'a str,
    /// Message-ID.
    pub message_id: Option<&'a str>,
    /// Byte-Range.
    pub byte_range: Option<ByteRange>,
    /// Content-Type, there if there is a body.
    pub content_type: Option<&'a str>,
    /// The octets of the body.
    pub body: Option<&'a [u8]>,
    /// Whether the message goes on.
    pub flag: Flag,
}

/// A request with its method, or a response with its status.
#[allow(clippy::exhaustive_enums, reason = "there are two kinds")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind<'a> {
    /// The method.
    Request(&'a str),
    /// The status, of three digits.
    Response(u16),
}

/// The continuation flag of an end-line ([RFC 4975 §7.1]).
///
/// [RFC 4975 §7.1]: https://www.rfc-editor.org/rfc/rfc4975#section-7.1
#[allow(clippy::exhaustive_enums, reason = "there are three flags")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flag {
    /// `$`: the message ends here.
    Last,
    /// `+`: more follows.
    More,
    /// `#`: the rest will not follow.
    Aborted,
}

/// Which octets of a message a chunk has, counted from 1 ([RFC 4975 §7.1.1]).
///
/// [RFC 4975 §7.1.1]: https://www.rfc-editor.org/rfc/rfc4975#section-7.1.1
#[allow(clippy::exhaustive_structs, reason = "three numbers")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ByteRange {
    /// The first.
    pub start: usize,
    /// The last; `None` for one that the sender may cut short.
    pub end: Option<usize>,
    /// Of the whole message; `None` if the sender does not know.
    pub total: Option<usize>,
}

/// The octets are not MSRP: the connection is of no use any more.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FrameError {
    /// No request and no response begins so.
    #[error("not an MSRP request or response")]
    Malformed,
    /// It does not end within [`MAX_FRAME`](super::MAX_FRAME) octets.
    #[error("an MSRP chunk is too long")]
    TooLong,
}

impl<'a> Frame<'a> {
    /// Reads one frame from the front of `octets`, and its length. `None` if it is not all there.
    ///
    /// # Errors
    ///
    /// [`FrameError`], from which no connection recovers.
    pub fn read(octets: &'a [u8]) -> Result<Option<(Self, usize)>, FrameError> {
        let Some((transaction, kind, headers)) = start_line(octets)? else {
            return short(octets);
        };
        let end_line = format!("-------{transaction}");
        let Some((at, flag)) = find_end(headers, end_line.as_bytes()) else {
            return short(octets);
        };
        let content = headers.get(..at).unwrap_or_default();
        let (head, body) = match find(content, b"\r\n\r\n") {
            Some(blank) => {
                let body = content.get(blank + 4..).unwrap_or_default();
                let body = body.strip_suffix(b"\r\n").ok_or(FrameError::Malformed)?;
                (content.get(..blank + 2).unwrap_or_default(), Some(body))
            }
            None => (content, None),
        };
        let head = str::from_utf8(head).map_err(|_| FrameError::Malformed)?;
        let header = |name: &str| {
            let mut lines = head.split("\r\n");
            lines.find_map(|line| {
                let (field, value) = line.split_once(':')?;
                field.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let byte_range = header("Byte-Range").map(byte_range).transpose()?;
        let frame = Self {
            transaction,
            kind,
            to_path: header("To-Path").ok_or(FrameError::Malformed)?,
            from_path: header("From-Path").ok_or(FrameError::Malformed)?,
            message_id: header("Message-ID"),
            byte_range,
            content_type: header("Content-Type"),
            body,
            flag,
        };
        // Between the end-line and the next frame: its flag and CRLF.
        let before = octets.len() - headers.len();
        Ok(Some((frame, before + at + end_line.len() + 3)))
    }

    /// The frame as it is sent.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut head = match self.kind {
            Kind::Request(method) => format!("MSRP {} {method}\r\n", self.transaction),
            Kind::Response(200) => format!("MSRP {} 200 OK\r\n", self.transaction),
            Kind::Response(status) => format!("MSRP {} {status:03}\r\n", self.transaction),
        };
        let range = self.byte_range.map(|range| range.to_string());
        for (name, value) in [
            ("To-Path", Some(self.to_path)),
            ("From-Path", Some(self.from_path)),
            ("Message-ID", self.message_id),
            ("Byte-Range", range.as_deref()),
            ("Content-Type", self.content_type),
        ] {
            if let Some(value) = value {
                head.extend([name, ": ", value, "\r\n"]);
            }
        }
        let mut octets = head.into_bytes();
        if let Some(body) = self.body {
            octets.extend_from_slice(b"\r\n");
            octets.extend_from_slice(body);
            octets.extend_from_slice(b"\r\n");
        }
        let flag = match self.flag {
            Flag::Last => '$',
            Flag::More => '+',
            Flag::Aborted => '#',
        };
        octets.extend_from_slice(format!("-------{}{flag}\r\n", self.transaction).as_bytes());
        octets
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = |f: &mut fmt::Formatter<'_>, number: Option<usize>| match number {
            Some(number) => write!(f, "{number}"),
            None => f.write_str("*"),
        };
        write!(f, "{}-", self.start)?;
        star(f, self.end)?;
        f.write_str("/")?;
        star(f, self.total)
    }
}

/// Transaction, kind, and what follows.
type Start<'a> = (&'a str, Kind<'a>, &'a [u8]);

/// `MSRP transaction method-or-status`, and what stands behind the line.
fn start_line(octets: &[u8]) -> Result<Option<Start<'_>>, FrameError> {
    let start = b"MSRP ";
    let len = start.len().min(octets.len());
    if octets.get(..len) != start.get(..len) {
        return Err(FrameError::Malformed);
    }
    let Some(end) = find(octets, b"\r\n") else {
        return Ok(None);
    };
    let line = octets.get(start.len()..end).unwrap_or_default();
    let line = str::from_utf8(line).map_err(|_| FrameError::Malformed)?;
    let (transaction, rest) = line.split_once(' ').ok_or(FrameError::Malformed)?;
    let of_transaction = |octet: u8| octet.is_ascii_alphanumeric() || b".-+%=".contains(&octet);
    if !(4..=32).contains(&transaction.len()) || !transaction.bytes().all(of_transaction) {
        return Err(FrameError::Malformed);
    }
    let word = rest.split(' ').next().unwrap_or_default();
    let digits = word.len() == 3 && word.bytes().all(|octet| octet.is_ascii_digit());
    let kind = match word.parse() {
        Ok(status) if digits => Kind::Response(status),
        _ if !rest.is_empty() && rest.bytes().all(|octet| octet.is_ascii_uppercase()) => {
            Kind::Request(rest)
        }
        _ => return Err(FrameError::Malformed),
    };
    Ok(Some((
        transaction,
        kind,
        octets.get(end + 2..).unwrap_or_default(),
    )))
}

/// Where the end-line stands that has a flag and CRLF behind it.
fn find_end(octets: &[u8], end_line: &[u8]) -> Option<(usize, Flag)> {
    let mut from = 0;
    while let Some(at) = octets.get(from..).and_then(|rest| find(rest, end_line)) {
        let at = from + at;
        let behind = octets.get(at + end_line.len()..).unwrap_or_default();
        let begins_line = at == 0
            || octets
                .get(..at)
                .is_some_and(|front| front.ends_with(b"\r\n"));
        let flag = match behind.get(..3) {
            None => return None,
            Some(b"$\r\n") => Some(Flag::Last),
            Some(b"+\r\n") => Some(Flag::More),
            Some(b"#\r\n") => Some(Flag::Aborted),
            Some(_) => None,
        };
        match flag {
            Some(flag) if begins_line => return Some((at, flag)),
            _ => from = at + end_line.len(),
        }
    }
    None
}

fn short<T>(octets: &[u8]) -> Result<Option<T>, FrameError> {
    if octets.len() > MAX_FRAME {
        Err(FrameError::TooLong)
    } else {
        Ok(None)
    }
}

fn byte_range(value: &str) -> Result<ByteRange, FrameError> {
    let number = |text: &str| match text {
        "*" => Ok(None),
        _ => text.parse().map(Some).map_err(|_| FrameError::Malformed),
    };
    let (range, total) = value.split_once('/').ok_or(FrameError::Malformed)?;
    let (start, end) = range.split_once('-').ok_or(FrameError::Malformed)?;
    Ok(ByteRange {
        start: number(start)?.ok_or(FrameError::Malformed)?,
        end: number(end)?,
        total: number(total)?,
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &[u8] = b"MSRP dkei38sd SEND\r\nTo-Path: msrp://b:1/x;tcp\r\n\
        From-Path: msrp://a:1/y;tcp\r\nByte-Range: 1-*/8\r\nContent-Type: text/plain\r\n\r\nabcd\r\n\
        -------dkei38sd+\r\n";

    #[test]
    fn a_frame_that_is_not_all_there_is_waited_for() {
        for len in 0..FRAME.len() {
            assert_eq!(Frame::read(&FRAME[..len]), Ok(None), "{len}");
        }
        let more = [FRAME, b"MSRP"].concat();
        let (frame, len) = Frame::read(&more).unwrap().unwrap();
        assert_eq!((frame.flag, len), (Flag::More, FRAME.len()));
        assert_eq!(frame.to_vec(), FRAME);
    }

    /// Found by fuzzing: zeros in front were lost.
    #[test]
    fn a_status_has_three_digits() {
        for status in ["000", "012", "200 OK", "481"] {
            let frame = format!(
                "MSRP dkei38sd {status}\r\nTo-Path: a\r\nFrom-Path: b\r\n-------dkei38sd$\r\n"
            );
            let (read, _) = Frame::read(frame.as_bytes()).unwrap().unwrap();
            assert_eq!(read.to_vec(), frame.as_bytes());
        }
    }

    #[test]
    fn an_end_line_within_the_body_is_body() {
        let text = String::from_utf8(FRAME.to_vec()).unwrap();
        let text = text.replace("abcd", "ab -------dkei38sd$\r\n-------dkei38sd?");
        let (frame, len) = Frame::read(text.as_bytes()).unwrap().unwrap();
        assert_eq!((frame.flag, len), (Flag::More, text.len()));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for octets in [
            &b"HTTP/1.1 200 OK\r\n"[..],
            b"MSRP x SEND\r\n",
            b"MSRP dkei38sd\r\n",
            b"MSRP dkei 38sd\r\n",
            b"MSRP dkei38sd +12\r\n",
            b"MSRP dkei38sd SEND\r\nTo-Path: a\r\n-------dkei38sd$\r\n",
            b"MSRP dkei38sd SEND\r\nTo-Path: a\r\nFrom-Path: b\r\nByte-Range: 1\r\n-------dkei38sd$\r\n",
        ] {
            assert_eq!(Frame::read(octets), Err(FrameError::Malformed));
        }
        let endless = [&FRAME[..60], &vec![b'x'; MAX_FRAME]].concat();
        assert_eq!(Frame::read(&endless), Err(FrameError::TooLong));
    }
}
