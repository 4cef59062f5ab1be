//! The key wrap of RFC 3394, whose initial value is derived here: `aes-kw` has only the default one.

use alloc::vec::Vec;

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::CipherError;

/// Octets of a semiblock.
const SEMIBLOCK: usize = 8;

/// Semiblocks of the shortest plaintext.
const MIN_SEMIBLOCKS: usize = 2;

/// Rounds over the whole plaintext.
const ROUNDS: u64 = 6;

pub(super) fn wrap(key: &[u8], iv: &[u8], data: &[u8]) -> Result<Vec<u8>, CipherError> {
    let cipher = Aes128::new_from_slice(key).map_err(|_| CipherError::KeyLength)?;
    let (blocks, []) = data.as_chunks::<SEMIBLOCK>() else {
        return Err(CipherError::Length);
    };
    if blocks.len() < MIN_SEMIBLOCKS {
        return Err(CipherError::Length);
    }
    let mut a = <[u8; SEMIBLOCK]>::try_from(iv).map_err(|_| CipherError::KeyLength)?;
    let mut r = Zeroizing::new(blocks.to_vec());
    let mut step = 0_u64;
    for _ in 0..ROUNDS {
        for semiblock in r.iter_mut() {
            step += 1;
            let mut block = join(a, *semiblock);
            cipher.encrypt_block((&mut *block).into());
            (a, *semiblock) = split(&block);
            a = (u64::from_be_bytes(a) ^ step).to_be_bytes();
        }
    }
    Ok([a.as_slice(), r.as_flattened()].concat())
}

pub(super) fn unwrap(
    key: &[u8],
    iv: &[u8],
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CipherError> {
    let cipher = Aes128::new_from_slice(key).map_err(|_| CipherError::KeyLength)?;
    let (blocks, []) = data.as_chunks::<SEMIBLOCK>() else {
        return Err(CipherError::Length);
    };
    let (mut a, mut r) = match blocks.split_first() {
        Some((a, r)) if r.len() >= MIN_SEMIBLOCKS => (*a, Zeroizing::new(r.to_vec())),
        _ => return Err(CipherError::Length),
    };
    let mut step = ROUNDS * u64::try_from(r.len()).map_err(|_| CipherError::Length)?;
    for _ in 0..ROUNDS {
        for semiblock in r.iter_mut().rev() {
            a = (u64::from_be_bytes(a) ^ step).to_be_bytes();
            step -= 1;
            let mut block = join(a, *semiblock);
            cipher.decrypt_block((&mut *block).into());
            (a, *semiblock) = split(&block);
        }
    }
    if bool::from(a.as_slice().ct_eq(iv)) {
        Ok(Zeroizing::new(r.as_flattened().to_vec()))
    } else {
        Err(CipherError::Unwrap)
    }
}

fn join(a: [u8; SEMIBLOCK], r: [u8; SEMIBLOCK]) -> Zeroizing<[u8; 16]> {
    let joined = (u128::from(u64::from_be_bytes(a)) << 64) | u128::from(u64::from_be_bytes(r));
    Zeroizing::new(joined.to_be_bytes())
}

fn split(block: &[u8; 16]) -> ([u8; SEMIBLOCK], [u8; SEMIBLOCK]) {
    let mut halves = ([0; SEMIBLOCK], [0; SEMIBLOCK]);
    let (left, right) = block.split_at(SEMIBLOCK);
    halves.0.copy_from_slice(left);
    halves.1.copy_from_slice(right);
    halves
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    #[test]
    fn wraps_as_rfc3394_4_1_with_the_default_initial_value() {
        let key = hex!("000102030405060708090A0B0C0D0E0F");
        let data = hex!("00112233445566778899AABBCCDDEEFF");
        let wrapped = wrap(&key, &[0xa6; 8], &data).unwrap();
        assert_eq!(
            wrapped,
            hex!("1FA68B0A8112B447 AEF34BD8FB5A7B82 9D3E862371D2CFE5")
        );
        assert_eq!(unwrap(&key, &[0xa6; 8], &wrapped).unwrap().as_slice(), data);
    }

    #[test]
    fn agrees_with_aes_kw() {
        let peer = aes_kw::AesKw::<Aes128>::new_from_slice(&[0x42; 16]).unwrap();
        for len in (16..=248).step_by(8) {
            let data: Vec<u8> = (0..len).map(|octet| octet ^ 0x5a).collect();
            let mut buffer = [0; 264];
            let theirs = peer.wrap_key(&data, &mut buffer).unwrap();
            assert_eq!(wrap(&[0x42; 16], &[0xa6; 8], &data).unwrap(), theirs);
        }
    }

    #[test]
    fn another_initial_value_does_not_unwrap() {
        let wrapped = wrap(&[1; 16], &[2; 8], &[3; 24]).unwrap();
        assert_eq!(
            unwrap(&[1; 16], &[4; 8], &wrapped),
            Err(CipherError::Unwrap)
        );
    }

    #[test]
    fn lengths_that_rfc3394_does_not_define_are_refused() {
        for len in [0, 7, 8, 15, 17, 23] {
            assert_eq!(
                wrap(&[1; 16], &[2; 8], &[0; 32][..len]),
                Err(CipherError::Length)
            );
        }
        for len in [0, 8, 16, 23, 25] {
            assert_eq!(
                unwrap(&[1; 16], &[2; 8], &[0; 32][..len]),
                Err(CipherError::Length)
            );
        }
    }
}
