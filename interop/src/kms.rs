//! A key management service over HTTP: its nodes, and those that ask it ([RFC 6043 §7]).
//!
//! A message is the body of a POST, as `application/mikey`; so is its answer, and so is the Error
//! message of a refusal, with status 403. Where silence is due the 403 has no body. Messages protect
//! themselves: no TLS.
//!
//! Nodes share the file of TPKs and that of subscribers, nothing else; any node resolves what any
//! other has issued. With the feature `redis` they can also share a replay cache, so that none takes
//! a message that another has taken.
//!
//! [RFC 6043 §7]: https://www.rfc-editor.org/rfc/rfc6043#section-7

mod client;
mod keys;
#[cfg(feature = "redis")]
mod redis_cache;
mod server;
mod subscribers;

pub use client::{Node, NodeError};
pub use keys::{KeyFile, add_ticket_keys};
#[cfg(feature = "redis")]
pub use redis_cache::RedisReplayCache;
pub use server::Server;
pub use subscribers::{ConfigError, Subscribers};

use core::net::SocketAddr;

use getrandom::{SysRng, rand_core::UnwrapErr};
use mikey::derive::Secret;
use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, ReplayCache, SkewWindow, Timestamp};
use mikey_ticket::{GrantAsAsked, InMemoryTicketKeys, Kms, KmsPolicy, Strength, TicketKeys};

/// The name of the service, IDRkms.
pub const KMS_URI: &str = "sip:kms.example.com";

/// Octets of the longest message that a node or a client takes.
pub const MAX_MESSAGE: usize = 16 * 1024;

/// Messages that the replay cache of a node remembers.
pub const REPLAY_CAPACITY: usize = 100_000;

/// Ages of messages that are taken: half a minute either way.
pub const WINDOW: SkewWindow = SkewWindow::new(30, 30);

/// The name of the service as identity.
///
/// # Errors
///
/// None: the URI is short.
pub fn identity() -> Result<Identity, mikey::EncodeError> {
    Identity::uri(KMS_URI)
}

/// What a node does with messages. It forgets the replay cache when it ends, not what is in a shared
/// one.
///
/// # Errors
///
/// None: its name is short.
pub fn node<T: TicketKeys, P: KmsPolicy, C: ReplayCache>(
    subscribers: &Subscribers,
    ticket_keys: T,
    policy: P,
    replay: C,
) -> Result<Kms<InMemoryKeys, T, P, C>, mikey::EncodeError> {
    let kms = Kms::new(identity()?, subscribers.keys(), ticket_keys, policy, replay);
    Ok(kms.with_window(WINDOW))
}

/// A service of one node for the users of a program, on a port that is free: fresh TPKs, every
/// ticket granted as asked.
///
/// # Errors
///
/// If it cannot listen.
pub fn local(subscribers: &Subscribers) -> std::io::Result<Server> {
    local_with(subscribers, GrantAsAsked)
}

/// As [`local`], with another policy.
///
/// # Errors
///
/// If it cannot listen.
pub fn local_with(
    subscribers: &Subscribers,
    policy: impl KmsPolicy + Send + 'static,
) -> std::io::Result<Server> {
    let mut rng = UnwrapErr(SysRng);
    let (now, mut keys) = (now(), InMemoryTicketKeys::new());
    for (id, strength) in [(b"128", Strength::Bits128), (b"256", Strength::Bits256)] {
        let key = Secret::random(strength.key_len(), &mut rng).map_err(std::io::Error::other)?;
        keys.insert(id, strength, key, now, now.plus_seconds(86_400));
    }
    let replay = InMemoryReplayCache::new(REPLAY_CAPACITY, WINDOW);
    let node = node(subscribers, keys, policy, replay);
    let mut node = node.map_err(std::io::Error::other)?;
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    Server::start(any_port, move |message| {
        node.handle(message, self::now(), &mut UnwrapErr(SysRng))
    })
}

/// The time of this machine's clock.
#[must_use]
pub fn now() -> Timestamp {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_unix(now.as_secs(), now.subsec_nanos())
}
