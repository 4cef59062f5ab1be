use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use getrandom::{SysRng, rand_core::UnwrapErr};
use mikey::derive::Secret;
use mikey::{Identity, InMemoryKeys};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::files;

/// Octets of the longest file of keys that is read.
const MAX_FILE: usize = 16 << 20;

/// A file of keys cannot be used. No key is in the message.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is nothing in the file.
    #[error("{path}: no [[{table}]]")]
    Empty {
        /// The file.
        path: PathBuf,
        /// What should be there.
        table: &'static str,
    },
    /// An entry has a value that cannot be: its place, counted from 1, and what is wrong.
    #[error("{path}: entry {entry}: {reason}")]
    Entry {
        /// The file.
        path: PathBuf,
        /// Which entry.
        entry: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is no TOML, or has other fields than it should.
    #[error("{path}: line {line}: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where.
        line: usize,
        /// What the parser says.
        reason: String,
    },
}

/// Users and the keys that each shares with the service.
///
/// ```toml
/// [[subscriber]]
/// identity = "sip:alice@example.com"
/// key = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="
/// ```
pub struct Subscribers(Vec<(Identity, Secret)>);

impl Subscribers {
    /// The users of the demonstrations. Anyone who reads this has their keys.
    pub const DEMO: [&str; 4] = [
        "sip:alice@example.com",
        "sip:bob@example.com",
        "sip:carol@example.com",
        "sip:list@example.com",
    ];

    /// The users of the demonstrations, whose keys are known to everyone.
    ///
    /// # Errors
    ///
    /// None: names and keys are short.
    pub fn demo() -> Result<Self, mikey::EncodeError> {
        let with_key = |(n, uri): (u8, &str)| {
            let key = Secret::new(&[n; 32]).map_err(|_| mikey::EncodeError::WrongLength)?;
            Ok((Identity::uri(uri)?, key))
        };
        (1..)
            .zip(Self::DEMO)
            .map(with_key)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Users with keys drawn now, for a service that lives as long as the program.
    ///
    /// # Errors
    ///
    /// For a URI that is too long.
    pub fn random<'u>(uris: impl IntoIterator<Item = &'u str>) -> Result<Self, mikey::EncodeError> {
        let with_key = |uri: &str| {
            let key = Secret::random(32, &mut UnwrapErr(SysRng));
            let key = key.map_err(|_| mikey::EncodeError::WrongLength)?;
            Ok((Identity::uri(uri)?, key))
        };
        uris.into_iter()
            .map(with_key)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the place.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file: SubscriberFile = read_toml(path)?;
        if file.subscriber.is_empty() {
            return Err(ConfigError::Empty {
                path: path.to_owned(),
                table: "subscriber",
            });
        }
        let subscribers = (1..).zip(file.subscriber).map(|(entry, subscriber)| {
            let wrong = |reason| ConfigError::Entry {
                path: path.to_owned(),
                entry,
                reason,
            };
            let identity = Identity::uri(&subscriber.identity);
            let identity = identity.map_err(|_| wrong("the identity is too long"))?;
            Ok((identity, secret(&subscriber.key, 16).map_err(wrong)?))
        });
        subscribers.collect::<Result<_, _>>().map(Self)
    }

    /// All of them, as the service needs them.
    #[must_use]
    pub fn keys(&self) -> InMemoryKeys {
        let mut keys = InMemoryKeys::new();
        for (identity, key) in &self.0 {
            keys.insert(identity.clone(), key.duplicate());
        }
        keys
    }

    /// What `user` has: the key it shares with `kms`. `None` for one who is no subscriber.
    #[must_use]
    pub fn keys_of(&self, user: &Identity, kms: &Identity) -> Option<InMemoryKeys> {
        let (_, key) = self.0.iter().find(|(identity, _)| identity == user)?;
        let mut keys = InMemoryKeys::new();
        keys.insert(kms.clone(), key.duplicate());
        Some(keys)
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl core::fmt::Debug for Subscribers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Subscribers")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscriberFile {
    #[serde(default)]
    subscriber: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    identity: String,
    key: Zeroizing<String>,
}

/// Reads a TOML file; what the parser quotes of it is left out, it may be a key.
pub(super) fn read_toml<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, ConfigError> {
    let text = files::read(path, MAX_FILE).map_err(|error| ConfigError::Io {
        path: path.to_owned(),
        error,
    })?;
    let text = core::str::from_utf8(&text).map_err(|error| {
        let before = text.iter().take(error.valid_up_to());
        ConfigError::Syntax {
            path: path.to_owned(),
            line: before.filter(|octet| **octet == b'\n').count() + 1,
            reason: "not UTF-8".to_owned(),
        }
    })?;
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or_default();
        ConfigError::Syntax {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            reason: "not TOML, or not a field or value that belongs here".to_owned(),
        }
    })
}

/// A key in base64, of at least `least` octets.
pub(super) fn secret(text: &str, least: usize) -> Result<Secret, &'static str> {
    let octets = Base64::decode_vec(text).map(Zeroizing::new);
    let octets = octets.map_err(|_| "the key is not base64")?;
    if octets.len() < least {
        return Err("the key is too short");
    }
    Secret::new(&octets).map_err(|_| "the key is too long")
}
