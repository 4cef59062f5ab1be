#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod attribute;
mod description;
#[cfg(feature = "experimental-diversion")]
pub mod diversion;
mod error;
mod fec;
mod group;
mod key_digest;
mod key_params;
pub mod limits;
mod mki;
mod modification;
mod negotiated;
mod offer_answer;
mod own_line;
mod policy;
mod recovered;
mod retired;
mod sdp_keys;
mod session_params;
mod suite;
mod validity;

pub use attribute::Attribute;
pub use description::SecurityDescription;
pub use error::{LineError, OfferError, PolicyError, Refused, Rule};
pub use fec::{Fec, FecKeys, FecOrder};
pub use group::GroupKey;
pub use key_digest::KeyDigest;
pub use key_params::{InlineKey, KeyParam, KeyParams, Padding};
pub use modification::{Change, LocalKey, Rekey, Reoffer, RocOnNewKey, Transport};
pub use negotiated::Negotiated;
pub use offer_answer::{Answer, Offer};
pub use policy::{Policy, Selection};
pub use recovered::Recovered;
pub use sdp_keys::SdpKeys;
pub use session_params::{NegotiatedParameters, SessionParameter, SessionParameters};
pub use suite::{CryptoSuite, SuiteName};
