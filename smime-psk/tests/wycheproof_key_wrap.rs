//! Published vectors: Wycheproof's AES key wrap, through recipient information.

use smime_psk::{KekRecipient, KeyTransport, RecipientInfos, TransportError};
use wycheproof::TestResult;
use wycheproof::keywrap::{TestName, TestSet};

#[test]
fn wycheproof_aes_wrap() {
    let mut unwrapped = 0;
    let mut refused = 0;
    for group in TestSet::load(TestName::AesKeyWrap).unwrap().test_groups {
        for test in group.tests {
            let mut infos = RecipientInfos::new();
            infos.push_kek(b"id", test.key.len(), &test.ct).unwrap();
            let info = infos.iter().next().unwrap();
            let outcome = KekRecipient::new(b"id", &test.key).unwrap().unwrap(&info);
            let content_key = matches!(test.pt.len(), 16 | 24 | 32);
            match outcome {
                Ok(Some(_)) => {
                    assert!(
                        content_key && test.result != TestResult::Invalid,
                        "{}",
                        test.tc_id
                    );
                    unwrapped += 1;
                }
                Ok(None) => panic!("{} is for this recipient", test.tc_id),
                Err(error) => {
                    // Keys of other lengths are no content keys, however well they are wrapped.
                    let good = test.result != TestResult::Invalid && content_key;
                    assert!(!good, "{}: {error}", test.tc_id);
                    assert!(matches!(
                        error,
                        TransportError::Forged | TransportError::KeyLength
                    ));
                    refused += 1;
                }
            }
        }
    }
    assert!(
        unwrapped >= 30 && refused >= 100,
        "{unwrapped} unwrapped, {refused} refused"
    );
}
