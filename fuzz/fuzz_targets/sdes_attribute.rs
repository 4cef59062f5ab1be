#![no_main]

use libfuzzer_sys::fuzz_target;
use sdes::{Attribute, Padding, SecurityDescription, limits::MAX_LINE_LEN};

/// Words that a fuzzer hardly finds.
const WORDS: [(char, &str); 4] = [
    ('@', "AES_CM_128_HMAC_SHA1_80"),
    ('#', "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"),
    ('~', "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"),
    ('!', "UNENCRYPTED_SRTCP"),
];

// What is written says what was read: as a line, and as keys. Writing adds the attribute's name and
// padding, so that a line at the limit may come out above it.
fuzz_target!(|line: String| {
    let line = WORDS
        .iter()
        .fold(line, |line, (short, long)| line.replace(*short, long));
    let Ok(attribute) = Attribute::parse(&line) else {
        return;
    };
    let write = |attribute: &Attribute| {
        let mut text = String::new();
        attribute.encode(&mut text).unwrap();
        text
    };
    let written = write(&attribute);
    if written.len() <= MAX_LINE_LEN {
        assert_eq!(write(&Attribute::parse(&written).unwrap()), written);
    }

    let Ok(description) = SecurityDescription::from_attribute(&attribute, &[]) else {
        return;
    };
    let canonical = description.encode(Padding::Padded);
    if canonical.len() <= MAX_LINE_LEN {
        let again = SecurityDescription::parse(&canonical, &[]).unwrap();
        assert_eq!(again.encode(Padding::Padded), canonical);
        assert_eq!(again.keys().parameters(), description.keys().parameters());
        for (read, written) in again
            .keys()
            .entries()
            .iter()
            .zip(description.keys().entries())
        {
            assert_eq!(read.key().expose_key(), written.key().expose_key());
            assert_eq!(
                (read.mki(), read.lifetime()),
                (written.mki(), written.lifetime())
            );
        }
    }
});
