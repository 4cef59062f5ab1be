//! MSRP, BFCP and T.38, in a program that was built without TLS: none is taken.

use alloc::sync::Arc;
use core::time::Duration;

use interop::edge::{Stream, Tap};
use sdp_sec::fingerprint::Fingerprint;

use crate::Failure;

/// No streams.
#[derive(Debug)]
pub(crate) struct TlsStreams;

impl TlsStreams {
    pub(crate) const fn new() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as with the feature `tls`")]
    pub(crate) const fn certificate(&mut self, _: usize) -> Option<Fingerprint> {
        None
    }

    #[expect(clippy::unused_self, reason = "as with the feature `tls`")]
    pub(crate) fn begin(
        &mut self,
        _: usize,
        _: Stream,
        _: Option<Arc<dyn Tap>>,
        _: Duration,
    ) -> Result<(), Failure> {
        Err(Failure::input("MSRP, BFCP and T.38 need the feature `tls`"))
    }

    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as with the feature `tls`"
    )]
    pub(crate) fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as with the feature `tls`"
    )]
    pub(crate) fn stop(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}
