use sdp_sec::edge::gateway::Order;
use sdp_sec::edge::{Dialogue, Intention, Outcome, Policy, Refusal};
use sdp_sec::mediasec::{Mechanism, Source};
use sdp_sec::tls_role::{TlsRole, TransportRole};
use sdp_sec::{Connection, Protocol, Rule, Setup};

use super::support::{
    Counter, access, agw, dialogue, fingerprint, media, originate, sdp, set, tls_stream,
    with_policy,
};

const FAX: &str =
    "a=T38FaxVersion:0\na=T38MaxBitRate:9600\na=T38FaxRateManagement:transferredTCF\n";

fn ue(attributes: &str) -> Vec<u8> {
    let own = fingerprint("UE");
    sdp(&format!(
        "m=image 6056 UDP/TLS/UDPTL t38\n{attributes}a=fingerprint:{own}\n{FAX}"
    ))
}

fn core() -> Vec<u8> {
    sdp(&format!("m=image 12000 udptl t38\n{FAX}"))
}

#[test]
fn req_t38_01_dtls_with_a_fingerprint_in_the_offer_is_what_the_edge_takes() {
    let answered = originate(&dialogue(), &ue("a=setup:actpass\n"), &core());
    let stream = tls_stream(&answered.outcomes()[0]);
    assert_eq!(stream.mechanism(), Mechanism::UdptlDtls);
    assert_eq!(*stream.remote_fingerprints(), set("UE"));
    let without = sdp("m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\n");
    let refusal = Refusal::Sdp(Rule::NoFingerprint.at(6));
    let intentions = dialogue().examine(&without, Source::Ue).unwrap();
    assert_eq!(intentions, [Intention::Refuse(refusal)]);
}

#[test]
fn req_t38_02_the_request_for_e2ae_is_understood_and_consumed() {
    let originating = dialogue().originating(&ue("a=3ge2ae:requested\n")).unwrap();
    assert_eq!(
        media(originating.offer_to_core()),
        format!("m=image 6056 udptl t38\n{FAX}")
    );
}

#[test]
fn req_t38_03_the_gateways_fingerprint_is_in_the_answer() {
    let answered = originate(&dialogue(), &ue("a=setup:actpass\n"), &core());
    let expected = format!(
        "m=image 12000 UDP/TLS/UDPTL t38\n{FAX}a=fingerprint:{}\na=setup:passive\n\
         a=3ge2ae:applied\n",
        agw(0).unwrap(),
    );
    assert_eq!(media(answered.sdp()), expected);
}

#[test]
fn req_t38_04_towards_the_core_udptl_with_format_and_attributes_unchanged() {
    let originating = dialogue()
        .originating(&ue("a=setup:actpass\na=connection:new\n"))
        .unwrap();
    assert_eq!(
        media(originating.offer_to_core()),
        format!("m=image 6056 udptl t38\n{FAX}")
    );
    // The spelling that many peers use for the plain protocol is read as well.
    let upper = String::from_utf8(core()).unwrap().replace("udptl", "UDPTL");
    let answered = originate(&dialogue(), &ue(""), upper.as_bytes());
    let stream = tls_stream(&answered.outcomes()[0]);
    assert_eq!(
        (stream.access(), stream.core()),
        (Protocol::UdpTlsUdptl, Protocol::Udptl)
    );
}

#[test]
fn req_t38_05_its_indications_are_its_own() {
    for mechanism in Mechanism::ALL {
        let dialogue = Dialogue::new(Policy::default().into(), access(&[mechanism]));
        let protects = dialogue.examine(&core(), Source::Core).unwrap()
            == [Intention::Protect(Mechanism::UdptlDtls)];
        assert_eq!(protects, mechanism == Mechanism::UdptlDtls);
    }
}

#[test]
fn req_t38_06_active_is_dtls_client_in_all_combinations_of_setup() {
    for (offered, own) in [
        (None, TlsRole::Server),
        (Some(Setup::Active), TlsRole::Server),
        (Some(Setup::Actpass), TlsRole::Server),
        (Some(Setup::Passive), TlsRole::Client),
    ] {
        let line = offered.map_or_else(String::new, |setup| format!("a=setup:{setup}\n"));
        let answered = originate(&dialogue(), &ue(&line), &core());
        let stream = tls_stream(&answered.outcomes()[0]);
        assert_eq!(stream.access_roles().unwrap().tls, Some(own));
        assert!(stream.core_role().is_none());
        let tcp = |order: &Order| {
            matches!(
                order,
                Order::TcpRole(..) | Order::StartTcp(_) | Order::StartTcpOnTrigger(_)
            )
        };
        assert!(!stream.orders().iter().any(tcp));
    }
    let mut terminating = dialogue()
        .terminating(&core(), agw, &mut Counter::new())
        .unwrap();
    assert!(media(terminating.offer_to_ue()).contains("a=setup:actpass\n"));
    for (answered, own) in [
        (Setup::Active, TlsRole::Server),
        (Setup::Passive, TlsRole::Client),
    ] {
        let answer = ue(&format!("a=setup:{answered}\n"));
        let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
        let roles = tls_stream(&answered.outcomes()[0]).access_roles().unwrap();
        assert_eq!(roles.tls, Some(own));
        assert_eq!(
            roles.transport == TransportRole::Active,
            own == TlsRole::Client
        );
    }
}

