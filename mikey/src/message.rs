use alloc::vec::Vec;
use core::fmt;

use bytes::BufMut;

use crate::{
    Chain, DecodeError, EncodeError, Payloads, Rules,
    payload::{Header, Payload},
};

/// A MIKEY message: a header and the payloads behind it ([RFC 3830 §6]).
///
/// Read from octets with [`decode`](Self::decode) or by [`Rules`], made of payloads with
/// [`new`](Self::new). Either way it borrows, and copying it is cheap.
///
/// ```
/// use mikey::{
///     EncodeError, Message,
///     code_points::{DataType, ErrorNo, PrfFunc},
///     payload::{CsIdMap, ErrorPayload, Header, Payload, TsValue},
/// };
///
/// let header = Header::new(DataType::Error, PrfFunc::Mikey1, 0x1234_5678, CsIdMap::NONE)?;
/// let payloads = [
///     Payload::T(TsValue::NtpUtc(0xecd1_5081_bedc_e397)),
///     Payload::Err(ErrorPayload::new(ErrorNo::AuthFailure)),
/// ];
/// let octets = Message::new(header, &payloads)?.to_vec();
///
/// let read = Message::decode(&octets).map_err(|_| EncodeError::WrongLength)?;
/// assert_eq!(read.header().data_type(), DataType::Error);
/// assert_eq!(read.payloads().nth(1), Some(payloads[1]));
/// # Ok::<(), EncodeError>(())
/// ```
///
/// [RFC 3830 §6]: https://www.rfc-editor.org/rfc/rfc3830#section-6
#[derive(Clone, Copy)]
pub struct Message<'a> {
    header: Header<'a>,
    chain: Chain<'a>,
}

impl<'a> Message<'a> {
    /// Reads a message by the letter of the standards, with the default code points of 3GPP.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `octets` are not one message, from the first to the last.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        Rules::STRICT.decode(octets)
    }

    /// A message of `header` and `payloads`, by the letter of the standards. The order is the
    /// caller's: each exchange has its own.
    ///
    /// # Errors
    ///
    /// As of [`Rules::compose`].
    pub fn new(header: Header<'a>, payloads: &'a [Payload<'a>]) -> Result<Self, EncodeError> {
        Rules::STRICT.compose(header, payloads)
    }

    pub(crate) const fn from_parts(header: Header<'a>, chain: Chain<'a>) -> Self {
        Self { header, chain }
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// The payloads behind the header, in order.
    #[must_use]
    pub fn payloads(&self) -> Payloads<'a> {
        self.chain.iter()
    }

    /// The payloads, each with the octets that it takes in the message: what a MAC or a signature
    /// covers is told in such octets.
    ///
    /// The ranges are those of the message that was decoded, or that [`encode`](Self::encode)
    /// writes.
    #[must_use]
    pub fn located(&self) -> Located<'a> {
        Located {
            payloads: self.chain.iter(),
            offset: self.header.encoded_len(),
        }
    }

    /// Octets of the message.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.header.encoded_len() + self.chain.encoded_len()
    }

    /// Appends the message to `out`: [`encoded_len`](Self::encoded_len) octets.
    ///
    /// # Panics
    ///
    /// As every `BufMut`: if `out` has no room for them and cannot grow.
    pub fn encode(&self, out: &mut impl BufMut) {
        self.header.encode(self.chain.first(), out);
        self.chain.encode(out);
    }

    /// The octets of the message.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.encoded_len());
        self.encode(&mut octets);
        octets
    }
}

impl PartialEq for Message<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.header == other.header && self.chain == other.chain
    }
}

impl Eq for Message<'_> {}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("header", &self.header)
            .field("payloads", &self.chain)
            .finish()
    }
}

/// The payloads of a [`Message`], each with the octets that it takes there.
///
/// ```
/// use mikey::Message;
///
/// let octets = [1, 6, 5, 0, 0, 0, 0, 9, 0, 1, /* T */ 0, 2, 0, 0, 0, 1];
/// let ranges: Vec<_> = Message::decode(&octets)?.located().map(|(range, _)| range).collect();
/// assert_eq!(ranges, [10..16]);
/// # Ok::<(), mikey::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Located<'a> {
    payloads: Payloads<'a>,
    offset: usize,
}

impl<'a> Iterator for Located<'a> {
    type Item = (core::ops::Range<usize>, Payload<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let payload = self.payloads.next()?;
        let start = self.offset;
        self.offset += payload.encoded_len();
        Some((start..self.offset, payload))
    }
}
