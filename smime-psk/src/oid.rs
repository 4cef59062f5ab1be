use core::fmt;

/// Octets of the longest object identifier this crate reads.
const MAX_LEN: usize = 39;

/// An object identifier, kept as the contents octets of its DER encoding.
///
/// ```
/// use smime_psk::Oid;
///
/// let data = Oid::from_arcs(&[1, 2, 840, 113549, 1, 7, 1]).ok_or("arcs")?;
/// assert_eq!(data, Oid::ID_DATA);
/// assert_eq!(data.to_string(), "1.2.840.113549.1.7.1");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Oid {
    len: u8,
    octets: [u8; MAX_LEN],
}

impl Oid {
    /// id-data: arbitrary octets, for S/MIME a MIME entity ([RFC 5652 §4]).
    ///
    /// [RFC 5652 §4]: https://www.rfc-editor.org/rfc/rfc5652#section-4
    pub const ID_DATA: Self = Self::constant(b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");

    /// A stand-in for id-ori-mikey (TR 33.829 annex B.3), which has no registered number.
    ///
    /// It is 2.999.33829.1, in the arc set aside for examples: two parties that use it must have
    /// agreed to.
    pub const EXAMPLE_ORI_MIKEY: Self = Self::constant(b"\x88\x37\x82\x88\x25\x01");

    pub(crate) const AUTH_ENVELOPED_DATA: Self =
        Self::constant(b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17");
    pub(crate) const CONTENT_TYPE: Self = Self::constant(b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03");

    /// Builds an identifier from its arcs.
    ///
    /// Returns `None` if there are fewer than two, if the first two cannot be joined in one, or
    /// if the encoding is longer than 39 octets.
    #[must_use]
    pub fn from_arcs(arcs: &[u32]) -> Option<Self> {
        let (first, arcs) = arcs.split_first()?;
        let (second, arcs) = arcs.split_first()?;
        if *first > 2 || (*first < 2 && *second > 39) {
            return None;
        }
        let mut oid = Self {
            len: 0,
            octets: [0; MAX_LEN],
        };
        oid.push_arc(u64::from(*first) * 40 + u64::from(*second))?;
        for arc in arcs {
            oid.push_arc(u64::from(*arc))?;
        }
        Some(oid)
    }

    /// Takes the contents octets of an encoded identifier.
    ///
    /// Returns `None` if they are not a well-formed identifier or more than 39.
    #[must_use]
    pub fn from_octets(contents: &[u8]) -> Option<Self> {
        // Every arc ends in an octet below 0x80 and does not begin with a padding 0x80.
        let mut start = true;
        for octet in contents {
            if start && *octet == 0x80 {
                return None;
            }
            start = *octet < 0x80;
        }
        if contents.is_empty() || !start {
            return None;
        }
        let mut octets = [0; MAX_LEN];
        octets.get_mut(..contents.len())?.copy_from_slice(contents);
        Some(Self {
            len: u8::try_from(contents.len()).ok()?,
            octets,
        })
    }

    /// The contents octets of the DER encoding.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn push_arc(&mut self, arc: u64) -> Option<()> {
        let groups = u64::BITS
            .saturating_sub(arc.leading_zeros())
            .div_ceil(7)
            .max(1);
        for group in (0..groups).rev() {
            let bits = u8::try_from((arc >> (7 * group)) & 0x7f).ok()?;
            let more = if group == 0 { 0 } else { 0x80 };
            *self.octets.get_mut(usize::from(self.len))? = bits | more;
            self.len += 1;
        }
        Some(())
    }

    const fn constant<const N: usize>(contents: &[u8; N]) -> Self {
        let mut octets = [0; MAX_LEN];
        let (head, _) = octets.split_at_mut(N);
        head.copy_from_slice(contents);
        // N is at most MAX_LEN, or `split_at_mut` does not compile.
        let [len, ..] = N.to_le_bytes();
        Self { len, octets }
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arc: u128 = 0;
        let mut first = true;
        for octet in self.as_octets() {
            // Arcs beyond 128 bits are shown modulo 2^128: this is for people, not for comparison.
            arc = (arc << 7) | u128::from(octet & 0x7f);
            if *octet < 0x80 {
                if first {
                    let top = (arc / 40).min(2);
                    write!(f, "{top}.{}", arc - top * 40)?;
                } else {
                    write!(f, ".{arc}")?;
                }
                first = false;
                arc = 0;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn constants_are_the_dotted_numbers_of_the_standards() {
        assert_eq!(
            Oid::AUTH_ENVELOPED_DATA.to_string(),
            "1.2.840.113549.1.9.16.1.23"
        );
        assert_eq!(Oid::CONTENT_TYPE.to_string(), "1.2.840.113549.1.9.3");
        assert_eq!(Oid::EXAMPLE_ORI_MIKEY.to_string(), "2.999.33829.1");
        assert_eq!(
            Oid::from_arcs(&[2, 999, 33829, 1]),
            Some(Oid::EXAMPLE_ORI_MIKEY)
        );
    }

    #[test]
    fn malformed_identifiers_are_refused() {
        for contents in [
            &b""[..],
            b"\x80\x01",
            b"\x2a\x86",
            b"\x2a\x80\x01",
            &[1; 40],
        ] {
            assert_eq!(Oid::from_octets(contents), None);
        }
        assert_eq!(Oid::from_arcs(&[1]), None);
        assert_eq!(Oid::from_arcs(&[3, 1]), None);
        assert_eq!(Oid::from_arcs(&[1, 40]), None);
    }
}
