use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sdes::{CryptoSuite, Recovered, Refused};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::Codec;
use crate::lines::{Media, Section};
use crate::{KeyMgmt, Path, Protocol, SdpError, key_mgmt};

/// Where one end receives a stream.
///
/// See [`StoredNegotiation`](super::StoredNegotiation) for an example.
#[derive(Clone, Eq, PartialEq)]
pub struct Endpoint {
    address: Option<String>,
    port: u16,
    rtcp_port: Option<u16>,
    path: Option<String>,
}

impl Endpoint {
    fn read(media: &Media<'_>, port: u16, is_rtp: bool) -> Self {
        let section = media.section();
        let text = |octets| core::str::from_utf8(octets).ok().map(str::to_owned);
        let value = |name| {
            section
                .attributes_named(name)
                .next()
                .and_then(|a| a.value_str().ok())
        };
        let explicit = value("rtcp").and_then(|rtcp| rtcp.split(' ').next()?.parse().ok());
        let multiplexed = section.attributes_named("rtcp-mux").next().is_some();
        let rtcp_port = match explicit {
            _ if !is_rtp => None,
            Some(explicit) => Some(explicit),
            None if multiplexed => Some(port),
            None => port.checked_add(1),
        };
        Self {
            address: media.connection_line().and_then(|line| text(line.value())),
            port,
            rtcp_port,
            path: value(Path::NAME).map(str::to_owned),
        }
    }

    /// The value of the c-line: `IN IP4 192.0.2.1`.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The port of RTCP ([RFC 3605]; the port of RTP if this end offers or accepts `rtcp-mux`,
    /// which holds if both do); `None` for what is not RTP.
    ///
    /// [RFC 3605]: https://www.rfc-editor.org/rfc/rfc3605
    #[must_use]
    pub const fn rtcp_port(&self) -> Option<u16> {
        self.rtcp_port
    }

    /// The value of `a=path`, of an MSRP session.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

/// What a stream is protected with.
///
/// See [`StoredNegotiation`](super::StoredNegotiation) for an example.
#[non_exhaustive]
#[derive(Debug)]
pub enum KeyMaterial {
    /// TLS or DTLS by certificates: no key stands in SDP. The IMS-AGW has the content in clear where
    /// it ends the protection.
    Certificates,
    /// MIKEY messages of both ends: the KMS opens the ticket in them.
    KeyMgmt(KeyMgmtMessages),
    /// SDES keys of both directions.
    Sdes(Box<Recovered>),
    /// Not protected.
    Unprotected,
    /// SRTP for which the stored lines do not give keys, and why.
    Unrecoverable(Refused),
}

/// The key management messages of an offer and its answer, decoded.
///
/// They carry tickets: erased when dropped, never printed.
pub struct KeyMgmtMessages {
    offerer: Vec<Zeroizing<Vec<u8>>>,
    answerer: Vec<Zeroizing<Vec<u8>>>,
}

impl KeyMgmtMessages {
    /// What the offer carries, in its order of preference.
    pub fn offerer(&self) -> impl Iterator<Item = &[u8]> {
        self.offerer.iter().map(|message| message.as_slice())
    }

    /// What the answer carries.
    pub fn answerer(&self) -> impl Iterator<Item = &[u8]> {
        self.answerer.iter().map(|message| message.as_slice())
    }
}

// Each message erases itself.
impl ZeroizeOnDrop for KeyMgmtMessages {}

impl fmt::Debug for KeyMgmtMessages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyMgmtMessages").finish_non_exhaustive()
    }
}

/// A stream that offer and answer agreed on.
///
/// See [`StoredNegotiation`](super::StoredNegotiation) for an example.
///
/// `Debug` shows the place of the m-line alone: who is intercepted does not belong into logs.
pub struct InterceptedStream {
    index: usize,
    media: String,
    protocol: String,
    codecs: Vec<Codec>,
    offerer: Endpoint,
    answerer: Endpoint,
    keys: KeyMaterial,
}

