//! An IMS access edge that runs: an IMS-ALG over SIP-shaped messages, and an IMS-AGW with sockets.
//!
//! ```text
//!   UE ── SRTP, TLS, DTLS ──► ports │ IMS-AGW │ ports ◄── plain ── IMS core
//!                                        ▲
//!   UE ◄────────── SDP ──────────►  Alg (IMS-ALG)  ◄──── SDP ────► IMS core
//! ```
//!
//! The decisions are those of `sdp_sec::edge`, the packets those of `srtp`; what is here holds
//! sockets, threads and clocks, which the crates do not. Unix alone: a hand-over passes open sockets
//! to another process.

mod address;
mod alg;
mod converter;
mod handover;
mod message;
mod ports;
mod tap;
#[cfg(feature = "tls")]
pub mod tls;
mod worker;

pub use address::{AddressError, Remote};
pub use alg::{Alg, AlgError, Established, Exchange, Stream};
pub use converter::{Batch, Converter, Counts, Datagram, MAX_DATAGRAM};
pub use handover::{HandoverFailed, Offered, Offering, hand_over, take_over};
pub use message::{Message, MessageError};
pub use ports::{Pair, PortRange, Ports, Reserved};
pub use tap::{ClearContent, PcapTap, Tap};
pub use worker::{Outgoing, RtpCall, RtpLeg, Seen, Workers};
