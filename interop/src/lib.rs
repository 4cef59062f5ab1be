#![doc = include_str!("../README.md")]

extern crate alloc;

pub mod audio;
pub mod cema_relay;
pub mod conference;
pub mod edge;
pub mod files;
pub mod impairment;
pub mod keyed_media;
pub mod kms;
#[cfg(feature = "peers")]
pub mod libsrtp_process;
pub mod msrp;
#[cfg(feature = "peers")]
pub mod peer;
pub mod program;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod sip;
pub mod srvcc;
pub mod subscriber;
pub mod suites;
#[cfg(feature = "tls")]
pub mod tls_psk;
pub mod users;

/// The project's README, so that its example is compiled and run as a test.
#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
pub struct ProjectReadme;