impl InterceptedStream {
    /// `None` if the stream was refused.
    pub(super) fn read(
        offer: &Media<'_>,
        answer: &Media<'_>,
        private: &[CryptoSuite],
    ) -> Result<Option<Self>, SdpError> {
        let (offered, line) = (offer.media_line()?, answer.media_line()?);
        if offered.port() == 0 || line.port() == 0 {
            return Ok(None);
        }
        let protocol = line.protocol();
        Ok(Some(Self {
            index: answer.index(),
            media: line.media().to_owned(),
            protocol: protocol.as_str().to_owned(),
            codecs: Codec::of_answer(offer, answer, &line),
            offerer: Endpoint::read(offer, offered.port(), protocol.is_rtp()),
            answerer: Endpoint::read(answer, line.port(), protocol.is_rtp()),
            keys: keys(offer, answer, protocol, private)?,
        }))
    }

    /// Its place among the m-lines, from 0.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The media: `audio`, `message`, ...
    #[must_use]
    pub fn media(&self) -> &str {
        &self.media
    }

    /// The transport protocol.
    #[must_use]
    pub fn protocol(&self) -> Protocol<'_> {
        Protocol::from_token(&self.protocol)
    }

    /// The formats that the answer accepted.
    #[must_use]
    pub fn codecs(&self) -> &[Codec] {
        &self.codecs
    }

    /// Where the offerer receives.
    #[must_use]
    pub const fn offerer(&self) -> &Endpoint {
        &self.offerer
    }

    /// Where the answerer receives.
    #[must_use]
    pub const fn answerer(&self) -> &Endpoint {
        &self.answerer
    }

    /// What it is protected with.
    #[must_use]
    pub const fn keys(&self) -> &KeyMaterial {
        &self.keys
    }
}

impl fmt::Debug for InterceptedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterceptedStream")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

fn keys(
    offer: &Media<'_>,
    answer: &Media<'_>,
    protocol: Protocol<'_>,
    private: &[CryptoSuite],
) -> Result<KeyMaterial, SdpError> {
    let crypto = crypto_lines(answer.section());
    if !crypto.is_empty() {
        // Under RTP/AVP too: best-effort SRTP is SRTP once the answer has a key.
        let recovered = Recovered::from_stored(crypto_lines(offer.section()), crypto, private);
        return Ok(recovered.map_or_else(KeyMaterial::Unrecoverable, |keys| {
            KeyMaterial::Sdes(Box::new(keys))
        }));
    }
    if !protocol.is_secured() {
        return Ok(KeyMaterial::Unprotected);
    }
    let (offerer, answerer) = (key_mgmt_messages(offer)?, key_mgmt_messages(answer)?);
    Ok(if !offerer.is_empty() {
        KeyMaterial::KeyMgmt(KeyMgmtMessages { offerer, answerer })
    } else if protocol.is_tls() || protocol.is_dtls() {
        KeyMaterial::Certificates
    } else {
        KeyMaterial::Unrecoverable(Refused::NoCrypto)
    })
}

fn crypto_lines(section: Section<'_>) -> Vec<&str> {
    section
        .attributes_named("crypto")
        .take(sdes::limits::MAX_LINES_PER_MEDIA)
        .filter_map(|attribute| core::str::from_utf8(attribute.line().octets()).ok())
        .collect()
}

/// The messages of the section or, failing that, of the session.
fn key_mgmt_messages(media: &Media<'_>) -> Result<Vec<Zeroizing<Vec<u8>>>, SdpError> {
    let own = key_mgmt::lines_of(media.section())?;
    let lines = if own.is_empty() {
        key_mgmt::lines_of(media.session())?
    } else {
        own
    };
    let decoded = |line: KeyMgmt<'_>| line.message().map(Zeroizing::new);
    let number = media.lines().next().map_or(0, |line| line.number());
    lines
        .into_iter()
        .map(decoded)
        .collect::<Result<_, _>>()
        .map_err(|rule| rule.at(number))
}
