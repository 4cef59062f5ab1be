//! TLS and DTLS with the pre-shared key that MIKEY-TICKET gives (TR 33.829 annex D), by OpenSSL.
//!
//! The client names no key and the server asks for none: there is one key for the connection, the
//! TEK of its crypto session. TLS 1.3 has no empty PSK identity, so it is TLS 1.2 and DTLS 1.2.

use core::fmt;
use std::io::{Read, Write};

use mikey::derive::Secret;
use openssl::{
    bn::BigNum,
    dh::Dh,
    error::ErrorStack,
    ssl::{
        HandshakeError, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions,
        SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
    },
};
use sdp_sec::tls_role::TlsRole;
use zeroize::Zeroizing;

/// The suites that are offered and taken: TLS_DHE_PSK and TLS_PSK with AES (RFC 4279, RFC 5487).
/// None without encryption (RFC 4785), none that needs a certificate.
pub const CIPHER_SUITES: &str = "DHE-PSK-AES256-GCM-SHA384:DHE-PSK-AES128-GCM-SHA256:\
    PSK-AES256-GCM-SHA384:PSK-AES128-GCM-SHA256:\
    DHE-PSK-AES256-CBC-SHA:DHE-PSK-AES128-CBC-SHA:PSK-AES256-CBC-SHA:PSK-AES128-CBC-SHA";

/// Over which transport.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
pub enum Transport {
    /// A stream: TLS.
    Stream,
    /// Datagrams: DTLS.
    Datagrams,
}

/// No protected connection.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The handshake failed: another key at the other end, no common suite, or a broken connection.
    #[error("TLS handshake failed: {0}")]
    Handshake(String),
    /// OpenSSL cannot be set up.
    #[error("OpenSSL: {0}")]
    Setup(#[from] ErrorStack),
}

/// The settings of one end, for as many connections as share the key.
pub struct Endpoint {
    context: SslContext,
    role: TlsRole,
    transport: Transport,
}

/// Octets of the longest datagram of DTLS.
const MTU: u32 = 1400;

impl Endpoint {
    /// The end with this role and key.
    ///
    /// # Errors
    ///
    /// [`TlsError::Setup`] if OpenSSL lacks what is needed.
    pub fn new(role: TlsRole, transport: Transport, psk: &Secret) -> Result<Self, TlsError> {
        let mut context = context(transport)?;
        context.set_cipher_list(CIPHER_SUITES)?;
        let psk = Zeroizing::new(psk.expose().to_vec());
        match role {
            TlsRole::Client => context.set_psk_client_callback(move |_, _hint, identity, out| {
                // The empty string, as C has it.
                identity.fill(0);
                Ok(give(&psk, out))
            }),
            TlsRole::Server => {
                let group = Dh::from_pqg(
                    BigNum::get_rfc3526_prime_2048()?,
                    None,
                    BigNum::from_u32(2)?,
                )?;
                context.set_tmp_dh(&group)?;
                context.set_psk_server_callback(move |_, _identity, out| Ok(give(&psk, out)));
            }
        }
        Ok(Self {
            context: context.build(),
            role,
            transport,
        })
    }

    /// Makes the connection over `stream` a protected one.
    ///
    /// # Errors
    ///
    /// [`TlsError::Handshake`].
    pub fn handshake<S: Read + Write + fmt::Debug>(
        &self,
        stream: S,
    ) -> Result<SslStream<S>, TlsError> {
        let mut ssl = Ssl::new(&self.context)?;
        if self.transport == Transport::Datagrams {
            ssl.set_mtu(MTU)?;
        }
        let stream = match self.role {
            TlsRole::Client => ssl.connect(stream),
            TlsRole::Server => ssl.accept(stream),
        };
        stream.map_err(|error| match error {
            HandshakeError::SetupFailure(error) => TlsError::Setup(error),
            HandshakeError::Failure(stream) | HandshakeError::WouldBlock(stream) => {
                TlsError::Handshake(stream.error().to_string())
            }
        })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// (D)TLS 1.2 without certificates and without resumption: each connection begins with the key.
fn context(transport: Transport) -> Result<SslContextBuilder, ErrorStack> {
    let (method, version) = match transport {
        Transport::Stream => (SslMethod::tls(), SslVersion::TLS1_2),
        Transport::Datagrams => (SslMethod::dtls(), SslVersion::DTLS1_2),
    };
    let mut context = SslContext::builder(method)?;
    context.set_min_proto_version(Some(version))?;
    context.set_max_proto_version(Some(version))?;
    context.set_verify(SslVerifyMode::NONE);
    context.set_options(SslOptions::NO_TICKET | SslOptions::NO_RENEGOTIATION);
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    Ok(context)
}

/// Octets of the key, or 0, which OpenSSL takes for no key.
fn give(psk: &[u8], out: &mut [u8]) -> usize {
    match out.get_mut(..psk.len()) {
        Some(out) => {
            out.copy_from_slice(psk);
            psk.len()
        }
        None => 0,
    }
}
