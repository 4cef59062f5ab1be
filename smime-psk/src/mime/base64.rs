//! Base64 as bodies have it ([RFC 2045 §6.8]): in lines, with whatever white space came in.
//!
//! By table and not in constant time: what is encoded is ciphertext.
//!
//! [RFC 2045 §6.8]: https://www.rfc-editor.org/rfc/rfc2045#section-6.8

use alloc::vec::Vec;

use crate::error::MimeError;

/// Octets that make a line of 76 characters.
const LINE: usize = 57;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Lines of at most 76 characters, each ended by CRLF.
pub(crate) fn encode(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() / LINE * 78 + 80);
    for line in octets.chunks(LINE) {
        for group in line.chunks(3) {
            let mut octets = [0; 4];
            octets
                .iter_mut()
                .skip(1)
                .zip(group)
                .for_each(|(to, from)| *to = *from);
            let bits = u32::from_be_bytes(octets);
            for place in 0..4_u8 {
                let index = usize::try_from((bits >> (18 - 6 * place)) & 63).unwrap_or(0);
                let symbol = ALPHABET.get(index).copied().unwrap_or(b'=');
                out.push(if usize::from(place) > group.len() {
                    b'='
                } else {
                    symbol
                });
            }
        }
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Skips white space and accepts a missing pad; refuses everything else that is not base64.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, MimeError> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut pad) = (0_u32, 0_u8, 0_u8);
    for octet in text {
        let value = match octet {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'=' => {
                pad += 1;
                if pad > 2 || count < 2 || count + pad > 4 {
                    return Err(MimeError::Base64);
                }
                continue;
            }
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(MimeError::Base64),
        };
        if pad > 0 {
            return Err(MimeError::Base64);
        }
        bits = (bits << 6) | u32::from(value);
        count += 1;
        if count == 4 {
            let [_, a, b, c] = bits.to_be_bytes();
            out.extend_from_slice(&[a, b, c]);
            (bits, count) = (0, 0);
        }
    }
    match (count, bits) {
        (0, _) => {}
        (2, bits) if bits.trailing_zeros() >= 4 => out.extend((bits >> 4).to_be_bytes().last()),
        (3, bits) if bits.trailing_zeros() >= 2 => {
            let [_, _, a, b] = (bits >> 2).to_be_bytes();
            out.extend_from_slice(&[a, b]);
        }
        _ => return Err(MimeError::Base64),
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64, Encoding};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_crate_base64ct(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let lines = encode(&octets);
            prop_assert!(lines.split(|octet| *octet == b'\n').all(|line| line.len() <= 77));
            prop_assert_eq!(decode(&lines), Ok(octets.clone()));
            let mut joined = lines;
            joined.retain(|octet| !b"\r\n".contains(octet));
            prop_assert_eq!(joined, Base64::encode_string(&octets).into_bytes());
        }
    }

    #[test]
    fn white_space_and_a_missing_pad_are_accepted() {
        assert_eq!(decode(b" aG k\n"), Ok(b"hi".to_vec()));
        assert_eq!(decode(b"aGk="), Ok(b"hi".to_vec()));
        assert_eq!(decode(b""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in [
            &b"aGk=a"[..],
            b"a",
            b"=",
            b"aG==k",
            b"aGl",
            b"aGk==",
            b"aGk-",
            b"aGkk=",
        ] {
            assert_eq!(decode(text), Err(MimeError::Base64), "{text:?}");
        }
    }
}
