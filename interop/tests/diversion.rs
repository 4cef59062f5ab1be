//! Self-consistency: calls that end where the caller did not send them, by diversion or by handover.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use bytes::BytesMut;
use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::{
    keyed_media::{self, ANSWERER, OFFERER},
    kms::{self, Node, Subscribers},
    rtp::RtpSource,
    srvcc::{Handover, Outcome},
    subscriber::Subscriber,
};
use mikey::Identity;
use sdes::diversion::{Diverted, Modifier};
use sdp_sec::edge::{Dialogue, Policy};
use sdp_sec::mediasec::{
    self, AccessEdge, Bindings, Mechanism, MechanismSet, SignallingProtection,
};
use srtp::keying::{MasterKeySource, Profile, StaticKeys};
use srtp::{Receiver, Sender, UnprotectError};

const PROFILE: Profile = Profile::AesCm128HmacSha1_80;

/// TR 33.829 §9.3.1.3: MOD and K2 of the one that answers at last; those before do not see them.
#[test]
fn req_cdiv_08_of_several_diversions_the_last_answerer_s_parameters_hold() {
    let rng = &mut UnwrapErr(SysRng);
    let policy = sdes::Policy::default();
    let offer = sdes::Offer::new(&policy, rng).unwrap();
    // B, C and D get the offer in turn; each would have answered with keys of its own.
    let answers: Vec<_> = (0..3)
        .map(|_| {
            let (answer, keys) = sdes::Answer::to(offer.lines(), &policy, rng).unwrap();
            (answer, keys, Modifier::random(rng))
        })
        .collect();
    // The 200 OK has those of D, who is the last.
    let (answer, _, modifier) = answers.last().unwrap();
    let at_a = offer.accept([answer.line()]).unwrap();
    let at_a = Diverted::caller(&at_a, &Modifier::parse(&modifier.encode()).unwrap()).unwrap();

    let mut sent = packet(&at_a);
    for (n, (_, keys, modifier)) in answers.iter().enumerate() {
        let callee = Diverted::callee(keys, modifier).unwrap();
        let opened = receiver(&callee).unprotect_rtp(&mut sent.clone());
        let expected = if n == 2 {
            Ok(())
        } else {
            Err(UnprotectError::Forged)
        };
        assert_eq!(opened, expected, "answerer {n}");
        // What the answerer sends: A opens that of D alone.
        let opened = receiver(&at_a).unprotect_rtp(&mut packet(&callee));
        assert_eq!(opened.is_ok(), n == 2, "answerer {n}");
    }
    // K1 alone, which all of them have seen, opens nothing.
    let (_, undiverted, _) = answers.last().unwrap();
    let opened = receiver(undiverted).unprotect_rtp(&mut sent);
    assert_eq!(opened, Err(UnprotectError::Forged));
}

/// The same with tickets that everyone may resolve, where the keys of each are forked.
#[test]
fn req_cdiv_08_with_tickets_the_keys_are_those_of_the_last_answerer() {
    let subscribers = Subscribers::demo().unwrap();
    let server = kms::local(&subscribers).unwrap();
    let nodes = [Node::new(&server.url())];
    let user = |uri| Subscriber::new(uri, &subscribers, &nodes).unwrap();
    let bob = Identity::uri("sip:bob@example.com").unwrap();
    let anyone = [Identity::uri("?@?").unwrap()];

    let policy = keyed_media::forked(PROFILE.key_len(), &anyone).unwrap();
    let mut ticket = user("sip:alice@example.com").request(&policy).unwrap();
    let (transfer, init) = keyed_media::offer_audio(&mut ticket, &bob, PROFILE, 0xa).unwrap();
    let [first, last] = ["sip:bob@example.com", "sip:carol@example.com"].map(|uri| {
        let verified = user(uri).receive(&init).unwrap();
        keyed_media::answer_audio(verified, 0xb).unwrap()
    });
    let at_alice = transfer.accept(&last.1).unwrap();
    assert_eq!(at_alice.peer().data(), b"sip:carol@example.com");

    let keys = at_alice.srtp_keys(&[OFFERER], &[ANSWERER]).unwrap();
    let sent = packet_of(&keys, 0xa);
    let opens = |keys: &StaticKeys| receiver(keys).unprotect_rtp(&mut sent.clone());
    let of = |established: &mikey_ticket::Established| {
        established.srtp_keys(&[ANSWERER], &[OFFERER]).unwrap()
    };
    assert_eq!(opens(&of(&last.0)), Ok(()));
    assert!(opens(&of(&first.0)).is_err());
}

