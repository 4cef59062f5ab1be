//! `a=3ge2ae`: whether a stream's protection ends at the access edge (TS 24.229 §7.5.2).

use core::fmt;

use crate::Rule;
use crate::lines::Section;
use crate::{SdpError, token};

/// The value of `a=3ge2ae`, a media-level attribute (TS 24.229 §7.5.2).
///
/// Read whatever its case and with spaces around, as TS 34.229-1 prints it; written in lower case
/// without.
///
/// ```
/// use sdp_sec::E2ae;
///
/// assert_eq!(E2ae::parse(" requested"), Ok(E2ae::Requested));
/// assert_eq!(E2ae::Applied.to_string(), "applied");
/// assert_eq!(E2ae::Applied.line().to_string(), "a=3ge2ae:applied");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum E2ae<'a> {
    /// `requested`: the UE asks the P-CSCF for protection between itself and the edge.
    Requested,
    /// `applied`: the P-CSCF tells the UE that the protection ends at the edge.
    Applied,
    /// Another token; to be treated as if the attribute were not there.
    Unknown(&'a str),
}

impl<'a> E2ae<'a> {
    /// The name of the attribute.
    pub const NAME: &'static str = "3ge2ae";

    /// Reads the attribute's value.
    ///
    /// # Errors
    ///
    /// [`Rule::MissingValue`] if there is nothing, [`Rule::Token`] if it is no token.
    pub fn parse(value: &'a str) -> Result<Self, Rule> {
        let value = value.trim_ascii();
        if value.is_empty() {
            Err(Rule::MissingValue)
        } else if value.eq_ignore_ascii_case("requested") {
            Ok(Self::Requested)
        } else if value.eq_ignore_ascii_case("applied") {
            Ok(Self::Applied)
        } else if token::is_token(value) {
            Ok(Self::Unknown(value))
        } else {
            Err(Rule::Token)
        }
    }

    /// The indicator of a media section, if it has one.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and [`Rule::Duplicate`] if it stands twice.
    pub fn of(section: Section<'a>) -> Result<Option<Self>, SdpError> {
        section
            .attribute(Self::NAME)?
            .map(|attribute| attribute.parse(Self::parse))
            .transpose()
    }

    /// The indicator as its line, without a line end.
    #[must_use]
    pub const fn line(self) -> impl fmt::Display + Copy {
        super::AttributeLine {
            name: Self::NAME,
            value: self,
        }
    }
}

impl fmt::Display for E2ae<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requested => "requested",
            Self::Applied => "applied",
            Self::Unknown(token) => token,
        })
    }
}
