//! The access edge, requirement by requirement: the IMS-ALG's procedures for RTP, MSRP, BFCP and
//! T.38, and the IMS-AGW's state machine.
//!
//! Kind: self-consistency against the requirements of TS 23.334 and TR 33.829, with SDP of RFCs, of
//! 3GPP and of peers as input. Names carry the requirement's identifier.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

#[path = "edge_procedures/calls.rs"]
mod calls;
#[path = "edge_procedures/capabilities.rs"]
mod capabilities;
#[path = "edge_procedures/dialogues.rs"]
mod dialogues;
#[path = "edge_procedures/field.rs"]
mod field;
#[path = "edge_procedures/gateway.rs"]
mod gateway;
#[path = "edge_procedures/gateway_connections.rs"]
mod gateway_connections;
#[path = "edge_procedures/gateway_streams.rs"]
mod gateway_streams;
#[path = "edge_procedures/golden.rs"]
mod golden;
#[path = "edge_procedures/invariant.rs"]
mod invariant;
#[path = "edge_procedures/invariants.rs"]
mod invariants;
#[path = "edge_procedures/keys.rs"]
mod keys;
#[path = "edge_procedures/rtp.rs"]
mod rtp;
#[path = "edge_procedures/rtp_established.rs"]
mod rtp_established;
#[path = "edge_procedures/support.rs"]
mod support;
#[path = "edge_procedures/t38.rs"]
mod t38;
#[path = "edge_procedures/tcp.rs"]
mod tcp;
#[path = "edge_procedures/tcp_roles.rs"]
mod tcp_roles;
#[path = "edge_procedures/tls_support.rs"]
mod tls_support;
