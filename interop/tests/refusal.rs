//! Self-consistency, across `sdes` and the SDP: what cannot be protected is refused, never taken in
//! clear.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::sdp::{Audio, SdpError};
use sdes::{Answer, Offer, Policy, Refused};
use srtp::keying::Profile;

const KEY: &str = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

#[test]
fn an_offer_without_an_acceptable_line_is_refused() {
    for crypto in [
        vec![],
        vec![format!("a=crypto:1 ROT13_HMAC_MD5 {KEY}")],
        vec![format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}AAAA")],
        vec!["a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:not*base64".to_owned()],
        vec![format!(
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY} UNENCRYPTED_SRTP"
        )],
        vec![format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}"); 2],
    ] {
        let offer = Audio {
            address: ([192, 0, 2, 1], 5000).into(),
            crypto,
        }
        .describe("alice", 1);
        let answer = answer(&offer, &Policy::default());
        assert_eq!(Audio::read(&answer), Err(SdpError::Refused), "{offer}");
        assert!(!answer.contains("a=crypto"), "{answer}");
    }
}

#[test]
fn a_tag_of_32_bits_is_refused_unless_it_was_named() {
    let mut rng = UnwrapErr(SysRng);
    let named = Policy::for_profiles([Profile::AesCm128HmacSha1_32]).unwrap();
    let offer = Offer::new(&named, &mut rng).unwrap();
    let crypto = offer.lines().map(str::to_owned).collect();
    let text = Audio {
        address: ([192, 0, 2, 1], 5000).into(),
        crypto,
    }
    .describe("alice", 1);
    assert_eq!(
        Audio::read(&answer(&text, &Policy::default())),
        Err(SdpError::Refused)
    );

    let accepted = Audio::read(&answer(&text, &named)).unwrap();
    assert!(offer.accept(&accepted.crypto).is_ok());
}

#[test]
fn an_answer_that_is_not_to_the_offer_ends_the_call() {
    let mut rng = UnwrapErr(SysRng);
    let offer = Offer::new(&Policy::default(), &mut rng).unwrap();
    let none: [&str; 0] = [];
    assert!(matches!(offer.accept(none), Err(Refused::NoCrypto)));
    let other_tag = format!("a=crypto:9 AES_CM_128_HMAC_SHA1_80 {KEY}");
    assert!(matches!(
        offer.accept([&other_tag]),
        Err(Refused::UnknownTag)
    ));
    let reflected = offer.lines().next().unwrap();
    assert!(matches!(offer.accept([reflected]), Err(Refused::KeyReused)));
}

/// The answering user agent: the text of its answer, port 0 where it cannot protect the stream.
fn answer(offer: &str, policy: &Policy) -> String {
    let offered = Audio::read(offer).unwrap();
    match Answer::to(&offered.crypto, policy, &mut UnwrapErr(SysRng)) {
        Ok((answer, _)) => {
            let crypto = vec![answer.line().to_owned()];
            Audio {
                address: ([192, 0, 2, 2], 6000).into(),
                crypto,
            }
            .describe("bob", 2)
        }
        Err(_) => Audio::refuse("bob", 2),
    }
}
