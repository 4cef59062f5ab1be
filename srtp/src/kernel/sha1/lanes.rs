//! SHA-1 of many messages, one in each lane of wide registers.

pub(super) mod avx2;
pub(super) mod avx512;

/// The eighty rounds ([FIPS 180-4 §6.1.2]) with the `add`, `choose` and so on of the place where it
/// stands: what `$words` make of `$state`, to be added to it.
///
/// [FIPS 180-4 §6.1.2]: https://csrc.nist.gov/pubs/fips/180-4/upd1/final
macro_rules! sha1_rounds {
    ($state:ident, $words:ident) => {{
        let [mut a, mut b, mut c, mut d, mut e] = $state;
        macro_rules! round {
            ($f:ident, $k:ident, $at:expr, $a:ident $b:ident $c:ident $d:ident $e:ident) => {
                if $at >= 16 {
                    $words[$at % 16] = scheduled(
                        $words[($at + 13) % 16],
                        $words[($at + 8) % 16],
                        $words[($at + 2) % 16],
                        $words[$at % 16],
                    );
                }
                let sum = add(add($e, $words[$at % 16]), $k);
                $e = add(add(rotate5($a), $f($b, $c, $d)), sum);
                $b = rotate30($b);
            };
        }
        macro_rules! twenty {
                                                        ($f:ident, $k:expr, $first:literal) => {
                                                            let k = all($k);
                                                            twenty!(@ $f, k, $first);
                                                            twenty!(@ $f, k, $first + 5);
                                                            twenty!(@ $f, k, $first + 10);
                                                            twenty!(@ $f, k, $first + 15);
                                                        };
                                                        (@ $f:ident, $k:ident, $first:expr) => {
                                                            round!($f, $k, $first, a b c d e);
                                                            round!($f, $k, $first + 1, e a b c d);
                                                            round!($f, $k, $first + 2, d e a b c);
                                                            round!($f, $k, $first + 3, c d e a b);
                                                            round!($f, $k, $first + 4, b c d e a);
                                                        };
                                                    }
        twenty!(choose, 0x5a82_7999, 0);
        twenty!(parity, 0x6ed9_eba1, 20);
        twenty!(majority, 0x8f1b_bcdc, 40);
        twenty!(parity, 0xca62_c1d6, 60);
        [a, b, c, d, e]
    }};
}

pub(super) use sha1_rounds;
