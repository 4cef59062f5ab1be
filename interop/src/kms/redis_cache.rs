use core::time::Duration;

use mikey::{ReplayCache, ReplayError, SeenMessage, SkewWindow, Timestamp};
use redis::{Client, Connection, ExistenceCheck, RedisError, SetExpiry, SetOptions, TypedCommands};

/// A store that has not answered after this long will not.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A replay cache that the nodes of a service share, in Redis.
///
/// Each message is a key that lives as long as the message is within the window, set only where it
/// is not there: of two nodes that ask at the same time one is told that it was. Without the store
/// every message is refused.
pub struct RedisReplayCache {
    client: Client,
    connection: Option<Connection>,
    window: SkewWindow,
}

impl RedisReplayCache {
    /// The store at `url`, such as `redis://127.0.0.1:6379`.
    ///
    /// # Errors
    ///
    /// If the URL is none or the store cannot be reached.
    pub fn connect(url: &str, window: SkewWindow) -> Result<Self, RedisError> {
        let client = Client::open(url)?;
        let mut cache = Self {
            client,
            connection: None,
            window,
        };
        cache.connection()?;
        Ok(cache)
    }

    fn connection(&mut self) -> Result<&mut Connection, RedisError> {
        let connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            let connection = self.client.get_connection_with_timeout(TIMEOUT)?;
            connection.set_read_timeout(Some(TIMEOUT))?;
            connection.set_write_timeout(Some(TIMEOUT))?;
            connection
        };
        Ok(self.connection.insert(connection))
    }

    /// Whether the key was not there.
    fn set(&mut self, key: &[u8], seconds: u64) -> Result<bool, RedisError> {
        let options = SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::EX(seconds));
        Ok(self.connection()?.set_options(key, 1, options)?.is_some())
    }
}

impl ReplayCache for RedisReplayCache {
    fn check_and_insert(
        &mut self,
        message: &SeenMessage<'_>,
        now: Timestamp,
    ) -> Result<(), ReplayError> {
        // A counter lives for ever; a cache whose entries end cannot keep it.
        let time = message.time().clock().ok_or(ReplayError::TooOld)?;
        let (past, future) = (self.window.past(), self.window.future());
        if time > now.plus_seconds(future.into()) {
            return Err(ReplayError::Early);
        }
        if time < now.minus_seconds(past.into()) {
            return Err(ReplayError::TooOld);
        }
        let key = [b"mikey:seen:", &message.digest()[..]].concat();
        // As long as any node takes the message, whose clock may be behind by the window.
        let seconds = 2 * (u64::from(past) + u64::from(future)) + 1;
        // A connection that broke since is made anew, once.
        let set = match self.set(&key, seconds) {
            Err(_) => {
                self.connection = None;
                self.set(&key, seconds)
            }
            set => set,
        };
        match set {
            Ok(true) => Ok(()),
            Ok(false) => Err(ReplayError::Replayed),
            Err(_) => {
                self.connection = None;
                Err(ReplayError::Unavailable)
            }
        }
    }
}

impl core::fmt::Debug for RedisReplayCache {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RedisReplayCache")
    }
}
