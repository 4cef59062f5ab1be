#![doc = include_str!("../README.md")]

extern crate alloc;

pub mod audio;
pub mod edge;
pub mod impairment;
#[cfg(feature = "peers")]
pub mod libsrtp_process;
#[cfg(feature = "peers")]
pub mod peer;
pub mod rtcp;
pub mod rtp;
pub mod sdp;

/// The project's README, so that its example is compiled and run as a test.
#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
pub struct ProjectReadme;
