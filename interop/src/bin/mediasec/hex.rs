//! Octets in hexadecimal.

use zeroize::Zeroizing;

/// Octets of `text`, in which spaces, line ends and colons are skipped; the place of the first
/// character that does not belong there otherwise.
pub(crate) fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, usize> {
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    let mut high = None;
    for (place, character) in text.char_indices() {
        if character.is_ascii_whitespace() || character == ':' {
            continue;
        }
        let digit = character.to_digit(16).ok_or(place)?;
        let digit = u8::try_from(digit).map_err(|_| place)?;
        match high.take() {
            None => high = Some(digit),
            Some(high) => octets.push(high << 4 | digit),
        }
    }
    match high {
        None => Ok(octets),
        Some(_) => Err(text.len()),
    }
}

/// `octets` in hexadecimal.
pub(crate) fn encode(octets: &[u8]) -> String {
    base16ct::lower::encode_string(octets)
}

/// `octets` in hexadecimal, or how they begin if they are many.
pub(crate) fn shorten(octets: &[u8]) -> String {
    const SHOWN: usize = 32;
    match octets.split_at_checked(SHOWN) {
        Some((shown, rest)) if !rest.is_empty() => {
            format!("{}… ({} octets)", encode(shown), octets.len())
        }
        _ => encode(octets),
    }
}
