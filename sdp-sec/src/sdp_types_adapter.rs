//! The attributes and decisions of this crate on the types of the crate `sdp-types` 0.3.
//!
//! For applications that make and read whole descriptions. A middlebox uses [`lines`](crate::lines):
//! `sdp-types` drops lines that it does not know and writes every line end as CRLF.
//!
//! ```
//! use sdp_sec::sdp_types_adapter::{attribute, octets, protocol, set_protocol};
//! use sdp_sec::{E2ae, Protocol, Sdp};
//!
//! let text = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n\
//!              m=audio 4000 RTP/AVP 0\r\na=3ge2ae:requested\r\n";
//! let mut session = sdp_types::Session::parse(text)?;
//! for media in &mut session.medias {
//!     assert_eq!(attribute(&media.attributes, E2ae::NAME, E2ae::parse)?, Some(E2ae::Requested));
//!     assert_eq!(protocol(media), Protocol::RtpAvp);
//!     set_protocol(media, Protocol::RtpSavp);
//! }
//! let octets = octets(&session);
//! let line = Sdp::parse(&octets)?.media().next().map(|media| media.media_line()).transpose()?;
//! assert_eq!(line.map(|line| line.protocol()), Some(Protocol::RtpSavp));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::string::ToString;
use alloc::vec::Vec;

use sdp_types::{Attribute, Media, Session};

use crate::fingerprint::{FingerprintSet, HashPolicy, MAX_FINGERPRINTS};
use crate::{Fingerprint, Protocol, Rule};

/// The description as octets, for [`Sdp::parse`](crate::Sdp::parse).
#[must_use]
pub fn octets(session: &Session) -> Vec<u8> {
    let mut octets = Vec::new();
    // Writing to a Vec does not fail.
    let _ = session.write(&mut octets);
    octets
}

/// The protocol of an m-line.
#[must_use]
pub fn protocol(media: &Media) -> Protocol<'_> {
    Protocol::from_token(&media.proto)
}

/// Sets the protocol of an m-line.
pub fn set_protocol(media: &mut Media, protocol: Protocol<'_>) {
    media.proto = protocol.to_string();
}

/// The one attribute of that name, whatever its case, read with `parse`.
///
/// # Errors
///
/// [`Rule::Duplicate`] if it stands twice, [`Rule::MissingValue`] if it has no value, or what `parse`
/// answers.
pub fn attribute<'a, T>(
    attributes: &'a [Attribute],
    name: &str,
    parse: impl FnOnce(&'a str) -> Result<T, Rule>,
) -> Result<Option<T>, Rule> {
    let mut all = named(attributes, name);
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => parse(one.value.as_deref().ok_or(Rule::MissingValue)?).map(Some),
        _ => Err(Rule::Duplicate),
    }
}

/// Puts an attribute at the end.
pub fn push(attributes: &mut Vec<Attribute>, name: &str, value: &impl ToString) {
    attributes.push(Attribute {
        attribute: name.to_string(),
        value: Some(value.to_string()),
    });
}

/// Removes every attribute of that name, whatever its case.
pub fn remove(attributes: &mut Vec<Attribute>, name: &str) {
    attributes.retain(|attribute| !attribute.attribute.eq_ignore_ascii_case(name));
}

/// The fingerprints of a media section, or of the session if it has none; as
/// [`FingerprintSet::of`].
///
/// # Errors
///
/// [`Rule::NoFingerprint`], [`Rule::WeakHash`], [`Rule::TooManyValues`], or as
/// [`Fingerprint::parse`].
pub fn fingerprints(
    session: &Session,
    media: &Media,
    policy: HashPolicy,
) -> Result<FingerprintSet, Rule> {
    let own = named(&media.attributes, Fingerprint::NAME).next().is_some();
    let attributes = if own {
        &media.attributes
    } else {
        &session.attributes
    };
    let (mut found, mut lines) = (Vec::new(), 0_usize);
    for attribute in named(attributes, Fingerprint::NAME) {
        lines += 1;
        if lines > MAX_FINGERPRINTS {
            return Err(Rule::TooManyValues);
        }
        match Fingerprint::parse(attribute.value.as_deref().ok_or(Rule::MissingValue)?) {
            Ok(fingerprint) => found.push(fingerprint),
            Err(Rule::HashFunction) => {}
            Err(rule) => return Err(rule),
        }
    }
    if lines == 0 {
        return Err(Rule::NoFingerprint);
    }
    FingerprintSet::select(&found, policy).ok_or(Rule::WeakHash)
}

fn named<'a, 'n>(
    attributes: &'a [Attribute],
    name: &'n str,
) -> impl Iterator<Item = &'a Attribute> + use<'a, 'n> {
    attributes
        .iter()
        .filter(move |attribute| attribute.attribute.eq_ignore_ascii_case(name))
}
