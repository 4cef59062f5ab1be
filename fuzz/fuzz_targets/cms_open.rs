#![no_main]
use libfuzzer_sys::fuzz_target;
use smime_psk::stream::open_stream;
use smime_psk::{Encoding, KekRecipient, OpenPolicy};

// In memory and from a stream: the same octets open or do not, and nothing comes out in between.
fuzz_target!(|data: &[u8]| {
    let Some(mut kek) = KekRecipient::new(&[0xc0, 0xfe, 0xe0], &KEK) else {
        return;
    };
    for encoding in [Encoding::Der, Encoding::Ber] {
        let policy = OpenPolicy::default()
            .encoding(encoding)
            .any_gcm_nonce()
            .min_tag_len(4);
        let in_memory = smime_psk::open(data, &mut kek, &policy);
        let mut out = Vec::new();
        let mut file = std::io::Cursor::new(data);
        let in_stream = open_stream(&mut file, &mut out, &mut kek, &policy);
        match in_memory {
            Ok(opened) => {
                assert!(in_stream.is_ok());
                assert_eq!(opened.content(), out);
            }
            Err(_) => assert!(in_stream.is_err() && out.is_empty()),
        }
    }
});

const KEK: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
