use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use std::io::{Read, Seek, Write};

use zeroize::Zeroizing;

use super::read::{End, StreamReader, in_pieces, io};
use crate::ContentEncryption;
use crate::algorithm::Parameters;
use crate::attributes::Attributes;
use crate::auth_enveloped::{check_recipients, parse_tail, recipients};
use crate::content_encryption::{PIECE, Pass};
use crate::der::{CONSTRUCTED, CONTEXT, Encoding, OCTET_STRING, Reader, SEQUENCE, SET};
use crate::error::{DecodeErrorKind as Kind, OpenError};
use crate::limits;
use crate::oid::Oid;
use crate::open::{
    Facts, OpenPolicy, check_content_type, check_mac, settle, unwrap_key, wants_digest,
};
use crate::origin::{Commitment, ProofOfOrigin};
use crate::recipient::RecipientInfos;
use crate::transport::KeyTransport;

/// A message that was verified and written out, and what it says besides.
///
/// ```
/// use std::io::Cursor;
/// use smime_psk::{KekRecipient, OpenPolicy, SealPolicy, stream::open_stream};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// # let Some(kek) = KekRecipient::new(b"id", &[7; 16]) else { return Ok(()) };
/// # let mut kek = kek.peer("sip:alice@example.com");
/// # let Ok(sealed) = smime_psk::seal(b"hello", &mut kek, &SealPolicy::default(), &mut rng)
/// #     else { panic!() };
/// let mut content = Vec::new();
/// let policy = OpenPolicy::default();
/// let opened = open_stream(&mut Cursor::new(sealed), &mut content, &mut kek, &policy)?;
/// assert_eq!(content, b"hello");
/// assert_eq!(opened.sender(), Some("sip:alice@example.com"));
/// # Ok::<(), smime_psk::OpenError>(())
/// ```
#[derive(Clone)]
pub struct OpenedStream {
    content_len: u64,
    facts: Facts,
}

impl OpenedStream {
    /// Octets of the content.
    #[must_use]
    pub const fn content_len(&self) -> u64 {
        self.content_len
    }

    /// As [`Opened::sender`](crate::Opened::sender).
    #[must_use]
    pub fn sender(&self) -> Option<&str> {
        self.facts.sender.as_deref()
    }

    /// How the content was protected.
    #[must_use]
    pub const fn algorithm(&self) -> ContentEncryption {
        self.facts.algorithm
    }

    /// As [`Opened::proof_of_origin`](crate::Opened::proof_of_origin).
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

impl fmt::Debug for OpenedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenedStream")
    }
}

