//! Self-consistency, on OpenSSL at both ends (with the feature `peers`, the installed one at one of
//! them): TLS and DTLS with the key that MIKEY-TICKET gives
//! (TR 33.829 annex D).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

use core::time::Duration;
use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::mpsc,
    thread,
};

use interop::{
    keyed_media::{self, OFFERER},
    kms::{self, Node, Subscribers},
    subscriber::Subscriber,
    tls_psk::{CIPHER_SUITES, Endpoint, TlsError, Transport},
};
use mikey::{Identity, derive::Secret};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslStream, SslVerifyMode, SslVersion};
use sdp_sec::tls_role::TlsRole;

const TIMEOUT: Option<Duration> = Some(Duration::from_secs(5));

#[test]
fn req_psk_11_the_client_names_no_key_and_the_server_ignores_the_name() {
    // What a server sees of our client: the empty string.
    let (seen, identities) = mpsc::channel();
    let mut server = raw(SslMethod::tls_server(), CIPHER_SUITES);
    server.set_psk_server_callback(move |_, identity, out| {
        seen.send(identity.map(<[u8]>::to_vec)).unwrap();
        out[..32].copy_from_slice(&[7; 32]);
        Ok(32)
    });
    let server = server.build();
    let (ours, theirs) = streams();
    let raw_end = thread::spawn(move || Ssl::new(&server).unwrap().accept(theirs).map(drop));
    assert!(endpoint(TlsRole::Client, 7).handshake(ours).is_ok());
    assert!(raw_end.join().unwrap().is_ok());
    assert_eq!(identities.recv().unwrap(), Some(Vec::new()));

    // Our server takes any name.
    for name in [&b""[..], b"alice", b"somebody else's key"] {
        let mut client = raw(SslMethod::tls_client(), CIPHER_SUITES);
        client.set_psk_client_callback(move |_, hint, identity, out| {
            assert_eq!(hint, None, "our server gives no hint");
            identity[..name.len()].copy_from_slice(name);
            identity[name.len()] = 0;
            out[..32].copy_from_slice(&[7; 32]);
            Ok(32)
        });
        let client = client.build();
        let (ours, theirs) = streams();
        let raw_end = thread::spawn(move || Ssl::new(&client).unwrap().connect(theirs).map(drop));
        assert!(endpoint(TlsRole::Server, 7).handshake(ours).is_ok());
        assert!(raw_end.join().unwrap().is_ok());
    }
}

