//! The pre-shared key exchange ([RFC 3830 §3.1]), and updates of its bundles ([§4.5]).
//!
//! ```text
//! Initiator                                          Responder
//! I_MESSAGE = HDR, T, RAND, IDi, IDr, {SP}, KEMAC  -->
//!                                               [<--]  R_MESSAGE = HDR, T, IDr, V
//! ```
//!
//! [RFC 3830 §3.1]: https://www.rfc-editor.org/rfc/rfc3830#section-3.1
//! [§4.5]: https://www.rfc-editor.org/rfc/rfc3830#section-4.5

mod initiator;
mod kemac;
mod responder;
mod update;

pub use initiator::{AwaitingVerification, Initiator};
pub use responder::{Accepted, Answering, Responder};
pub use update::{AwaitingUpdate, Update};

pub(super) use initiator::fresh_rand;
pub(super) use kemac::{key_material, open_kemac, seal_kemac};

use crate::derive::{Label, MessageKeys};
use crate::seam::{PreSharedKeys, UnknownKey};
use crate::{Identity, crypto::Suite};

/// The keys of the messages between this host and `peer`.
pub(super) fn message_keys<K: PreSharedKeys + ?Sized>(
    keys: &K,
    peer: &Identity,
    suite: Suite,
    csb_id: u32,
    rand: &[u8],
) -> Result<MessageKeys, UnknownKey> {
    MessageKeys::derive(
        suite,
        |key| Label::message_key(key, csb_id, rand),
        |label, out| keys.prf(peer, suite.prf(), label, out),
    )
}
