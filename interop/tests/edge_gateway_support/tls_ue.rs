//! UEs with TLS and DTLS, by the crate `openssl`, and cores with TCP and UDP.

use core::net::SocketAddr;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
};

use interop::edge::tls::Certificate;
use openssl::{
    pkey::PKey,
    ssl::{
        Error, Ssl, SslContext, SslContextBuilder, SslMethod, SslStream, SslVerifyMode, SslVersion,
    },
    x509::X509,
};
use sdp_sec::fingerprint::{Fingerprint, HashFunction};

use super::TIMEOUT;

/// A UE and its certificate.
pub(crate) struct Ue {
    certificate: Option<(X509, PKey<openssl::pkey::Private>)>,
    fingerprint: Fingerprint,
    pub(crate) adjust: fn(&mut SslContextBuilder),
}

impl Ue {
    pub(crate) fn new() -> Self {
        let certificate = Certificate::generate().unwrap();
        let pem = certificate.to_pem().unwrap();
        let parts = (
            X509::from_pem(&pem).unwrap(),
            PKey::private_key_from_pem(&pem).unwrap(),
        );
        Self {
            certificate: Some(parts),
            fingerprint: *certificate.fingerprint(),
            adjust: |_| {},
        }
    }

    pub(crate) fn without_certificate(mut self) -> Self {
        self.certificate = None;
        self
    }

    pub(crate) fn with(mut self, adjust: fn(&mut SslContextBuilder)) -> Self {
        self.adjust = adjust;
        self
    }

    /// The line of SDP.
    pub(crate) fn line(&self) -> String {
        format!("a=fingerprint:{}\n", self.fingerprint)
    }

    fn ssl(&self, method: SslMethod) -> Ssl {
        let mut context = SslContext::builder(method).unwrap();
        // Whose certificate the gateway shows is looked at afterwards.
        context.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
        if let Some((x509, key)) = &self.certificate {
            context.set_certificate(x509).unwrap();
            context.set_private_key(key).unwrap();
        }
        (self.adjust)(&mut context);
        Ssl::new(&context.build()).unwrap()
    }

    pub(crate) fn client<S: Read + Write>(&self, socket: S) -> Result<SslStream<S>, Error> {
        let mut stream = SslStream::new(self.ssl(SslMethod::tls()), socket).unwrap();
        stream.connect().map(|()| stream)
    }

    pub(crate) fn server<S: Read + Write>(&self, socket: S) -> Result<SslStream<S>, Error> {
        let mut stream = SslStream::new(self.ssl(SslMethod::tls()), socket).unwrap();
        stream.accept().map(|()| stream)
    }

    /// A DTLS association over a connected socket.
    pub(crate) fn dtls(&self, socket: UdpSocket, client: bool) -> Result<SslStream<Udp>, Error> {
        let mut ssl = self.ssl(SslMethod::dtls());
        ssl.set_mtu(1200).unwrap();
        let mut stream = SslStream::new(ssl, Udp(socket)).unwrap();
        if client {
            stream.connect()
        } else {
            stream.accept()
        }
        .map(|()| stream)
    }
}

/// The fingerprint of the certificate that the gateway shows in this connection.
pub(crate) fn shown<S>(stream: &SslStream<S>) -> String {
    let der = stream.ssl().peer_certificate().unwrap().to_der().unwrap();
    Fingerprint::of_certificate(&der, HashFunction::Sha256)
        .unwrap()
        .to_string()
}

/// Wants TLS 1.1 and nothing newer.
pub(crate) fn only_tls_1_1(context: &mut SslContextBuilder) {
    context.set_security_level(0);
    context
        .set_min_proto_version(Some(SslVersion::TLS1_1))
        .unwrap();
    context
        .set_max_proto_version(Some(SslVersion::TLS1_1))
        .unwrap();
    context.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
}

/// Wants TLS 1.2, for what is settled before the certificate is judged.
pub(crate) fn only_tls_1_2(context: &mut SslContextBuilder) {
    context
        .set_max_proto_version(Some(SslVersion::TLS1_2))
        .unwrap();
}

/// Wants CBC suites.
pub(crate) fn only_cbc(context: &mut SslContextBuilder) {
    only_tls_1_2(context);
    context
        .set_cipher_list("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA")
        .unwrap();
}

pub(crate) fn connect(to: SocketAddr) -> TcpStream {
    patient(TcpStream::connect(to).unwrap())
}

/// The next connection.
pub(crate) fn accept(listener: &TcpListener) -> TcpStream {
    patient(listener.accept().unwrap().0)
}

pub(crate) fn patient(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket.set_write_timeout(Some(TIMEOUT)).unwrap();
    socket
}

pub(crate) fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// So many octets of a stream.
pub(crate) fn read(stream: &mut impl Read, len: usize) -> Vec<u8> {
    let mut octets = vec![0; len];
    stream.read_exact(&mut octets).unwrap();
    octets
}

/// What a stream says until it ends, orderly or not.
pub(crate) fn rest(stream: &mut impl Read) -> Vec<u8> {
    let mut octets = Vec::new();
    let _ = stream.read_to_end(&mut octets);
    octets
}

/// A connected socket: a datagram a read, a datagram a write.
#[derive(Debug)]
pub(crate) struct Udp(pub(crate) UdpSocket);

impl Read for Udp {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.recv(buffer)
    }
}

impl Write for Udp {
    fn write(&mut self, datagram: &[u8]) -> std::io::Result<usize> {
        self.0.send(datagram)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
