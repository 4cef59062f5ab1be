//! A peer that has the key and sends what it must not: messages put together payload by payload and
//! authenticated as they should be.

use mikey::code_points::{DataType, EncrAlg, IdType, PayloadType, PrfFunc, ProtType};
use mikey::crypto::{Iv, Suite};
use mikey::derive::{Label, MAX_SECRET_LEN, MIN_SECRET_LEN, MessageKeys, Prf, Secret};
use mikey::exchange::{ExchangeError, dh_hmac, psk};
use mikey::payload::{
    CsIdMap, Header, Id, Kemac, KeyData, KeyValidity, Mac, Payload, Rand, SecurityPolicy, TsValue,
};
use mikey::{Chain, Message};

use crate::support::{TestRng, alice, bob, cache, lenient, now, shared_with, time};

const CSB_ID: u32 = 0x0102_0304;

/// What a message is made of; the default is one that is taken.
struct Parts<'a> {
    data_type: DataType,
    suite: Suite,
    time: Vec<TsValue>,
    rand: Vec<Vec<u8>>,
    ids: Vec<Id<'a>>,
    policies: Vec<SecurityPolicy<'a>>,
    keys: Vec<(mikey::code_points::KeyDataType, Vec<u8>)>,
    after_kemac: Vec<Payload<'a>>,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self {
            data_type: DataType::PreShared,
            suite: Suite::AES_CM_128_HMAC_SHA1,
            time: vec![time().to_payload()],
            rand: vec![vec![7; 16]],
            ids: vec![
                Id::new(IdType::Uri, b"sip:alice@example.org").unwrap(),
                Id::new(IdType::Uri, b"sip:bob@example.org").unwrap(),
            ],
            policies: Vec::new(),
            keys: vec![(mikey::code_points::KeyDataType::Tgk, vec![1; 16])],
            after_kemac: Vec::new(),
        }
    }
}

impl Parts<'_> {
    fn message(&self) -> Vec<u8> {
        let rand = self.rand.first().cloned().unwrap_or_default();
        let keys = MessageKeys::derive::<core::convert::Infallible>(
            self.suite,
            |key| Label::message_key(key, CSB_ID, &rand),
            |label, out| {
                self.suite.prf().derive(&[0x2b; 32], label.as_octets(), out);
                Ok(())
            },
        )
        .unwrap();
        let data: Vec<Payload<'_>> = self
            .keys
            .iter()
            .map(|(kind, key)| {
                Payload::KeyData(KeyData::new(*kind, key, None, KeyValidity::NULL).unwrap())
            })
            .collect();
        let mut plaintext = Vec::new();
        Chain::new(&data).encode_encrypted(&mut plaintext).unwrap();
        let iv = Iv {
            csb_id: CSB_ID,
            timestamp: time().octets(),
        };
        let encr_data = keys.encrypt(&iv, &plaintext).unwrap();

        let mut payloads: Vec<Payload<'_>> = self.time.iter().copied().map(Payload::T).collect();
        payloads.extend(
            self.rand
                .iter()
                .map(|rand| Payload::Rand(Rand::new(rand).unwrap())),
        );
        payloads.extend(self.ids.iter().copied().map(Payload::Id));
        payloads.extend(self.policies.iter().copied().map(Payload::Sp));
        let len = self.suite.mac().len();
        let unset = vec![0; len];
        let mac = Mac::new(self.suite.mac().mac_alg(), &unset).unwrap();
        let encr_alg = self.suite.cipher().encr_alg();
        payloads.push(Payload::Kemac(
            Kemac::new(encr_alg, &encr_data, mac).unwrap(),
        ));
        payloads.extend(self.after_kemac.iter().copied());
        let prf = self.suite.prf().prf_func();
        // An SRTP-ID map without entries, with which policies may stand.
        let map = CsIdMap::SrtpId(mikey::payload::SrtpIdMap::new(&[]).unwrap());
        let header = Header::new(self.data_type, prf, CSB_ID, map).unwrap();
        let mut octets = Message::new(header, &payloads).unwrap().to_vec();
        octets.truncate(octets.len() - len);
        let mac = keys.mac(&[&octets]);
        octets.extend_from_slice(mac.as_octets());
        octets
    }

    fn outcome(&self) -> Result<(), ExchangeError> {
        let keys = shared_with(alice());
        let responder = psk::Responder::new(&keys, bob()).acceptance(lenient());
        responder
            .accept(&self.message(), &mut cache(), now())
            .map(|_| ())
    }
}