/// Beside the installed OpenSSL's own program, which gives a hint.
#[cfg(feature = "peers")]
#[test]
fn req_psk_11_a_hint_of_the_server_is_ignored() {
    use interop::peer::{PeerError, or_not_run};
    use std::process::{Command, Stdio};

    let program = "openssl";
    let found = Command::new(program).arg("version").output();
    let found = found.map_err(|error| PeerError::Io { program, error });
    if or_not_run("req_psk_11_a_hint_of_the_server_is_ignored", found).is_none() {
        return;
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let server = Command::new(program)
        .args([
            "s_server",
            "-nocert",
            "-tls1_2",
            "-rev",
            "-psk_hint",
            "try this",
        ])
        .args([
            "-psk",
            &"07".repeat(32),
            "-accept",
            &format!("127.0.0.1:{port}"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut server = server.unwrap();
    let stream = (0..250).find_map(|_| {
        thread::sleep(Duration::from_millis(20));
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    let stream = stream.expect("openssl s_server listens");
    stream.set_read_timeout(TIMEOUT).unwrap();
    let mut stream = endpoint(TlsRole::Client, 7).handshake(stream).unwrap();
    assert_eq!(stream.ssl().psk_identity_hint(), Some(&b"try this"[..]));
    stream.write_all(b"olleh\n").unwrap();
    let mut octets = [0; 16];
    let len = stream.read(&mut octets).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(&octets[..len], b"hello\n");
}

#[test]
fn req_psk_12_each_suite_is_tls_psk_or_tls_dhe_psk_and_encrypts() {
    for suite in CIPHER_SUITES.split(':') {
        let mut server = raw(SslMethod::tls_server(), suite);
        server.set_psk_server_callback(|_, _, out| {
            out[..32].copy_from_slice(&[7; 32]);
            Ok(32)
        });
        let group = openssl::dh::Dh::get_2048_256().unwrap();
        server.set_tmp_dh(&group).unwrap();
        let server = server.build();
        let (ours, theirs) = streams();
        let raw_end = thread::spawn(move || Ssl::new(&server).unwrap().accept(theirs).map(drop));
        let stream = endpoint(TlsRole::Client, 7).handshake(ours).expect(suite);
        raw_end.join().unwrap().unwrap();
        let name = stream
            .ssl()
            .current_cipher()
            .unwrap()
            .standard_name()
            .unwrap();
        assert!(
            name.starts_with("TLS_PSK_WITH_AES_") || name.starts_with("TLS_DHE_PSK_WITH_AES_"),
            "{name}"
        );
        assert_eq!(stream.ssl().version2(), Some(SslVersion::TLS1_2));
    }
}

#[test]
fn req_psk_12_suites_without_encryption_or_of_other_kinds_are_refused() {
    for suite in [
        "PSK-NULL-SHA256",
        "DHE-PSK-NULL-SHA",
        "RSA-PSK-AES128-GCM-SHA256",
        "AES128-SHA",
    ] {
        let mut client = raw(SslMethod::tls_client(), &format!("{suite}:@SECLEVEL=0"));
        client.set_psk_client_callback(|_, _, identity, out| {
            identity[0] = 0;
            out[..32].copy_from_slice(&[7; 32]);
            Ok(32)
        });
        let client = client.build();
        let (ours, theirs) = streams();
        let raw_end = thread::spawn(move || Ssl::new(&client).unwrap().connect(theirs).is_err());
        let refused = endpoint(TlsRole::Server, 7).handshake(ours);
        assert!(matches!(refused, Err(TlsError::Handshake(_))), "{suite}");
        drop(refused);
        assert!(raw_end.join().unwrap(), "{suite}");
    }
}

#[test]
fn another_key_at_the_other_end_is_refused() {
    let (ours, theirs) = streams();
    let other = thread::spawn(move || endpoint(TlsRole::Client, 8).handshake(theirs).is_err());
    let refused = endpoint(TlsRole::Server, 7).handshake(ours);
    assert!(matches!(refused, Err(TlsError::Handshake(_))));
    drop(refused);
    assert!(other.join().unwrap());
}

#[test]
fn req_psk_17_one_tek_serves_several_tls_sessions() {
    let (alice, bob) = teks();
    assert_eq!(alice.expose(), bob.expose());
    let server = Endpoint::new(TlsRole::Server, Transport::Stream, &alice).unwrap();
    let client = Endpoint::new(TlsRole::Client, Transport::Stream, &bob).unwrap();
    let mut secrets = Vec::new();
    thread::scope(|scope| {
        for _ in 0..3 {
            let (ours, theirs) = streams();
            let served = scope.spawn(|| echo(server.handshake(theirs).unwrap()));
            let mut stream = client.handshake(ours).unwrap();
            assert!(!stream.ssl().session_reused());
            says_and_hears(&mut stream);
            let mut secret = [0; 48];
            stream.ssl().session().unwrap().master_key(&mut secret);
            secrets.push(secret);
            drop(stream);
            served.join().unwrap();
        }
    });
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 3, "each session has its own keys");
}

#[test]
fn req_psk_19_the_same_crypto_session_keys_dtls() {
    let (alice, bob) = teks();
    let server = Endpoint::new(TlsRole::Server, Transport::Datagrams, &alice).unwrap();
    let client = Endpoint::new(TlsRole::Client, Transport::Datagrams, &bob).unwrap();
    let (ours, theirs) = datagrams();
    let served = thread::spawn(move || echo(server.handshake(theirs).unwrap()));
    let mut stream = client.handshake(ours).unwrap();
    assert_eq!(stream.ssl().version_str(), "DTLSv1.2");
    says_and_hears(&mut stream);
    served.join().unwrap();
}

/// The TEKs that two users have after the exchanges with a KMS.
fn teks() -> (Secret, Secret) {
    let subscribers = Subscribers::demo().unwrap();
    let server = kms::local(&subscribers).unwrap();
    let nodes = [Node::new(&server.url())];
    let user = |uri| Subscriber::new(uri, &subscribers, &nodes).unwrap();
    let bob = Identity::uri("sip:bob@example.com").unwrap();

    let policy = keyed_media::forked(32, core::slice::from_ref(&bob)).unwrap();
    let mut ticket = user("sip:alice@example.com").request(&policy).unwrap();
    let (transfer, init) = keyed_media::offer_tls(&mut ticket, &bob).unwrap();
    let verified = user("sip:bob@example.com").receive(&init).unwrap();
    let (at_bob, response) = keyed_media::answer_tls(verified).unwrap();
    let at_alice = transfer.accept(&response).unwrap();
    (
        at_alice.tls_psk(OFFERER).unwrap(),
        at_bob.tls_psk(OFFERER).unwrap(),
    )
}

fn endpoint(role: TlsRole, key: u8) -> Endpoint {
    let psk = Secret::new(&[key; 32]).unwrap();
    Endpoint::new(role, Transport::Stream, &psk).unwrap()
}

/// OpenSSL without our settings.
fn raw(method: SslMethod, suites: &str) -> openssl::ssl::SslContextBuilder {
    let mut context = SslContext::builder(method).unwrap();
    context
        .set_max_proto_version(Some(SslVersion::TLS1_2))
        .unwrap();
    context.set_cipher_list(suites).unwrap();
    context.set_verify(SslVerifyMode::NONE);
    context
}

fn streams() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (other, _) = listener.accept().unwrap();
    for stream in [&one, &other] {
        stream.set_read_timeout(TIMEOUT).unwrap();
    }
    (one, other)
}

/// A connected socket as OpenSSL takes it.
#[derive(Debug)]
struct Datagrams(UdpSocket);

impl Read for Datagrams {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buffer)
    }
}

impl Write for Datagrams {
    fn write(&mut self, datagram: &[u8]) -> io::Result<usize> {
        self.0.send(datagram)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn datagrams() -> (Datagrams, Datagrams) {
    let socket = || UdpSocket::bind("127.0.0.1:0").unwrap();
    let (one, other) = (socket(), socket());
    one.connect(other.local_addr().unwrap()).unwrap();
    other.connect(one.local_addr().unwrap()).unwrap();
    for socket in [&one, &other] {
        socket.set_read_timeout(TIMEOUT).unwrap();
    }
    (Datagrams(one), Datagrams(other))
}

fn echo<S: Read + Write>(mut stream: SslStream<S>) {
    let mut octets = [0; 64];
    let len = stream.read(&mut octets).unwrap();
    stream.write_all(&octets[..len]).unwrap();
}

fn says_and_hears<S: Read + Write>(stream: &mut SslStream<S>) {
    stream.write_all(b"the same TEK").unwrap();
    let mut octets = [0; 64];
    let len = stream.read(&mut octets).unwrap();
    assert_eq!(&octets[..len], b"the same TEK");
}
