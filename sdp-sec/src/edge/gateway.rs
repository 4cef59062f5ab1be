//! The IMS-AGW's side of e2ae security for MSRP, BFCP and T.38 (TS 23.334 §5.11.2): one state
//! machine for each stream, fed with what the IMS-ALG orders and what sockets and the TLS library
//! tell, and answering with what to do. It holds no socket and no TLS library.
//!
//! ```text
//!            UE ══ TCP, TLS ══► access │ stream │ core ◄── TCP ── IMS core
//!
//!   order, TCP up, certificate, TLS up ──► handle() ──► connect, start TLS, relay, close, report
//! ```
//!
//! Not an octet passes before the UE's certificate has matched a fingerprint that the IMS-ALG gave
//! for this very stream: [`Stream::relays`] is false until then, in whatever order events come.
//!
//! Each action that begins a connection or a handshake names an [`Attempt`], and so does each event
//! about one: what comes late, from one that was closed since, is refused as
//! [`GatewayError::Stale`].
//!
//! There is no clock in it either. Whoever connects to a passive termination holds it until TLS has
//! failed, so give [`Event::TcpDown`] for a connection, and [`Event::TlsDown`] for a handshake, that
//! takes too long; the UE may then connect. Over UDP each datagram is passed for itself.

mod action;
mod event;
mod stream;
mod table;

pub use action::{Action, Failure, Report};
pub use event::{Attempt, Event, GatewayError, Order, Termination};
pub use stream::{MAX_CERTIFICATE_LEN, Stream, Transport};
pub use table::{Gateway, MAX_STREAMS};
