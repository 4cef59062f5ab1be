//! Interception that begins in mid-call, from the stored offer and answer alone (TR 33.829 §10.3.2,
//! §12.4): streams, addresses and ports, codecs, who speaks, and the key material, as it would have
//! been had from the start.
//!
//! At a P-CSCF store the descriptions exchanged *with the UE*: those have the keys of e2ae, and of
//! SDES end to end; for MIKEY they have the ticket. Streams that TLS protects by certificates are
//! intercepted in the IMS-AGW, where they are clear.

mod codec;
mod stream;

pub use codec::Codec;
pub use stream::{Endpoint, InterceptedStream, KeyMaterial, KeyMgmtMessages};

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sdes::CryptoSuite;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{Rule, Sdp, SdpError};

/// An offer and its answer with the identities of both ends, kept for interception.
///
/// It holds keys: erased when dropped, never printed.
///
/// ```
/// use sdp_sec::interception::{KeyMaterial, StoredNegotiation};
///
/// let stored = StoredNegotiation::new(
///     b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 49170 RTP/SAVP 97\r\na=rtpmap:97 AMR/8000\r\n\
///       a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n",
///     b"v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 5004 RTP/SAVP 97\r\n\
///       a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR\r\n",
///     "sip:alice@home1.example",
///     "sip:bob@home2.example",
/// );
/// for stream in stored.streams(&[])? {
///     assert_eq!((stream.offerer().port(), stream.answerer().port()), (49170, 5004));
///     assert_eq!(stream.codecs()[0].encoding(), Some("AMR/8000"));
///     let KeyMaterial::Sdes(keys) = stream.keys() else { return Ok(()) };
///     assert_eq!(keys.offerer().keys().entries()[0].key().expose_key()[..2], [0x59, 0x53]);
/// }
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
pub struct StoredNegotiation {
    offer: Zeroizing<Vec<u8>>,
    answer: Zeroizing<Vec<u8>>,
    offerer: String,
    answerer: String,
}

impl StoredNegotiation {
    /// Keeps copies. `offerer` and `answerer` are identities that the network has asserted,
    /// `P-Asserted-Identity` say; what SDP says of its writer proves nothing.
    #[must_use]
    pub fn new(offer: &[u8], answer: &[u8], offerer: &str, answerer: &str) -> Self {
        Self {
            offer: Zeroizing::new(offer.to_vec()),
            answer: Zeroizing::new(answer.to_vec()),
            offerer: offerer.into(),
            answerer: answerer.into(),
        }
    }

    /// Who sent the offer.
    #[must_use]
    pub fn offerer(&self) -> &str {
        &self.offerer
    }

    /// Who sent the answer.
    #[must_use]
    pub fn answerer(&self) -> &str {
        &self.answerer
    }

    /// The streams that the answer accepted. Crypto-suites without a registered name are looked up
    /// in `private`.
    ///
    /// Key material that cannot be recovered does not hide its stream: see [`KeyMaterial`].
    ///
    /// # Errors
    ///
    /// [`SdpError`] if one of the descriptions cannot be read, [`Rule::MediaCount`] if they do not
    /// belong together.
    pub fn streams(&self, private: &[CryptoSuite]) -> Result<Vec<InterceptedStream>, SdpError> {
        let (offer, answer) = (Sdp::parse(&self.offer)?, Sdp::parse(&self.answer)?);
        if offer.media_count() != answer.media_count() {
            return Err(Rule::MediaCount.at(0));
        }
        let pairs = offer.media().zip(answer.media());
        pairs
            .filter_map(|(o, a)| InterceptedStream::read(&o, &a, private).transpose())
            .collect()
    }
}

// Both texts erase themselves.
impl ZeroizeOnDrop for StoredNegotiation {}

impl fmt::Debug for StoredNegotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredNegotiation").finish_non_exhaustive()
    }
}
