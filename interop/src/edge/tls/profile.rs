//! The TLS and DTLS parameters of the IMS-AGW: the profile that TS 33.328 annex M names, by way of
//! TS 33.310 and TS 33.210.
//!
//! TLS 1.2 and 1.3, or DTLS 1.2; forward secrecy and AEAD alone; no renegotiation, compression,
//! tickets or resumption, so that every connection shows its certificate; both sides show one.

use openssl::error::ErrorStack;
use openssl::ssl::{
    Ssl, SslContext, SslMethod, SslMode, SslOptions, SslSessionCacheMode, SslVerifyMode, SslVersion,
};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509StoreContext, X509VerifyResult};
use sdp_sec::edge::gateway::{Attempt, Transport};
use sdp_sec::tls_role::TlsRole;

use super::{Certificate, Machine};

/// Cipher suites of TLS 1.2 and DTLS 1.2, in OpenSSL's words.
pub const CIPHER_SUITES: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
    ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";

/// Cipher suites of TLS 1.3.
pub const CIPHER_SUITES_1_3: &str = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";

const GROUPS: &str = "P-256:P-384";

/// 112 bits: keys of 2048 bits with RSA, no SHA-1.
const SECURITY_LEVEL: u32 = 2;

/// Octets of a datagram of the handshake, so that none is fragmented on its way.
pub(super) const MTU: u32 = 1200;

/// What holds for every connection of a stream.
pub(super) struct Context {
    ssl: SslContext,
    /// What OpenSSL answers with the alert bad_certificate.
    rejected: X509VerifyResult,
}

/// The context of a stream that shows `certificate`.
pub(super) fn context(
    transport: Transport,
    certificate: &Certificate,
) -> Result<Context, ErrorStack> {
    let (method, oldest) = match transport {
        Transport::Tcp => (SslMethod::tls(), SslVersion::TLS1_2),
        Transport::Datagram => (SslMethod::dtls(), SslVersion::DTLS1_2),
    };
    let mut builder = SslContext::builder(method)?;
    builder.set_min_proto_version(Some(oldest))?;
    builder.set_security_level(SECURITY_LEVEL);
    builder.set_cipher_list(CIPHER_SUITES)?;
    builder.set_ciphersuites(CIPHER_SUITES_1_3)?;
    builder.set_groups_list(GROUPS)?;
    builder.set_options(
        SslOptions::NO_RENEGOTIATION
            | SslOptions::NO_COMPRESSION
            | SslOptions::NO_TICKET
            | SslOptions::NO_QUERY_MTU,
    );
    builder.set_mode(SslMode::ACCEPT_MOVING_WRITE_BUFFER | SslMode::ENABLE_PARTIAL_WRITE);
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    builder.set_num_tickets(0)?;
    builder.set_certificate(&certificate.x509)?;
    builder.set_private_key(&certificate.key)?;
    builder.check_private_key()?;
    Ok(Context {
        ssl: builder.build(),
        rejected: hostname_mismatch(certificate)?,
    })
}

/// A verification result that is answered with the alert bad_certificate, as RFC 8122 §6.2 wants it.
/// The crate `openssl` gives none by name: this is what the certificate comes to under a name that it
/// does not have.
fn hostname_mismatch(certificate: &Certificate) -> Result<X509VerifyResult, ErrorStack> {
    let mut other_name = X509VerifyParam::new()?;
    other_name.set_host("other.invalid")?;
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(certificate.x509.clone())?;
    store.set_param(&other_name)?;
    let (store, no_chain) = (store.build(), Stack::new()?);
    X509StoreContext::new()?.init(&store, &certificate.x509, &no_chain, |context| {
        context.verify_cert()?;
        Ok(context.error())
    })
}

/// A connection whose peer `machine` judges in the handshake.
pub(super) fn connection(
    context: &Context,
    (role, attempt): (TlsRole, Attempt),
    machine: &Machine,
) -> Result<Ssl, ErrorStack> {
    let mut ssl = Ssl::new(&context.ssl)?;
    let (machine, rejected) = (machine.clone(), context.rejected);
    let mode = SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT;
    ssl.set_verify_callback(mode, move |_, chain| {
        // Nobody vouches for these certificates: SDP names the one that the peer has itself.
        if chain.error_depth() != 0 {
            return true;
        }
        let shown = chain.current_cert().and_then(|shown| shown.to_der().ok());
        let goes_on = shown.is_some_and(|der| machine.shows(attempt, &der));
        if !goes_on {
            chain.set_error(rejected);
        }
        goes_on
    });
    match role {
        TlsRole::Client => ssl.set_connect_state(),
        TlsRole::Server => ssl.set_accept_state(),
    }
    Ok(ssl)
}
