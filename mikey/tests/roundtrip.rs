//! Self-consistency: decode(encode(x)) = x for any message that can be made, and
//! encode(decode(o)) = o for any octets that can be read.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use mikey::{
    Chain, Message, Quirks, Rules,
    code_points::{
        CertType, DataType, DhGroup, EccCurve, EncrAlg, EnvelopeKeyCache, ErrorNo,
        GeneralExtensionType, HashFunc, IdRole, IdType, KeyDataType, MacAlg, OmaBcastSubtype,
        PayloadType, PrfFunc, ProtType, RandRole, SType, SakkeIdScheme, SakkeParams,
        ThreeGppCodePoints, TicketType, TsRole,
    },
    payload::{
        BaseTicket, Cert, CertHash, CryptoSession, CsIdMap, Dh, Eccpt, ErrorPayload, Extension,
        GeneralExtension, GenericIdMap, Header, Id, IdentityEncrypted, Idr, Kemac, KeyData, KeyId,
        KeyIds, KeyValidity, Mac, Participants, Payload, Pke, PolicyParam, Rand, Randr, Sakke,
        SdpIds, SecurityPolicy, Sign, Sk, SrtpIdMap, SrtpIdSession, SrtpPolicy, SrtpSessionData,
        TeslaPolicy, Ticket, TicketFlags, TicketKind, TicketPolicy, Tr, TsValue, Verification,
    },
};
use proptest::{collection::vec, option, prelude::*};

/// Everything is read and written with the quirks that bear on which payloads may be together.
const RULES: Rules = Rules::STRICT.with_quirks(Quirks {
    sp_with_empty_map: true,
    dummy_tls_policy: true,
    ..Quirks::NONE
});

/// A payload of these octets; the kind decides which are used.
#[derive(Clone, Debug)]
struct Seed {
    kind: u8,
    a: u8,
    b: u8,
    word: u32,
    long: u64,
    octets: Vec<u8>,
    more: Vec<u8>,
    inner: Vec<Self>,
}

fn seed(inner: BoxedStrategy<Vec<Seed>>) -> impl Strategy<Value = Seed> {
    (
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        any::<u32>(),
        any::<u64>(),
        vec(any::<u8>(), 0..200),
        vec(any::<u8>(), 0..40),
        inner,
    )
        .prop_map(|(kind, a, b, word, long, octets, more, inner)| Seed {
            kind,
            a,
            b,
            word,
            long,
            octets,
            more,
            inner,
        })
}

fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    let leaves = vec(seed(Just(Vec::new()).boxed()), 0..4).boxed();
    vec(seed(leaves), 0..8)
}

const ZEROES: [u8; 256] = [0; 256];

fn ts(seed: &Seed) -> TsValue {
    match seed.a % 4 {
        0 => TsValue::NtpUtc(seed.long),
        1 => TsValue::Ntp(seed.long),
        2 => TsValue::Counter(seed.word),
        _ => TsValue::NtpUtc32(seed.word),
    }
}

fn mac(seed: &Seed) -> Mac<'_> {
    match seed.b % 3 {
        0 => Mac::NULL,
        1 => Mac::new(MacAlg::HmacSha1_160, &ZEROES[..20]).unwrap(),
        _ => Mac::new(MacAlg::HmacSha256_256, &ZEROES[..32]).unwrap(),
    }
}

fn validity(seed: &Seed) -> KeyValidity<'_> {
    match seed.b % 3 {
        0 => KeyValidity::NULL,
        1 => KeyValidity::from_spi(&seed.more).unwrap(),
        _ => KeyValidity::from_interval(&seed.more, &seed.octets).unwrap(),
    }
}

fn id(seed: &Seed) -> Id<'_> {
    Id::new(IdType::from(seed.a), &seed.octets).unwrap()
}

/// A payload that may stand anywhere but within encrypted data.
fn simple(seed: &Seed) -> Payload<'_> {
    match seed.kind % 7 {
        0 => Payload::T(ts(seed)),
        1 => Payload::Id(id(seed)),
        2 => Payload::V(Verification::new(mac(seed))),
        3 => Payload::Rand(Rand::new(&seed.octets).unwrap()),
        4 => Payload::Tr(Tr {
            role: TsRole::from(seed.b),
            value: ts(seed),
        }),
        5 => Payload::Idr(Idr::new(IdRole::from(seed.b), id(seed))),
        _ => Payload::Randr(Randr::new(RandRole::from(seed.a), &seed.octets).unwrap()),
    }
}

fn key(seed: &Seed) -> Payload<'_> {
    let key_type = KeyDataType::from(seed.kind % 8);
    let salt = (key_type.has_salt() == Some(true)).then_some(&seed.more[..]);
    Payload::KeyData(KeyData::new(key_type, &seed.octets, salt, validity(seed)).unwrap())
}

