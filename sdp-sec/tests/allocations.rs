//! Reading, deciding and rewriting allocate nothing but the output. Self-consistency.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use allocation_counter::measure;
use sdp_sec::mediasec::{
    AccessEdge, Indications, Mechanism, MechanismSet, Policy, SignallingProtection, Source,
};
use sdp_sec::{E2ae, Sdp, answer};

fn allocations<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let mut result = None;
    let count = measure(|| result = Some(work())).count_total;
    (result.unwrap(), count)
}

const OFFER: &[u8] = include_bytes!("vectors/3gpp/ts34229_12_12a_offer.sdp");

#[test]
fn an_allocation_is_counted() {
    assert_eq!(allocations(|| vec![1_u8]).1, 1);
}

#[test]
fn reading_and_deciding_allocate_nothing() {
    let both = MechanismSet::EMPTY.with(Mechanism::SdesSrtp);
    let edge = AccessEdge {
        indications: Indications {
            ue: both,
            network: both,
        },
        signalling: SignallingProtection::IntegrityAndConfidentiality,
        policy: Policy::default(),
    };
    let (lines, count) = allocations(|| {
        let sdp = Sdp::parse(OFFER).unwrap();
        for media in sdp.media() {
            assert!(edge.decide(Source::Core, &media).is_ok());
            assert!(edge.decide(Source::Ue, &media).is_err());
        }
        answer::check(&sdp, &sdp).unwrap();
        sdp.lines().count()
    });
    assert_eq!((lines, count), (20, 0));
}

#[test]
fn a_rewrite_allocates_its_output_alone() {
    let (out, count) = allocations(|| {
        let sdp = Sdp::parse(OFFER).unwrap();
        let mut editor = sdp.edit();
        for media in sdp.media() {
            let line = media.media_line().unwrap();
            let protected = line.protocol().protected().unwrap();
            editor.replace(line.protocol_field(), protected).unwrap();
            for attribute in media
                .attributes()
                .filter(|attribute| attribute.is(E2ae::NAME))
            {
                editor.remove(attribute.line()).unwrap();
            }
            editor
                .append(media.section(), E2ae::Applied.line())
                .unwrap();
        }
        editor.finish()
    });
    assert_eq!(count, 1);
    assert!(out.ends_with(b"a=maxptime:240\r\na=3ge2ae:applied\r\n"));
}
