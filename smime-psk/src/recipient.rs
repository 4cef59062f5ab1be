use alloc::vec::Vec;

use crate::algorithm::ARC;
use crate::der::{
    self, CONSTRUCTED, CONTEXT, Element, Encoding, GENERALIZED_TIME, OCTET_STRING, Reader, SEQUENCE,
};
use crate::error::{DecodeError, DecodeErrorKind as Kind};
use crate::oid::Oid;

/// What carries the content key to one recipient, or to one group of them ([RFC 5652 §6.2]).
///
/// ```
/// use smime_psk::{Oid, RecipientInfo, RecipientInfos};
///
/// let mut infos = RecipientInfos::new();
/// infos.push_other_octets(Oid::EXAMPLE_ORI_MIKEY, b"TRANSFER_INIT");
/// let Some(RecipientInfo::Other(info)) = infos.iter().next() else { return };
/// assert_eq!(info.octets(), Some(&b"TRANSFER_INIT"[..]));
/// ```
///
/// [RFC 5652 §6.2]: https://www.rfc-editor.org/rfc/rfc5652#section-6.2
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecipientInfo<'a> {
    /// KeyTransRecipientInfo: under a public key. Not read further.
    KeyTrans,
    /// KeyAgreeRecipientInfo: by key agreement. Not read further.
    KeyAgree,
    /// KEKRecipientInfo: under a symmetric key that both sides have.
    Kek(KekRecipientInfo<'a>),
    /// PasswordRecipientInfo. Not read further.
    Password,
    /// OtherRecipientInfo: a MIKEY TRANSFER_INIT, for example.
    Other(OtherRecipientInfo<'a>),
    /// Another choice, by its tag number.
    Unknown(u8),
}

/// KEKRecipientInfo: the content key wrapped under a key-encryption key ([RFC 5652 §6.2.3]).
///
/// ```
/// # use smime_psk::{RecipientInfo, RecipientInfos, TransportError};
/// let mut infos = RecipientInfos::new();
/// infos.push_kek(b"alice-bob", 16, &[0; 24])?;
/// let Some(RecipientInfo::Kek(info)) = infos.iter().next() else { return Ok(()) };
/// assert_eq!(info.key_identifier(), b"alice-bob");
/// assert_eq!(info.kek_len(), Some(16));
/// # Ok::<(), TransportError>(())
/// ```
///
/// [RFC 5652 §6.2.3]: https://www.rfc-editor.org/rfc/rfc5652#section-6.2.3
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KekRecipientInfo<'a> {
    key_identifier: &'a [u8],
    algorithm: Oid,
    encrypted_key: &'a [u8],
}

/// OtherRecipientInfo: a key management technique named by an object identifier
/// ([RFC 5652 §6.2.5]).
///
/// ```
/// # use smime_psk::{Oid, RecipientInfo, RecipientInfos};
/// let mut infos = RecipientInfos::new();
/// infos.push_other_octets(Oid::EXAMPLE_ORI_MIKEY, b"TRANSFER_INIT");
/// let Some(RecipientInfo::Other(info)) = infos.iter().next() else { return };
/// assert_eq!(info.ori_type(), Oid::EXAMPLE_ORI_MIKEY);
/// ```
///
/// [RFC 5652 §6.2.5]: https://www.rfc-editor.org/rfc/rfc5652#section-6.2.5
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OtherRecipientInfo<'a> {
    ori_type: Oid,
    ori_value: &'a [u8],
}

impl<'a> KekRecipientInfo<'a> {
    /// keyIdentifier: which key-encryption key was used.
    #[must_use]
    pub const fn key_identifier(&self) -> &'a [u8] {
        self.key_identifier
    }

    /// Octets of the key-encryption key, if the algorithm is AES key wrap ([RFC 3394]).
    ///
    /// [RFC 3394]: https://www.rfc-editor.org/rfc/rfc3394
    #[must_use]
    pub fn kek_len(&self) -> Option<usize> {
        match self.algorithm.as_octets().strip_prefix(ARC)? {
            [5] => Some(16),
            [25] => Some(24),
            [45] => Some(32),
            _ => None,
        }
    }

    /// encryptedKey: the wrapped content key.
    #[must_use]
    pub const fn encrypted_key(&self) -> &'a [u8] {
        self.encrypted_key
    }
}

impl<'a> OtherRecipientInfo<'a> {
    /// oriType: the key management technique.
    #[must_use]
    pub const fn ori_type(&self) -> Oid {
        self.ori_type
    }

    /// oriValue, as the element it is.
    #[must_use]
    pub const fn ori_value(&self) -> &'a [u8] {
        self.ori_value
    }

    /// The octets of oriValue, if it is an OCTET STRING in one piece.
    ///
    /// For id-ori-mikey they are the TRANSFER_INIT message (TR 33.829 annex B.3).
    #[must_use]
    pub fn octets(&self) -> Option<&'a [u8]> {
        let element = Reader::new(self.ori_value, Encoding::Ber)
            .expect(OCTET_STRING)
            .ok()?;
        Some(element.contents)
    }
}

