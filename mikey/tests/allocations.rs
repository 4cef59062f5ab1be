//! Self-consistency: reading and writing a message allocates nothing.

#![allow(unsafe_code, reason = "an allocator that counts is an unsafe trait")]
#![allow(clippy::unwrap_used, reason = "tests")]

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
};
use std::alloc::System;

use mikey::{Chain, Message, code_points::PayloadType, payload::Payload};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all is left to `System`; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, octets: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(octets, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A PSK message of gortsplib's tests.
const PSK: [u8; 112] = hex_literal::hex!(
    "010005007a23295e010000958c2327000000000b00ebf99d4cb05ea24c0a106c1c02e3ebc63ebf7a7c9bf80dbeacd7"
    "010000001500010101011002010103010a0701010801010a0101000000220020001e5fc5ef382cc8321d094ce5a2bd"
    "62f111f953512a757e38f68bcc46ec3f4300"
);

#[test]
fn reading_and_writing_allocates_nothing() {
    let mut out = Vec::with_capacity(PSK.len());
    let counted = || ALLOCATIONS.with(Cell::get);
    let before = counted();
    let message = Message::decode(&PSK).unwrap();
    let mut keys = 0;
    for payload in message.payloads() {
        if let Payload::Kemac(kemac) = payload {
            let chain = Chain::decode_encrypted(kemac.encr_data(), PayloadType::KeyData).unwrap();
            keys += chain.keys().count();
        }
    }
    message.encode(&mut out);
    assert_eq!((counted() - before, keys), (0, 1));
    assert_eq!(out, PSK);

    // The counter counts.
    let before = counted();
    drop(message.to_vec());
    assert_eq!(counted() - before, 1);
}
