//! Published examples: session descriptions of RFCs and of TS 34.229-1 (see `vectors/*/README.md`),
//! and an independent implementation: fingerprints as OpenSSL prints them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use sdp_sec::fingerprint::{FingerprintSet, HashFunction, HashPolicy, Mismatch};
use sdp_sec::tls_role::{Agreement, Comedia, Roles, Side, TlsRole, TransportRole};
use sdp_sec::{Connection, E2ae, Fingerprint, Path, Protocol, Rule, Sdp, Setup, TlsId};

const EXAMPLES: [(&str, &[u8]); 12] = [
    (
        "RFC 4567 example 1",
        include_bytes!("vectors/rfc/rfc4567_example_1_offer.sdp"),
    ),
    (
        "RFC 4567 example 1, answer",
        include_bytes!("vectors/rfc/rfc4567_example_1_answer.sdp"),
    ),
    (
        "RFC 4567 example 2",
        include_bytes!("vectors/rfc/rfc4567_example_2.sdp"),
    ),
    (
        "RFC 4975 figure 19",
        include_bytes!("vectors/rfc/rfc4975_figure_19.sdp"),
    ),
    (
        "RFC 7345 figure 4",
        include_bytes!("vectors/rfc/rfc7345_figure_4_offer.sdp"),
    ),
    (
        "RFC 7345 figure 6",
        include_bytes!("vectors/rfc/rfc7345_figure_6_answer.sdp"),
    ),
    (
        "RFC 8122 figure 1",
        include_bytes!("vectors/rfc/rfc8122_figure_1.sdp"),
    ),
    (
        "RFC 8856 TCP offer",
        include_bytes!("vectors/rfc/rfc8856_tcp_offer.sdp"),
    ),
    (
        "RFC 8856 TCP answer",
        include_bytes!("vectors/rfc/rfc8856_tcp_answer.sdp"),
    ),
    (
        "RFC 8856 UDP offer",
        include_bytes!("vectors/rfc/rfc8856_udp_offer.sdp"),
    ),
    (
        "RFC 8856 UDP answer",
        include_bytes!("vectors/rfc/rfc8856_udp_answer.sdp"),
    ),
    (
        "TS 34.229-1 12.12a",
        include_bytes!("vectors/3gpp/ts34229_12_12a_offer.sdp"),
    ),
];

fn example(name: &str) -> Sdp<'static> {
    let (_, octets) = EXAMPLES.iter().find(|(own, _)| *own == name).unwrap();
    Sdp::parse(octets).unwrap()
}

#[test]
fn every_example_is_read_and_copied_octet_by_octet() {
    for (name, octets) in EXAMPLES {
        let sdp = Sdp::parse(octets).unwrap();
        assert_eq!(sdp.edit().finish(), octets, "{name}");
        for media in sdp.media() {
            let line = media.media_line().unwrap();
            assert!(!matches!(line.protocol(), Protocol::Unknown(_)), "{name}");
            E2ae::of(media.section()).unwrap();
            Setup::of(&media).unwrap();
            Connection::of(media.section()).unwrap();
            TlsId::of(media.section()).unwrap();
            Path::of(media.section()).unwrap();
        }
    }
}

#[test]
fn rfc_4975_figure_19_msrp_over_tls_with_sha_1() {
    let media = example("RFC 4975 figure 19").media().next().unwrap();
    let line = media.media_line().unwrap();
    assert_eq!((line.protocol(), line.port()), (Protocol::TcpTlsMsrp, 7654));
    let path = Path::of(media.section()).unwrap().unwrap();
    assert!(path.fits(Protocol::TcpTlsMsrp) && !path.fits(Protocol::TcpMsrp));
    assert_eq!(path.session().session_id(), Some("jshA7weso3ks"));
    assert_eq!(
        FingerprintSet::of(&media, HashPolicy::default()),
        Err(Rule::WeakHash.at(2))
    );
    let set = FingerprintSet::of(&media, HashPolicy::WITH_SHA1).unwrap();
    assert_eq!(set.hash(), HashFunction::Sha1);
}

#[test]
fn rfc_7345_fax_over_dtls_with_a_space_before_the_hash() {
    let offer = example("RFC 7345 figure 4").media().next().unwrap();
    let answer = example("RFC 7345 figure 6").media().next().unwrap();
    assert!(FingerprintSet::of(&offer, HashPolicy::WITH_SHA1).is_ok());
    let (offer, answer) = (Comedia::of(&offer).unwrap(), Comedia::of(&answer).unwrap());
    let agreed = Agreement::of(Protocol::UdpTlsUdptl, offer, answer, Side::Offerer);
    let roles = Roles {
        transport: TransportRole::Passive,
        tls: Some(TlsRole::Server),
    };
    assert_eq!(agreed, Ok(Agreement::Establish(roles)));
}

