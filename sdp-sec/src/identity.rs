//! Who answered, and what a caller or a conference makes of it (TR 33.829 §5.3.1.1, §5.3.2.2, §9.2,
//! §9.3.1.4).
//!
//! With keys in SDP, the assurance of who holds them is P-Asserted-Identity (RFC 3325). A call may
//! have been diverted, or its answerer may hide: the standards leave what to do then to policy, and
//! this module is that policy as values.

mod asserted;
mod policy;

pub use asserted::{AssertedIdentity, IdentityError, PublicIdentity};
pub use policy::{
    CallerPolicy, CallerStep, ConferencePolicy, DialIn, DialOut, Reaction, Who, who_answered,
};
