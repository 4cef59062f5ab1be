//! A session description as its lines, and an editor that changes some of them and leaves every
//! other octet as it came ([RFC 8866 §5]).
//!
//! Nothing is copied and nothing is dropped: lines that are not understood, text that is not UTF-8
//! and each line's own end (LF or CRLF) survive. Every walk is linear in the octets it passes over.
//!
//! `Debug` of these types shows positions, never text: `a=crypto` lines hold keys.
//!
//! [RFC 8866 §5]: https://www.rfc-editor.org/rfc/rfc8866#section-5

mod editor;
mod line;
mod scan;
mod section;

pub use editor::{EditError, Editor};
pub use line::{Attribute, Field, Line, LineEnd, Lines};
pub use section::{Media, MediaSections, Section};

use core::fmt;

use crate::{Rule, SdpError};

/// How much of a session description is read.
///
/// The defaults are far above what IMS calls need and far below what hurts.
///
/// ```
/// use sdp_sec::lines::Limits;
/// use sdp_sec::{Rule, Sdp};
///
/// let limits = Limits { lines: 1, ..Limits::default() };
/// let two = Sdp::parse_with(b"v=0\r\ns=-\r\n", &limits);
/// assert_eq!(two.err(), Some(Rule::TooManyLines.at(2)));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Most octets of the whole description.
    pub octets: usize,
    /// Most lines.
    pub lines: usize,
    /// Most m-lines.
    pub media: usize,
}

impl Default for Limits {
    /// 256 KiB, 8192 lines, 256 m-lines.
    fn default() -> Self {
        Self {
            octets: 256 * 1024,
            lines: 8192,
            media: 256,
        }
    }
}

/// A session description: its session section and a section for each m-line.
///
/// ```
/// use sdp_sec::Sdp;
///
/// let sdp = Sdp::parse(
///     b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\na=setup:passive\r\n\
///       m=message 7654 TCP/TLS/MSRP *\r\na=path:msrps://192.0.2.1:7654/s;tcp\r\n",
/// )?;
/// assert_eq!((sdp.session().lines().count(), sdp.media().count()), (4, 1));
/// for media in sdp.media() {
///     let path = media.attribute("path")?.map(|path| path.value_str()).transpose()?;
///     assert_eq!(path, Some("msrps://192.0.2.1:7654/s;tcp"));
/// }
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Sdp<'a> {
    octets: &'a [u8],
    session: Section<'a>,
    session_lines: usize,
    lines: usize,
    media: usize,
}

impl<'a> Sdp<'a> {
    /// Reads `octets` under the default [`Limits`].
    ///
    /// # Errors
    ///
    /// As [`parse_with`](Self::parse_with).
    pub fn parse(octets: &'a [u8]) -> Result<Self, SdpError> {
        Self::parse_with(octets, &Limits::default())
    }

    /// Reads `octets` under `limits`, in linear time. The lines themselves are not judged: that is
    /// for whoever needs one.
    ///
    /// # Errors
    ///
    /// [`Rule::TooLong`], [`Rule::TooManyLines`] or [`Rule::TooManyMedia`] above the limits;
    /// [`Rule::ControlOctet`] if a line holds NUL, or CR elsewhere than before LF.
    pub fn parse_with(octets: &'a [u8], limits: &Limits) -> Result<Self, SdpError> {
        if octets.len() > limits.octets {
            return Err(Rule::TooLong.at(0));
        }
        let lines = scan::count_lines(octets);
        if scan::has_control_octet(octets) || lines > limits.lines {
            return Err(first_fault(octets, limits));
        }
        let session_len = scan::first_media(octets).unwrap_or(octets.len());
        let (session, mut rest) = octets.split_at_checked(session_len).unwrap_or_default();
        let session_lines = scan::count_lines(session);
        let mut media = usize::from(!rest.is_empty());
        while let Some(next) = scan::next_media(rest) {
            media += 1;
            rest = rest.get(next..).unwrap_or_default();
            if media > limits.media {
                let before = octets.len() - rest.len();
                let before = octets.get(..before).unwrap_or_default();
                return Err(Rule::TooManyMedia.at(scan::count_lines(before) + 1));
            }
        }
        let session = Section::new(session, 0, 0);
        Ok(Self {
            octets,
            session,
            session_lines,
            lines,
            media,
        })
    }

    /// The description as it came.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Every line, in order.
    #[must_use]
    pub const fn lines(&self) -> Lines<'a> {
        Lines::new(self.octets, 0, 0)
    }

    /// How many lines there are.
    #[must_use]
    pub const fn line_count(&self) -> usize {
        self.lines
    }

    /// How many m-lines there are.
    #[must_use]
    pub const fn media_count(&self) -> usize {
        self.media
    }

    /// The lines before the first m-line.
    #[must_use]
    pub const fn session(&self) -> Section<'a> {
        self.session
    }

    /// The media sections: each m-line with what follows it, in order.
    #[must_use]
    pub fn media(&self) -> MediaSections<'a> {
        let media = self
            .octets
            .get(self.session.octets().len()..)
            .unwrap_or_default();
        MediaSections::new(media, self.session, self.session_lines)
    }

    /// An editor that copies this description.
    #[must_use]
    pub fn edit(&self) -> Editor<'a> {
        Editor::new(self)
    }
}

impl fmt::Debug for Sdp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sdp")
            .field("lines", &self.lines)
            .field("media", &self.media)
            .finish_non_exhaustive()
    }
}

/// The first line that breaks a rule of its own, or is one too many.
fn first_fault(octets: &[u8], limits: &Limits) -> SdpError {
    let mut last = 0;
    for line in Lines::new(octets, 0, 0) {
        last = line.number();
        if last > limits.lines {
            return Rule::TooManyLines.at(last);
        }
        if line.has_control_octet() {
            break;
        }
    }
    Rule::ControlOctet.at(last)
}
