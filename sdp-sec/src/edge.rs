//! The access edge: what a P-CSCF with an IMS-ALG does to session descriptions between a UE and the
//! IMS core for end-to-access-edge security, and what it tells its IMS-AGW (TS 23.334 §5.11.2,
//! TR 33.829 §8.3.2.4.2, §5.3.2.2, §11.4).
//!
//! ```text
//!        UE                          P-CSCF (IMS-ALG)                      IMS core
//!        │  offer, protected   ─►  Dialogue::originating  ─►  offer, plain   │
//!        │  answer, protected  ◄─  Originating::answered  ◄─  answer, plain  │
//!        │                                │ Outcome: keys, fingerprints, roles
//!        ╞════ SRTP, TLS, DTLS ═══►   IMS-AGW (gateway)  ────── plain ──────►│
//! ```
//!
//! | m-line | towards the UE | towards the core | module |
//! |---|---|---|---|
//! | RTP | `RTP/SAVP(F)` with `a=crypto` | `RTP/AVP(F)` | `rtp` |
//! | MSRP | `TCP/TLS/MSRP` with `a=fingerprint` | `TCP/MSRP` | [`msrp`] |
//! | BFCP | `TCP/TLS/BFCP` with `a=fingerprint` | `TCP/BFCP` | [`bfcp`] |
//! | T.38 | `UDP/TLS/UDPTL` with `a=fingerprint` | `udptl` | [`t38`] |
//!
//! Each m-line is judged for itself. A stream that cannot be protected although it has to be is
//! refused, never passed on in plain; what is none of the edge's business passes octet by octet.

pub mod bfcp;
mod decision;
mod dialogue;
mod error;
pub mod gateway;
pub mod msrp;
mod originating;
mod passage;
mod policy;
mod rewrite;
mod rtp;
mod section;
mod shown_keys;
mod stream;
pub mod t38;
mod terminating;
mod tls;

pub use decision::Intention;
pub use dialogue::{Answered, Dialogue};
pub use error::{EdgeError, Refusal};
pub use originating::Originating;
pub use policy::{BfcpTls, MsrpHandling, Policy, Rekey};
pub use stream::{Outcome, RtpStream, TlsStream};
pub use terminating::Terminating;
