use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec::Vec;

use super::{Action, Event, GatewayError, Stream, Transport};
use crate::fingerprint::Fingerprint;

/// Most streams of one [`Gateway`].
pub const MAX_STREAMS: usize = 1 << 20;

/// The streams of an IMS-AGW by the name the caller gives them: context and stream identity, say.
///
/// Certificates and fingerprints belong to one stream alone (TS 23.334 §5.11.2.x.1): what one stream
/// has seen authenticates no other.
///
/// ```
/// use sdp_sec::edge::gateway::{Event, Gateway, GatewayError, Termination, Transport};
/// use sdp_sec::fingerprint::{Fingerprint, HashFunction};
///
/// let own = Fingerprint::of_certificate(b"DER of our certificate", HashFunction::Sha256)?;
/// let mut gateway = Gateway::new();
/// gateway.reserve(7_u32, Transport::Tcp, own)?;
/// assert_eq!(gateway.stream(&7).map(|stream| stream.own_fingerprint()), Some(&own));
/// let unknown = gateway.handle(&8, Event::TcpIncoming(Termination::Access));
/// assert_eq!(unknown, Err(GatewayError::UnknownStream));
/// gateway.release(&7)?;
/// assert!(gateway.stream(&7).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Gateway<Id> {
    streams: BTreeMap<Id, Stream>,
}

impl<Id: Ord> Gateway<Id> {
    /// No streams yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            streams: BTreeMap::new(),
        }
    }

    /// Reserves the stream `id`, with the fingerprint of the certificate selected for it.
    ///
    /// # Errors
    ///
    /// [`GatewayError::DuplicateStream`] or [`GatewayError::TooManyStreams`]; nothing has changed.
    pub fn reserve(
        &mut self,
        id: Id,
        transport: Transport,
        own: Fingerprint,
    ) -> Result<&mut Stream, GatewayError> {
        let full = self.streams.len() >= MAX_STREAMS;
        match self.streams.entry(id) {
            Entry::Occupied(_) => Err(GatewayError::DuplicateStream),
            Entry::Vacant(_) if full => Err(GatewayError::TooManyStreams),
            Entry::Vacant(entry) => Ok(entry.insert(Stream::new(transport, own))),
        }
    }

    /// Gives an event to the stream it belongs to.
    ///
    /// # Errors
    ///
    /// [`GatewayError::UnknownStream`], or what [`Stream::handle`] refuses; nothing has changed.
    pub fn handle(&mut self, id: &Id, event: Event<'_>) -> Result<Vec<Action>, GatewayError> {
        self.streams
            .get_mut(id)
            .ok_or(GatewayError::UnknownStream)?
            .handle(event)
    }

    /// Ends and forgets a stream; the actions close what is open.
    ///
    /// # Errors
    ///
    /// [`GatewayError::UnknownStream`].
    pub fn release(&mut self, id: &Id) -> Result<Vec<Action>, GatewayError> {
        let mut stream = self.streams.remove(id).ok_or(GatewayError::UnknownStream)?;
        Ok(stream
            .handle(Event::Order(super::Order::Release))
            .unwrap_or_default())
    }

    /// A stream.
    #[must_use]
    pub fn stream(&self, id: &Id) -> Option<&Stream> {
        self.streams.get(id)
    }
}

impl<Id: Ord> Default for Gateway<Id> {
    fn default() -> Self {
        Self::new()
    }
}
