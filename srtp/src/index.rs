/// Highest SRTP packet index: ROC and sequence number all ones.
pub(crate) const MAX_INDEX: u64 = (1 << 48) - 1;

/// The index of a packet with sequence number `seq` ([RFC 3711 §3.3.1] and appendix A).
///
/// `highest` is the highest index accepted so far; before the first packet the index is
/// `initial_roc || seq`. `None` if the index would lie before ROC 0 or behind the last ROC, which
/// no sender may reach under one master key.
///
/// [RFC 3711 §3.3.1]: https://www.rfc-editor.org/rfc/rfc3711#section-3.3.1
#[inline]
pub(crate) fn estimate(highest: Option<u64>, initial_roc: u32, seq: u16) -> Option<u64> {
    let seq = u64::from(seq);
    let Some(highest) = highest else {
        return Some(u64::from(initial_roc) << 16 | seq);
    };
    let roc = highest >> 16;
    let s_l = highest & 0xffff;
    let v = if s_l < 0x8000 && seq > s_l + 0x8000 {
        roc.checked_sub(1)?
    } else if s_l >= 0x8000 && seq < s_l - 0x8000 {
        roc + 1
    } else {
        roc
    };
    within(v << 16 | seq)
}

/// The index, if there is one so high.
#[inline]
pub(crate) fn within(index: u64) -> Option<u64> {
    (index <= MAX_INDEX).then_some(index)
}

/// The rollover counter of an index.
#[inline]
pub(crate) fn roc(index: u64) -> u32 {
    u32::try_from(index >> 16).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    //! Self-consistency: against the definition, the candidate closest to the highest index.

    use super::{MAX_INDEX, estimate, roc};
    use alloc::vec::Vec;

    /// RFC 3711 3.3.1: of ROC-1, ROC, ROC+1 the one that brings the index closest to the highest.
    fn closest(highest: u64, seq: u16) -> Vec<i128> {
        let distance = |index: &i128| (index - i128::from(highest)).abs();
        let roc = i128::from(highest >> 16);
        let candidates = [roc - 1, roc, roc + 1].map(|v| (v << 16) + i128::from(seq));
        let least = candidates.iter().map(distance).min().unwrap();
        candidates
            .into_iter()
            .filter(|c| distance(c) == least)
            .collect()
    }

    #[test]
    fn is_the_closest_candidate_for_all_pairs_near_every_edge() {
        let near =
            |edge: u32| (edge.saturating_sub(3)..=edge.saturating_add(3)).filter(|s| *s < 65_536);
        let edges: Vec<u16> = [0, 1 << 14, 1 << 15, 3 << 14, 1 << 16]
            .into_iter()
            .flat_map(near)
            .map(|s| u16::try_from(s).unwrap())
            .collect();
        for roc in [0_u64, 1, 2, 77, 0xffff_fffe, 0xffff_ffff] {
            for &s_l in &edges {
                for &seq in &edges {
                    let highest = roc << 16 | u64::from(s_l);
                    let candidates = closest(highest, seq);
                    match estimate(Some(highest), 0, seq) {
                        Some(index) => assert!(candidates.contains(&i128::from(index))),
                        None => assert!(
                            candidates
                                .iter()
                                .any(|c| *c < 0 || *c > i128::from(MAX_INDEX)),
                            "{highest:#x} {seq:#x}"
                        ),
                    }
                }
            }
        }
    }

    #[test]
    fn is_the_closest_candidate_for_every_sequence_number() {
        for s_l in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
            let highest = 5 << 16 | s_l;
            for seq in 0..=u16::MAX {
                let index = estimate(Some(highest), 0, seq).unwrap();
                assert!(
                    closest(highest, seq).contains(&i128::from(index)),
                    "{s_l:#x} {seq:#x}"
                );
            }
        }
    }

    #[test]
    fn the_first_packet_takes_the_initial_roc() {
        assert_eq!(estimate(None, 0, 65_535), Some(65_535));
        assert_eq!(estimate(None, 9, 1), Some(9 << 16 | 1));
        assert_eq!(roc(9 << 16 | 1), 9);
    }

    #[test]
    fn nothing_lies_before_the_first_roc_or_behind_the_last() {
        assert_eq!(estimate(Some(5), 0, 65_530), None);
        assert_eq!(estimate(Some(MAX_INDEX), 0, 0), None);
    }
}
