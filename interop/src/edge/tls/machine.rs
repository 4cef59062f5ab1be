//! The state machine of one stream, where its relay and the callback of the handshake reach it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sdp_sec::edge::gateway::{Action, Attempt, Event, GatewayError, Order, Stream};

/// A stream, and the actions that are to be done.
#[derive(Clone)]
pub(super) struct Machine(Arc<Mutex<State>>);

struct State {
    stream: Stream,
    actions: VecDeque<Action>,
}

impl Machine {
    pub(super) fn new(stream: Stream) -> Self {
        let actions = VecDeque::new();
        Self(Arc::new(Mutex::new(State { stream, actions })))
    }

    pub(super) fn order(&self, order: Order) -> Result<(), GatewayError> {
        self.give(Event::Order(order))
    }

    /// Gives an event. One that does not fit the state is refused and changes nothing.
    pub(super) fn give(&self, event: Event<'_>) -> Result<(), GatewayError> {
        let mut state = self.state();
        let actions = state.stream.handle(event)?;
        state.actions.extend(actions);
        Ok(())
    }

    /// Shows the certificate of a handshake: whether it may go on.
    pub(super) fn shows(&self, attempt: Attempt, der: &[u8]) -> bool {
        let mut state = self.state();
        match state.stream.handle(Event::PeerCertificate(attempt, der)) {
            Ok(actions) => {
                let goes_on = !actions.contains(&Action::CloseTls);
                state.actions.extend(actions);
                goes_on
            }
            Err(_) => false,
        }
    }

    /// What the next connection or handshake belongs to.
    pub(super) fn attempt(&self) -> Attempt {
        self.state().stream.attempt()
    }

    /// The next action to be done.
    pub(super) fn next(&self) -> Option<Action> {
        self.state().actions.pop_front()
    }

    pub(super) fn relays(&self) -> bool {
        self.state().stream.relays()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
