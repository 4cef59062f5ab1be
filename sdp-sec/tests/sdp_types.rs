//! Independent implementation: `sdp-types` reads the published examples and sees the same m-lines and
//! attributes as the line view; and the adapter's own rules.

#![cfg(feature = "sdp-types")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use sdp_sec::fingerprint::{FingerprintSet, HashFunction, HashPolicy};
use sdp_sec::sdp_types_adapter as adapter;
use sdp_sec::{E2ae, Fingerprint, Protocol, Rule, Sdp, SdpError, Setup};
use sdp_types::Session;

const EXAMPLES: [&[u8]; 6] = [
    include_bytes!("vectors/rfc/rfc4567_example_1_offer.sdp"),
    include_bytes!("vectors/rfc/rfc4567_example_1_answer.sdp"),
    include_bytes!("vectors/rfc/rfc4567_example_2.sdp"),
    include_bytes!("vectors/rfc/rfc7345_figure_4_offer.sdp"),
    include_bytes!("vectors/rfc/rfc7345_figure_6_answer.sdp"),
    include_bytes!("vectors/3gpp/ts34229_12_12a_offer.sdp"),
];

#[test]
fn both_see_the_same_m_lines_and_attributes() {
    for octets in EXAMPLES {
        let (session, sdp) = (Session::parse(octets).unwrap(), Sdp::parse(octets).unwrap());
        assert_eq!(session.medias.len(), sdp.media_count());
        assert_eq!(session.attributes.len(), sdp.session().attributes().count());
        for (theirs, ours) in session.medias.iter().zip(sdp.media()) {
            let line = ours.media_line().unwrap();
            assert_eq!(
                (theirs.media.as_str(), theirs.port),
                (line.media(), line.port())
            );
            assert_eq!(adapter::protocol(theirs), line.protocol());
            assert_eq!(theirs.fmt.as_bytes(), line.formats());
            assert_eq!(theirs.attributes.len(), ours.attributes().count());
            for (theirs, ours) in theirs.attributes.iter().zip(ours.attributes()) {
                assert_eq!(theirs.attribute.as_bytes(), ours.name());
                assert_eq!(theirs.value.as_deref().map(str::as_bytes), ours.value());
            }
            let setup = adapter::attribute(&theirs.attributes, Setup::NAME, Setup::parse);
            assert_eq!(setup.unwrap(), Setup::of(&ours).unwrap());
            let policy = HashPolicy::WITH_SHA1;
            let set = adapter::fingerprints(&session, theirs, policy);
            assert_eq!(
                set,
                FingerprintSet::of(&ours, policy).map_err(SdpError::rule)
            );
        }
        let written = adapter::octets(&session);
        assert_eq!(Session::parse(&written).unwrap(), session);
    }
}

#[test]
fn the_adapter_refuses_what_the_line_view_refuses() {
    let mut session = Session::parse(EXAMPLES[3]).unwrap();
    let policy = HashPolicy::default();
    let weak = adapter::fingerprints(&session, &session.medias[0], policy);
    assert_eq!(weak, Err(Rule::WeakHash));

    let fingerprint = Fingerprint::of_certificate(b"DER", HashFunction::Sha256).unwrap();
    let media = &mut session.medias[0];
    adapter::remove(&mut media.attributes, "FINGERPRINT");
    adapter::set_protocol(media, Protocol::Udptl);
    assert_eq!(media.proto, "udptl");
    let none = adapter::fingerprints(&session, &session.medias[0], policy);
    assert_eq!(none, Err(Rule::NoFingerprint));

    adapter::push(&mut session.attributes, Fingerprint::NAME, &fingerprint);
    let set = adapter::fingerprints(&session, &session.medias[0], policy).unwrap();
    assert_eq!(set.verify(b"DER"), Ok(()));

    let attributes = &mut session.medias[0].attributes;
    adapter::push(attributes, E2ae::NAME, &E2ae::Requested);
    let read = |attributes: &[sdp_types::Attribute]| {
        adapter::attribute(attributes, E2ae::NAME, |text| {
            E2ae::parse(text).map(|value| value == E2ae::Requested)
        })
    };
    assert_eq!(read(attributes), Ok(Some(true)));
    adapter::push(attributes, "3GE2AE", &E2ae::Applied);
    assert_eq!(read(attributes), Err(Rule::Duplicate));
    for _ in 0..17 {
        adapter::push(attributes, Fingerprint::NAME, &fingerprint);
    }
    let many = adapter::fingerprints(&session, &session.medias[0], policy);
    assert_eq!(many, Err(Rule::TooManyValues));
}
