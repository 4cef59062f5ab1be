use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::algorithm::Parameters;
use crate::attributes::Attributes;
use crate::content_encryption::{self, Tag};
use crate::der::{self, CONSTRUCTED, CONTEXT, OCTET_STRING, SEQUENCE, SET};
use crate::error::{SealError, TransportError};
use crate::oid::Oid;
use crate::origin::{self, Commitment, ProofOfOrigin};
use crate::recipient::RecipientInfos;
use crate::transport::{KeyTransport, Wrapping};
use crate::{ContentEncryption, ContentKey};

/// How messages are sealed. The default is AES-128-GCM with a 16-octet tag.
///
/// ```
/// use smime_psk::{ContentEncryption, SealPolicy};
///
/// let policy = SealPolicy::new(ContentEncryption::Aes256Ccm).tag_len(12);
/// assert_eq!(policy.algorithm(), ContentEncryption::Aes256Ccm);
/// ```
#[derive(Clone, Debug)]
pub struct SealPolicy {
    algorithm: ContentEncryption,
    tag_len: u8,
    content_type: Oid,
    proof_of_origin: ProofOfOrigin,
    auth_attrs: Attributes,
    unauth_attrs: Attributes,
}

impl Default for SealPolicy {
    fn default() -> Self {
        Self::new(ContentEncryption::Aes128Gcm)
    }
}

impl SealPolicy {
    /// Seals with `algorithm` and a 16-octet tag.
    #[must_use]
    pub const fn new(algorithm: ContentEncryption) -> Self {
        Self {
            algorithm,
            tag_len: 16,
            content_type: Oid::ID_DATA,
            proof_of_origin: ProofOfOrigin::None,
            auth_attrs: Attributes::new(),
            unauth_attrs: Attributes::new(),
        }
    }

    /// Octets of the tag: for peers that cannot do 16. [`seal`] refuses what the algorithm has
    /// not.
    #[must_use]
    pub fn tag_len(self, octets: u8) -> Self {
        Self {
            tag_len: octets,
            ..self
        }
    }

    /// Says that the content is another thing than a MIME entity.
    ///
    /// The content-type attribute that must then be authenticated is added by itself
    /// ([RFC 5083 §2.1]).
    ///
    /// [RFC 5083 §2.1]: https://www.rfc-editor.org/rfc/rfc5083#section-2.1
    #[must_use]
    pub fn content_type(self, content_type: Oid) -> Self {
        Self {
            content_type,
            ..self
        }
    }

    /// Asks the transport to vouch for the message as the sender's (TR 33.829 annex F).
    #[must_use]
    pub fn proof_of_origin(self, proof: ProofOfOrigin) -> Self {
        Self {
            proof_of_origin: proof,
            ..self
        }
    }

    /// Attributes that are authenticated with the content, and readable by everyone.
    #[must_use]
    pub fn auth_attrs(self, attributes: Attributes) -> Self {
        Self {
            auth_attrs: attributes,
            ..self
        }
    }

    /// Attributes that anyone may alter.
    #[must_use]
    pub fn unauth_attrs(self, attributes: Attributes) -> Self {
        Self {
            unauth_attrs: attributes,
            ..self
        }
    }

    #[cfg(feature = "std")]
    pub(crate) const fn wanted_proof(&self) -> ProofOfOrigin {
        self.proof_of_origin
    }

    /// The content encryption.
    #[must_use]
    pub const fn algorithm(&self) -> ContentEncryption {
        self.algorithm
    }
}

/// Seals `content` for the recipients of `transport`: a ContentInfo in DER.
///
/// For S/MIME the content is a MIME entity, header fields and all, in
/// [canonical form](crate::mime::canonical); [`mime::wrap`](crate::mime::wrap) makes an entity of
/// the outcome. Key and nonce are fresh for each message.
///
/// # Errors
///
/// The transport refuses, or the policy asks for what the algorithm has not.
pub fn seal(
    content: &[u8],
    transport: &mut (impl KeyTransport + ?Sized),
    policy: &SealPolicy,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let len = u64::try_from(content.len()).map_err(|_| SealError::ContentTooLong)?;
    let mut sealing = Sealing::new(policy, len, rng)?;
    if policy.proof_of_origin == ProofOfOrigin::None {
        // The recipients do not depend on the content: everything is written in its place.
        let room = content.len() + sealing.tail_len;
        let mut out = sealing.head(None, room, transport, rng)?;
        let start = out.len();
        out.extend_from_slice(content);
        let tag = sealing.encrypt(out.get_mut(start..).unwrap_or_default())?;
        sealing.tail(&tag, &mut out);
        return Ok(out);
    }
    let mut ciphertext = content.to_vec();
    let tag = sealing.encrypt(&mut ciphertext)?;
    let proof = sealing.proof(&ciphertext, &tag);
    let room = ciphertext.len() + sealing.tail_len;
    let mut out = sealing.head(Some(&proof), room, transport, rng)?;
    out.extend_from_slice(&ciphertext);
    sealing.tail(&tag, &mut out);
    Ok(out)
}

/// One message being sealed: fresh key and nonce, and what stands around the content.
pub(crate) struct Sealing<'p> {
    policy: &'p SealPolicy,
    pub(crate) key: ContentKey,
    pub(crate) parameters: Parameters,
    pub(crate) aad: Vec<u8>,
    auth_attrs: Vec<u8>,
    unauth_attrs: Vec<u8>,
    content_len: u64,
    tail_len: usize,
}

