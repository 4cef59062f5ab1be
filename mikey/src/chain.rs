use core::fmt;

use bytes::BufMut;

use crate::{
    DecodeError, DecodeErrorKind, EncodeError, code_points::PayloadType, error::Place,
    limits::MAX_PAYLOADS, payload::Payload, reader::Reader,
};

/// Where a chain of payloads stands; it decides which payloads may be in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Context {
    /// Behind the HDR of a message.
    Message,
    /// TP Data of a TP payload, a policy that is asked for.
    TicketPolicy,
    /// TP Data of a TICKET payload, a policy that is granted: no KEMAC ([RFC 6043 §6.10](https://www.rfc-editor.org/rfc/rfc6043#section-6.10)).
    GrantedPolicy,
    /// Ticket Data of a base ticket, or Initiator Data: what else is in them is to be ignored.
    Ticket,
    /// Decrypted Encr data of a KEMAC, IBAKE or ESK payload.
    Encrypted,
    /// 3GPP IMS CONF Data (TR 33.829 §C.1).
    Conference,
}

impl Context {
    /// Keys never stand in the clear, a signature ends a message, and nothing that holds a chain
    /// stands within another: so a message nests two levels deep and no more.
    const fn allows(self, payload: PayloadType) -> bool {
        use PayloadType::{Eccpt, Id, Kemac, KeyData, Pke, Sign, Sk, Ticket, Tp};
        match self {
            Self::Message => !matches!(payload, KeyData | Sk | Eccpt),
            Self::TicketPolicy | Self::Ticket => {
                !matches!(payload, KeyData | Sk | Eccpt | Sign | Tp | Ticket)
            }
            Self::GrantedPolicy => {
                !matches!(payload, KeyData | Sk | Eccpt | Sign | Tp | Ticket | Kemac)
            }
            Self::Encrypted => !matches!(payload, Kemac | Pke | Sign | Tp | Ticket),
            Self::Conference => matches!(payload, Id),
        }
    }
}

/// Payloads that name one another by their Next payload fields, the last one naming none
/// ([RFC 3830 §6.1]).
///
/// Either octets that were checked when they came, or payloads that are to be sent. Which type
/// follows is no property of a payload here: the chain writes it.
///
/// ```
/// use mikey::{Chain, code_points::{KeyDataType, PayloadType}, payload::{KeyData, KeyValidity}};
///
/// // What the Encr data of a KEMAC says once it is decrypted: one TGK of 16 octets.
/// let octets = [&[0, 0x00, 0, 16][..], &[7; 16]].concat();
/// let chain = Chain::decode_encrypted(&octets, PayloadType::KeyData)?;
/// let keys: Vec<KeyData> = chain.keys().collect();
/// assert_eq!(keys[0].key_type(), KeyDataType::Tgk);
/// assert_eq!(keys[0].validity(), KeyValidity::NULL);
/// # Ok::<(), mikey::DecodeError>(())
/// ```
///
/// [RFC 3830 §6.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1
#[derive(Clone, Copy)]
pub struct Chain<'a> {
    repr: Repr<'a>,
}

#[derive(Clone, Copy)]
enum Repr<'a> {
    Wire {
        first: PayloadType,
        octets: &'a [u8],
    },
    Items(&'a [Payload<'a>]),
}