fn kind(seed: &Seed) -> TicketKind {
    let bit = |n: u32| seed.word >> n & 1 == 1;
    TicketKind {
        ticket_type: TicketType::from(u16::try_from(seed.long % 65_536).unwrap()),
        subtype: seed.a,
        version: seed.b,
        prf_func: PrfFunc::from(seed.kind % 128),
        flags: TicketFlags {
            kms_generated: bit(0),
            resolve_mandatory: bit(1),
            response: bit(2),
            responder_rand: bit(3),
            initiator_rand: bit(4),
            forking: bit(5),
            reusable: bit(6),
            changed: bit(7),
            initiator_keys: bit(8),
            responder_keys: bit(9),
            plain_initiator: bit(10),
            plain_responder: bit(11),
        },
    }
}

/// What a payload borrows that is made of others.
#[derive(Default)]
struct Parts<'a> {
    params: Vec<PolicyParam<'a>>,
    inner: Vec<Payload<'a>>,
    point: Vec<u8>,
}

fn parts(seed: &Seed) -> Parts<'_> {
    let params = seed
        .inner
        .iter()
        .map(|s| PolicyParam::new(s.kind, &s.octets).unwrap());
    let coordinate = EccCurve::from(1 + seed.a % 16).coordinate_len().unwrap();
    let point = match seed.b % 2 {
        0 => [&[2][..], &vec![seed.kind; coordinate]].concat(),
        _ => [&[4][..], &vec![seed.kind; 2 * coordinate]].concat(),
    };
    Parts {
        params: params.collect(),
        inner: seed.inner.iter().map(simple).collect(),
        point,
    }
}

fn payload<'a>(seed: &'a Seed, parts: &'a Parts<'a>) -> Payload<'a> {
    match seed.kind % 20 {
        0 => Payload::Kemac(Kemac::new(EncrAlg::from(seed.a), &seed.octets, mac(seed)).unwrap()),
        1 => Payload::Pke(Pke::new(EnvelopeKeyCache::from(seed.a % 4), &seed.octets).unwrap()),
        2 => {
            let group = DhGroup::from(seed.a % 3);
            let value = &ZEROES[..group.value_len().unwrap()];
            Payload::Dh(Dh::new(group, value, validity(seed)).unwrap())
        }
        3 => Payload::Cert(Cert::new(CertType::from(seed.a), &seed.octets).unwrap()),
        4 => {
            let hash = HashFunc::from(seed.a % 3);
            Payload::Chash(CertHash::new(hash, &ZEROES[..hash.hash_len().unwrap()]).unwrap())
        }
        // Prot types 241 and 243 have no policies.
        5 => Payload::Sp(
            SecurityPolicy::new(seed.a, ProtType::from(seed.b % 241), &parts.params).unwrap(),
        ),
        6 => Payload::Err(ErrorPayload::new(ErrorNo::from(seed.a))),
        7 => Payload::Tp(TicketPolicy::new(kind(seed), &parts.inner).unwrap()),
        8 => Payload::Ticket(
            Ticket::new(
                TicketPolicy::new(kind(seed), &parts.inner).unwrap(),
                &seed.octets,
            )
            .unwrap(),
        ),
        9 => Payload::Ticket(
            Ticket::new(TicketPolicy::new(kind(seed), &[]).unwrap(), &seed.octets)
                .unwrap()
                .with_initiator_data(&parts.inner)
                .unwrap(),
        ),
        10 => Payload::GeneralExtension(
            GeneralExtension::new(GeneralExtensionType::from(seed.a), &seed.octets).unwrap(),
        ),
        11 => Payload::Ibake(IdentityEncrypted::new(&seed.octets).unwrap()),
        12 => Payload::Esk(IdentityEncrypted::new(&seed.octets).unwrap()),
        13 => Payload::Sakke(
            Sakke::new(
                SakkeParams::from(seed.a),
                SakkeIdScheme::from(seed.b),
                &seed.octets,
            )
            .unwrap(),
        ),
        _ => simple(seed),
    }
}

/// A payload that stands within encrypted data.
fn encrypted<'a>(seed: &'a Seed, parts: &'a Parts<'a>) -> Payload<'a> {
    match seed.kind % 4 {
        0 => Payload::Sk(Sk::new(&seed.octets, validity(seed)).unwrap()),
        1 => {
            let curve = EccCurve::from(1 + seed.a % 16);
            Payload::Eccpt(Eccpt::new(curve, &parts.point, validity(seed)).unwrap())
        }
        2 => Payload::Id(id(seed)),
        _ => key(seed),
    }
}

