use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::{Field, Line, LineEnd, Sdp, Section};

/// Room for what a rewrite usually adds, so that the output is allocated once.
const SLACK: usize = 512;

/// An edit was refused; the editor is unchanged and what is done so far stands.
///
/// ```
/// use sdp_sec::Sdp;
/// use sdp_sec::lines::EditError;
///
/// let sdp = Sdp::parse(b"v=0\r\ns=-\r\n")?;
/// let mut editor = sdp.edit();
/// for line in sdp.lines() {
///     assert_eq!(editor.insert_after(line, "a=x\r\na=y"), Err(EditError::NotALine));
/// }
/// assert_eq!(editor.finish(), sdp.octets());
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The line belongs to another session description.
    #[error("the line belongs to another session description")]
    Foreign,
    /// The text to write holds a line end or NUL, and would be more than a line; or it could not be
    /// formatted.
    #[error("the text to write is not one line")]
    NotALine,
    /// The place lies before an edit that was made already: edits go from top to bottom.
    #[error("the place lies before an edit already made")]
    OutOfOrder,
}

/// Writes a session description anew, from top to bottom, with some lines changed.
///
/// What is not named is copied octet by octet. Inserted lines end as the line they stand next to.
///
/// ```
/// use sdp_sec::{Protocol, Sdp};
///
/// let offer = Sdp::parse(b"v=0\nm=audio 4 RTP/SAVP 0\na=crypto:1 X inline:Y\na=ptime:20\n")?;
/// let mut editor = offer.edit();
/// for media in offer.media() {
///     editor.replace(media.media_line()?.protocol_field(), Protocol::RtpAvp)?;
///     for crypto in media.section().attributes_named("crypto") {
///         editor.remove(crypto.line())?;
///     }
///     editor.append(media.section(), "a=sendonly")?;
/// }
/// assert_eq!(editor.finish(), b"v=0\nm=audio 4 RTP/AVP 0\na=ptime:20\na=sendonly\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Editor<'a> {
    source: &'a [u8],
    /// Octets of the source that are copied or left out.
    done: usize,
    out: Vec<u8>,
    /// What ends a line that is inserted after one without end.
    end: LineEnd,
}

impl<'a> Editor<'a> {
    pub(super) fn new(sdp: &Sdp<'a>) -> Self {
        let source = sdp.octets();
        let end = match sdp.lines().next().map(|line| line.end()) {
            Some(LineEnd::Lf) => LineEnd::Lf,
            _ => LineEnd::CrLf,
        };
        Self {
            source,
            done: 0,
            out: Vec::with_capacity(source.len() + SLACK),
            end,
        }
    }

    /// Writes `text` in the place of `field`; the line's end stays.
    ///
    /// # Errors
    ///
    /// [`EditError`]; nothing is written.
    pub fn replace(&mut self, field: Field<'a>, text: impl fmt::Display) -> Result<(), EditError> {
        self.check(field.octets(), field.start(), field.start())?;
        self.step(
            field.start(),
            field.next_start(),
            LineEnd::None,
            text,
            LineEnd::None,
        )
    }

    /// Leaves out `line`, its end included.
    ///
    /// # Errors
    ///
    /// [`EditError`]; nothing is changed.
    pub fn remove(&mut self, line: Line<'a>) -> Result<(), EditError> {
        self.check(line.octets(), line.start(), line.start())?;
        self.copy_to(line.start());
        self.done = line.next_start();
        Ok(())
    }

    /// Writes `text` as a line before `line`.
    ///
    /// # Errors
    ///
    /// [`EditError`]; nothing is written.
    pub fn insert_before(
        &mut self,
        line: Line<'a>,
        text: impl fmt::Display,
    ) -> Result<(), EditError> {
        self.check(line.octets(), line.start(), line.start())?;
        let end = if line.end() == LineEnd::None {
            self.end
        } else {
            line.end()
        };
        self.step(line.start(), line.start(), LineEnd::None, text, end)
    }

    /// Writes `text` as a line after `line`; after what was inserted there before.
    ///
    /// # Errors
    ///
    /// [`EditError`]; nothing is written.
    pub fn insert_after(
        &mut self,
        line: Line<'a>,
        text: impl fmt::Display,
    ) -> Result<(), EditError> {
        self.check(line.octets(), line.start(), line.next_start())?;
        let next = line.next_start();
        if line.end() == LineEnd::None {
            // The new line is the last and has no end of its own, as the one before had none.
            self.step(next, next, self.end, text, LineEnd::None)
        } else {
            self.step(next, next, LineEnd::None, text, line.end())
        }
    }

