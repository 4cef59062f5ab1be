//! Self-consistency: streams beside the functions that have the whole message in memory.
#![cfg(feature = "std")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::io::{Cursor, Read, Seek, SeekFrom};

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use smime_psk::stream::{StreamSealer, open_stream, recipient_infos};
use smime_psk::{
    Attributes, AuthEnvelopedData, ContentEncryption, Encoding, KekRecipient, Oid, OpenError,
    OpenPolicy, ProofOfOrigin, SealError, SealPolicy,
};

const OPENSSL: &[u8] = include_bytes!("vectors/cms/openssl_authenveloped_attrs.bin");

fn kek() -> KekRecipient {
    KekRecipient::new(b"id", &[7; 32]).unwrap()
}

fn content(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

#[test]
fn what_is_sealed_in_a_stream_opens_in_memory_and_in_a_stream() {
    let mut attributes = Attributes::new();
    attributes
        .insert(Oid::from_arcs(&[2, 999, 1]).unwrap(), b"\x05\x00")
        .unwrap();
    for algorithm in ContentEncryption::ALL {
        for len in [0, 1, 16, 4095, 4096, 4097, 100_000] {
            let policy = SealPolicy::new(algorithm)
                .auth_attrs(attributes.clone())
                .unauth_attrs(attributes.clone());
            let content = content(len);
            let mut rng = UnwrapErr(SysRng);
            let sealer = StreamSealer::new(
                Vec::new(),
                u64::try_from(len).unwrap(),
                &mut kek(),
                &policy,
                &mut rng,
            );
            let mut sealer = sealer.unwrap();
            content
                .chunks(999)
                .for_each(|piece| sealer.write(piece).unwrap());
            let sealed = sealer.finish().unwrap();

            let policy = OpenPolicy::default();
            let opened = smime_psk::open(&sealed, &mut kek(), &policy).unwrap();
            assert_eq!(opened.content(), content);
            assert_eq!(*opened.auth_attrs(), attributes);

            let mut out = Vec::new();
            let opened = open_stream(&mut Cursor::new(&sealed), &mut out, &mut kek(), &policy);
            let opened = opened.unwrap();
            assert_eq!(out, content);
            assert_eq!(*opened.unauth_attrs(), attributes);
            assert_eq!(opened.content_len(), u64::try_from(len).unwrap());
        }
    }
}

#[test]
fn a_stream_gives_out_nothing_of_a_message_altered_in_any_octet() {
    let policy = SealPolicy::default();
    let sealed =
        smime_psk::seal(&content(300), &mut kek(), &policy, &mut UnwrapErr(SysRng)).unwrap();
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 0x41;
        let mut out = Vec::new();
        let policy = OpenPolicy::default();
        let in_stream = open_stream(&mut Cursor::new(&altered), &mut out, &mut kek(), &policy);
        let in_memory = smime_psk::open(&altered, &mut kek(), &policy);
        assert!(in_stream.is_err() && in_memory.is_err(), "octet {at}");
        assert!(out.is_empty(), "octet {at}");
    }
    for len in 0..sealed.len() {
        let mut out = Vec::new();
        let mut cut = Cursor::new(&sealed[..len]);
        let opened = open_stream(&mut cut, &mut out, &mut kek(), &OpenPolicy::default());
        assert!(opened.is_err() && out.is_empty(), "{len} octets");
    }
}

#[test]
fn a_stream_starts_where_the_reader_stands_and_reads_indefinite_lengths() {
    let file = [b"leading", OPENSSL].concat();
    let mut reader = Cursor::new(&file);
    reader.seek(SeekFrom::Start(7)).unwrap();
    let mut key = KekRecipient::new(&[0xc0, 0xfe, 0xe0], &(0..16).collect::<Vec<_>>()).unwrap();
    let mut out = Vec::new();
    let policy = OpenPolicy::default().encoding(Encoding::Ber);
    open_stream(&mut reader, &mut out, &mut key, &policy).unwrap();
    assert_eq!(out, b"Hello AuthEnvelopedData world\n");
}

#[test]
fn a_proof_of_origin_cannot_be_streamed() {
    let policy = SealPolicy::default().proof_of_origin(ProofOfOrigin::Mac);
    let mut rng = UnwrapErr(SysRng);
    let sealer = StreamSealer::new(Vec::new(), 1, &mut kek(), &policy, &mut rng);
    assert!(matches!(sealer, Err(SealError::ProofOfOriginInStream)));
}

