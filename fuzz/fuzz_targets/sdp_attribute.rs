#![no_main]

use libfuzzer_sys::fuzz_target;
use sdp_sec::identity::AssertedIdentity;
use sdp_sec::{Connection, E2ae, Fingerprint, KeyMgmt, Path, Setup, TlsId};

/// What was read is what is read from how it is written.
macro_rules! survives {
    ($type:ident, $text:expr) => {
        if let Ok(value) = $type::parse($text) {
            let written = value.to_string();
            assert_eq!($type::parse(&written).as_ref(), Ok(&value));
            assert_eq!(
                $type::parse(&written).map(|again| again.to_string()),
                Ok(written.clone())
            );
        }
    };
}

fuzz_target!(|text: &str| {
    survives!(Connection, text);
    survives!(E2ae, text);
    survives!(Fingerprint, text);
    survives!(KeyMgmt, text);
    survives!(Path, text);
    survives!(Setup, text);
    survives!(TlsId, text);
    if let Ok(value) = KeyMgmt::parse(text) {
        if let Ok(message) = value
            .message()
            .and_then(|m| KeyMgmt::encode(value.protocol(), &m))
        {
            assert_eq!(message, value.to_string());
        }
    }
    if let Ok(asserted) = AssertedIdentity::parse(&[text]) {
        assert!(asserted.identities().all(|identity| asserted.is(&identity)));
    }
});
