//! MSRP, BFCP and T.38 of a dialogue.

use alloc::{collections::BTreeMap, sync::Arc};
use core::time::Duration;
use std::sync::mpsc;

use interop::edge::tls::{Certificate, Notice, Relay};
use interop::edge::{Stream, Tap};
use sdp_sec::edge::gateway::Report;
use sdp_sec::fingerprint::Fingerprint;

use crate::Failure;

/// The streams and their certificates, by m-line.
pub(crate) struct TlsStreams {
    certificates: BTreeMap<usize, Certificate>,
    relays: Vec<(usize, Relay)>,
    notices: mpsc::Receiver<(usize, Notice)>,
    tell: mpsc::Sender<(usize, Notice)>,
}

impl TlsStreams {
    pub(crate) fn new() -> Self {
        let (tell, notices) = mpsc::channel();
        Self {
            certificates: BTreeMap::new(),
            relays: Vec::new(),
            notices,
            tell,
        }
    }

    /// The fingerprint of the certificate that is selected for an m-line, and for no other.
    pub(crate) fn certificate(&mut self, media: usize) -> Option<Fingerprint> {
        let certificate = Certificate::generate().ok()?;
        let certificate = self.certificates.entry(media).or_insert(certificate);
        Some(*certificate.fingerprint())
    }

    pub(crate) fn begin(
        &mut self,
        media: usize,
        stream: Stream,
        tap: Option<Arc<dyn Tap>>,
        timeout: Duration,
    ) -> Result<(), Failure> {
        let certificate = self.certificates.get(&media);
        let certificate = certificate.ok_or_else(|| Failure::call("no certificate"))?;
        let relay = Relay::begin(media, stream, certificate, tap, timeout, self.tell.clone());
        self.relays.push((media, relay.map_err(Failure::call)?));
        Ok(())
    }

    /// Says what happened. A UE that is not who SDP says, or is not there, ends the dialogue.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        for (media, notice) in self.notices.try_iter() {
            let fails = |why: &dyn core::fmt::Display| {
                Err(Failure::call(format!(
                    "stream {media}: {why}; stream ended"
                )))
            };
            match notice {
                Notice::Report(Report::TlsEstablished) => {
                    println!("stream {media}         TLS established, UE verified");
                }
                Notice::Report(Report::TlsFailed(failure)) => return fails(&failure),
                Notice::Report(Report::TlsReleased) => {
                    println!("stream {media}         TLS released");
                }
                Notice::Report(Report::TcpReleased(side)) => {
                    println!("stream {media}         TCP released, {side:?}");
                }
                Notice::NotEstablished => return fails(&"a peer did not connect in time"),
                Notice::Silent => return fails(&"nothing heard of the UE in time"),
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends what is there: says what has passed.
    pub(crate) fn stop(&mut self) -> Result<(), Failure> {
        for (media, relay) in self.relays.drain(..) {
            let passed = relay.stop();
            println!(
                "stream {media}         {} octets to the core, {} octets to the UE",
                passed.to_core, passed.to_ue
            );
        }
        self.check()
    }
}
