//! A lossy, reordering path, the same for the same seed.

/// At most so many later items overtake one that is held back.
const MAX_OVERTAKEN: usize = 3;

/// One item in so many is held back where the path reorders.
const HELD_ONE_IN: u32 = 8;

/// What happens to packets between two hosts.
///
/// ```
/// use interop::impairment::Impairment;
///
/// let mut path = Impairment::new(0, true, 7);
/// let mut arrived: Vec<u32> = (0..100).flat_map(|n| path.pass(n)).collect();
/// arrived.extend(path.flush());
/// assert!(!arrived.is_sorted());
/// arrived.sort();
/// assert_eq!(arrived, (0..100).collect::<Vec<_>>());
/// ```
#[derive(Debug)]
pub struct Impairment<T> {
    rng: fastrand::Rng,
    loss_percent: u8,
    reorder: bool,
    held: Vec<(usize, T)>,
    lost: usize,
}

impl<T> Impairment<T> {
    /// A path that loses `loss_percent` of a hundred items, and reorders some if `reorder`.
    #[must_use]
    pub fn new(loss_percent: u8, reorder: bool, seed: u64) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
            loss_percent,
            reorder,
            held: Vec::new(),
            lost: 0,
        }
    }

    /// Puts `item` on the path; gives what arrives now, in this order.
    pub fn pass(&mut self, item: T) -> Vec<T> {
        if self.rng.u8(..100) < self.loss_percent {
            self.lost += 1;
            return Vec::new();
        }
        for (countdown, _) in &mut self.held {
            *countdown -= 1;
        }
        let late = self
            .held
            .extract_if(.., |(countdown, _)| *countdown == 0)
            .map(|(_, item)| item);
        if self.reorder && self.rng.u32(..HELD_ONE_IN) == 0 {
            let late = late.collect();
            self.held.push((self.rng.usize(1..=MAX_OVERTAKEN), item));
            late
        } else {
            core::iter::once(item).chain(late).collect()
        }
    }

    /// What is still held back arrives.
    pub fn flush(&mut self) -> Vec<T> {
        self.held.drain(..).map(|(_, item)| item).collect()
    }

    /// Items lost so far.
    #[must_use]
    pub const fn lost(&self) -> usize {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loses_about_as_many_as_asked_and_counts_them() {
        let mut path = Impairment::new(20, true, 1);
        let arrived = (0..10_000).flat_map(|n| path.pass(n)).count() + path.flush().len();
        assert_eq!(arrived + path.lost(), 10_000);
        assert!((1_800..2_200).contains(&path.lost()), "{}", path.lost());
    }

    #[test]
    fn nothing_is_overtaken_by_more_than_the_stated_number() {
        let mut path = Impairment::new(0, true, 2);
        let arrived: Vec<usize> = (0..10_000).flat_map(|n| path.pass(n)).collect();
        for (position, n) in arrived.iter().enumerate() {
            let overtakers = arrived[..position]
                .iter()
                .filter(|other| *other > n)
                .count();
            assert!(overtakers <= MAX_OVERTAKEN, "{n} by {overtakers}");
        }
    }
}
