use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::ContentEncryption;
use crate::algorithm::Parameters;
use crate::attributes::Attributes;
use crate::auth_enveloped::AuthEnvelopedData;
use crate::content_encryption;
use crate::der::{self, Encoding};
use crate::error::OpenError;
use crate::oid::Oid;
use crate::origin::{Commitment, ProofOfOrigin};
use crate::recipient::RecipientInfo;
use crate::transport::{KeyTransport, Unwrapped};

/// What a message must be to be opened.
///
/// The default: DER; a MIME entity; GCM tags of 12 to 16 octets with 12-octet nonces; CCM tags of
/// 8 to 16.
///
/// ```
/// use smime_psk::{ContentEncryption, Encoding, OpenPolicy};
///
/// let policy = OpenPolicy::default()
///     .encoding(Encoding::Ber)
///     .min_tag_len(16)
///     .only(&[ContentEncryption::Aes128Gcm, ContentEncryption::Aes256Gcm]);
/// assert!(!policy.admits(ContentEncryption::Aes128Ccm));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OpenPolicy {
    pub(crate) encoding: Encoding,
    pub(crate) any_gcm_nonce: bool,
    pub(crate) max_content: u64,
    pub(crate) proof_of_origin: ProofOfOrigin,
    pub(crate) content_type: Oid,
    min_tag_len: Option<u8>,
    admitted: [bool; ContentEncryption::ALL.len()],
}

impl Default for OpenPolicy {
    fn default() -> Self {
        Self {
            encoding: Encoding::Der,
            any_gcm_nonce: false,
            max_content: u64::MAX,
            proof_of_origin: ProofOfOrigin::None,
            content_type: Oid::ID_DATA,
            min_tag_len: None,
            admitted: [true; ContentEncryption::ALL.len()],
        }
    }
}

impl OpenPolicy {
    /// Reads BER too.
    #[must_use]
    pub const fn encoding(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    /// Admits GCM nonces of 1 to 64 octets, as [RFC 5084 §3.2] allows and nobody should send.
    ///
    /// [RFC 5084 §3.2]: https://www.rfc-editor.org/rfc/rfc5084#section-3.2
    #[must_use]
    pub const fn any_gcm_nonce(self) -> Self {
        Self {
            any_gcm_nonce: true,
            ..self
        }
    }

    /// Refuses content of more octets.
    #[must_use]
    pub const fn max_content(self, octets: u64) -> Self {
        Self {
            max_content: octets,
            ..self
        }
    }

    /// Refuses shorter tags, of either mode. Below 8 for CCM this admits tags that RFC 5084 has
    /// and that are too short for anything but the smallest devices.
    #[must_use]
    pub const fn min_tag_len(self, octets: u8) -> Self {
        Self {
            min_tag_len: Some(octets),
            ..self
        }
    }

    /// Refuses messages without a proof of origin of at least this strength.
    #[must_use]
    pub const fn proof_of_origin(self, least: ProofOfOrigin) -> Self {
        Self {
            proof_of_origin: least,
            ..self
        }
    }

    /// Wants content of another type than id-data, which the authenticated content-type attribute
    /// must confirm.
    #[must_use]
    pub const fn content_type(self, content_type: Oid) -> Self {
        Self {
            content_type,
            ..self
        }
    }

    /// Admits these algorithms and no others.
    #[must_use]
    pub fn only(self, algorithms: &[ContentEncryption]) -> Self {
        let admitted = ContentEncryption::ALL.map(|algorithm| algorithms.contains(&algorithm));
        Self { admitted, ..self }
    }

    /// Whether messages under `algorithm` are opened.
    #[must_use]
    pub fn admits(&self, algorithm: ContentEncryption) -> bool {
        let mut all = ContentEncryption::ALL.iter().zip(self.admitted);
        all.any(|(known, admitted)| admitted && *known == algorithm)
    }

    pub(crate) fn least_tag_len(&self, algorithm: ContentEncryption) -> u8 {
        self.min_tag_len
            .unwrap_or(if algorithm.is_ccm() { 8 } else { 12 })
    }
}

/// A message that was verified, and what it says.
///
/// ```
/// use smime_psk::{ContentEncryption, KekRecipient, OpenPolicy, ProofOfOrigin, SealPolicy};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// # let mut kek = KekRecipient::new(b"id", &[7; 16]).ok_or("length")?;
/// # let sealed = smime_psk::seal(b"hi", &mut kek, &SealPolicy::default(), &mut rng)
/// #     .map_err(|_| "seal")?;
/// let opened = smime_psk::open(&sealed, &mut kek, &OpenPolicy::default()).map_err(|_| "open")?;
/// assert_eq!(opened.content(), b"hi");
/// assert_eq!(opened.algorithm(), ContentEncryption::Aes128Gcm);
/// assert_eq!(opened.proof_of_origin(), ProofOfOrigin::None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone)]
pub struct Opened {
    pub(crate) content: Vec<u8>,
    pub(crate) facts: Facts,
}

/// What there is to know of an opened message, besides its content.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) sender: Option<String>,
    pub(crate) algorithm: ContentEncryption,
    pub(crate) proof_of_origin: ProofOfOrigin,
    pub(crate) auth_attrs: Attributes,
    pub(crate) unauth_attrs: Attributes,
}

