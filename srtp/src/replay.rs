use alloc::boxed::Box;
use alloc::vec;

/// Fewest packets a replay window may hold ([RFC 3711 §3.3.2]).
///
/// [RFC 3711 §3.3.2]: https://www.rfc-editor.org/rfc/rfc3711#section-3.3.2
pub const MIN_REPLAY_WINDOW: u32 = 64;

/// Most packets a replay window may hold: within half the sequence number space.
pub const MAX_REPLAY_WINDOW: u32 = 32_768;

/// Which indices of one stream were used: the highest, and a bit for each of the `size` indices
/// that end with it ([RFC 3711 §3.3.2]).
///
/// Serves the receiver as its replay list and the sender as its proof that no index is used twice.
///
/// [RFC 3711 §3.3.2]: https://www.rfc-editor.org/rfc/rfc3711#section-3.3.2
#[derive(Clone, Debug)]
pub(crate) struct ReplayWindow {
    /// The index behind the highest; 0 before the first.
    next: u64,
    bits: Bits,
    size: u32,
}

/// A ring of bits, as many as the next power of two above the size of the window.
#[derive(Clone, Debug)]
enum Bits {
    Inline([u64; 2]),
    Heap(Box<[u64]>),
}

/// Why an index is not acceptable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Used {
    /// It was accepted before.
    Seen,
    /// It lies left of the window.
    TooOld,
}

impl ReplayWindow {
    /// An empty window; `size` lies within [`MIN_REPLAY_WINDOW`] and [`MAX_REPLAY_WINDOW`].
    pub(crate) fn new(size: u32) -> Self {
        let words = usize::try_from(size.next_power_of_two() / 64).unwrap_or(2);
        let bits = if words <= 2 {
            Bits::Inline([0; 2])
        } else {
            Bits::Heap(vec![0; words].into())
        };
        Self {
            next: 0,
            bits,
            size,
        }
    }

    /// A window in which `highest` and everything before it is used.
    pub(crate) fn used_up_to(size: u32, highest: Option<u64>) -> Self {
        let mut window = Self::new(size);
        if highest.is_some() {
            window.words_mut().fill(u64::MAX);
        }
        window.next = behind(highest);
        window
    }

    /// The highest index accepted so far.
    #[inline]
    pub(crate) const fn highest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// The index behind the highest; 0 before the first.
    #[inline]
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Whether `index` was not used yet and is not too old to tell.
    #[inline]
    pub(crate) fn check(&self, index: u64) -> Result<(), Used> {
        if index >= self.next {
            return Ok(());
        }
        let age = self.next - 1 - index;
        if age >= u64::from(self.size) {
            Err(Used::TooOld)
        } else if self.is_set(index) {
            Err(Used::Seen)
        } else {
            Ok(())
        }
    }

    /// Marks an index that [`check`](Self::check) allows as used.
    #[inline]
    pub(crate) fn accept(&mut self, index: u64) {
        if index >= self.next {
            // Nothing lies between the two that would have to be cleared, nor before the first.
            if index != self.next && self.next != 0 {
                self.clear(self.next, index);
            }
            self.next = behind(Some(index));
        }
        match &mut self.bits {
            Bits::Inline(words) => set(words, index),
            Bits::Heap(words) => set(words, index),
        }
    }

    /// Marks everything up to `highest` as used, without forgetting what lies in the window.
    pub(crate) fn skip_to(&mut self, highest: u64) {
        if self.highest().is_none_or(|now| now < highest) {
            *self = Self::used_up_to(self.size, Some(highest));
        }
    }

    /// The same window with another size; what the smaller one cannot tell counts as used.
    pub(crate) fn resized(&self, size: u32) -> Self {
        let Some(highest) = self.highest() else {
            return Self::new(size);
        };
        let mut window = Self {
            next: self.next,
            ..Self::new(size)
        };
        for age in 0..size {
            if let Some(index) = highest.checked_sub(age.into())
                && self.check(index).is_err()
            {
                window.accept(index);
            }
        }
        window
    }

