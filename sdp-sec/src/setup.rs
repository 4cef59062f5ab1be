//! `a=setup` and `a=connection`: who connects, and whether anew ([RFC 4145 §4, §5]).
//!
//! [RFC 4145 §4, §5]: https://www.rfc-editor.org/rfc/rfc4145#section-4

use core::fmt;

use crate::lines::{Media, Section};
use crate::{Rule, SdpError};

/// The value of `a=setup`: who opens the connection ([RFC 4145 §4]).
///
/// ```
/// use sdp_sec::{Rule, Setup};
///
/// assert_eq!(Setup::parse("actpass"), Ok(Setup::Actpass));
/// assert_eq!(Setup::parse("act"), Err(Rule::Setup));
/// assert!(Setup::Actpass.may_be_answered_by(Setup::Active));
/// assert!(!Setup::Active.may_be_answered_by(Setup::Active));
/// ```
///
/// [RFC 4145 §4]: https://www.rfc-editor.org/rfc/rfc4145#section-4
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Setup {
    /// Opens the connection.
    Active,
    /// Accepts the connection.
    Passive,
    /// Does either; stands in offers alone.
    Actpass,
    /// Wants no connection for the time being.
    Holdconn,
}

impl Setup {
    /// The name of the attribute.
    pub const NAME: &'static str = "setup";

    /// What holds for an offer that does not say ([RFC 4145 §4.1]).
    ///
    /// [RFC 4145 §4.1]: https://www.rfc-editor.org/rfc/rfc4145#section-4.1
    pub const DEFAULT_OFFER: Self = Self::Active;

    /// What holds for an answer that does not say ([RFC 4145 §4.1]).
    ///
    /// [RFC 4145 §4.1]: https://www.rfc-editor.org/rfc/rfc4145#section-4.1
    pub const DEFAULT_ANSWER: Self = Self::Passive;

    /// Reads the attribute's value, whatever its case and with spaces around.
    ///
    /// # Errors
    ///
    /// [`Rule::Setup`] for anything but the four roles.
    pub fn parse(value: &str) -> Result<Self, Rule> {
        let value = value.trim_ascii();
        [Self::Active, Self::Passive, Self::Actpass, Self::Holdconn]
            .into_iter()
            .find(|setup| setup.as_str().eq_ignore_ascii_case(value))
            .ok_or(Rule::Setup)
    }

    /// The role of a media section; the session's holds where it has none.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and [`Rule::Duplicate`] if it stands twice in one section.
    pub fn of(media: &Media<'_>) -> Result<Option<Self>, SdpError> {
        let attribute = media.attribute_or_session(Self::NAME)?;
        attribute
            .map(|attribute| attribute.parse(Self::parse))
            .transpose()
    }

    /// Whether an offer with this role may be answered with `answer` ([RFC 4145 §4.1]).
    ///
    /// [RFC 4145 §4.1]: https://www.rfc-editor.org/rfc/rfc4145#section-4.1
    #[must_use]
    pub const fn may_be_answered_by(self, answer: Self) -> bool {
        matches!(
            (self, answer),
            (Self::Active | Self::Actpass, Self::Passive)
                | (Self::Passive | Self::Actpass, Self::Active)
                | (_, Self::Holdconn)
        )
    }

    /// The word in SDP.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Actpass => "actpass",
            Self::Holdconn => "holdconn",
        }
    }

    /// The role as its line, without a line end.
    #[must_use]
    pub const fn line(self) -> impl fmt::Display + Copy {
        super::AttributeLine {
            name: Self::NAME,
            value: self,
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The value of `a=connection`, a media-level attribute ([RFC 4145 §5]).
///
/// ```
/// use sdp_sec::{Connection, Rule};
///
/// assert_eq!(Connection::parse("existing"), Ok(Connection::Existing));
/// assert_eq!(Connection::parse("old"), Err(Rule::Connection));
/// assert!(!Connection::New.may_be_answered_by(Connection::Existing));
/// ```
///
/// [RFC 4145 §5]: https://www.rfc-editor.org/rfc/rfc4145#section-5
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Connection {
    /// A new connection; what holds if an offer or an answer does not say.
    #[default]
    New,
    /// The one that is there.
    Existing,
}

impl Connection {
    /// The name of the attribute.
    pub const NAME: &'static str = "connection";

    /// Reads the attribute's value, whatever its case and with spaces around.
    ///
    /// # Errors
    ///
    /// [`Rule::Connection`] for anything but the two words.
    pub fn parse(value: &str) -> Result<Self, Rule> {
        let value = value.trim_ascii();
        [Self::New, Self::Existing]
            .into_iter()
            .find(|connection| connection.as_str().eq_ignore_ascii_case(value))
            .ok_or(Rule::Connection)
    }

    /// The attribute of a media section, if it has one.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and [`Rule::Duplicate`] if it stands twice.
    pub fn of(section: Section<'_>) -> Result<Option<Self>, SdpError> {
        section
            .attribute(Self::NAME)?
            .map(|attribute| attribute.parse(Self::parse))
            .transpose()
    }

    /// Whether an offer with this value may be answered with `answer` ([RFC 4145 §5.1]).
    ///
    /// [RFC 4145 §5.1]: https://www.rfc-editor.org/rfc/rfc4145#section-5.1
    #[must_use]
    pub const fn may_be_answered_by(self, answer: Self) -> bool {
        matches!(
            (self, answer),
            (_, Self::New) | (Self::Existing, Self::Existing)
        )
    }

    /// The word in SDP.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Existing => "existing",
        }
    }

    /// The value as its line, without a line end.
    #[must_use]
    pub const fn line(self) -> impl fmt::Display + Copy {
        super::AttributeLine {
            name: Self::NAME,
            value: self,
        }
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
