//! Self-consistency: kernels touch nothing outside the packet. Packets lie between two pages that
//! nobody may touch, once at the end of the one and once at the start of the other.

use core::ffi::c_void;

use super::{GcmKey, HmacStates, Isa, Level, MAX_JOBS, MacJob, hmac_all};
use crate::transform::BlockCipher;

const PAGE: usize = 4096;

/// A page between two without access.
struct Guarded(*mut c_void);

impl Guarded {
    fn new() -> Self {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping that nobody else knows; only its middle page is made accessible.
        unsafe {
            let start = libc::mmap(
                core::ptr::null_mut(),
                3 * PAGE,
                libc::PROT_NONE,
                flags,
                -1,
                0,
            );
            assert_ne!(start, libc::MAP_FAILED);
            let page = start.byte_add(PAGE);
            assert_eq!(
                libc::mprotect(page, PAGE, libc::PROT_READ | libc::PROT_WRITE),
                0
            );
            Self(start)
        }
    }

    fn page(&mut self) -> &mut [u8] {
        // SAFETY: the middle page is mapped, may be read and written, and is borrowed with `self`.
        unsafe { core::slice::from_raw_parts_mut(self.0.byte_add(PAGE).cast(), PAGE) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and no slice of it outlives the value.
        unsafe { libc::munmap(self.0, 3 * PAGE) };
    }
}

/// Calls `run` with packets of many lengths, at either end of the page, and checks that the rest
/// of the page stays as it was.
fn in_every_place(mut run: impl FnMut(&mut [u8])) {
    const CANARY: [u8; PAGE] = [0xa5; PAGE];
    let mut guarded = Guarded::new();
    for len in (0..300).chain((300..2048).step_by(41)).chain([PAGE]) {
        for start in [0, PAGE - len] {
            let page = guarded.page();
            page.copy_from_slice(&CANARY);
            run(&mut page[start..start + len]);
            assert_eq!(page[..start], CANARY[..start]);
            assert_eq!(page[start + len..], CANARY[start + len..]);
        }
    }
}

fn levels() -> impl Iterator<Item = Isa> {
    let all = [
        Level::Portable,
        Level::AesNi,
        Level::Vaes256,
        Level::Vaes512,
    ];
    all.into_iter().filter_map(Isa::at)
}

#[test]
fn counter_mode_stays_within_the_packet() {
    for isa in levels() {
        let cipher = BlockCipher::aes(&[1; 16], isa).unwrap();
        in_every_place(|packet| cipher.apply_ctr(2, packet));
    }
}

#[test]
fn gcm_stays_within_the_packet_and_its_header() {
    for isa in levels().skip(1) {
        let key = GcmKey::new(&[1; 32], isa).unwrap();
        in_every_place(|packet| {
            let header = packet.len().min(12 + packet.len() % 64);
            let (aad, data) = packet.split_at_mut(header);
            let mut tag = [0; 16];
            key.seal(2 << 32, aad, data, &mut tag).unwrap();
            assert!(!key.open(2 << 32, aad, data, &[0; 16]));
            assert!(key.open(2 << 32, aad, data, &tag));
        });
    }
}

#[test]
fn hmac_stays_within_the_packet() {
    for isa in levels().chain(levels().map(Isa::without_sha)) {
        let states = HmacStates::new(&[3; 20], isa);
        for count in [1, 4, 16] {
            in_every_place(|packet| {
                let job = MacJob {
                    states: &states,
                    message: packet,
                    trailer: Some([0, 0, 0, 1]),
                };
                let mut tags = [[0; 20]; MAX_JOBS];
                hmac_all(isa, &[job; 16][..count], &mut tags);
                assert!(tags[1..count].iter().all(|tag| *tag == tags[0]));
            });
        }
    }
}