#[test]
fn rfc_8122_figure_1_the_stronger_of_two_hashes_is_used() {
    let media = example("RFC 8122 figure 1").media().next().unwrap();
    let set = FingerprintSet::of(&media, HashPolicy::WITH_SHA1).unwrap();
    assert_eq!(
        (set.hash(), set.fingerprints().len()),
        (HashFunction::Sha256, 1)
    );
    assert_eq!(Connection::of(media.section()), Ok(Some(Connection::New)));
}

#[test]
fn rfc_8856_the_client_opens_tcp_and_is_tls_server() {
    let offer = example("RFC 8856 TCP offer").media().next().unwrap();
    let answer = example("RFC 8856 TCP answer").media().next().unwrap();
    let (offer, answer) = (Comedia::of(&offer).unwrap(), Comedia::of(&answer).unwrap());
    let agreed = Agreement::of(Protocol::TcpTlsBfcp, offer, answer, Side::Answerer);
    let roles = Roles {
        transport: TransportRole::Active,
        tls: Some(TlsRole::Server),
    };
    assert_eq!(agreed, Ok(Agreement::Establish(roles)));
}

#[test]
fn ts_34_229_the_indicator_has_a_space_and_the_protocol_is_plain() {
    let media = example("TS 34.229-1 12.12a").media().next().unwrap();
    assert_eq!(E2ae::of(media.section()), Ok(Some(E2ae::Requested)));
    assert_eq!(media.media_line().unwrap().protocol(), Protocol::RtpAvp);
    assert_eq!(media.section().attributes_named("crypto").count(), 1);
}

const CERTIFICATES: [(&str, &[u8]); 5] = [
    (
        "ecdsa_sha384.der",
        include_bytes!("vectors/openssl/ecdsa_sha384.der"),
    ),
    ("ed25519.der", include_bytes!("vectors/openssl/ed25519.der")),
    (
        "rsa_pss_sha512.der",
        include_bytes!("vectors/openssl/rsa_pss_sha512.der"),
    ),
    (
        "rsa_sha1.der",
        include_bytes!("vectors/openssl/rsa_sha1.der"),
    ),
    (
        "rsa_sha256.der",
        include_bytes!("vectors/openssl/rsa_sha256.der"),
    ),
];

#[test]
fn fingerprints_are_those_that_openssl_prints() {
    let printed = include_str!("vectors/openssl/fingerprints.txt");
    let mut count = 0;
    for line in printed.lines() {
        let mut words = line.split(' ');
        let (file, hash) = (words.next().unwrap(), words.next().unwrap());
        let value = format!("{} {}", hash.replace("sha", "sha-"), words.next().unwrap());
        let fingerprint = Fingerprint::parse(&value).unwrap();
        let set = FingerprintSet::select(&[fingerprint], HashPolicy::WITH_SHA1).unwrap();
        for (name, der) in CERTIFICATES {
            let expected = if name == file { Ok(()) } else { Err(Mismatch) };
            assert_eq!(set.verify(der), expected, "{file} {hash} {name}");
        }
        count += 1;
    }
    assert_eq!(count, 25);
}

#[cfg(feature = "x509")]
#[test]
fn the_hash_of_a_certificate_s_signature_is_offered_beside_sha_256() {
    use sdp_sec::fingerprint::{certificate_fingerprints, signature_hash};
    let expected = [
        Some(HashFunction::Sha384),
        None,
        Some(HashFunction::Sha512),
        Some(HashFunction::Sha1),
        Some(HashFunction::Sha256),
    ];
    for ((name, der), hash) in CERTIFICATES.into_iter().zip(expected) {
        assert_eq!(signature_hash(der), Ok(hash), "{name}");
        let given = certificate_fingerprints(der).unwrap();
        let hashes: Vec<_> = given.iter().map(Fingerprint::hash).collect();
        let mut offered = vec![HashFunction::Sha256];
        offered.extend(hash.filter(|hash| *hash > HashFunction::Sha256));
        assert_eq!(hashes, offered, "{name}");
        assert_eq!(
            signature_hash(&der[..der.len() - 1]),
            Err(Rule::Certificate)
        );
    }
    assert_eq!(signature_hash(b""), Err(Rule::Certificate));
}
