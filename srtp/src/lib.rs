#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod keying;

#[cfg(feature = "engine")]
mod backend;
#[cfg(feature = "engine")]
pub mod batch;
#[cfg(feature = "engine")]
mod builder;
#[cfg(feature = "engine")]
mod common_case;
#[cfg(feature = "engine")]
mod error;
#[cfg(feature = "engine")]
mod event;
#[cfg(feature = "engine")]
mod framing;
#[cfg(feature = "engine")]
mod handover;
#[cfg(feature = "engine")]
mod header_extension;
#[cfg(feature = "engine")]
mod index;
#[cfg(feature = "engine")]
mod kdf;
#[cfg(feature = "engine")]
mod kernel;
#[cfg(feature = "engine")]
mod key_uses;
#[cfg(feature = "engine")]
mod keys;
#[cfg(feature = "engine")]
mod packet;
#[cfg(feature = "engine")]
mod receiver;
#[cfg(feature = "engine")]
mod replay;
#[cfg(feature = "engine")]
mod sender;
#[cfg(feature = "engine")]
mod session;
#[cfg(feature = "engine")]
mod session_keys;
#[cfg(feature = "engine")]
mod stats;
#[cfg(feature = "engine")]
mod stream;
#[cfg(feature = "engine")]
mod transform;

#[cfg(feature = "engine")]
pub use crate::{
    backend::Backend,
    builder::{Builder, DEFAULT_MAX_STREAMS, DEFAULT_REPLAY_WINDOW, DEFAULT_SOFT_LIMIT, Direction},
    error::{ProtectError, SessionError, UnprotectError},
    event::Event,
    framing::Cryptex,
    handover::{HandoverError, HandoverKey, HandoverKeys, IndexSkip},
    key_uses::{KeyUses, MAX_RETIRED_KEYS},
    receiver::{MAX_ROC_SEARCH, Receiver, RocFound},
    replay::{MAX_REPLAY_WINDOW, MIN_REPLAY_WINDOW},
    sender::Sender,
    session::{Rekey, StreamInfo},
    stats::{StreamStats, UnmatchedStats},
};