/// Opens the message that runs from the reader's position to its end, in bounded memory: reads it
/// once to verify, and only then again to decrypt into `writer`.
///
/// # Errors
///
/// Anything is not as it should be. Nothing was then written, with two exceptions: writing
/// fails, or the file changed between the passes, which is [`OpenError::Forged`]. The transport has
/// accepted the message then, so one with a replay cache does not open it again.
///
/// # Security
///
/// What is written when the file changes under the reader is not authentic until the function
/// returns: keep the file from being written to, or throw the output away on an error.
pub fn open_stream(
    reader: &mut (impl Read + Seek),
    writer: &mut impl Write,
    transport: &mut (impl KeyTransport + ?Sized),
    policy: &OpenPolicy,
) -> Result<OpenedStream, OpenError> {
    let mut stream = StreamReader::new(reader, policy.encoding)?;
    let stream = &mut stream;
    let (outer, set) = head(stream, policy.encoding)?;
    let set = Reader::new(&set, policy.encoding).expect(SET)?;

    let info = stream.enter(SEQUENCE)?;
    let content_type = stream.element(64)?;
    let content_type = Reader::new(&content_type, policy.encoding).oid()?;
    let algorithm = stream.element(256)?;
    let algorithm = Reader::new(&algorithm, policy.encoding).expect(SEQUENCE)?;
    let parameters = Parameters::parse(&algorithm, policy)?;
    if matches!(info, End::At(end) if end == stream.position()) {
        return Err(stream.fail(Kind::ContentMissing));
    }
    let content = Content(stream.position());

    // What comes after the content decides what goes into the hash before it.
    let content_len = content.for_each(stream, |_| Ok(()))?;
    if content_len > policy.max_content || !parameters.admits_content(content_len) {
        return Err(OpenError::TooLong);
    }
    stream.leave(info)?;
    let [content_info, explicit, sequence] = outer;
    let tail = stream.rest(sequence, 2 * limits::ATTRIBUTE_OCTETS + 64)?;
    let (auth_attrs, mac, unauth_attrs) = parse_tail(Reader::new(&tail, policy.encoding))?;
    stream.leave(explicit)?;
    stream.leave(content_info)?;
    stream.finish()?;
    check_mac(&parameters, mac)?;
    check_content_type(content_type, &auth_attrs, policy)?;

    let (unwrapped, recipient) = unwrap_key(recipients(set), transport)?;
    if !unwrapped.key.fits(parameters.algorithm) {
        return Err(OpenError::KeyLength);
    }
    let aad = auth_attrs.aad();
    let key = &unwrapped.key;
    let pass = || Pass::new(&parameters, key, &aad, content_len).ok_or(OpenError::KeyLength);

    let mut verifying = pass()?;
    let algorithm = algorithm.contents;
    let mut commitment = wants_digest(&unwrapped, &parameters)
        .then(|| Commitment::new(key, algorithm, content_type, &aad, content_len));
    content.for_each(stream, |piece| {
        if let Some(commitment) = &mut commitment {
            commitment.update(piece);
        }
        verifying.decrypt(piece);
        Ok(())
    })?;
    verifying.verify(mac).map_err(|_| OpenError::Forged)?;
    let digest = commitment.map(|commitment| commitment.finish(mac));
    let proof_of_origin = settle(&unwrapped, mac, digest, &recipient, transport, policy)?;

    let mut releasing = pass()?;
    content.for_each(stream, |piece| {
        releasing.decrypt(piece);
        writer.write_all(piece).map_err(io)
    })?;
    releasing.verify(mac).map_err(|_| OpenError::Forged)?;
    writer.flush().map_err(io)?;
    let facts = Facts {
        sender: unwrapped.sender,
        algorithm: parameters.algorithm,
        proof_of_origin,
        auth_attrs,
        unauth_attrs,
    };
    Ok(OpenedStream { content_len, facts })
}

/// Who a message is for, before keys are fetched: as
/// [`AuthEnvelopedData::recipient_infos`](crate::AuthEnvelopedData::recipient_infos), of a message
/// that runs from the reader's position. The reader is left there.
///
/// # Errors
///
/// It is no such message, as far as it is read: up to the content.
///
/// ```
/// use std::io::Cursor;
/// use smime_psk::{Encoding, KekRecipient, SealPolicy, stream};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// # let Some(mut kek) = KekRecipient::new(b"id", &[7; 16]) else { return Ok(()) };
/// # let Ok(sealed) = smime_psk::seal(b"hello", &mut kek, &SealPolicy::default(), &mut rng)
/// #     else { panic!() };
/// let mut file = Cursor::new(sealed);
/// let infos = stream::recipient_infos(&mut file, Encoding::Der)?;
/// assert_eq!(infos.iter().count(), 1);
/// assert_eq!(file.position(), 0);
/// # Ok::<(), smime_psk::OpenError>(())
/// ```
pub fn recipient_infos(
    reader: &mut (impl Read + Seek),
    encoding: Encoding,
) -> Result<RecipientInfos, OpenError> {
    let mut stream = StreamReader::new(reader, encoding)?;
    let (_, set) = head(&mut stream, encoding)?;
    stream.seek(0)?;
    let set = Reader::new(&set, encoding).expect(SET)?;
    Ok(RecipientInfos::read(&set)?)
}