/// TR 33.829 §9.3.1.1: the edge of the one to whom the call goes looks at its registration alone.
#[test]
fn req_reg_07_a_diverted_to_ue_gets_what_it_registered() {
    let (bob, carol) = ("sip:bob@192.0.2.1", "sip:carol@192.0.2.2");
    let with_e2ae = ["sdes-srtp;mediasec"];
    let plain = ["ipsec-3gpp;alg=hmac-sha-1-96"];
    for (of_bob, of_carol, protected) in [(plain, with_e2ae, true), (with_e2ae, plain, false)] {
        let network = MechanismSet::EMPTY.with(Mechanism::SdesSrtp);
        let mut bindings = Bindings::new(network);
        bindings.register(bob, &of_bob).unwrap();
        bindings.register(carol, &of_carol).unwrap();
        // A call to Bob that is diverted to Carol comes to her edge.
        let edge = AccessEdge {
            indications: bindings.of(carol),
            signalling: SignallingProtection::IntegrityAndConfidentiality,
            policy: mediasec::Policy::default(),
        };
        let dialogue = Dialogue::new(Policy::default().into(), edge);
        let offer = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
            m=audio 5004 RTP/AVP 0\r\n";
        let rng = &mut UnwrapErr(SysRng);
        let terminating = dialogue.terminating(offer, |_| None, rng).unwrap();
        let to_carol = str::from_utf8(terminating.offer_to_ue()).unwrap();
        assert_eq!(to_carol.contains("RTP/SAVP"), protected, "{to_carol}");
        assert_eq!(to_carol.contains("a=crypto:"), protected, "{to_carol}");
    }
}

/// TR 33.829 §6.3.
#[test]
fn req_li_07_without_support_of_the_cs_domain_the_user_decides() {
    let (at_caller, at_callee) = call();
    let media = || Sender::from_source(&at_caller).unwrap();
    // With support the same sender goes on, and what it sends still opens.
    let Handover::Protected(mut sender) = Handover::of(media(), true) else {
        panic!("the CS domain carries SRTP");
    };
    let mut sent = RtpSource::new(1, 1, 1).packet(&[0xff; 160]);
    sender.protect_rtp(&mut sent).unwrap();
    assert_eq!(receiver(&at_callee).unprotect_rtp(&mut sent), Ok(()));

    // Without, there is no sender until the user has said something, and afterwards none with keys.
    for (in_clear, outcome) in [(true, Outcome::InClear), (false, Outcome::HungUp)] {
        match Handover::of(media(), false) {
            Handover::Undecided(call) => assert_eq!(call.decide(in_clear), outcome),
            Handover::Protected(_) => panic!("nobody has asked the user"),
        }
    }
}

/// Keys of a call by SDES, as caller and callee have them.
fn call() -> (impl MasterKeySource, impl MasterKeySource) {
    let rng = &mut UnwrapErr(SysRng);
    let policy = sdes::Policy::default();
    let offer = sdes::Offer::new(&policy, rng).unwrap();
    let (answer, at_callee) = sdes::Answer::to(offer.lines(), &policy, rng).unwrap();
    (offer.accept([answer.line()]).unwrap(), at_callee)
}

fn packet(keys: &impl MasterKeySource) -> BytesMut {
    packet_of(keys, 0xa)
}

fn packet_of(keys: &impl MasterKeySource, ssrc: u32) -> BytesMut {
    let mut packet = RtpSource::new(ssrc, 1, 1).packet(&[0xff; 160]);
    let mut sender = Sender::from_source(keys).unwrap();
    sender.protect_rtp(&mut packet).unwrap();
    packet
}

fn receiver(keys: &impl MasterKeySource) -> Receiver {
    Receiver::from_source(keys).unwrap()
}
