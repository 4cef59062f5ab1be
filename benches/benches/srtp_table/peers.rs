//! Other implementations at the same work.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use libsrtp::{CryptoPolicy, Session, StreamPolicy};

use super::{Direction, Profile, black_box, round, timed};

type Round = Box<dyn FnMut(u16) -> f64>;

/// Every peer, by name. One that is missing is said to be, and fails the run where CI is set.
pub(super) fn all(
    suite: Profile,
    direction: Direction,
    payload: usize,
) -> Vec<(&'static str, Round)> {
    let mut peers = vec![
        ("libsrtp", libsrtp(suite, direction, payload)),
        ("webrtc-srtp", webrtc(suite, direction, payload)),
        ("rtc-srtp", rtc(suite, direction, payload)),
    ];
    match ipsec_mb_program() {
        Ok(program) => {
            for (name, mode) in [("ipsec-mb", "single"), ("ipsec-mb_burst", "burst")] {
                let work = ipsec_mb_work(suite, direction, payload, mode);
                peers.push((name, ipsec_mb(&program, work)));
            }
        }
        Err(error) if std::env::var_os("CI").is_some() => panic!("intel-ipsec-mb: {error}"),
        Err(error) => eprintln!("intel-ipsec-mb not run: {error}"),
    }
    peers
}

/// Master key and salt of `suite`.
fn secrets(suite: Profile) -> (Vec<u8>, Vec<u8>) {
    (vec![0x5a; suite.key_len()], vec![0xa5; suite.salt_len()])
}

/// libsrtp on OpenSSL, both built from source.
fn libsrtp(suite: Profile, direction: Direction, payload: usize) -> Round {
    let policy = match suite {
        Profile::AesCm128HmacSha1_80 => CryptoPolicy::aes_cm_128_hmac_sha1_80(),
        Profile::AesCm256HmacSha1_80 => CryptoPolicy::aes_cm_256_hmac_sha1_80(),
        Profile::AeadAes128Gcm => CryptoPolicy::aes_gcm_128_16_auth(),
        _ => CryptoPolicy::aes_gcm_256_16_auth(),
    };
    let (key, salt) = secrets(suite);
    let key = [key, salt].concat();
    let policy = StreamPolicy {
        rtp: policy,
        rtcp: policy,
        key: &key,
        ..Default::default()
    };
    let mut outbound = Session::with_outbound_template(policy).expect("libsrtp");
    let mut inbound = Session::with_inbound_template(policy).expect("libsrtp");
    Box::new(move |first| {
        let mut packets = packets(first, payload);
        let protect = |packets: &mut [Vec<u8>], session: &mut Session| {
            for packet in packets {
                session.protect(black_box(packet)).expect("libsrtp");
            }
        };
        if direction == Direction::Protect {
            return timed(|| protect(&mut packets, &mut outbound));
        }
        protect(&mut packets, &mut outbound);
        timed(|| {
            for packet in &mut packets {
                inbound.unprotect(black_box(packet)).expect("libsrtp");
            }
        })
    })
}

fn packets(first: u16, payload: usize) -> Vec<Vec<u8>> {
    let packets = round(first, payload).into_iter();
    packets
        .map(|mut packet| {
            packet.octets.truncate(packet.len);
            packet.octets.reserve(256);
            packet.octets
        })
        .collect()
}

/// A round of a crate that returns each packet in a buffer of its own.
macro_rules! returning {
    ($direction:ident, $payload:ident, $sender:ident, $receiver:ident) => {
        Box::new(move |first| {
            let packets = packets(first, $payload);
            if $direction == Direction::Protect {
                return timed(|| {
                    for packet in &packets {
                        black_box($sender.encrypt_rtp(black_box(packet)).expect("a packet"));
                    }
                });
            }
            let packets: Vec<_> = packets
                .iter()
                .map(|packet| $sender.encrypt_rtp(packet).expect("a packet"))
                .collect();
            timed(|| {
                for packet in &packets {
                    black_box($receiver.decrypt_rtp(black_box(packet)).expect("a packet"));
                }
            })
        })
    };
}