/// Everything before the encryptedContentInfo: what was entered, and the recipients, which are good.
fn head<R: Read + Seek>(
    stream: &mut StreamReader<R>,
    encoding: Encoding,
) -> Result<([End; 3], Vec<u8>), OpenError> {
    let outer = [
        stream.enter(SEQUENCE)?,
        check_type(stream)?,
        stream.enter(SEQUENCE)?,
    ];
    let envelope = stream.element(16)?;
    crate::auth_enveloped::parse_version(&mut Reader::new(&envelope, encoding))?;
    let mut set = stream.element(limits::STREAM_HEAD)?;
    if set.first() == Some(&(CONTEXT | CONSTRUCTED)) {
        set = stream.element(limits::STREAM_HEAD)?;
    }
    check_recipients(&Reader::new(&set, encoding).expect(SET)?)?;
    Ok((outer, set))
}

/// The contentType of the ContentInfo; enters the content.
fn check_type<R: Read + Seek>(stream: &mut StreamReader<R>) -> Result<End, OpenError> {
    let oid = stream.element(64)?;
    let mut reader = Reader::new(&oid, Encoding::Ber);
    if reader.oid()? != Oid::AUTH_ENVELOPED_DATA {
        return Err(stream.fail(Kind::NotAuthEnvelopedData));
    }
    stream.enter(CONTEXT | CONSTRUCTED)
}

/// Where the element with the content stands in the message.
struct Content(u64);

impl Content {
    /// Calls `work` with the content in whole pieces and a last one, and returns its length.
    fn for_each<R: Read + Seek>(
        &self,
        stream: &mut StreamReader<R>,
        mut work: impl FnMut(&mut [u8]) -> Result<(), OpenError>,
    ) -> Result<u64, OpenError> {
        stream.seek(self.0)?;
        let header = stream.header(&mut Vec::new())?;
        if header.tag & !CONSTRUCTED != CONTEXT {
            return Err(stream.fail(Kind::UnexpectedTag));
        }
        let end = stream.end_of(&header)?;
        let mut buffer = Zeroizing::new(vec![0; PIECE]);
        let mut filled = 0;
        let mut total = 0;
        let mut strings = Strings {
            left: 0,
            end,
            whole: !in_pieces(&header),
        };
        if !strings.whole && stream.is_der() {
            return Err(stream.fail(Kind::NotDer));
        }
        while strings.next(stream)? {
            while strings.left > 0 {
                let room = buffer.get_mut(filled..).unwrap_or_default();
                let now = usize::try_from(strings.left).map_or(room.len(), |l| l.min(room.len()));
                stream.read_exact(room.get_mut(..now).unwrap_or_default())?;
                let octets = u64::try_from(now).unwrap_or(u64::MAX);
                strings.left -= octets;
                total += octets;
                filled += now;
                if filled == PIECE {
                    work(&mut buffer)?;
                    filled = 0;
                }
            }
        }
        if filled > 0 {
            work(buffer.get_mut(..filled).unwrap_or_default())?;
        }
        Ok(total)
    }
}

/// The octet strings that the content is made of, one or many.
struct Strings {
    left: u64,
    end: End,
    whole: bool,
}

impl Strings {
    /// Goes to the next one; false at the end of the content.
    fn next<R: Read + Seek>(&mut self, stream: &mut StreamReader<R>) -> Result<bool, OpenError> {
        match self.end {
            End::At(end) if end == stream.position() => return Ok(false),
            End::At(end) if end < stream.position() => return Err(stream.fail(Kind::Length)),
            End::At(end) if self.whole => {
                self.left = end - stream.position();
                return Ok(true);
            }
            _ => {}
        }
        let header = stream.header(&mut Vec::new())?;
        match header.contents {
            Some(0) if header.tag == 0 && matches!(self.end, End::Marked) => Ok(false),
            Some(len) if header.tag == OCTET_STRING => {
                self.left = len;
                Ok(true)
            }
            _ => Err(stream.fail(Kind::UnexpectedTag)),
        }
    }
}