impl<'p> Sealing<'p> {
    pub(crate) fn new(
        policy: &'p SealPolicy,
        content_len: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, SealError> {
        let mut fresh = Zeroizing::new([0; KEY_ROOM + 12]);
        // Key and nonce at once: a generator of the operating system costs a call each time.
        rng.fill_bytes(fresh.as_mut_slice());
        let (key, nonce) = fresh.split_at(KEY_ROOM);
        let key = key.get(..policy.algorithm.key_len()).unwrap_or_default();
        let key = ContentKey::from_slice(key).ok_or(TransportError::KeyLength)?;
        let parameters = Parameters::choose(policy.algorithm, policy.tag_len, content_len, nonce)?;
        if policy.auth_attrs.contains(Oid::CONTENT_TYPE) {
            return Err(SealError::Attributes);
        }
        let mut attributes = policy.auth_attrs.clone();
        if policy.content_type != Oid::ID_DATA {
            let value = der::element(der::OID, policy.content_type.as_octets());
            attributes
                .insert(Oid::CONTENT_TYPE, &value)
                .map_err(|_| SealError::Attributes)?;
        }
        let auth_attrs = attributes.encode(CONTEXT | CONSTRUCTED | 1);
        let unauth_attrs = policy.unauth_attrs.encode(CONTEXT | CONSTRUCTED | 2);
        Ok(Self {
            policy,
            key,
            tail_len: auth_attrs.len() + 2 + usize::from(policy.tag_len) + unauth_attrs.len(),
            parameters,
            aad: attributes.aad(),
            auth_attrs,
            unauth_attrs,
            content_len,
        })
    }

    /// Everything before the first octet of the content, with `room` behind it.
    pub(crate) fn head(
        &mut self,
        proof: Option<&[u8]>,
        room: usize,
        transport: &mut (impl KeyTransport + ?Sized),
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SealError> {
        let mut recipients = RecipientInfos::new();
        let wrapping = Wrapping::new(&self.key, self.policy.algorithm);
        let wrapping = match proof {
            Some(data) => wrapping.with_proof_of_origin(data),
            None => wrapping,
        };
        transport.wrap(&wrapping, &mut recipients, rng)?;
        if recipients.is_empty() {
            return Err(SealError::NoRecipient);
        }

        // From the inside out: each length counts what is inside it.
        let with_header = |len| der::header_len(len) + len;
        let parameters = self.parameters.encode();
        let content_type = self.policy.content_type;
        let info = with_header(octets(content_type.as_octets()))
            + with_header(octets(&parameters))
            + with_header(self.content_len);
        let tail_len = u64::try_from(self.tail_len).unwrap_or(u64::MAX);
        let fields = 3 + with_header(recipients.len()) + with_header(info) + tail_len;
        let sequence = with_header(fields);
        let envelope = with_header(octets(Oid::AUTH_ENVELOPED_DATA.as_octets()));
        let content_info = envelope + with_header(sequence);
        let head = with_header(content_info) - self.content_len - tail_len;

        let mut out = Vec::with_capacity(usize::try_from(head).unwrap_or(0) + room);
        der::header(&mut out, SEQUENCE, content_info);
        der::oid(&mut out, &Oid::AUTH_ENVELOPED_DATA);
        der::header(&mut out, CONTEXT | CONSTRUCTED, sequence);
        der::header(&mut out, SEQUENCE, fields);
        der::put(&mut out, der::INTEGER, &[0]);
        der::header(&mut out, SET, recipients.len());
        recipients.encode(&mut out);
        der::header(&mut out, SEQUENCE, info);
        der::oid(&mut out, &content_type);
        der::put(&mut out, SEQUENCE, &parameters);
        der::header(&mut out, CONTEXT, self.content_len);
        Ok(out)
    }

    /// Everything after the last octet of the content.
    pub(crate) fn tail(&self, tag: &Tag, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.auth_attrs);
        der::put(out, OCTET_STRING, self.mac(tag));
        out.extend_from_slice(&self.unauth_attrs);
    }

    fn encrypt(&self, data: &mut [u8]) -> Result<Tag, SealError> {
        content_encryption::seal_in_place(&self.parameters, &self.key, &self.aad, data)
            .ok_or(SealError::ContentTooLong)
    }

    fn proof(&self, ciphertext: &[u8], tag: &Tag) -> Vec<u8> {
        let mac = self.mac(tag);
        let digest = (self.policy.proof_of_origin == ProofOfOrigin::Committing).then(|| {
            let mut commitment = Commitment::new(
                &self.key,
                &self.parameters.encode(),
                self.policy.content_type,
                &self.aad,
                self.content_len,
            );
            commitment.update(ciphertext);
            commitment.finish(mac)
        });
        origin::data(mac, digest)
    }

    fn mac<'t>(&self, tag: &'t Tag) -> &'t [u8] {
        tag.get(..usize::from(self.policy.tag_len))
            .unwrap_or_default()
    }
}

/// Octets of the longest key.
const KEY_ROOM: usize = 32;

fn octets(slice: &[u8]) -> u64 {
    u64::try_from(slice.len()).unwrap_or(u64::MAX)
}
