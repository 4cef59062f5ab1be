use core::time::Duration;
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use base64ct::{Base64, Encoding};
use getrandom::rand_core::CryptoRng;
use mikey::Timestamp;
use mikey::derive::{Label, Secret};
use mikey_ticket::{InMemoryTicketKeys, Strength, TicketKeyError, TicketKeys};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::subscribers::{ConfigError, read_toml, secret};

/// How often a node looks whether its file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The TPKs of a file, which every node of a service shares and reads again when it changes.
///
/// ```toml
/// [[tpk]]
/// id = "1800000000-128"
/// bits = 128
/// key = "q83vASNFZ4mrze8BI0VniQ=="
/// from = 1800000000        # seconds since 1970: tickets are made under it
/// until = 1800172800       # tickets under it are resolved no longer
/// revoked = false          # if it must not be used any more
/// ```
///
/// A file that has become unusable is reported on standard error, and what was read last holds.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    keys: InMemoryTicketKeys,
    modified: Option<SystemTime>,
    looked: Instant,
}

impl KeyFile {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the place.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        let modified = modified(path);
        let state = State {
            keys: read(path)?,
            modified,
            looked: Instant::now(),
        };
        Ok(Self {
            path: path.to_owned(),
            state: Mutex::new(state),
        })
    }

    fn with_keys<T>(&self, ask: impl FnOnce(&InMemoryTicketKeys) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK_EVERY {
            state.looked = Instant::now();
            let now = modified(&self.path);
            if now != state.modified {
                match read(&self.path) {
                    Ok(keys) => (state.keys, state.modified) = (keys, now),
                    Err(error) => eprintln!("kms: {error}; the keys read before hold"),
                }
            }
        }
        ask(&state.keys)
    }
}

impl TicketKeys for KeyFile {
    fn current(&self, strength: Strength, now: Timestamp) -> Result<Vec<u8>, TicketKeyError> {
        self.with_keys(|keys| keys.current(strength, now))
    }

    fn prf(
        &self,
        id: &[u8],
        strength: Strength,
        label: &Label,
        now: Timestamp,
        out: &mut [u8],
    ) -> Result<(), TicketKeyError> {
        self.with_keys(|keys| keys.prf(id, strength, label, now, out))
    }
}

/// Adds a TPK of each strength to the file, good from `now` on for twice `seconds`, after which the
/// next should come: tickets are made under the latest, and resolve as long as theirs is good. Makes
/// the file if there is none; only its owner may read it.
///
/// # Errors
///
/// [`ConfigError`] if the file is there and cannot be used, or cannot be written. It is then as it
/// was.
pub fn add_ticket_keys(
    path: &Path,
    now: Timestamp,
    seconds: u64,
    rng: &mut impl CryptoRng,
) -> Result<(), ConfigError> {
    let io = |error| ConfigError::Io {
        path: path.to_owned(),
        error,
    };
    let mut text = Zeroizing::new(String::new());
    if path.exists() {
        read(path)?;
        text.push_str(&Zeroizing::new(std::fs::read_to_string(path).map_err(io)?));
    }
    let from = now.unix_seconds();
    let until = from.saturating_add(seconds.saturating_mul(2));
    for (bits, strength) in [(128, Strength::Bits128), (256, Strength::Bits256)] {
        let mut key = Zeroizing::new(vec![0; strength.key_len()]);
        rng.fill_bytes(&mut key);
        let key = Zeroizing::new(Base64::encode_string(&key));
        let id = format!("{from}-{bits}-{:08x}", rng.next_u32());
        text.push_str(&Zeroizing::new(format!(
            "[[tpk]]\nid = \"{id}\"\nbits = {bits}\nkey = \"{}\"\nfrom = {from}\nuntil = {until}\n\n",
            *key
        )));
    }
    // Written beside and moved, so that no node reads half a file.
    let unfinished = path.with_extension("new");
    private(&unfinished)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(&unfinished, path))
        .map_err(io)
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    // One that was left behind could be readable for others.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => options.open(path),
    }
}

#[cfg(not(unix))]
fn private(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::File::create(path)
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|data| data.modified())
        .ok()
}

fn read(path: &Path) -> Result<InMemoryTicketKeys, ConfigError> {
    let file: TpkFile = read_toml(path)?;
    if file.tpk.is_empty() {
        return Err(ConfigError::Empty {
            path: path.to_owned(),
            table: "tpk",
        });
    }
    let mut keys = InMemoryTicketKeys::new();
    for (entry, tpk) in (1..).zip(file.tpk) {
        let wrong = |reason| ConfigError::Entry {
            path: path.to_owned(),
            entry,
            reason,
        };
        let strength = match tpk.bits {
            128 => Strength::Bits128,
            256 => Strength::Bits256,
            _ => return Err(wrong("bits is neither 128 nor 256")),
        };
        let key: Secret = secret(&tpk.key, strength.key_len()).map_err(wrong)?;
        let [from, until] = [tpk.from, tpk.until].map(|time| Timestamp::from_unix(time, 0));
        keys.insert(tpk.id.as_bytes(), strength, key, from, until);
        if tpk.revoked {
            keys.revoke(tpk.id.as_bytes());
        }
    }
    Ok(keys)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TpkFile {
    #[serde(default)]
    tpk: Vec<Tpk>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tpk {
    id: String,
    bits: u16,
    key: Zeroizing<String>,
    from: u64,
    until: u64,
    #[serde(default)]
    revoked: bool,
}