/// Which map, and what for.
type MapSeed = (u8, Vec<(u8, u32, u32)>, Vec<Seed>);

fn map_seed() -> impl Strategy<Value = MapSeed> {
    let leaf = seed(Just(Vec::new()).boxed());
    (
        any::<u8>(),
        vec(any::<(u8, u32, u32)>(), 0..6),
        vec(leaf, 0..6),
    )
}

fn session(seed: &Seed) -> CryptoSession<'_> {
    let policies = &seed.octets[..seed.octets.len().min(127)];
    let code_points = ThreeGppCodePoints::default();
    match seed.kind % 4 {
        0 => CryptoSession::tls(&code_points, seed.a, &seed.more).unwrap(),
        1 => CryptoSession::psk_mime(&code_points, seed.a),
        2 => {
            let index = (seed.b % 2 == 1).then_some((seed.word, u16::from(seed.a)));
            let data = (!seed.b.is_multiple_of(3)).then_some(SrtpSessionData {
                ssrc: seed.word,
                index,
            });
            CryptoSession::srtp(seed.a, policies, data, &seed.more).unwrap()
        }
        _ => {
            let prot_type = ProtType::from(1 + seed.b % 240);
            CryptoSession::new(seed.a, prot_type, policies, &seed.octets, &seed.more).unwrap()
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        data_type in any::<u8>(),
        prf in 0_u8..128,
        csb_id in any::<u32>(),
        v_flag in any::<bool>(),
        (map, streams, sessions) in map_seed(),
        seeds in seeds(),
        signature in option::of((0_u8..16, vec(any::<u8>(), 0..300))),
    ) {
        let streams: Vec<_> = streams
            .iter()
            .map(|&(policy_no, ssrc, roc)| SrtpIdSession { policy_no, ssrc, roc })
            .collect();
        let mut sessions: Vec<_> = sessions.iter().map(session).collect();
        // No CS ID stands twice.
        sessions.sort_by_key(CryptoSession::cs_id);
        sessions.dedup_by_key(|session| session.cs_id());
        let map = match map % 3 {
            0 => CsIdMap::Empty { cs_count: map },
            1 => CsIdMap::SrtpId(SrtpIdMap::new(&streams).unwrap()),
            _ => CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap()),
        };
        let header = Header::new(DataType::from(data_type), PrfFunc::from(prf), csb_id, map)
            .unwrap()
            .expecting_response(v_flag);
        let parts: Vec<_> = seeds.iter().map(parts).collect();
        let mut payloads: Vec<_> =
            seeds.iter().zip(&parts).map(|(seed, parts)| payload(seed, parts)).collect();
        if let Some((s_type, signature)) = &signature {
            payloads.push(Payload::Sign(Sign::new(SType::from(*s_type), signature).unwrap()));
        }

        let message = RULES.compose(header, &payloads).unwrap();
        let octets = message.to_vec();
        prop_assert_eq!(octets.len(), message.encoded_len());
        let read = RULES.decode(&octets).unwrap();
        prop_assert_eq!(&read, &message);
        prop_assert_eq!(read.payloads().collect::<Vec<_>>(), payloads);
        prop_assert_eq!(read.to_vec(), octets);
    }

    #[test]
    fn encrypted_data_that_is_written_is_read_again(seeds in seeds()) {
        let parts: Vec<_> = seeds.iter().map(parts).collect();
        let payloads: Vec<_> =
            seeds.iter().zip(&parts).map(|(seed, parts)| encrypted(seed, parts)).collect();
        let mut octets = Vec::new();
        Chain::new(&payloads).encode_encrypted(&mut octets).unwrap();
        let first = payloads.first().map_or(PayloadType::KeyData, Payload::payload_type);
        let chain = Chain::decode_encrypted(&octets, first).unwrap();
        prop_assert_eq!(chain.iter().collect::<Vec<_>>(), payloads);
        prop_assert_eq!(chain.encoded_len(), octets.len());
    }

    #[test]
    fn ticket_data_that_is_written_is_read_again(seed in seed(vec(seed(Just(vec![]).boxed()), 0..6).boxed())) {
        let parts = parts(&seed);
        let ticket = BaseTicket::new(&seed.octets, &parts.inner).unwrap();
        let octets = ticket.to_vec();
        prop_assert_eq!(BaseTicket::decode(&octets).unwrap(), ticket);
        prop_assert_eq!(octets.len(), ticket.encoded_len());
    }

    #[test]
    fn extensions_that_are_written_are_read_again(seeds in seeds(), kind in 0_u8..11) {
        let code_points = ThreeGppCodePoints::default();
        let octets = seeds.first().map_or(&[][..], |seed| &seed.octets);
        let ids: Vec<_> = seeds.iter().map(|seed| Payload::Id(id(seed))).collect();
        let key_ids: Vec<_> =
            seeds.iter().map(|seed| KeyId::new(seed.a.into(), &seed.octets).unwrap()).collect();
        let extension = match kind {
            0 => Extension::VendorId(octets),
            1 => Extension::SdpIds(SdpIds::new("mikey;other2").unwrap()),
            2 => Extension::TeslaIKey(octets),
            3 => Extension::KeyIds(KeyIds::new(&key_ids)),
            4 => Extension::CsbId(seeds.first().map_or(0, |seed| seed.word)),
            5 => Extension::OmaBcast { subtype: OmaBcastSubtype::Stkm, data: octets },
            6 => Extension::SakkeToSelf(octets),
            7 => Extension::ThreeGppKeyParameters(octets),
            8 => Extension::Conf(Participants::new(&ids).unwrap()),
            9 => Extension::ProofOfOrigin(octets),
            _ => Extension::Unknown {
                extension_type: GeneralExtensionType::Unknown(99),
                data: octets,
            },
        };
        let data = extension.to_vec();
        let payload =
            GeneralExtension::new(extension.extension_type(&code_points), &data).unwrap();
        prop_assert_eq!(payload.value(&code_points), Ok(extension));
    }

    #[test]
    fn srtp_policies_that_are_written_are_read_again(
        numbers in proptest::array::uniform16(option::of(any::<u8>())),
        switches in proptest::array::uniform3(option::of(any::<bool>())),
        roc_rate in option::of(any::<u16>()),
    ) {
        let policy = SrtpPolicy {
            encr_alg: numbers[0].map(Into::into),
            encr_key_len: numbers[1],
            auth_alg: numbers[2].map(Into::into),
            auth_key_len: numbers[3],
            salt_key_len: numbers[4],
            prf: numbers[5].map(Into::into),
            key_derivation_rate: numbers[6],
            srtp_encr: switches[0],
            srtcp_encr: switches[1],
            fec_order: numbers[7].map(Into::into),
            srtp_auth: switches[2],
            auth_tag_len: numbers[8],
            prefix_len: numbers[9],
            roc_rate,
            srtp_auth_alg: numbers[10].map(Into::into),
            srtcp_auth_alg: numbers[11].map(Into::into),
            srtp_auth_key_len: numbers[12],
            srtcp_auth_key_len: numbers[13],
            srtp_auth_tag_len: numbers[14],
            srtcp_auth_tag_len: numbers[15],
            aead_auth_tag_len: numbers[0],
        };
        let params = policy.params();
        let types: Vec<_> = params.iter().map(PolicyParam::param_type).collect();
        prop_assert!(types.is_sorted());
        let sp = SecurityPolicy::new(0, ProtType::Srtp, &params).unwrap();
        prop_assert_eq!(SrtpPolicy::of(&sp), Ok(policy));
    }

    #[test]
    fn tesla_policies_that_are_written_are_read_again(
        numbers in proptest::array::uniform4(option::of(any::<u8>())),
        times in proptest::array::uniform2(option::of(any::<u64>())),
        counts in proptest::array::uniform2(option::of(any::<u32>())),
        disclosure_delay in option::of(any::<u16>()),
    ) {
        let policy = TeslaPolicy {
            prf: numbers[0],
            prf_len: numbers[1],
            mac_alg: numbers[2],
            mac_len: numbers[3],
            session_start: times[0],
            interval: counts[0],
            disclosure_delay,
            chain_len: counts[1],
            local_timestamp: times[1],
        };
        let params = policy.params();
        let sp = SecurityPolicy::new(0, ProtType::Tesla, &params).unwrap();
        prop_assert_eq!(TeslaPolicy::of(&sp), Ok(policy));
    }

    /// Octets that begin as a message may: most are refused, none panics, and what is read is
    /// written as it was.
    #[test]
    fn what_is_read_is_written_again(
        start in (0_u8..27, 0_u8..27, 0_u8..4, 0_u8..3),
        tail in vec(prop_oneof![3 => 0_u8..27, 1 => any::<u8>()], 0..120),
    ) {
        let (data_type, next, cs_count, map_type) = start;
        let head = [1, data_type, next, 0, 0, 0, 0, 1, cs_count, map_type];
        let octets = [&head[..], &tail].concat();
        for len in 0..=octets.len() {
            let Ok(message) = RULES.decode(&octets[..len]) else { continue };
            prop_assert_eq!(message.to_vec(), &octets[..len]);
            let payloads: Vec<_> = message.payloads().collect();
            let again = RULES.compose(*message.header(), &payloads).unwrap();
            prop_assert_eq!(again.to_vec(), &octets[..len]);
            let _ = Message::decode(&octets[..len]);
        }
    }
}