    /// Writes `text` as the last line of `section`, before empty lines that close it.
    ///
    /// # Errors
    ///
    /// [`EditError`]; nothing is written. A section without any line is
    /// [`Foreign`](EditError::Foreign).
    pub fn append(
        &mut self,
        section: Section<'a>,
        text: impl fmt::Display,
    ) -> Result<(), EditError> {
        let last = section.last_line().ok_or(EditError::Foreign)?;
        self.insert_after(last, text)
    }

    /// Makes room for `octets` that will be inserted, so that a description which is given keys does
    /// not move and leave a copy of them behind.
    pub fn reserve(&mut self, octets: usize) {
        let rest = self.source.len().saturating_sub(self.done);
        self.out.reserve(rest.saturating_add(octets));
    }

    /// Copies what is left and gives the new description.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.copy_to(self.source.len());
        self.out
    }

    /// That `octets` are those at `start` of the source, and `place` is not behind the last edit.
    fn check(&self, octets: &'a [u8], start: usize, place: usize) -> Result<(), EditError> {
        let here = self
            .source
            .get(start..)
            .and_then(|rest| rest.get(..octets.len()));
        if !here.is_some_and(|here| core::ptr::eq(here, octets)) {
            return Err(EditError::Foreign);
        }
        if place < self.done {
            Err(EditError::OutOfOrder)
        } else {
            Ok(())
        }
    }

    /// Copies up to `from`, writes `before`, `text` and `after`, and goes on at `to`; or undoes it all.
    fn step(
        &mut self,
        from: usize,
        to: usize,
        before: LineEnd,
        text: impl fmt::Display,
        after: LineEnd,
    ) -> Result<(), EditError> {
        let (done, len) = (self.done, self.out.len());
        self.copy_to(from);
        self.out.extend_from_slice(before.octets());
        if write!(OneLine(&mut self.out), "{text}").is_err() {
            self.out.truncate(len);
            self.done = done;
            return Err(EditError::NotALine);
        }
        self.out.extend_from_slice(after.octets());
        self.done = to;
        Ok(())
    }

    fn copy_to(&mut self, place: usize) {
        self.out
            .extend_from_slice(self.source.get(self.done..place).unwrap_or_default());
        self.done = place;
    }
}

impl fmt::Debug for Editor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Editor")
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

/// Takes text that stays within one line.
struct OneLine<'o>(&'o mut Vec<u8>);

impl Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().any(|octet| matches!(octet, 0 | b'\r' | b'\n')) {
            return Err(fmt::Error);
        }
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &[u8] = b"v=0\r\ns=-\na=x\r\nm=audio 1 RTP/AVP 0\r\na=y\xff";

    #[test]
    fn an_editor_without_edits_copies() {
        assert_eq!(Sdp::parse(SDP).unwrap().edit().finish(), SDP);
    }

    #[test]
    fn inserted_lines_end_as_their_neighbours_do() {
        let sdp = Sdp::parse(SDP).unwrap();
        let mut editor = sdp.edit();
        let lines: Vec<_> = sdp.lines().collect();
        editor.insert_before(lines[0], "1").unwrap();
        editor.insert_after(lines[1], "2").unwrap();
        editor.insert_after(lines[1], "3").unwrap();
        editor.insert_after(lines[4], "4").unwrap();
        editor.insert_after(lines[4], "5").unwrap();
        let out = editor.finish();
        let expected = b"1\r\nv=0\r\ns=-\n2\n3\na=x\r\nm=audio 1 RTP/AVP 0\r\na=y\xff\r\n4\r\n5";
        assert_eq!(out, expected);
    }

    #[test]
    fn refuses_what_is_more_than_a_line_and_forgets_it() {
        let sdp = Sdp::parse(SDP).unwrap();
        let mut editor = sdp.edit();
        let line = sdp.lines().nth(2).unwrap();
        for text in ["a=b\r\na=c", "\n", "a\0", "\r"] {
            assert_eq!(editor.insert_after(line, text), Err(EditError::NotALine));
            assert_eq!(editor.replace(line.whole(), text), Err(EditError::NotALine));
        }
        assert_eq!(editor.finish(), SDP);
    }

    #[test]
    fn refuses_edits_out_of_order_and_of_other_descriptions() {
        let sdp = Sdp::parse(SDP).unwrap();
        let copy = SDP.to_vec();
        let other = Sdp::parse(&copy).unwrap();
        let mut editor = sdp.edit();
        let lines: Vec<_> = sdp.lines().collect();
        editor.remove(lines[2]).unwrap();
        assert_eq!(editor.remove(lines[1]), Err(EditError::OutOfOrder));
        assert_eq!(editor.remove(lines[2]), Err(EditError::OutOfOrder));
        assert_eq!(
            editor.remove(other.lines().nth(3).unwrap()),
            Err(EditError::Foreign)
        );
        assert_eq!(
            editor.finish(),
            b"v=0\r\ns=-\nm=audio 1 RTP/AVP 0\r\na=y\xff"
        );
    }
}
