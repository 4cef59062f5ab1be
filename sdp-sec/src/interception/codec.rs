use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::lines::{Media, Section};
use crate::protocol::MediaLine;

/// Most formats of one m-line that are looked at; RTP has 128 payload types.
const MAX_FORMATS: usize = 128;

/// A format of an m-line: for RTP a payload type with its codec ([RFC 8866 §6.6, §6.15]).
///
/// See [`StoredNegotiation`](super::StoredNegotiation) for an example.
///
/// [RFC 8866 §6.6, §6.15]: https://www.rfc-editor.org/rfc/rfc8866#section-6.6
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Codec {
    format: String,
    encoding: Option<String>,
    parameters: Option<String>,
}

impl Codec {
    /// The format in the m-line: a payload type, `t38`, `*`.
    #[must_use]
    pub fn format(&self) -> &str {
        &self.format
    }

    /// What `a=rtpmap` says: `AMR-WB/16000`. `None` for static payload types and what is not RTP.
    #[must_use]
    pub fn encoding(&self) -> Option<&str> {
        self.encoding.as_deref()
    }

    /// What `a=fmtp` says.
    #[must_use]
    pub fn parameters(&self) -> Option<&str> {
        self.parameters.as_deref()
    }

    /// The formats of the answer, described there or, failing that, in the offer.
    pub(super) fn of_answer(
        offer: &Media<'_>,
        answer: &Media<'_>,
        line: &MediaLine<'_>,
    ) -> Vec<Self> {
        let formats = core::str::from_utf8(line.formats()).unwrap_or_default();
        let mut codecs: Vec<Self> = formats
            .split_ascii_whitespace()
            .take(MAX_FORMATS)
            .map(|format| Self {
                format: format.to_owned(),
                encoding: None,
                parameters: None,
            })
            .collect();
        for section in [answer.section(), offer.section()] {
            describe(&mut codecs, section);
        }
        codecs
    }
}

/// Fills in what is not known yet.
fn describe(codecs: &mut [Codec], section: Section<'_>) {
    for attribute in section.attributes() {
        let (rtpmap, fmtp) = (attribute.is("rtpmap"), attribute.is("fmtp"));
        if !(rtpmap || fmtp) {
            continue;
        }
        let Ok(value) = attribute.value_str() else {
            continue;
        };
        let Some((format, text)) = value.trim_ascii().split_once(' ') else {
            continue;
        };
        for codec in codecs.iter_mut().filter(|codec| codec.format == format) {
            let known = if rtpmap {
                &mut codec.encoding
            } else {
                &mut codec.parameters
            };
            known.get_or_insert_with(|| text.trim_ascii().to_owned());
        }
    }
}
