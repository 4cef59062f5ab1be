//! Reading, deciding and rewriting allocate nothing but the output. Self-consistency.

#![allow(unsafe_code, reason = "an allocator is an unsafe trait")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use std::alloc::System;

use sdp_sec::mediasec::{
    AccessEdge, Indications, Mechanism, MechanismSet, Policy, SignallingProtection, Source,
};
use sdp_sec::{E2ae, Sdp, answer};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting what this thread asks of it.
struct Counting;

// SAFETY: everything is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = COUNT.get();
    let result = work();
    (result, COUNT.get() - before)
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
