use alloc::vec::Vec;

use crate::der::{self, Element, Encoding, Reader, SEQUENCE, SET};
use crate::error::{DecodeError, DecodeErrorKind as Kind};
use crate::limits;
use crate::oid::Oid;

/// A set of attributes, authenticated or not ([RFC 5083 §2.1]), kept in DER.
///
/// ```
/// use smime_psk::{Attributes, Oid};
///
/// let hint = Oid::from_arcs(&[2, 999, 7]).ok_or("arcs")?;
/// let mut attributes = Attributes::new();
/// attributes.insert(hint, b"\x0c\x05hello").map_err(|_| "DER")?;
/// assert_eq!(attributes.get(hint).collect::<Vec<_>>(), [b"\x0c\x05hello"]);
/// # Ok::<(), &str>(())
/// ```
///
/// [RFC 5083 §2.1]: https://www.rfc-editor.org/rfc/rfc5083#section-2.1
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Attributes {
    /// One encoded Attribute each, in the order of DER.
    members: Vec<Vec<u8>>,
}

impl Attributes {
    /// No attributes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            members: Vec::new(),
        }
    }

    /// Adds the attribute `oid` with one value, a DER element.
    ///
    /// # Errors
    ///
    /// `value` is not exactly one element, `oid` is in the set already, or the set is full. The
    /// set is then unchanged.
    pub fn insert(&mut self, oid: Oid, value: &[u8]) -> Result<(), DecodeError> {
        let mut reader = Reader::new(value, Encoding::Der);
        reader.any()?;
        reader.finish()?;
        if self.contains(oid) {
            return Err(DecodeError::new(Kind::Malformed, 0));
        }
        let octets = self.members.iter().map(Vec::len).sum::<usize>() + value.len();
        if self.members.len() >= limits::ATTRIBUTES || octets > limits::ATTRIBUTE_OCTETS / 2 {
            return Err(DecodeError::new(Kind::BeyondLimits, 0));
        }
        self.members.push(attribute(&oid, value));
        der::sort_set_of(&mut self.members);
        Ok(())
    }

    /// The values of the attribute `oid`, each a DER element; none if it is not there.
    pub fn get(&self, oid: Oid) -> impl Iterator<Item = &[u8]> {
        let found = self.iter().filter(move |(of, _)| *of == oid);
        found.flat_map(|(_, values)| values)
    }

    /// All attributes with their values.
    pub fn iter(&self) -> impl Iterator<Item = (Oid, impl Iterator<Item = &[u8]>)> {
        self.members.iter().filter_map(|member| {
            let mut reader = Reader::new(member, Encoding::Der)
                .expect(SEQUENCE)
                .ok()?
                .reader();
            let oid = reader.oid().ok()?;
            let mut values = reader.expect(SET).ok()?.reader();
            Some((
                oid,
                core::iter::from_fn(move || values.any().ok().map(|value| value.raw)),
            ))
        })
    }

    /// Whether `oid` is in the set.
    #[must_use]
    pub fn contains(&self, oid: Oid) -> bool {
        self.iter().any(|(of, _)| of == oid)
    }

    /// Whether each attribute is there once.
    pub(crate) fn are_distinct(&self) -> bool {
        let mut oids: Vec<_> = self.iter().map(|(oid, _)| oid).collect();
        oids.sort_unstable_by(|one, other| one.as_octets().cmp(other.as_octets()));
        oids.windows(2).all(|pair| pair.first() != pair.last())
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The set under `tag`; nothing if it is empty, as an empty set is not sent.
    pub(crate) fn encode(&self, tag: u8) -> Vec<u8> {
        if self.is_empty() {
            Vec::new()
        } else {
            der::element(tag, &self.members.concat())
        }
    }

    /// What the AEAD authenticates: the DER with the tag of SET OF and not the \[1\] of the
    /// message; nothing without attributes ([RFC 5083 §2.2]).
    ///
    /// [RFC 5083 §2.2]: https://www.rfc-editor.org/rfc/rfc5083#section-2.2
    pub(crate) fn aad(&self) -> Vec<u8> {
        self.encode(SET)
    }

    /// Reads a set whose tag and length are off.
    pub(crate) fn parse(set: &Element<'_>) -> Result<Self, DecodeError> {
        let fail = |kind| Err(DecodeError::new(kind, set.at));
        if set.contents.len() > limits::ATTRIBUTE_OCTETS {
            return fail(Kind::BeyondLimits);
        }
        let mut this = Self::new();
        let mut reader = set.reader();
        while !reader.is_empty() {
            if this.members.len() == limits::ATTRIBUTES {
                return fail(Kind::BeyondLimits);
            }
            this.members.push(normalised(&reader.expect(SEQUENCE)?)?);
        }
        if this.is_empty() {
            return fail(Kind::Malformed);
        }
        der::sort_set_of(&mut this.members);
        if set.encoding() == Encoding::Der && this.members.concat() != set.contents {
            return fail(Kind::NotDer);
        }
        Ok(this)
    }
}

/// `Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }`
fn attribute(oid: &Oid, values: &[u8]) -> Vec<u8> {
    let mut contents = Vec::new();
    der::oid(&mut contents, oid);
    der::put(&mut contents, SET, values);
    der::element(SEQUENCE, &contents)
}

/// An Attribute in DER, whatever it came in.
fn normalised(element: &Element<'_>) -> Result<Vec<u8>, DecodeError> {
    let mut reader = element.reader();
    let oid = reader.oid()?;
    let set = reader.expect(SET)?;
    reader.finish()?;
    let mut values = Vec::new();
    let mut reader = set.reader();
    while !reader.is_empty() {
        if values.len() == limits::ATTRIBUTES {
            return Err(reader.fail(Kind::BeyondLimits));
        }
        let value = reader.any()?;
        let mut der = Vec::new();
        match element.encoding() {
            Encoding::Der => der.extend_from_slice(value.raw),
            Encoding::Ber => der::to_der(&value, limits::DEPTH, &mut der)?,
        }
        values.push(der);
    }
    der::sort_set_of(&mut values);
    Ok(attribute(&oid, &values.concat()))
}
