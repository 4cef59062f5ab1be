use super::ExchangeError;
use crate::crypto::Group;
use crate::{MessageTime, Rules, SkewWindow, Timestamp};

/// What a receiver accepts, within what the standards allow ([RFC 3830 §5.3], [§5.4]).
///
/// The default is strict: five minutes of skew, no counters in place of clocks, no quirks, OAKLEY 5
/// alone.
///
/// ```
/// use mikey::SkewWindow;
/// use mikey::exchange::Acceptance;
///
/// let acceptance = Acceptance::new().window(SkewWindow::new(30, 30)).counters(true);
/// assert_ne!(acceptance, Acceptance::default());
/// ```
///
/// [RFC 3830 §5.3]: https://www.rfc-editor.org/rfc/rfc3830#section-5.3
/// [§5.4]: https://www.rfc-editor.org/rfc/rfc3830#section-5.4
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Acceptance {
    window: SkewWindow,
    counters: bool,
    short_groups: bool,
    rules: Rules,
}

impl Acceptance {
    /// The default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How far clocks may be apart.
    #[must_use]
    pub const fn window(mut self, window: SkewWindow) -> Self {
        self.window = window;
        self
    }

    /// Whether COUNTER timestamps are accepted. The replay cache then remembers the last of each
    /// sender.
    #[must_use]
    pub const fn counters(mut self, counters: bool) -> Self {
        self.counters = counters;
        self
    }

    /// Whether OAKLEY 1 and 2 are accepted: groups of 768 and 1024 bits.
    #[must_use]
    pub const fn short_groups(mut self, short_groups: bool) -> Self {
        self.short_groups = short_groups;
        self
    }

    /// The quirks and code points that messages are read with.
    #[must_use]
    pub const fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    pub(super) const fn reading(&self) -> &Rules {
        &self.rules
    }

    pub(super) fn check_time(
        &self,
        time: MessageTime,
        now: Timestamp,
    ) -> Result<(), ExchangeError> {
        let accepted = match time.clock() {
            Some(clock) => self.window.allows(clock, now),
            None => self.counters,
        };
        if accepted {
            Ok(())
        } else {
            Err(ExchangeError::ClockSkew)
        }
    }

    pub(super) const fn check_group(&self, group: Group) -> Result<(), ExchangeError> {
        match group {
            Group::Oakley5 => Ok(()),
            Group::Oakley1 | Group::Oakley2 if self.short_groups => Ok(()),
            Group::Oakley1 | Group::Oakley2 => Err(ExchangeError::UnsupportedGroup),
        }
    }
}
