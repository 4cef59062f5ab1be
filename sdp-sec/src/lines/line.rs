use core::fmt;

use crate::{Rule, SdpError};

/// What ends a line ([RFC 8866 §5]).
///
/// ```
/// use sdp_sec::lines::LineEnd;
///
/// assert_eq!(LineEnd::CrLf.octets(), b"\r\n");
/// assert_eq!(LineEnd::None.octets(), b"");
/// ```
///
/// [RFC 8866 §5]: https://www.rfc-editor.org/rfc/rfc8866#section-5
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LineEnd {
    /// CR and LF, as the standard asks.
    CrLf,
    /// LF alone, which it tolerates.
    Lf,
    /// The end of the description.
    None,
}

impl LineEnd {
    /// The octets of the line end.
    #[must_use]
    pub const fn octets(self) -> &'static [u8] {
        match self {
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
            Self::None => b"",
        }
    }
}

/// One line of a session description, which borrows it.
///
/// ```
/// use sdp_sec::{Sdp, lines::LineEnd};
///
/// let sdp = Sdp::parse(b"v=0\ns=\xff\r\n")?;
/// let lines: Vec<_> = sdp.lines().map(|l| (l.number(), l.kind(), l.value(), l.end())).collect();
/// assert_eq!(lines, [
///     (1, Some(b'v'), &b"0"[..], LineEnd::Lf),
///     (2, Some(b's'), &b"\xff"[..], LineEnd::CrLf),
/// ]);
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Line<'a> {
    number: usize,
    start: usize,
    octets: &'a [u8],
    end: LineEnd,
}

impl<'a> Line<'a> {
    /// Its number in the description, from 1.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// The octets without the line end.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// What ends it.
    #[must_use]
    pub const fn end(&self) -> LineEnd {
        self.end
    }

    /// The letter before the equals sign; `None` for a line of another form.
    #[must_use]
    pub const fn kind(&self) -> Option<u8> {
        match self.octets {
            [kind, b'=', ..] => Some(*kind),
            _ => None,
        }
    }

    /// What follows the equals sign; the whole line for a line of another form.
    #[must_use]
    pub const fn value(&self) -> &'a [u8] {
        match self.octets {
            [_, b'=', value @ ..] => value,
            other => other,
        }
    }

    /// The attribute that the line is, if its letter is `a`.
    #[must_use]
    pub fn attribute(self) -> Option<Attribute<'a>> {
        if self.kind() != Some(b'a') {
            return None;
        }
        let value = self.value();
        Some(match value.iter().position(|octet| *octet == b':') {
            Some(colon) => {
                let (name, rest) = value.split_at(colon);
                Attribute {
                    line: self,
                    name,
                    value: rest.get(1..),
                }
            }
            None => Attribute {
                line: self,
                name: value,
                value: None,
            },
        })
    }

    /// The part of the line that `part` is, for [`Editor::replace`](super::Editor::replace).
    ///
    /// `None` if `part` is not a slice of this very line.
    #[must_use]
    pub fn field(&self, part: &'a [u8]) -> Option<Field<'a>> {
        let within = part
            .as_ptr()
            .addr()
            .checked_sub(self.octets.as_ptr().addr())?;
        if within.checked_add(part.len())? > self.octets.len() {
            return None;
        }
        Some(Field {
            start: self.start + within,
            octets: part,
        })
    }

    /// The line from its first octet to its last, without the line end.
    #[must_use]
    pub const fn whole(&self) -> Field<'a> {
        Field {
            start: self.start,
            octets: self.octets,
        }
    }

    pub(super) const fn start(&self) -> usize {
        self.start
    }

    /// Where the next line begins.
    pub(super) const fn next_start(&self) -> usize {
        self.start + self.octets.len() + self.end.octets().len()
    }

    pub(super) fn has_control_octet(&self) -> bool {
        self.octets.iter().any(|octet| matches!(octet, 0 | b'\r'))
    }
}

impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// An attribute line: `a=<name>` or `a=<name>:<value>` ([RFC 8866 §5.13]).
///
/// ```
/// use sdp_sec::Sdp;
///
/// let sdp = Sdp::parse(b"v=0\r\na=Setup:actpass\r\na=recvonly\r\n")?;
/// let setup = sdp.session().attribute("setup")?.map(|a| a.value_str()).transpose()?;
/// assert_eq!(setup, Some("actpass"));
/// assert!(sdp.session().attribute("recvonly")?.is_some_and(|a| a.value().is_none()));
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// [RFC 8866 §5.13]: https://www.rfc-editor.org/rfc/rfc8866#section-5.13
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    line: Line<'a>,
    name: &'a [u8],
    value: Option<&'a [u8]>,
}

