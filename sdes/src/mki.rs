//! An MKI is written as a decimal number but is a string of octets, up to 128 of them: more than
//! any integer type holds.

use core::fmt;

use srtp::keying::Mki;

use crate::limits::MAX_MKI_LEN;

/// Digits of the greatest number of [`MAX_MKI_LEN`] octets.
const MAX_DIGITS: usize = 309;

/// The positive number, without leading zeros, as `len` octets in network order.
pub(crate) fn from_decimal(digits: &str, len: u8) -> Option<Mki> {
    if digits.len() > MAX_DIGITS || digits.starts_with('0') || digits.is_empty() {
        return None;
    }
    let mut octets = [0; MAX_MKI_LEN];
    let octets = octets.get_mut(..usize::from(len))?;
    for digit in digits.bytes() {
        let mut carry = u16::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        for octet in octets.iter_mut().rev() {
            let [high, low] = (u16::from(*octet) * 10 + carry).to_be_bytes();
            *octet = low;
            carry = u16::from(high);
        }
        if carry != 0 {
            return None;
        }
    }
    Mki::new(octets).ok()
}

/// Writes the number, without leading zeros.
pub(crate) fn write_decimal(mki: &Mki, out: &mut impl fmt::Write) -> fmt::Result {
    let mut octets = [0; MAX_MKI_LEN];
    for (to, from) in octets.iter_mut().zip(mki.as_octets()) {
        *to = *from;
    }
    let mut digits = [b'0'; MAX_DIGITS];
    let octets = octets.get_mut(..mki.as_octets().len()).unwrap_or_default();
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u16;
        for octet in octets.iter_mut() {
            let dividend = (remainder << 8) | u16::from(*octet);
            let [_, quotient] = (dividend / 10).to_be_bytes();
            *octet = quotient;
            remainder = dividend % 10;
        }
        let [_, low] = remainder.to_be_bytes();
        *digit = b'0' + low;
        if octets.iter().all(|octet| *octet == 0) {
            break;
        }
    }
    let mut significant = digits
        .iter()
        .copied()
        .skip_while(|digit| *digit == b'0')
        .peekable();
    if significant.peek().is_none() {
        return out.write_char('0');
    }
    significant.try_for_each(|digit| out.write_char(char::from(digit)))
}

/// `number` as `len` octets, if it fits.
pub(crate) fn from_number(number: u64, len: u8) -> Option<Mki> {
    let mut octets = [0; MAX_MKI_LEN];
    let octets = octets.get_mut(..usize::from(len))?;
    let mut rest = number.to_be_bytes().into_iter().rev();
    for octet in octets.iter_mut().rev() {
        *octet = rest.next().unwrap_or(0);
    }
    let fits = rest.all(|octet| octet == 0);
    fits.then(|| Mki::new(octets).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use super::*;

    fn decimal(mki: &Mki) -> String {
        let mut text = String::new();
        write_decimal(mki, &mut text).unwrap();
        text
    }

    #[test]
    fn numbers_of_every_size_come_back() {
        for (digits, len) in [("1", 1), ("255", 1), ("256", 2), ("1066", 4)] {
            assert_eq!(decimal(&from_decimal(digits, len).unwrap()), digits);
        }
        let greatest = Mki::new(&[0xff; 128]).unwrap();
        let digits = decimal(&greatest);
        assert_eq!(digits.len(), MAX_DIGITS);
        assert_eq!(from_decimal(&digits, 128), Some(greatest));
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        assert_eq!(from_decimal("256", 1), None);
        assert_eq!(from_decimal(&format!("1{:0309}", 0), 128), None);
        for digits in ["", "0", "01", "-1", "+1", "1 ", "a"] {
            assert_eq!(from_decimal(digits, 4), None, "{digits}");
        }
        assert_eq!((from_decimal("1", 0), from_decimal("1", 129)), (None, None));
    }

    #[test]
    fn small_numbers_agree_with_their_decimal_form() {
        for number in [1, 9, 10, 255, 65_535, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(
                from_number(number, 8),
                from_decimal(&format!("{number}"), 8)
            );
        }
        assert_eq!(from_number(256, 1), None);
    }
}