#[test]
fn the_message_that_the_others_differ_from_is_taken() {
    assert_eq!(Parts::default().outcome(), Ok(()));
}

#[test]
fn rand_has_128_bits_at_least_and_stands_once() {
    let with = |rand: Vec<Vec<u8>>| {
        Parts {
            rand,
            ..Parts::default()
        }
        .outcome()
    };
    assert_eq!(with(vec![vec![7; 15]]), Err(ExchangeError::WeakRand));
    assert_eq!(with(vec![vec![7; 255]]), Ok(()));
    assert_eq!(
        with(vec![]),
        Err(ExchangeError::MissingPayload(PayloadType::Rand))
    );
    let twice = with(vec![vec![7; 16], vec![8; 16]]);
    assert_eq!(
        twice,
        Err(ExchangeError::UnexpectedPayload(PayloadType::Rand))
    );
}

#[test]
fn keys_have_lengths_within_their_limits() {
    use mikey::code_points::KeyDataType::Tgk;
    let with = |len| {
        Parts {
            keys: vec![(Tgk, vec![1; len])],
            ..Parts::default()
        }
        .outcome()
    };
    assert_eq!(with(MIN_SECRET_LEN - 1), Err(ExchangeError::KeyLength));
    assert_eq!(with(MIN_SECRET_LEN), Ok(()));
    assert_eq!(with(MAX_SECRET_LEN), Ok(()));
    assert_eq!(with(MAX_SECRET_LEN + 1), Err(ExchangeError::KeyLength));
    assert!(Secret::new(&[0; MIN_SECRET_LEN - 1]).is_err());
    assert!(Secret::random(MAX_SECRET_LEN + 1, &mut TestRng(1)).is_err());
}

#[test]
fn an_initial_message_brings_a_key_of_a_kind_that_sessions_use() {
    use mikey::code_points::KeyDataType::Mpk;
    let with = |keys| {
        Parts {
            keys,
            ..Parts::default()
        }
        .outcome()
    };
    assert_eq!(
        with(vec![]),
        Err(ExchangeError::MissingPayload(PayloadType::KeyData))
    );
    let mpk = with(vec![(Mpk, vec![1; 16])]);
    assert_eq!(
        mpk,
        Err(ExchangeError::UnexpectedPayload(PayloadType::KeyData))
    );
}

#[test]
fn time_stands_once() {
    let now = time().to_payload();
    let with = |time| {
        Parts {
            time,
            ..Parts::default()
        }
        .outcome()
    };
    assert_eq!(
        with(vec![]),
        Err(ExchangeError::MissingPayload(PayloadType::T))
    );
    assert_eq!(
        with(vec![now, now]),
        Err(ExchangeError::UnexpectedPayload(PayloadType::T))
    );
}

#[test]
fn a_message_names_its_sender_and_at_most_one_receiver() {
    let id = |name: &'static [u8]| Id::new(IdType::Uri, name).unwrap();
    let (alice, bob) = (id(b"sip:alice@example.org"), id(b"sip:bob@example.org"));
    let with = |ids| {
        Parts {
            ids,
            ..Parts::default()
        }
        .outcome()
    };
    assert_eq!(with(vec![alice]), Ok(()));
    assert_eq!(
        with(vec![]),
        Err(ExchangeError::MissingPayload(PayloadType::Id))
    );
    assert_eq!(with(vec![bob]), Err(ExchangeError::Reflected));
    assert_eq!(with(vec![bob, alice]), Err(ExchangeError::Reflected));
    assert_eq!(
        with(vec![alice, alice]),
        Err(ExchangeError::UnknownIdentity)
    );
    let three = with(vec![alice, bob, bob]);
    assert_eq!(
        three,
        Err(ExchangeError::UnexpectedPayload(PayloadType::Id))
    );
    // The same octets as another type of identity are another identity.
    let nai = Id::new(IdType::Nai, b"sip:alice@example.org").unwrap();
    assert_eq!(with(vec![nai, bob]), Err(ExchangeError::UnknownIdentity));
}