impl<'a> Attribute<'a> {
    /// The line.
    #[must_use]
    pub const fn line(&self) -> Line<'a> {
        self.line
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'a [u8] {
        self.name
    }

    /// Whether the name is `name`, whatever its case and with white space around.
    ///
    /// Names are case-sensitive and have no spaces, but a peer may read them otherwise: a key under
    /// `a=Crypto` must not slip through.
    #[must_use]
    pub const fn is(&self, name: &str) -> bool {
        self.bare_name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The name without white space around it, by which alone attributes are told apart.
    pub(crate) const fn bare_name(&self) -> &'a [u8] {
        match self.name {
            [b'!'..=b'~', ..] if matches!(self.name, [.., b'!'..=b'~']) => self.name,
            name => name.trim_ascii(),
        }
    }

    /// What follows the colon; `None` for a property attribute.
    #[must_use]
    pub const fn value(&self) -> Option<&'a [u8]> {
        self.value
    }

    /// The value as text.
    ///
    /// # Errors
    ///
    /// [`Rule::MissingValue`] if there is none, [`Rule::NotText`] if it is not UTF-8.
    pub fn value_str(&self) -> Result<&'a str, SdpError> {
        let value = self.value.ok_or(Rule::MissingValue.at(self.line.number))?;
        core::str::from_utf8(value).map_err(|_| Rule::NotText.at(self.line.number))
    }

    /// Reads the value with `parse` and puts the line into the error.
    ///
    /// ```
    /// use sdp_sec::{Rule, Sdp};
    ///
    /// let sdp = Sdp::parse(b"v=0\r\na=x:\r\n")?;
    /// let refuse = |text: &str| if text.is_empty() { Err(Rule::MissingValue) } else { Ok(()) };
    /// let x = sdp.session().attribute("x")?.map(|x| x.parse(refuse));
    /// assert_eq!(x, Some(Err(Rule::MissingValue.at(2))));
    /// # Ok::<(), sdp_sec::SdpError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`value_str`](Self::value_str), or what `parse` answers.
    pub fn parse<T>(&self, parse: impl FnOnce(&'a str) -> Result<T, Rule>) -> Result<T, SdpError> {
        parse(self.value_str()?).map_err(|rule| rule.at(self.line.number))
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attribute")
            .field("line", &self.line.number)
            .finish_non_exhaustive()
    }
}

/// Part of a line, for [`Editor::replace`](super::Editor::replace).
///
/// ```
/// use sdp_sec::Sdp;
///
/// let sdp = Sdp::parse(b"s=old\r\n")?;
/// let mut editor = sdp.edit();
/// for line in sdp.lines() {
///     let name = line.field(line.value()).ok_or("a part of the line")?;
///     editor.replace(name, "new")?;
/// }
/// assert_eq!(editor.finish(), b"s=new\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Field<'a> {
    start: usize,
    octets: &'a [u8],
}

impl<'a> Field<'a> {
    /// The octets.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    pub(super) const fn start(&self) -> usize {
        self.start
    }

    pub(super) const fn next_start(&self) -> usize {
        self.start + self.octets.len()
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field")
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

/// The lines of a session description, or of a section of it.
///
/// ```
/// use sdp_sec::Sdp;
///
/// let sdp = Sdp::parse(b"v=0\r\ns=-")?;
/// assert_eq!(sdp.lines().map(|line| line.number()).collect::<Vec<_>>(), [1, 2]);
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[derive(Clone)]
pub struct Lines<'a> {
    rest: &'a [u8],
    start: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    /// The lines of `rest`, which begins at `start` after `number` lines.
    pub(super) const fn new(rest: &'a [u8], start: usize, number: usize) -> Self {
        Self {
            rest,
            start,
            number,
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (octets, end, rest) = match line_feed(self.rest) {
            Some(position) => {
                let (line, rest) = self.rest.split_at(position);
                let rest = rest.get(1..).unwrap_or_default();
                match line.split_last() {
                    Some((b'\r', line)) => (line, LineEnd::CrLf, rest),
                    _ => (line, LineEnd::Lf, rest),
                }
            }
            None => (self.rest, LineEnd::None, &[][..]),
        };
        self.number += 1;
        let line = Line {
            number: self.number,
            start: self.start,
            octets,
            end,
        };
        self.start = line.next_start();
        self.rest = rest;
        Some(line)
    }
}

impl fmt::Debug for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// The first LF, found eight octets at a time.
fn line_feed(octets: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    const LF: u64 = u64::from_le_bytes([b'\n'; 8]);
    let (chunks, rest) = octets.as_chunks::<8>();
    let mut skipped = 0;
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk) ^ LF;
        // The lowest bit that is set belongs to the first octet that was LF.
        let found = word.wrapping_sub(ONES) & !word & HIGH;
        if found != 0 {
            return Some(skipped + usize::try_from(found.trailing_zeros() / 8).unwrap_or(0));
        }
        skipped += 8;
    }
    rest.iter()
        .position(|octet| *octet == b'\n')
        .map(|position| skipped + position)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_line_feed_is_found_at_every_place() {
        for len in 0..40 {
            assert_eq!(line_feed(&alloc::vec![b'\x8a'; len]), None);
            for at in 0..len {
                let mut octets: Vec<u8> = alloc::vec![b'\x0b'; len];
                octets[at..].fill(b'\n');
                assert_eq!(line_feed(&octets), Some(at));
            }
        }
    }

    #[test]
    fn a_field_is_only_what_lies_in_the_line() {
        let octets = b"a=one\na=two\n";
        let lines: Vec<_> = Lines::new(octets, 0, 0).collect();
        assert!(lines[0].field(&octets[2..5]).is_some());
        assert!(lines[1].field(&octets[2..5]).is_none());
        assert!(lines[0].field(&octets[8..9]).is_none());
        assert_eq!(
            lines[1].field(&octets[8..9]).map(|field| field.start()),
            Some(8)
        );
    }
}
