#![no_main]
use interop::msrp::Frame;
use libfuzzer_sys::fuzz_target;

// A frame lies within what was given, and reads the same when it is written again.
fuzz_target!(|parts: (&str, &str, &str, &[u8])| {
    let (kind, to, range, rest) = parts;
    let mut whole =
        format!("MSRP dkei38sd {kind}\r\nFrom-Path: a\r\nTo-Path:{to}\r\n").into_bytes();
    if !range.is_empty() {
        whole.extend(format!("Byte-Range:{range}\r\n").bytes());
    }
    whole.extend([rest, b"-------dkei38sd$\r\n"].concat());
    for octets in [rest, &whole] {
        let Ok(Some((frame, len))) = Frame::read(octets) else {
            continue;
        };
        assert!(len <= octets.len());
        let again = frame.to_vec();
        assert_eq!(Frame::read(&again), Ok(Some((frame, again.len()))));
    }
});
