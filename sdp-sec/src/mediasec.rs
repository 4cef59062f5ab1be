//! Media plane security at registration: `Security-Client`, `Security-Server` and `Security-Verify`
//! with `;mediasec`, and what follows from it for each media line (RFC 3329; TS 24.229 §7.2A.7;
//! TR 33.829 §8.3.2.4.2).
//!
//! A UE and its P-CSCF each name the media classes they will protect between UE and access edge
//! (e2ae). [`Indications`] keeps what both have named, for one contact binding; [`AccessEdge::decide`]
//! says, for each m-line, whether the edge protects it.

mod decision;
mod header;
mod indications;
mod mechanism;

pub use decision::{
    AccessEdge, Decision, EndToEnd, Policy, Refusal, SecurityElements, SignallingProtection, Source,
};
pub use header::{
    HeaderError, MAX_HEADER_LEN, MAX_MECHANISMS, MAX_PARAMETERS, Parameter, QValue, SecMechanism,
    SecurityHeaders,
};
pub use indications::{Bindings, Indications, MAX_BINDINGS, MAX_CONTACT_LEN};
pub use mechanism::{Mechanism, MechanismSet, client_value};