impl<'a> Chain<'a> {
    /// `payloads` in the order in which they are to be sent.
    #[must_use]
    pub const fn new(payloads: &'a [Payload<'a>]) -> Self {
        Self {
            repr: Repr::Items(payloads),
        }
    }

    /// Reads the decrypted Encr data of a KEMAC, IBAKE or ESK payload, whose first payload the
    /// context tells: Key data in the pre-shared key methods, ID in the public-key methods
    /// ([RFC 3830 §6.2]).
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `octets` are not such a chain, to the last octet. Offsets count from the
    /// start of `octets`.
    ///
    /// [RFC 3830 §6.2]: https://www.rfc-editor.org/rfc/rfc3830#section-6.2
    pub fn decode_encrypted(octets: &'a [u8], first: PayloadType) -> Result<Self, DecodeError> {
        // An update may carry no key at all.
        let first = if octets.is_empty() {
            PayloadType::Last
        } else {
            first
        };
        Self::parse_whole(
            Reader::new(octets, Place::EncrData),
            first,
            Context::Encrypted,
        )
    }

    /// Writes to `out` what [`decode_encrypted`](Self::decode_encrypted) reads.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if a payload must not be encrypted this way, or there are too many; nothing
    /// was written then.
    pub fn encode_encrypted(&self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        self.check(Context::Encrypted)?;
        self.encode(out);
        Ok(())
    }

    /// The type of the first payload; `Last` if there is none.
    #[must_use]
    pub fn first(&self) -> PayloadType {
        match self.repr {
            Repr::Wire { first, .. } => first,
            Repr::Items(items) => items
                .first()
                .map_or(PayloadType::Last, Payload::payload_type),
        }
    }

    /// The payloads in order.
    #[must_use]
    pub fn iter(&self) -> Payloads<'a> {
        Payloads {
            repr: match self.repr {
                Repr::Wire { first, octets } => IterRepr::Wire {
                    next: first,
                    reader: Reader::again(octets),
                },
                Repr::Items(items) => IterRepr::Items(items.iter()),
            },
        }
    }

    /// The Key data sub-payloads in order ([RFC 3830 §6.13]).
    ///
    /// [RFC 3830 §6.13]: https://www.rfc-editor.org/rfc/rfc3830#section-6.13
    pub fn keys(&self) -> impl Iterator<Item = crate::payload::KeyData<'a>> + Clone + use<'a> {
        self.iter().filter_map(|payload| match payload {
            Payload::KeyData(key) => Some(key),
            _ => None,
        })
    }

    /// The key that an SPI of a crypto session points to: a TGK or GTGK to derive from, or a TEK
    /// (TR 33.829 §D.1).
    ///
    /// `None` if no key or more than one has this SPI.
    #[must_use]
    pub fn key_with_spi(&self, spi: &[u8]) -> Option<crate::payload::KeyData<'a>> {
        let mut found = self.keys().filter(|key| key.validity().spi() == Some(spi));
        let key = found.next()?;
        found.next().is_none().then_some(key)
    }

    /// Octets that [`encode_encrypted`](Self::encode_encrypted) writes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        match self.repr {
            Repr::Wire { octets, .. } => octets.len(),
            Repr::Items(items) => items.iter().map(Payload::encoded_len).sum(),
        }
    }

    /// Appends the payloads, each with the type of the one behind it.
    pub(crate) fn encode(&self, out: &mut impl BufMut) {
        match self.repr {
            Repr::Wire { octets, .. } => out.put_slice(octets),
            Repr::Items(items) => {
                let following = items.iter().skip(1).map(Payload::payload_type);
                let next = following.chain([PayloadType::Last]);
                items
                    .iter()
                    .zip(next)
                    .for_each(|(payload, next)| payload.encode(next, out));
            }
        }
    }

    /// Whether the chain may stand in `context`.
    pub(crate) fn check(&self, context: Context) -> Result<(), EncodeError> {
        match self.repr {
            Repr::Wire { .. } => {
                check_types(self.iter().map(|payload| payload.payload_type()), context)
            }
            Repr::Items(items) => check_types(items.iter().map(Payload::payload_type), context),
        }
    }

    /// Octets that [`parse_whole`](Self::parse_whole) has found to be a chain.
    pub(crate) const fn checked(first: PayloadType, octets: &'a [u8]) -> Self {
        Self {
            repr: Repr::Wire { first, octets },
        }
    }

    /// All of `reader`, to its last octet.
    pub(crate) fn parse_whole(
        mut reader: Reader<'a>,
        first: PayloadType,
        context: Context,
    ) -> Result<Self, DecodeError> {
        let chain = Self::parse(&mut reader, first, context, |_| Ok(()))?;
        reader.finish()?;
        Ok(chain)
    }

    /// From the front of `reader` to the payload that names no next one.
    pub(crate) fn parse(
        reader: &mut Reader<'a>,
        first: PayloadType,
        context: Context,
        mut accept: impl FnMut(Payload<'a>) -> Result<(), DecodeErrorKind>,
    ) -> Result<Self, DecodeError> {
        let mut here = *reader;
        let mut next = first;
        let mut count = 0;
        while next != PayloadType::Last {
            if !context.allows(next) {
                return Err(here.error(DecodeErrorKind::Misplaced(next.into())));
            }
            count += 1;
            if count > MAX_PAYLOADS {
                return Err(here.error(DecodeErrorKind::TooManyPayloads));
            }
            next = Payload::parse(&mut here, next, &mut accept)?;
        }
        let octets = reader.take(here.offset().saturating_sub(reader.offset()))?;
        *reader = here;
        Ok(Self::checked(first, octets))
    }
}

fn check_types(
    types: impl Iterator<Item = PayloadType>,
    context: Context,
) -> Result<(), EncodeError> {
    let mut signed = None;
    for (index, payload_type) in types.enumerate() {
        if let Some(sign) = signed {
            return Err(EncodeError::Misplaced(sign));
        }
        if !context.allows(payload_type) {
            return Err(EncodeError::Misplaced(payload_type.into()));
        }
        if index >= MAX_PAYLOADS {
            return Err(EncodeError::TooMany);
        }
        if payload_type == PayloadType::Sign {
            signed = Some(payload_type.into());
        }
    }
    Ok(())
}

impl PartialEq for Chain<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Chain<'_> {}

impl fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &Chain<'a> {
    type Item = Payload<'a>;
    type IntoIter = Payloads<'a>;

    fn into_iter(self) -> Payloads<'a> {
        self.iter()
    }
}

/// The payloads of a [`Chain`], in order.
///
/// ```
/// use mikey::{Message, payload::{Payload, TsValue}};
///
/// let octets = [1, 6, 5, 0, 0, 0, 0, 9, 0, 1, /* T */ 0, 2, 0, 0, 0, 1];
/// let message = Message::decode(&octets)?;
/// assert_eq!(message.payloads().next(), Some(Payload::T(TsValue::Counter(1))));
/// # Ok::<(), mikey::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Payloads<'a> {
    repr: IterRepr<'a>,
}

#[derive(Clone, Debug)]
enum IterRepr<'a> {
    Wire {
        next: PayloadType,
        reader: Reader<'a>,
    },
    Items(core::slice::Iter<'a, Payload<'a>>),
}

impl<'a> Iterator for Payloads<'a> {
    type Item = Payload<'a>;

    fn next(&mut self) -> Option<Payload<'a>> {
        // Named and returned once, so that the payload is put together where it is returned.
        let mut found = None;
        match &mut self.repr {
            IterRepr::Wire {
                next: PayloadType::Last,
                ..
            } => {}
            IterRepr::Wire { next, reader } => {
                let keep = |payload| {
                    found = Some(payload);
                    Ok(())
                };
                if let Ok(following) = Payload::parse(reader, *next, keep) {
                    *next = following;
                }
            }
            IterRepr::Items(items) => found = items.next().copied(),
        }
        found
    }
}
