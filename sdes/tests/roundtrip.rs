//! Self-consistency: what is written is read again, whatever is in it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use proptest::prelude::*;
use sdes::{
    Answer, Attribute, Fec, FecOrder, NegotiatedParameters, Offer, Padding, Policy,
    SecurityDescription,
};
use srtp::keying::{KeyDerivationRate, KeySet, Lifetime, MasterKeySource, Profile};

fn keys(set: &KeySet) -> Vec<(Vec<u8>, Option<Vec<u8>>, u64)> {
    let entries = set.entries().iter();
    entries
        .map(|entry| {
            let octets = [entry.key().expose_key(), entry.key().expose_salt()].concat();
            let mki = entry.mki().map(|mki| mki.as_octets().to_vec());
            (octets, mki, entry.lifetime().srtp_packets())
        })
        .collect()
}

prop_compose! {
    fn policies()(
        profile in prop::sample::select(
            Profile::ALL.iter().copied().filter(|p| p.sdes_name().is_some()).collect::<Vec<_>>()),
        count in 1_usize..=16,
        mki_len in 1_u8..=128,
        use_mki in any::<bool>(),
        lifetime in 1_u64..=1 << 48,
        kdr in 0_u8..=24,
        hint in 64_u32..,
        fec in any::<Option<bool>>(),
        unprotected in any::<[bool; 3]>(),
        padded in any::<bool>(),
    ) -> Policy {
        let mut policy = Policy::for_profiles([profile]).unwrap()
            .with_lifetime(Lifetime::new(lifetime).unwrap())
            .with_window_size_hint(hint).unwrap()
            .with_padding(if padded { Padding::Padded } else { Padding::Unpadded });
        if use_mki {
            policy = policy.with_keys(count, mki_len).unwrap();
        }
        if kdr > 0 {
            let rate = KeyDerivationRate::power_of_two(kdr).unwrap();
            policy = policy.with_key_derivation_rate(rate).unwrap();
        }
        if let Some(srtp_first) = fec {
            let order = if srtp_first { FecOrder::SrtpFec } else { FecOrder::FecSrtp };
            policy = policy.with_fec(Fec::SeparateTransport, order);
        }
        if !profile.is_aead() {
            let [unencrypted_srtp, unencrypted_srtcp, unauthenticated_srtp] = unprotected;
            policy = policy.offering(NegotiatedParameters {
                unencrypted_srtp, unencrypted_srtcp, unauthenticated_srtp,
            });
        }
        policy
    }
}

proptest! {
    #[test]
    fn descriptions_come_back_from_their_lines(policy in policies()) {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let offer = Offer::new(&policy, &mut rng).unwrap();
        for (line, sent) in offer.lines().zip(offer.descriptions()) {
            let read = SecurityDescription::parse(line, &[]).unwrap();
            prop_assert_eq!(keys(read.keys()), keys(sent.keys()));
            prop_assert_eq!(read.keys().parameters(), sent.keys().parameters());
            prop_assert_eq!(read.fec_keys().map(keys), sent.fec_keys().map(keys));
            prop_assert_eq!(read.fec_order(), sent.fec_order());
            prop_assert_eq!(read.window_size_hint(), sent.window_size_hint());
            let written = [Padding::Padded, Padding::Unpadded].map(|p| read.encode(p));
            prop_assert!(written.iter().any(|written| **written == line));
        }
    }

    #[test]
    fn both_ends_of_every_policy_agree(policy in policies()) {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let offer = Offer::new(&policy, &mut rng).unwrap();
        let (answer, answerer) = Answer::to(offer.lines(), &policy, &mut rng).unwrap();
        let offerer = offer.accept([answer.line()]).unwrap();
        prop_assert_eq!(keys(offerer.outbound()), keys(answerer.inbound()));
        prop_assert_eq!(keys(answerer.outbound()), keys(offerer.inbound()));
        prop_assert_eq!(offerer.outbound().parameters(), offerer.inbound().parameters());
    }

    #[test]
    fn attributes_are_written_as_they_were_read(
        tag in 0_u32..=999_999_999,
        suite in "[A-Za-z0-9_]{1,64}",
        methods in prop::collection::vec("[a-z_]{1,8}:[!-:<-~]{1,40}", 1..=16),
        parameters in prop::collection::vec("[!-~]{1,20}", 0..=32),
    ) {
        let mut line = format!("a=crypto:{tag} {suite} {}", methods.join(";"));
        for parameter in &parameters {
            line.push(' ');
            line.push_str(parameter);
        }
        let mut written = String::new();
        Attribute::parse(&line).unwrap().encode(&mut written).unwrap();
        prop_assert_eq!(written, line);
    }

    #[test]
    fn any_text_is_read_or_refused(line in "(a=crypto:)?[0-9]{0,3} ?\\PC{0,80}") {
        if let Ok(attribute) = Attribute::parse(&line) {
            let mut written = String::new();
            attribute.encode(&mut written).unwrap();
            let again = Attribute::parse(&written).unwrap();
            prop_assert_eq!(again.tag(), attribute.tag());
            let _ = SecurityDescription::from_attribute(&attribute, &[]);
        }
    }
}
