//! Fields in wire order, whose lengths a parser has told.

use mikey::payload::KeyValidity;

use super::tree::Node;
use crate::hex;

/// Walks over octets that were parsed already: one call a field, in the order of the diagram.
pub(crate) struct Fields<'a> {
    octets: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl<'a> Fields<'a> {
    /// From octet `at` of `octets`.
    pub(crate) const fn new(octets: &'a [u8], at: usize) -> Self {
        Self {
            octets,
            at,
            nodes: Vec::new(),
        }
    }

    /// Where the next field begins.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    /// All octets, of which the fields are a part.
    pub(crate) const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    pub(crate) fn into_nodes(self) -> Vec<Node> {
        self.nodes
    }

    pub(crate) fn push(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Makes `parts` the children of the last field, which `reference` defines.
    pub(crate) fn adopt(&mut self, parts: Vec<Node>, reference: &'static str) {
        if let Some(last) = self.nodes.pop() {
            self.nodes.push(last.reference(reference).children(parts));
        }
    }

    /// A field of `len` octets; `describe` gets them. A field of none is left out.
    pub(crate) fn take(&mut self, label: &str, len: usize, describe: impl FnOnce(&[u8]) -> String) {
        let node = self.node(label, len, describe);
        if len > 0 {
            self.nodes.push(node);
        }
    }

    /// As [`take`](Self::take), for the caller to add to.
    pub(crate) fn node(
        &mut self,
        label: &str,
        len: usize,
        describe: impl FnOnce(&[u8]) -> String,
    ) -> Node {
        let end = self.at.saturating_add(len);
        let field = self.octets.get(self.at..end).unwrap_or_default();
        let node = Node::new(label).at(self.at..end).value(describe(field));
        self.at = end;
        node
    }

    /// A number of one octet with its name in the registry.
    pub(crate) fn named<T: Into<&'static str>>(&mut self, label: &str, name: impl FnOnce(u8) -> T) {
        self.take(label, 1, |field| {
            let value = field.first().copied().unwrap_or_default();
            format!("{value} ({})", name(value).into())
        });
    }

    /// An unsigned number of up to eight octets.
    pub(crate) fn number(&mut self, label: &str, len: usize) {
        self.take(label, len, |field| number(field).to_string());
    }

    /// A number that is better read in hexadecimal.
    pub(crate) fn identifier(&mut self, label: &str, len: usize) {
        self.take(label, len, |field| format!("0x{}", hex::encode(field)));
    }

    pub(crate) fn hex(&mut self, label: &str, len: usize) {
        self.take(label, len, hex::shorten);
    }

    /// Text, or octets if it is none.
    pub(crate) fn text(&mut self, label: &str, len: usize) {
        self.take(label, len, |field| match core::str::from_utf8(field) {
            Ok(text) => format!("\"{text}\""),
            Err(_) => hex::shorten(field),
        });
    }

    /// Octets that nobody is to see who did not ask for them.
    pub(crate) fn secret(&mut self, label: &str, len: usize, show: bool) {
        self.take(label, len, |field| secret(field, show));
    }

    /// KV data ([RFC 3830 §6.14]).
    ///
    /// [RFC 3830 §6.14]: https://www.rfc-editor.org/rfc/rfc3830#section-6.14
    pub(crate) fn validity(&mut self, validity: KeyValidity<'_>) {
        if let Some(spi) = validity.spi() {
            self.number("SPI length", 1);
            self.hex("SPI", spi.len());
        }
        if let Some((from, to)) = validity.interval() {
            self.number("VF length", 1);
            self.hex("Valid from", from.len());
            self.number("VT length", 1);
            self.hex("Valid to", to.len());
        }
    }
}

/// `octets`, or how many there are.
pub(crate) fn secret(octets: &[u8], show: bool) -> String {
    if show {
        hex::encode(octets)
    } else {
        format!("{} octets, hidden", octets.len())
    }
}

pub(crate) fn number(octets: &[u8]) -> u64 {
    octets
        .iter()
        .fold(0, |value, octet| value << 8 | u64::from(*octet))
}