impl Opened {
    /// The content: for S/MIME a MIME entity, to be read with
    /// [`mime::Entity`](crate::mime::Entity).
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The content, without a copy. To erase it is the caller's business.
    #[must_use]
    pub fn into_content(self) -> Vec<u8> {
        self.content
    }

    /// Who sent it, as the key transport verified; `None` if the key says no more than that it
    /// was someone who has it.
    ///
    /// TR 33.829 §8.3.1.1.2 wants this shown, and not From, where the two differ:
    /// [`compare_sender`](crate::compare_sender).
    #[must_use]
    pub fn sender(&self) -> Option<&str> {
        self.facts.sender.as_deref()
    }

    /// How the content was protected.
    #[must_use]
    pub const fn algorithm(&self) -> ContentEncryption {
        self.facts.algorithm
    }

    /// What proves that the message is the sender's, and not another recipient's.
    #[must_use]
    pub const fn proof_of_origin(&self) -> ProofOfOrigin {
        self.facts.proof_of_origin
    }

    /// The attributes authenticated with the content.
    #[must_use]
    pub const fn auth_attrs(&self) -> &Attributes {
        &self.facts.auth_attrs
    }

    /// Attributes that anyone may have altered.
    #[must_use]
    pub const fn unauth_attrs(&self) -> &Attributes {
        &self.facts.unauth_attrs
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

/// Opens a message with the key that `transport` finds in it.
///
/// # Errors
///
/// Anything is not as it should be; no octet of the content is given out.
pub fn open(
    message: &[u8],
    transport: &mut (impl KeyTransport + ?Sized),
    policy: &OpenPolicy,
) -> Result<Opened, OpenError> {
    AuthEnvelopedData::parse(message, policy.encoding)?.open(transport, policy)
}

impl AuthEnvelopedData<'_> {
    /// Finds the key, verifies, decrypts.
    ///
    /// # Errors
    ///
    /// Anything is not as it should be; no octet of the content is given out.
    pub fn open(
        &self,
        transport: &mut (impl KeyTransport + ?Sized),
        policy: &OpenPolicy,
    ) -> Result<Opened, OpenError> {
        let parameters = Parameters::parse(&self.algorithm, policy)?;
        check_mac(&parameters, self.mac)?;
        check_content_type(self.content_type, &self.auth_attrs, policy)?;
        let content_len = u64::try_from(self.content.len()).map_err(|_| OpenError::TooLong)?;
        if content_len > policy.max_content || !parameters.admits_content(content_len) {
            return Err(OpenError::TooLong);
        }

        let (unwrapped, recipient) = unwrap_key(self.recipient_infos(), transport)?;
        if !unwrapped.key.fits(parameters.algorithm) {
            return Err(OpenError::KeyLength);
        }
        let aad = self.auth_attrs.aad();
        let mut content = Vec::with_capacity(self.content.len());
        self.content
            .pieces()
            .for_each(|piece| content.extend_from_slice(piece));
        // Over the ciphertext, so before it is decrypted; and only for a proof that has a digest.
        let digest = wants_digest(&unwrapped, &parameters).then(|| {
            let algorithm = self.algorithm.contents;
            let mut commitment = Commitment::new(
                &unwrapped.key,
                algorithm,
                self.content_type,
                &aad,
                content_len,
            );
            commitment.update(&content);
            commitment.finish(self.mac)
        });
        content_encryption::open_in_place(
            &parameters,
            &unwrapped.key,
            &aad,
            self.mac,
            &mut content,
        )
        .map_err(|_| OpenError::Forged)?;

        let mut opened = Opened {
            content,
            facts: Facts {
                algorithm: parameters.algorithm,
                proof_of_origin: ProofOfOrigin::None,
                auth_attrs: self.auth_attrs.clone(),
                unauth_attrs: self.unauth_attrs.clone(),
                sender: None,
            },
        };
        let settled = settle(&unwrapped, self.mac, digest, &recipient, transport, policy);
        match settled {
            Ok(proof_of_origin) => {
                opened.facts.proof_of_origin = proof_of_origin;
                opened.facts.sender = unwrapped.sender;
                Ok(opened)
            }
            Err(error) => {
                zeroize::Zeroize::zeroize(&mut opened.content);
                Err(error)
            }
        }
    }
}

/// What is left when the tag has been verified: the proof of origin, then the replay cache.
pub(crate) fn settle(
    unwrapped: &Unwrapped,
    mac: &[u8],
    digest: Option<[u8; 32]>,
    recipient: &RecipientInfo<'_>,
    transport: &mut (impl KeyTransport + ?Sized),
    policy: &OpenPolicy,
) -> Result<ProofOfOrigin, OpenError> {
    let proof = ProofOfOrigin::verify(unwrapped.proof_of_origin.as_deref(), mac, digest)?;
    if proof < policy.proof_of_origin {
        return Err(OpenError::OriginMissing);
    }
    transport.accept(recipient)?;
    Ok(proof)
}

/// Whether the proof of origin is longer than a copy of the tag.
pub(crate) fn wants_digest(unwrapped: &Unwrapped, parameters: &Parameters) -> bool {
    let proof = unwrapped.proof_of_origin.as_deref();
    proof.is_some_and(|proof| proof.len() > usize::from(parameters.tag_len))
}

/// The mac has exactly the length that the parameters announce ([RFC 5084 §3.1]).
///
/// [RFC 5084 §3.1]: https://www.rfc-editor.org/rfc/rfc5084#section-3.1
pub(crate) fn check_mac(parameters: &Parameters, mac: &[u8]) -> Result<(), OpenError> {
    if mac.len() == usize::from(parameters.tag_len) {
        Ok(())
    } else {
        Err(OpenError::TagLength)
    }
}

/// The type is the one wanted, and the content-type attribute says the same; without one, only
/// id-data will do ([RFC 5083 §2.1]).
///
/// [RFC 5083 §2.1]: https://www.rfc-editor.org/rfc/rfc5083#section-2.1
pub(crate) fn check_content_type(
    content_type: Oid,
    auth_attrs: &Attributes,
    policy: &OpenPolicy,
) -> Result<(), OpenError> {
    let same = |value| der::Reader::new(value, Encoding::Der).oid() == Ok(content_type);
    let mut values = auth_attrs.get(Oid::CONTENT_TYPE);
    let confirmed = match (values.next(), values.next()) {
        (None, _) => content_type == Oid::ID_DATA && !auth_attrs.contains(Oid::CONTENT_TYPE),
        (Some(value), None) => same(value),
        (Some(_), Some(_)) => false,
    };
    if confirmed && content_type == policy.content_type {
        Ok(())
    } else {
        Err(OpenError::ContentType)
    }
}

/// The first recipient that the transport can do something with.
pub(crate) fn unwrap_key<'a>(
    recipients: impl Iterator<Item = RecipientInfo<'a>>,
    transport: &mut (impl KeyTransport + ?Sized),
) -> Result<(Unwrapped, RecipientInfo<'a>), OpenError> {
    let mut refused = OpenError::NoRecipient;
    for recipient in recipients {
        match transport.unwrap(&recipient) {
            Ok(Some(unwrapped)) => return Ok((unwrapped, recipient)),
            Err(error) if refused == OpenError::NoRecipient => refused = error.into(),
            Ok(None) | Err(_) => {}
        }
    }
    Err(refused)
}