#[test]
fn a_policy_number_stands_for_one_policy() {
    let policy = SecurityPolicy::new(4, ProtType::Srtp, &[]).unwrap();
    let twice = Parts {
        policies: vec![policy, policy],
        ..Parts::default()
    }
    .outcome();
    assert_eq!(
        twice,
        Err(ExchangeError::UnexpectedPayload(PayloadType::Sp))
    );
}

#[test]
fn nothing_stands_behind_the_mac() {
    let behind = vec![Payload::Id(
        Id::new(IdType::Uri, b"sip:carol@example.org").unwrap(),
    )];
    let outcome = Parts {
        ids: vec![],
        after_kemac: behind,
        ..Parts::default()
    }
    .outcome();
    assert_eq!(
        outcome,
        Err(ExchangeError::UnexpectedPayload(PayloadType::Id))
    );
}

#[test]
fn a_message_of_another_exchange_is_not_taken_even_with_the_right_mac() {
    let parts = Parts {
        data_type: DataType::DhHmacInit,
        ..Parts::default()
    };
    let found = ExchangeError::UnsupportedDataType(DataType::DhHmacInit);
    assert_eq!(parts.outcome(), Err(found));
    // Nor does DHHMAC take keys that were sent.
    let keys = shared_with(alice());
    let responder = dh_hmac::Responder::new(&keys, bob());
    let error = responder
        .accept(&parts.message(), &mut cache(), now())
        .unwrap_err();
    assert_eq!(error, ExchangeError::UnsupportedCipher);
}

#[test]
fn algorithms_of_unequal_strength_are_not_taken_together() {
    // A strong suite whose header or KEMAC says a weaker algorithm.
    let strong = Parts {
        suite: Suite::AES_CM_256_HMAC_SHA256,
        rand: vec![vec![7; 32]],
        ..Parts::default()
    };
    assert_eq!(strong.outcome(), Ok(()));
    let message = strong.message();
    let keys = shared_with(alice());
    let responder = psk::Responder::new(&keys, bob());
    let with = |index: usize, octet: u8| {
        let mut changed = message.clone();
        changed[index] = octet;
        responder.accept(&changed, &mut cache(), now()).unwrap_err()
    };
    assert_eq!(
        with(3, PrfFunc::Mikey1.into()),
        ExchangeError::UnsupportedCipher
    );
    assert_eq!(with(3, 0x70), ExchangeError::UnsupportedPrf);
    let kemac = message.len() - 32 - 1 - (4 + 16) - 2 - 1;
    assert_eq!(
        message[kemac],
        EncrAlg::AesCm256.into(),
        "the layout of the message"
    );
    assert_eq!(
        with(kemac, EncrAlg::AesCm128.into()),
        ExchangeError::UnsupportedCipher
    );
    assert_eq!(
        with(kemac, EncrAlg::Null.into()),
        ExchangeError::UnsupportedCipher
    );
    assert_eq!(with(kemac, 0x70), ExchangeError::UnsupportedCipher);
}

#[test]
fn prfs_are_those_of_their_code_points() {
    for prf in [Prf::Mikey1, Prf::HmacSha256] {
        assert_eq!(Prf::from_prf_func(prf.prf_func()), Some(prf));
    }
    assert_eq!(Prf::from_prf_func(PrfFunc::Unknown(9)), None);
}
