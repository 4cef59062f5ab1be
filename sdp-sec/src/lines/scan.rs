//! Searches over many octets at once. They are loops without branches, which compile to vector code.

/// Octets per block.
const BLOCK: usize = 32;

/// Whether there is a NUL, or a CR that no LF follows.
pub(super) fn has_control_octet(octets: &[u8]) -> bool {
    let next = octets.get(1..).unwrap_or_default();
    let (blocks, _) = octets.as_chunks::<BLOCK>();
    let (next_blocks, _) = next.as_chunks::<BLOCK>();
    let mut found = 0;
    for (block, next) in blocks.iter().zip(next_blocks) {
        found |= block
            .iter()
            .zip(next)
            .fold(0, |found, (octet, next)| found | control(*octet, *next));
    }
    let done = blocks.len().min(next_blocks.len()) * BLOCK;
    let rest = octets.get(done..).unwrap_or_default();
    let after = rest.iter().skip(1).chain(&[0]);
    rest.iter()
        .zip(after)
        .fold(found, |found, (octet, next)| found | control(*octet, *next))
        != 0
}

fn control(octet: u8, next: u8) -> u8 {
    u8::from(octet == 0) | (u8::from(octet == b'\r') & u8::from(next != b'\n'))
}

/// How many lines there are, the last with or without an end.
pub(super) fn count_lines(octets: &[u8]) -> usize {
    // The count of a block fits its eight-bit sum.
    let count = |block: &[u8]| {
        let ends = block.iter().map(|octet| u8::from(*octet == b'\n'));
        usize::from(ends.sum::<u8>())
    };
    let ends: usize = octets.chunks(128).map(count).sum();
    let open = octets.last().is_some_and(|octet| *octet != b'\n');
    ends + usize::from(open)
}

/// Where the first m-line begins, if `octets` begin with a line.
pub(super) fn first_media(octets: &[u8]) -> Option<usize> {
    if octets.starts_with(b"m=") {
        Some(0)
    } else {
        next_media(octets)
    }
}

/// Where the first m-line after the first line begins.
pub(super) fn next_media(octets: &[u8]) -> Option<usize> {
    let second = octets.get(1..)?;
    let third = octets.get(2..)?;
    let blocks = octets
        .as_chunks::<BLOCK>()
        .0
        .iter()
        .zip(second.as_chunks::<BLOCK>().0)
        .zip(third.as_chunks::<BLOCK>().0);
    let mut skipped = 0;
    for ((a, b), c) in blocks {
        let found = a.iter().zip(b).zip(c).fold(0, |found, ((a, b), c)| {
            found | (u8::from(*a == b'\n') & u8::from(*b == b'm') & u8::from(*c == b'='))
        });
        if found != 0 {
            break;
        }
        skipped += BLOCK;
    }
    let rest = octets.get(skipped..)?;
    let position = rest.windows(3).position(|window| window == b"\nm=")?;
    Some(skipped + position + 1)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn an_m_line_is_found_at_every_place() {
        for len in 0..100 {
            let mut octets: Vec<u8> = alloc::vec![b'm'; len];
            assert_eq!((first_media(&octets), next_media(&octets)), (None, None));
            for at in 0..len.saturating_sub(2) {
                octets.fill(b'=');
                octets[at..at + 3].copy_from_slice(b"\nm=");
                assert_eq!(next_media(&octets), Some(at + 1), "{len}");
                assert_eq!(first_media(&octets), Some(at + 1));
                assert_eq!(first_media(&octets[at + 1..]), Some(0));
                assert_eq!(next_media(&octets[at + 1..]), None);
            }
        }
    }

    #[test]
    fn a_control_octet_is_found_at_every_place() {
        for len in 1..100 {
            for at in 0..len {
                let mut octets: Vec<u8> = alloc::vec![b'\n'; len];
                assert!(!has_control_octet(&octets));
                octets[at] = 0;
                assert!(has_control_octet(&octets));
                octets[at] = b'\r';
                assert_eq!(has_control_octet(&octets), at + 1 == len);
                octets.fill(b'x');
                octets[at] = b'\r';
                assert!(has_control_octet(&octets));
            }
        }
    }

    #[test]
    fn lines_are_counted_with_an_open_one() {
        for (octets, count) in [
            (&b""[..], 0),
            (b"a", 1),
            (b"a\n", 1),
            (b"a\nb", 2),
            (b"\n\n", 2),
        ] {
            assert_eq!(count_lines(octets), count);
        }
    }
}
