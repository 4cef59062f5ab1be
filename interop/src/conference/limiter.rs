use core::time::Duration;

/// Keys are renewed at most once in an interval, however many join and leave within it
/// (TR 33.829 §5.3.2.1): the first at once, all others together when it has passed.
///
/// Time is that of the caller, from any beginning.
///
/// # Security
///
/// Who leaves within the interval can open what is sent until it has passed; who joins waits for
/// as long. The interval is the bound on both.
///
/// ```
/// use core::time::Duration;
/// use interop::conference::RekeyLimiter;
///
/// let at = Duration::from_millis;
/// let mut limiter = RekeyLimiter::new(at(500));
/// limiter.ask();
/// assert!(limiter.due(at(0)));
/// limiter.ask();
/// limiter.ask();
/// assert!(!limiter.due(at(499)));
/// assert!(limiter.due(at(500)));
/// assert!(!limiter.due(at(2000)), "nobody has asked");
/// ```
#[derive(Clone, Debug)]
pub struct RekeyLimiter {
    interval: Duration,
    last: Option<Duration>,
    asked: bool,
}

impl RekeyLimiter {
    /// Once in `interval`.
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: None,
            asked: false,
        }
    }

    /// Someone has joined or left.
    pub const fn ask(&mut self) {
        self.asked = true;
    }

    /// Whether keys are to be renewed now; then they count as renewed.
    pub fn due(&mut self, now: Duration) -> bool {
        let passed = |last: Duration| now.saturating_sub(last) >= self.interval;
        let due = self.asked && self.last.is_none_or(passed);
        if due {
            (self.last, self.asked) = (Some(now), false);
        }
        due
    }
}
