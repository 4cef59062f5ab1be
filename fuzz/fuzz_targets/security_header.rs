#![no_main]

use libfuzzer_sys::fuzz_target;
use sdp_sec::mediasec::{SecurityHeaders, client_value};

fuzz_target!(|text: &str| {
    let values: Vec<&str> = text.split('\0').collect();
    let Ok(headers) = SecurityHeaders::parse(&values) else {
        return;
    };
    assert_eq!(headers.values(), values);
    assert_eq!(headers.check_echo_of(&headers), Ok(()));
    let split = headers.media().count() + headers.signalling().count();
    assert_eq!(split, headers.mechanisms().len());

    let joined = values.join(",");
    let joined = [joined.as_str()];
    if let Ok(joined) = SecurityHeaders::parse(&joined) {
        assert_eq!(joined.check_echo_of(&headers), Ok(()));
    }
    let indicated = client_value(headers.indicated());
    if !indicated.is_empty() {
        let again = [indicated.as_str()];
        let again = SecurityHeaders::parse(&again).expect("our own value");
        assert_eq!(again.indicated(), headers.indicated());
    }
});