impl<'a> RecipientInfo<'a> {
    /// Reads one RecipientInfo.
    ///
    /// ```text
    /// RecipientInfo ::= CHOICE { ktri KeyTransRecipientInfo, kari [1], kekri [2], pwri [3], ori [4] }
    /// ```
    pub(crate) fn parse(element: &Element<'a>) -> Result<Self, DecodeError> {
        const KARI: u8 = CONTEXT | CONSTRUCTED | 1;
        const KEKRI: u8 = CONTEXT | CONSTRUCTED | 2;
        const PWRI: u8 = CONTEXT | CONSTRUCTED | 3;
        const ORI: u8 = CONTEXT | CONSTRUCTED | 4;
        let mut reader = element.reader();
        Ok(match element.tag {
            SEQUENCE => Self::KeyTrans,
            KARI => Self::KeyAgree,
            PWRI => Self::Password,
            KEKRI => {
                if reader.small_integer()? != 4 {
                    return Err(DecodeError::new(Kind::Version, element.at));
                }
                let mut kekid = reader.expect(SEQUENCE)?.reader();
                let key_identifier = kekid.expect(OCTET_STRING)?.contents;
                kekid.optional(GENERALIZED_TIME)?;
                kekid.optional(SEQUENCE)?;
                kekid.finish()?;
                // RFC 3565 §2.3.2 leaves the parameters out; some peers write NULL.
                let algorithm = reader.expect(SEQUENCE)?.reader().oid()?;
                let encrypted_key = reader.expect(OCTET_STRING)?.contents;
                reader.finish()?;
                Self::Kek(KekRecipientInfo {
                    key_identifier,
                    algorithm,
                    encrypted_key,
                })
            }
            ORI => {
                let ori_type = reader.oid()?;
                let ori_value = reader.any()?.raw;
                reader.finish()?;
                Self::Other(OtherRecipientInfo {
                    ori_type,
                    ori_value,
                })
            }
            tag if tag & 0xc0 == CONTEXT => Self::Unknown(tag & 0x1f),
            _ => return Err(DecodeError::new(Kind::UnexpectedTag, element.at)),
        })
    }
}

/// The recipients of a message being made, what a [`KeyTransport`](crate::KeyTransport) adds to; or
/// those of a message in a stream.
///
/// ```
/// use smime_psk::{Oid, RecipientInfos};
///
/// let mut infos = RecipientInfos::new();
/// infos.push_other_octets(Oid::EXAMPLE_ORI_MIKEY, b"TRANSFER_INIT");
/// assert_eq!(infos.iter().count(), 1);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RecipientInfos {
    members: Vec<Vec<u8>>,
}

impl RecipientInfos {
    /// No recipients.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            members: Vec::new(),
        }
    }

    /// Adds a KEKRecipientInfo with AES key wrap under a key of `kek_len` octets.
    ///
    /// # Errors
    ///
    /// [`KeyLength`](crate::TransportError::KeyLength) if AES has no keys of that length; nothing
    /// is added.
    pub fn push_kek(
        &mut self,
        key_identifier: &[u8],
        kek_len: usize,
        encrypted_key: &[u8],
    ) -> Result<(), crate::TransportError> {
        let number = match kek_len {
            16 => 5,
            24 => 25,
            32 => 45,
            _ => return Err(crate::TransportError::KeyLength),
        };
        let id_len = u64::try_from(key_identifier.len()).unwrap_or(u64::MAX);
        let mut contents = Vec::with_capacity(key_identifier.len() + encrypted_key.len() + 40);
        der::put(&mut contents, der::INTEGER, &[4]);
        der::header(&mut contents, SEQUENCE, der::header_len(id_len) + id_len);
        der::octet_string(&mut contents, key_identifier);
        der::header(&mut contents, SEQUENCE, 11);
        der::header(&mut contents, der::OID, 9);
        contents.extend_from_slice(ARC);
        contents.push(number);
        der::octet_string(&mut contents, encrypted_key);
        self.members
            .push(der::element(CONTEXT | CONSTRUCTED | 2, &contents));
        Ok(())
    }

    /// Adds an OtherRecipientInfo whose oriValue is an OCTET STRING, as id-ori-mikey has it.
    pub fn push_other_octets(&mut self, ori_type: Oid, octets: &[u8]) {
        self.push_other_element(&ori_type, &der::element(OCTET_STRING, octets));
    }

    /// Adds an OtherRecipientInfo with `ori_value`, a DER element.
    ///
    /// # Errors
    ///
    /// `ori_value` is not exactly one element; nothing is added.
    pub fn push_other(&mut self, ori_type: Oid, ori_value: &[u8]) -> Result<(), DecodeError> {
        let mut reader = Reader::new(ori_value, Encoding::Der);
        reader.any()?;
        reader.finish()?;
        self.push_other_element(&ori_type, ori_value);
        Ok(())
    }

    /// The recipients so far.
    pub fn iter(&self) -> impl Iterator<Item = RecipientInfo<'_>> {
        self.members.iter().filter_map(|member| {
            RecipientInfo::parse(&Reader::new(member, Encoding::Ber).any().ok()?).ok()
        })
    }

    /// The members of a set that was received.
    #[cfg(feature = "std")]
    pub(crate) fn read(set: &Element<'_>) -> Result<Self, DecodeError> {
        let (mut reader, mut members) = (set.reader(), Vec::new());
        while !reader.is_empty() {
            members.push(reader.any()?.raw.to_vec());
        }
        Ok(Self { members })
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Octets of the contents of the SET OF.
    pub(crate) fn len(&self) -> u64 {
        let octets = self.members.iter().map(Vec::len).sum::<usize>();
        u64::try_from(octets).unwrap_or(u64::MAX)
    }

    /// Appends the contents of the SET OF.
    pub(crate) fn encode(mut self, out: &mut Vec<u8>) {
        der::sort_set_of(&mut self.members);
        self.members
            .iter()
            .for_each(|member| out.extend_from_slice(member));
    }

    fn push_other_element(&mut self, ori_type: &Oid, ori_value: &[u8]) {
        let mut contents = Vec::with_capacity(ori_value.len() + 48);
        der::oid(&mut contents, ori_type);
        contents.extend_from_slice(ori_value);
        self.members
            .push(der::element(CONTEXT | CONSTRUCTED | 4, &contents));
    }
}