    /// The bits of the window, the highest index first: `size` bits, rounded up to whole octets.
    pub(crate) fn history(&self) -> impl Iterator<Item = u8> + '_ {
        let age_is_used =
            |age: u32| match self.highest().and_then(|h| h.checked_sub(u64::from(age))) {
                Some(index) => age < self.size && self.is_set(index),
                None => false,
            };
        (0..self.size.div_ceil(8)).map(move |octet| {
            (0..8).fold(0, |octets, bit| {
                octets << 1 | u8::from(age_is_used(octet * 8 + bit))
            })
        })
    }

    /// The window that `history` was taken of.
    pub(crate) fn from_history(size: u32, highest: Option<u64>, history: &[u8]) -> Self {
        let mut window = Self::new(size);
        window.next = behind(highest);
        let Some(highest) = highest else {
            return window;
        };
        for (octet, age) in history.iter().zip((0_u64..).step_by(8)) {
            for bit in (0..8).filter(|bit| octet & 0x80 >> bit != 0) {
                if let Some(index) = highest.checked_sub(age + bit) {
                    window.accept(index);
                }
            }
        }
        window
    }

    fn is_set(&self, index: u64) -> bool {
        let slot = slot(self.words(), index);
        self.words()
            .get(slot / 64)
            .is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// Clears the bits of `first..=last`, whose slots hold what is now a window's length old.
    #[cold]
    fn clear(&mut self, first: u64, last: u64) {
        let ring = self.words().len() * 64;
        if last - first >= u64::try_from(ring).unwrap_or(u64::MAX) {
            self.words_mut().fill(0);
            return;
        }
        let mut left = usize::try_from(last - first + 1).unwrap_or(ring);
        let mut slot = slot(self.words(), first);
        while left > 0 {
            let run = left.min(64 - slot % 64);
            let ones = if run == 64 { u64::MAX } else { (1 << run) - 1 };
            if let Some(word) = self.words_mut().get_mut(slot / 64) {
                *word &= !(ones << (slot % 64));
            }
            left -= run;
            slot = (slot + run) % ring;
        }
    }

    fn words(&self) -> &[u64] {
        match &self.bits {
            Bits::Inline(words) => words,
            Bits::Heap(words) => words,
        }
    }

    fn words_mut(&mut self) -> &mut [u64] {
        match &mut self.bits {
            Bits::Inline(words) => words,
            Bits::Heap(words) => words,
        }
    }
}

/// The index behind `highest`. No packet has the last number that there is.
const fn behind(highest: Option<u64>) -> u64 {
    match highest {
        Some(highest) => highest.saturating_add(1),
        None => 0,
    }
}

/// The bit of `index` in a ring.
#[inline]
fn slot(ring: &[u64], index: u64) -> usize {
    let mask = u64::try_from(ring.len() * 64 - 1).unwrap_or(0);
    usize::try_from(index & mask).unwrap_or(0)
}

#[inline]
fn set(ring: &mut [u64], index: u64) {
    let slot = slot(ring, index);
    if let Some(word) = ring.get_mut(slot / 64) {
        *word |= 1 << (slot % 64);
    }
}

#[cfg(test)]
mod tests {
    //! Self-consistency: against a model that remembers every index.

    use super::{ReplayWindow, Used};
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Model {
        seen: BTreeSet<u64>,
    }

    impl Model {
        fn check(&self, size: u32, index: u64) -> Result<(), Used> {
            match self.seen.last() {
                Some(highest) if highest.saturating_sub(index) >= u64::from(size) => {
                    Err(Used::TooOld)
                }
                _ if self.seen.contains(&index) => Err(Used::Seen),
                _ => Ok(()),
            }
        }
    }

    proptest! {
        #[test]
        fn behaves_as_a_list_of_every_index_would(
            size in prop_oneof![Just(64_u32), Just(65), Just(128), Just(129), Just(1000), Just(32_768)],
            start in prop_oneof![Just(0_u64), Just((1 << 48) - 100_000)],
            steps in prop::collection::vec(prop_oneof![0_i64..4, -300..300_i64, -40_000..40_000_i64], 1..300),
        ) {
            let mut window = ReplayWindow::new(size);
            let mut model = Model::default();
            let mut index = start;
            for step in steps {
                index = index.saturating_add_signed(step);
                let verdict = window.check(index);
                prop_assert_eq!(verdict, model.check(size, index));
                if verdict.is_ok() {
                    window.accept(index);
                    model.seen.insert(index);
                }
                prop_assert_eq!(window.highest(), model.seen.last().copied());
            }
            let history: Vec<u8> = window.history().collect();
            let restored = ReplayWindow::from_history(size, window.highest(), &history);
            for age in 0..u64::from(size) + 70 {
                let Some(index) = index.checked_sub(age) else { break };
                prop_assert_eq!(restored.check(index), window.check(index));
            }
        }
    }

    #[test]
    fn a_window_of_another_size_forgets_nothing_that_was_used() {
        let mut window = ReplayWindow::new(64);
        for index in [1000, 1001, 1040, 1063] {
            window.accept(index);
        }
        for size in [64, 100, 128, 4096] {
            let resized = window.resized(size);
            assert_eq!((resized.highest(), resized.size), (Some(1063), size));
            for index in 0..1100 {
                let (was, is) = (window.check(index), resized.check(index));
                assert_eq!(was.is_ok(), is.is_ok(), "{size} {index}");
            }
        }
        let shrunk = window.resized(4096).resized(64);
        assert_eq!(shrunk.check(1000), Err(Used::Seen));
        assert_eq!(shrunk.check(1002), Ok(()));
    }

    #[test]
    fn skipping_ahead_uses_up_everything_before() {
        let mut window = ReplayWindow::new(64);
        window.accept(10);
        window.skip_to(1000);
        assert_eq!(window.check(1000), Err(Used::Seen));
        assert_eq!(window.check(937), Err(Used::Seen));
        assert_eq!(window.check(936), Err(Used::TooOld));
        assert_eq!(window.check(1001), Ok(()));
        window.skip_to(500);
        assert_eq!(window.highest(), Some(1000));
    }
}
