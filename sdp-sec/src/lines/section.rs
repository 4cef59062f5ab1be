use core::fmt;

use super::{Attribute, Line, Lines, scan};
use crate::protocol::MediaLine;
use crate::{Rule, SdpError};

/// A run of lines: those before the first m-line, or an m-line with what follows it
/// ([RFC 8866 §5]).
///
/// ```
/// use sdp_sec::{Rule, Sdp};
///
/// let sdp = Sdp::parse(b"v=0\r\na=x:1\r\na=x:2\r\na=y\r\n")?;
/// let session = sdp.session();
/// assert_eq!(session.attributes_named("x").count(), 2);
/// assert_eq!(session.attribute("x").err(), Some(Rule::Duplicate.at(3)));
/// assert!(session.attribute("y")?.is_some());
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// [RFC 8866 §5]: https://www.rfc-editor.org/rfc/rfc8866#section-5
#[derive(Clone, Copy)]
pub struct Section<'a> {
    octets: &'a [u8],
    start: usize,
    lines_before: usize,
}

impl<'a> Section<'a> {
    pub(super) const fn new(octets: &'a [u8], start: usize, lines_before: usize) -> Self {
        Self {
            octets,
            start,
            lines_before,
        }
    }

    /// The octets, line ends included.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The lines, in order.
    #[must_use]
    pub const fn lines(&self) -> Lines<'a> {
        Lines::new(self.octets, self.start, self.lines_before)
    }

    /// The last line that is not empty: what is inserted after it ends the section.
    #[must_use]
    pub fn last_line(&self) -> Option<Line<'a>> {
        self.lines().filter(|line| !line.octets().is_empty()).last()
    }

    /// The attribute lines, in order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        self.lines().filter_map(Line::attribute)
    }

    /// The attribute lines of one name, whatever its case, in order.
    pub fn attributes_named<'n>(
        &self,
        name: &'n str,
    ) -> impl Iterator<Item = Attribute<'a>> + use<'a, 'n> {
        self.attributes()
            .filter(move |attribute| attribute.is(name))
    }

    /// The attribute of that name, which may stand once.
    ///
    /// # Errors
    ///
    /// [`Rule::Duplicate`] with the second line if it stands again.
    pub fn attribute(&self, name: &str) -> Result<Option<Attribute<'a>>, SdpError> {
        let mut all = self.attributes_named(name);
        let first = all.next();
        match all.next() {
            Some(second) => Err(Rule::Duplicate.at(second.line().number())),
            None => Ok(first),
        }
    }

    /// The first line of that letter.
    #[must_use]
    pub fn line_of_kind(&self, kind: u8) -> Option<Line<'a>> {
        self.lines().find(|line| line.kind() == Some(kind))
    }
}

impl fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section")
            .field("first_line", &self.lines_before.saturating_add(1))
            .finish_non_exhaustive()
    }
}

/// A media section: an m-line and what follows it, with the session section behind
/// ([RFC 8866 §5.14]).
///
/// ```
/// use sdp_sec::Sdp;
///
/// let sdp = Sdp::parse(
///     b"v=0\r\nc=IN IP4 192.0.2.1\r\na=setup:active\r\n\
///       m=audio 1 RTP/AVP 0\r\nm=message 2 TCP/MSRP *\r\na=setup:passive\r\n",
/// )?;
/// let mut setups = Vec::new();
/// for media in sdp.media() {
///     let setup = media.attribute_or_session("setup")?.map(|a| a.value_str()).transpose()?;
///     setups.push((media.index(), setup));
/// }
/// assert_eq!(setups, [(0, Some("active")), (1, Some("passive"))]);
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
///
/// [RFC 8866 §5.14]: https://www.rfc-editor.org/rfc/rfc8866#section-5.14
#[derive(Clone, Copy)]
pub struct Media<'a> {
    index: usize,
    section: Section<'a>,
    session: Section<'a>,
}

impl<'a> Media<'a> {
    /// Its place among the m-lines, from 0.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The m-line and what follows it.
    #[must_use]
    pub const fn section(&self) -> Section<'a> {
        self.section
    }

    /// The session section of the same description.
    #[must_use]
    pub const fn session(&self) -> Section<'a> {
        self.session
    }

    /// The m-line.
    ///
    /// # Errors
    ///
    /// As [`MediaLine::parse`].
    pub fn media_line(&self) -> Result<MediaLine<'a>, SdpError> {
        let first = self.section.lines().next();
        first.map_or(Err(Rule::MediaLine.at(0)), MediaLine::parse)
    }

    /// The lines, the m-line first.
    #[must_use]
    pub const fn lines(&self) -> Lines<'a> {
        self.section.lines()
    }

    /// The attribute lines of this section.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        self.section.attributes()
    }

    /// The attribute of that name in this section, which may stand once.
    ///
    /// # Errors
    ///
    /// As [`Section::attribute`].
    pub fn attribute(&self, name: &str) -> Result<Option<Attribute<'a>>, SdpError> {
        self.section.attribute(name)
    }

    /// The attribute of that name in this section or, failing that, in the session section.
    ///
    /// # Errors
    ///
    /// As [`Section::attribute`].
    pub fn attribute_or_session(&self, name: &str) -> Result<Option<Attribute<'a>>, SdpError> {
        match self.section.attribute(name)? {
            Some(own) => Ok(Some(own)),
            None => self.session.attribute(name),
        }
    }

    /// The c-line that holds for these media: their own first one or, failing that, the session's
    /// ([RFC 8866 §5.7]).
    ///
    /// [RFC 8866 §5.7]: https://www.rfc-editor.org/rfc/rfc8866#section-5.7
    #[must_use]
    pub fn connection_line(&self) -> Option<Line<'a>> {
        self.section
            .line_of_kind(b'c')
            .or_else(|| self.session.line_of_kind(b'c'))
    }
}

impl fmt::Debug for Media<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// The media sections of a session description, in order.
///
/// ```
/// use sdp_sec::Sdp;
///
/// let sdp = Sdp::parse(b"v=0\r\nm=audio 1 RTP/AVP 0\r\na=x\r\nm=video 2 RTP/AVP 31\r\n")?;
/// let lengths: Vec<_> = sdp.media().map(|media| media.lines().count()).collect();
/// assert_eq!(lengths, [2, 1]);
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[derive(Clone)]
pub struct MediaSections<'a> {
    /// From the next m-line on.
    rest: &'a [u8],
    start: usize,
    lines_before: usize,
    session: Section<'a>,
    index: usize,
}

impl<'a> MediaSections<'a> {
    /// The sections in `rest`, which follows the session section of `lines_before` lines.
    pub(super) const fn new(rest: &'a [u8], session: Section<'a>, lines_before: usize) -> Self {
        Self {
            rest,
            start: session.octets.len(),
            lines_before,
            session,
            index: 0,
        }
    }
}

impl<'a> Iterator for MediaSections<'a> {
    type Item = Media<'a>;

    fn next(&mut self) -> Option<Media<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let len = scan::next_media(self.rest).unwrap_or(self.rest.len());
        let (octets, rest) = self.rest.split_at_checked(len)?;
        let media = Media {
            index: self.index,
            section: Section::new(octets, self.start, self.lines_before),
            session: self.session,
        };
        self.rest = rest;
        self.start += len;
        self.lines_before += scan::count_lines(octets);
        self.index += 1;
        Some(media)
    }
}

impl fmt::Debug for MediaSections<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaSections")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