#[test]
fn content_of_another_length_than_announced_is_refused() {
    let policy = SealPolicy::default();
    let mut rng = UnwrapErr(SysRng);
    let mut sealer = StreamSealer::new(Vec::new(), 2, &mut kek(), &policy, &mut rng).unwrap();
    assert_eq!(sealer.write(b"abc"), Err(SealError::ContentLength));
    let mut sealer = StreamSealer::new(Vec::new(), 2, &mut kek(), &policy, &mut rng).unwrap();
    sealer.write(b"a").unwrap();
    assert_eq!(sealer.finish().unwrap_err(), SealError::ContentLength);
}

/// A file whose last octets change once it has been read a number of times.
struct Changing {
    inner: Cursor<Vec<u8>>,
    seeks: usize,
}

impl Read for Changing {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(out)
    }
}

impl Seek for Changing {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.seeks += 1;
        if self.seeks == 4 {
            // After the length and the verifying pass: now the content is read to be released.
            let at = self.inner.get_ref().len() - 40;
            self.inner.get_mut()[at] ^= 1;
        }
        self.inner.seek(to)
    }
}

#[test]
fn a_file_that_changes_between_the_passes_is_noticed() {
    let policy = SealPolicy::default();
    let sealed =
        smime_psk::seal(&content(300), &mut kek(), &policy, &mut UnwrapErr(SysRng)).unwrap();
    let mut file = Changing {
        inner: Cursor::new(sealed),
        seeks: 0,
    };
    let opened = open_stream(
        &mut file,
        &mut Vec::new(),
        &mut kek(),
        &OpenPolicy::default(),
    );
    assert_eq!(opened.unwrap_err(), OpenError::Forged);
    assert_eq!(file.seeks, 4);
}

#[test]
fn the_recipients_of_a_stream_are_those_of_the_message() {
    let mut keys = [kek(), KekRecipient::new(b"other", &[8; 16]).unwrap()];
    let mut rng = UnwrapErr(SysRng);
    let sealed = smime_psk::seal(b"hi", &mut keys[..], &SealPolicy::default(), &mut rng).unwrap();
    for (message, encoding) in [(&sealed[..], Encoding::Der), (OPENSSL, Encoding::Ber)] {
        let parsed = AuthEnvelopedData::parse(message, encoding).unwrap();
        let in_memory: Vec<_> = parsed.recipient_infos().collect();
        // Behind something else in the same file.
        let mut file = Cursor::new([b"before", message].concat());
        file.set_position(6);
        let infos = recipient_infos(&mut file, encoding).unwrap();
        assert_eq!(infos.iter().collect::<Vec<_>>(), in_memory);
        assert_eq!(file.position(), 6);
        for len in 0..60 {
            assert!(recipient_infos(&mut Cursor::new(&message[..len]), encoding).is_err());
        }
    }
}

#[test]
fn a_stream_is_sealed_and_opened_in_bounded_memory() {
    const LEN: usize = 4 << 20;
    let content = vec![0x5a; 1 << 16];
    for algorithm in [ContentEncryption::Aes128Gcm, ContentEncryption::Aes128Ccm] {
        let policy = SealPolicy::new(algorithm);
        let mut file = Cursor::new(vec![0; LEN + 1024]);
        let mut rng = UnwrapErr(SysRng);
        let len = u64::try_from(LEN).unwrap();
        let sealing = allocation_counter::measure(|| {
            let mut sealer =
                StreamSealer::new(&mut file, len, &mut kek(), &policy, &mut rng).unwrap();
            for _ in 0..LEN / content.len() {
                sealer.write(&content).unwrap();
            }
            sealer.finish().unwrap();
        });
        let end = usize::try_from(file.position()).unwrap();
        file.get_mut().truncate(end);
        file.set_position(0);
        let opening = allocation_counter::measure(|| {
            let mut out = std::io::sink();
            open_stream(&mut file, &mut out, &mut kek(), &OpenPolicy::default()).unwrap();
        });
        for measured in [sealing, opening] {
            assert!(measured.bytes_max < 32 << 10, "{}", measured.bytes_max);
        }
    }
}