#[test]
fn req_t38_06_holdconn_and_illegal_pairs_are_refused() {
    let answered = originate(&dialogue(), &ue("a=setup:holdconn\n"), &core());
    let Outcome::Refused(Refusal::Sdp(error)) = &answered.outcomes()[0] else {
        panic!()
    };
    assert_eq!(error.rule(), Rule::Holdconn);
    assert!(media(answered.sdp()).starts_with("m=image 0 UDP/TLS/UDPTL t38\n"));
    let mut policy = Policy::default();
    policy.t38_setup = Setup::Passive;
    let mut terminating = with_policy(policy)
        .terminating(&core(), agw, &mut Counter::new())
        .unwrap();
    for (answer, rule) in [
        ("a=setup:passive\n", Rule::SetupAnswer),
        ("a=setup:actpass\n", Rule::SetupAnswer),
        ("a=setup:holdconn\n", Rule::Holdconn),
        ("", Rule::SetupAnswer),
    ] {
        let answered = terminating
            .answered(&ue(answer), &mut Counter::new())
            .unwrap();
        let Outcome::Refused(Refusal::Sdp(error)) = &answered.outcomes()[0] else {
            panic!()
        };
        assert_eq!(error.rule(), rule);
        assert!(media(answered.sdp()).starts_with("m=image 0 udptl t38\n"));
    }
}

#[test]
fn req_t38_06_an_association_stays_while_certificate_transport_and_role_do() {
    let first = originate(&dialogue(), &ue("a=setup:passive\n"), &core());
    // As answerer the edge keeps its role where the new offer allows it.
    let again = originate(first.dialogue(), &ue("a=setup:actpass\n"), &core());
    let kept = tls_stream(&again.outcomes()[0]);
    assert_eq!(kept.connection(), Connection::Existing);
    assert_eq!(kept.access_roles().unwrap().tls, Some(TlsRole::Client));
    assert!(kept.orders().is_empty());
    for changed in [
        ue("a=setup:active\n"),
        String::from_utf8(ue("a=setup:actpass\n"))
            .unwrap()
            .replace("6056", "6058")
            .into_bytes(),
        String::from_utf8(ue("a=setup:actpass\n"))
            .unwrap()
            .replace(
                &fingerprint("UE").to_string(),
                &fingerprint("other").to_string(),
            )
            .into_bytes(),
        ue("a=setup:actpass\na=tls-id:abcdefghijabcdefghij\n"),
    ] {
        let again = originate(first.dialogue(), &changed, &core());
        let stream = tls_stream(&again.outcomes()[0]);
        assert_eq!(stream.connection(), Connection::New);
        assert!(!stream.orders().is_empty());
    }
}

#[test]
fn req_t38_07_the_terminating_side_works_as_for_msrp() {
    let mut terminating = dialogue()
        .terminating(&core(), agw, &mut Counter::new())
        .unwrap();
    let expected = format!(
        "m=image 12000 UDP/TLS/UDPTL t38\n{FAX}a=fingerprint:{}\na=setup:actpass\n\
         a=3ge2ae:applied\n",
        agw(0).unwrap(),
    );
    assert_eq!(media(terminating.offer_to_ue()), expected);
    let answer = ue("a=setup:active\n");
    let answered = terminating.answered(&answer, &mut Counter::new()).unwrap();
    assert_eq!(
        media(answered.sdp()),
        format!("m=image 6056 udptl t38\n{FAX}")
    );
}

#[test]
fn req_t38_08_no_other_protection_of_t38_is_used() {
    for line in [
        "m=image 1 TCP t38\n",
        "m=image 1 TCP/TLS t38\n",
        "m=audio 1 RTP/AVP 98\n",
    ] {
        let offer = sdp(line);
        let intentions = dialogue().examine(&offer, Source::Core).unwrap();
        assert_ne!(intentions, [Intention::Protect(Mechanism::UdptlDtls)]);
    }
}

#[test]
fn req_t38_10_what_udptl_says_of_loss_and_redundancy_passes_unchanged() {
    let redundancy = "a=T38FaxUdpEC:t38UDPRedundancy\na=T38FaxMaxDatagram:1400\n";
    let offer = [
        ue("a=setup:actpass\n"),
        redundancy.replace('\n', "\r\n").into_bytes(),
    ]
    .concat();
    let originating = dialogue().originating(&offer).unwrap();
    assert!(media(originating.offer_to_core()).ends_with(redundancy));
}
