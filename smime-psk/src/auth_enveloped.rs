use crate::attributes::Attributes;
use crate::der::{
    CONSTRUCTED, CONTEXT, Element, Encoding, OCTET_STRING, Octets, Reader, SEQUENCE, SET,
};
use crate::error::{DecodeError, DecodeErrorKind as Kind};
use crate::limits;
use crate::oid::Oid;
use crate::recipient::RecipientInfo;

/// A message as it came: AuthEnvelopedData in its ContentInfo ([RFC 5083 §2.1]), content borrowed.
///
/// ```text
/// AuthEnvelopedData ::= SEQUENCE {
///   version                  CMSVersion,
///   originatorInfo       [0] IMPLICIT OriginatorInfo OPTIONAL,
///   recipientInfos           RecipientInfos,
///   authEncryptedContentInfo EncryptedContentInfo,
///   authAttrs            [1] IMPLICIT AuthAttributes OPTIONAL,
///   mac                      MessageAuthenticationCode,
///   unauthAttrs          [2] IMPLICIT UnauthAttributes OPTIONAL }
/// ```
///
/// Nothing in it is authentic until [`open`](Self::open) says so, and recipient information and
/// unauthenticated attributes are not even then. It answers who a message is for, before keys are
/// fetched:
///
/// ```
/// use smime_psk::{AuthEnvelopedData, Encoding, KekRecipient, RecipientInfo, SealPolicy};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// # let mut kek = KekRecipient::new(b"alice-bob", &[7; 16]).ok_or("length")?;
/// # let sealed = smime_psk::seal(b"hi", &mut kek, &SealPolicy::default(), &mut rng)
/// #     .map_err(|_| "seal")?;
/// let message = AuthEnvelopedData::parse(&sealed, Encoding::Der).map_err(|_| "parse")?;
/// let ids: Vec<_> = message
///     .recipient_infos()
///     .filter_map(|info| match info {
///         RecipientInfo::Kek(info) => Some(info.key_identifier()),
///         _ => None,
///     })
///     .collect();
/// assert_eq!(ids, [b"alice-bob"]);
/// # Ok::<(), &str>(())
/// ```
///
/// [RFC 5083 §2.1]: https://www.rfc-editor.org/rfc/rfc5083#section-2.1
#[derive(Clone)]
pub struct AuthEnvelopedData<'a> {
    recipient_infos: Element<'a>,
    pub(crate) content_type: Oid,
    pub(crate) algorithm: Element<'a>,
    pub(crate) content: Octets<'a>,
    pub(crate) auth_attrs: Attributes,
    pub(crate) mac: &'a [u8],
    pub(crate) unauth_attrs: Attributes,
}

impl<'a> AuthEnvelopedData<'a> {
    /// Reads a whole ContentInfo.
    ///
    /// # Errors
    ///
    /// It is not one, is not an AuthEnvelopedData, has octets left over, or breaks the rules of
    /// `encoding`.
    pub fn parse(input: &'a [u8], encoding: Encoding) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(input, encoding);
        let content_info = reader.expect(SEQUENCE)?;
        reader.finish()?;

        let mut reader = content_info.reader();
        if reader.oid()? != Oid::AUTH_ENVELOPED_DATA {
            return Err(DecodeError::new(
                Kind::NotAuthEnvelopedData,
                content_info.at,
            ));
        }
        let explicit = reader.expect(CONTEXT | CONSTRUCTED)?;
        reader.finish()?;

        let mut reader = explicit.reader();
        let sequence = reader.expect(SEQUENCE)?;
        reader.finish()?;
        Self::parse_fields(sequence.reader())
    }

    fn parse_fields(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        parse_version(&mut reader)?;
        // Certificates for key agreement; none of our recipients has a use for them.
        reader.optional(CONTEXT | CONSTRUCTED)?;
        let recipient_infos = reader.expect(SET)?;
        check_recipients(&recipient_infos)?;

        let mut info = reader.expect(SEQUENCE)?.reader();
        let content_type = info.oid()?;
        let algorithm = info.expect(SEQUENCE)?;
        if info.is_empty() {
            return Err(info.fail(Kind::ContentMissing));
        }
        let content = info.octets(CONTEXT)?;
        info.finish()?;

        let (auth_attrs, mac, unauth_attrs) = parse_tail(reader)?;
        Ok(Self {
            recipient_infos,
            content_type,
            algorithm,
            content,
            auth_attrs,
            mac,
            unauth_attrs,
        })
    }

    /// What carries the content key, to each recipient.
    pub fn recipient_infos(&self) -> impl Iterator<Item = RecipientInfo<'a>> + use<'a> {
        recipients(self.recipient_infos)
    }

    /// Octets of the content.
    #[must_use]
    pub const fn content_len(&self) -> usize {
        self.content.len()
    }

    /// The authentication tag: what a proof of origin copies (TR 33.829 annex B.3).
    #[must_use]
    pub const fn mac(&self) -> &'a [u8] {
        self.mac
    }
}

impl core::fmt::Debug for AuthEnvelopedData<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AuthEnvelopedData")
            .field("content_type", &self.content_type)
            .field("content_len", &self.content.len())
            .finish_non_exhaustive()
    }
}

/// CMSVersion, which is 0 in every AuthEnvelopedData.
pub(crate) fn parse_version(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let version = reader.fail(Kind::Version);
    if reader.small_integer()? == 0 {
        Ok(())
    } else {
        Err(version)
    }
}

/// At least one recipient, not too many, each well-formed as far as it is read.
pub(crate) fn check_recipients(set: &Element<'_>) -> Result<(), DecodeError> {
    let mut reader = set.reader();
    if reader.is_empty() {
        return Err(reader.fail(Kind::Malformed));
    }
    for _ in 0..limits::RECIPIENTS {
        if reader.is_empty() {
            return Ok(());
        }
        RecipientInfo::parse(&reader.any()?)?;
    }
    reader.finish().map_err(|_| reader.fail(Kind::BeyondLimits))
}

/// The members of a set that [`check_recipients`] found good.
pub(crate) fn recipients(set: Element<'_>) -> impl Iterator<Item = RecipientInfo<'_>> {
    let mut reader = set.reader();
    core::iter::from_fn(move || RecipientInfo::parse(&reader.any().ok()?).ok())
}

/// What follows the content: authAttrs, mac, unauthAttrs.
pub(crate) fn parse_tail(
    mut reader: Reader<'_>,
) -> Result<(Attributes, &[u8], Attributes), DecodeError> {
    let attributes = |reader: &mut Reader<'_>, number| {
        let set = reader.optional(CONTEXT | CONSTRUCTED | number)?;
        set.map_or_else(|| Ok(Attributes::new()), |set| Attributes::parse(&set))
    };
    let auth_attrs = attributes(&mut reader, 1)?;
    // RFC 5652 §11.1 wants one content-type; of two of anything, each reader would believe another.
    if !auth_attrs.are_distinct() {
        return Err(reader.fail(Kind::Malformed));
    }
    let mac = reader.expect(OCTET_STRING)?.contents;
    let unauth_attrs = attributes(&mut reader, 2)?;
    reader.finish()?;
    Ok((auth_attrs, mac, unauth_attrs))
}