fn webrtc(suite: Profile, direction: Direction, payload: usize) -> Round {
    use webrtc_srtp::context::Context;
    use webrtc_srtp::protection_profile::ProtectionProfile as P;

    let profile = match suite {
        Profile::AesCm128HmacSha1_80 => P::Aes128CmHmacSha1_80,
        Profile::AesCm256HmacSha1_80 => P::Aes256CmHmacSha1_80,
        Profile::AeadAes128Gcm => P::AeadAes128Gcm,
        _ => P::AeadAes256Gcm,
    };
    let (key, salt) = secrets(suite);
    let new = |options| Context::new(&key, &salt, profile, options, None).expect("a context");
    let mut sender = new(None);
    let mut receiver = new(Some(webrtc_srtp::option::srtp_replay_protection(128)));
    returning!(direction, payload, sender, receiver)
}

fn rtc(suite: Profile, direction: Direction, payload: usize) -> Round {
    use rtc_srtp::context::Context;
    use rtc_srtp::protection_profile::ProtectionProfile as P;

    let profile = match suite {
        Profile::AesCm128HmacSha1_80 => P::Aes128CmHmacSha1_80,
        Profile::AesCm256HmacSha1_80 => P::Aes256CmHmacSha1_80,
        Profile::AeadAes128Gcm => P::AeadAes128Gcm,
        _ => P::AeadAes256Gcm,
    };
    let (key, salt) = secrets(suite);
    let provider = rtc_crypto::default_provider().expect("a provider");
    let new = |options| {
        let context = Context::new(&key, &salt, profile, options, None, provider.crypto());
        context.expect("a context")
    };
    let mut sender = new(None);
    let mut receiver = new(Some(rtc_srtp::option::srtp_replay_protection(128)));
    returning!(direction, payload, sender, receiver)
}

/// Compiles `peers/ipsec_mb.c`, once a run.
fn ipsec_mb_program() -> Result<PathBuf, String> {
    static PROGRAM: std::sync::OnceLock<Result<PathBuf, String>> = std::sync::OnceLock::new();
    let compile = || {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ipsec_mb");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/ipsec_mb.c");
        let mut cc = Command::new("cc");
        let cc = cc.args(["-O2", source, "-o"]).arg(&program);
        let output = cc.arg("-lIPSec_MB").output();
        let output = output.map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        Ok(program)
    };
    PROGRAM.get_or_init(compile).clone()
}

fn ipsec_mb_work(suite: Profile, direction: Direction, payload: usize, mode: &str) -> String {
    let suite = match suite {
        Profile::AesCm128HmacSha1_80 => "cm128",
        Profile::AesCm256HmacSha1_80 => "cm256",
        Profile::AeadAes128Gcm => "gcm128",
        _ => "gcm256",
    };
    let direction = format!("{direction:?}").to_lowercase();
    format!("{suite} {direction} {payload} {mode}")
}

/// The cryptography of SRTP by intel-ipsec-mb, in a process of its own.
fn ipsec_mb(program: &Path, work: String) -> Round {
    struct Process {
        child: Child,
        answers: BufReader<ChildStdout>,
    }

    impl Drop for Process {
        fn drop(&mut self) {
            // It ends when its standard input does.
            drop(self.child.stdin.take());
            let _ = self.child.wait();
        }
    }

    let mut command = Command::new(program);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("what was compiled just now");
    let answers = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut process = Process { child, answers };
    Box::new(move |_| {
        let mut answer = String::new();
        let stdin = process.child.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{work}").expect("a process that reads");
        let read = process.answers.read_line(&mut answer);
        read.expect("a process that answers");
        answer.trim().parse().expect("nanoseconds")
    })
}
