//! What one recipient of a message can do to another: it has MPKi and the content key, and forges
//! TRANSFER_INITs in the name of the sender by hand. Self-consistency.

use mikey::Message;
use mikey::code_points::{DataType, IdRole, RandRole, ThreeGppCodePoints};
use mikey::crypto::Iv;
use mikey::derive::{Label, MessageKeys, Rands, Secret, TicketMessage};
use mikey::exchange::{KeyKind, KeyMaterial};
use mikey::payload::{
    CryptoSession, CsIdMap, Extension, GeneralExtension, GenericIdMap, Header, Idr, Kemac, Mac,
    Payload, Randr, Ticket, TsValue, Verification,
};
use mikey::{Chain, Timestamp};
use mikey_ticket::profile::psk_mime;
use mikey_ticket::{PolicyError, Strength, TicketError, open_ticket};
use smime_psk::{
    AuthEnvelopedData, Encoding, KeyTransport, OpenError, OpenPolicy, ProofOfOrigin, RecipientInfo,
    RecipientInfos, SealPolicy, TransportError, Unwrapped, Wrapping,
};

use crate::messages::{Failure, Inbox, inbox, kms, sealed, ticket_of, tpks};
use crate::support::{TestRng, alice, bob, cache, carol, now, psk, user};

const CODE_POINTS: ThreeGppCodePoints = ThreeGppCodePoints::DEFAULT;

/// Bob, who is one of the recipients, and what he has of a message of Alice's.
struct Insider {
    mpk_i: Secret,
    genuine: Vec<u8>,
    /// Whether Vi becomes the MAC of the forgery, as the check of Carol wants it.
    vi_is_v: bool,
    at: Timestamp,
}

impl Insider {
    fn new(message: &[u8], vi_is_v: bool) -> Self {
        let message = AuthEnvelopedData::parse(message, Encoding::Der).unwrap();
        let Some(RecipientInfo::Other(info)) = message.recipient_infos().next() else {
            panic!("no TRANSFER_INIT");
        };
        let genuine = info.octets().unwrap().to_vec();
        // What the KMS tells everyone who may resolve the ticket.
        let contents = open_ticket(&ticket(&genuine), &tpks(), now()).unwrap();
        Self {
            mpk_i: contents.mpk_i().duplicate(),
            genuine,
            vi_is_v,
            at: now().plus_seconds(1),
        }
    }

    /// A TRANSFER_INIT from Alice to Carol.
    fn forge(&self, key: &[u8], proof: Option<&[u8]>) -> Vec<u8> {
        let (suite, csb_id, rand) = (Strength::Bits256.suite(), 7, [7; 32]);
        let rands = Rands::new(&rand, &[]).unwrap();
        let keys = MessageKeys::derive(
            suite,
            |key| Label::ticket_message_key(key, TicketMessage::Initial, csb_id, rands),
            |label, out| -> Result<(), ()> {
                let prf = suite.prf();
                prf.derive(self.mpk_i.expose(), label.as_octets(), out);
                Ok(())
            },
        )
        .unwrap();
        let timestamp = self.at.ntp();
        let tek = KeyMaterial::new(KeyKind::Tek, Secret::new(key).unwrap());
        let tek = [Payload::KeyData(tek.to_payload().unwrap())];
        let mut plain = Vec::new();
        Chain::new(&tek).encode_encrypted(&mut plain).unwrap();
        let sealed = keys.encrypt(&Iv { csb_id, timestamp }, &plain).unwrap();
        let proof = proof.map(|mac| Extension::ProofOfOrigin(mac).to_vec());

        let write = |ticket: Ticket<'_>, tag: &[u8]| {
            let sessions = [CryptoSession::psk_mime(&CODE_POINTS, 1)];
            let map = CsIdMap::GenericId(GenericIdMap::new(&sessions).unwrap());
            let prf_func = suite.prf().prf_func();
            let header = Header::new(DataType::TransferInit, prf_func, csb_id, map).unwrap();
            let (from, to) = (alice(), carol());
            let mut payloads = vec![
                Payload::T(TsValue::NtpUtc(u64::from_be_bytes(timestamp))),
                Payload::Randr(Randr::new(RandRole::Initiator, &rand).unwrap()),
                Payload::Idr(Idr::new(IdRole::Initiator, from.to_payload().unwrap())),
                Payload::Idr(Idr::new(IdRole::Responder, to.to_payload().unwrap())),
                Payload::Ticket(ticket),
                Payload::Kemac(Kemac::new(suite.cipher().encr_alg(), &sealed, Mac::NULL).unwrap()),
            ];
            if let Some(proof) = &proof {
                let extension = GeneralExtension::new(CODE_POINTS.proof_of_origin, proof);
                payloads.push(Payload::GeneralExtension(extension.unwrap()));
            }
            let mac = Mac::new(suite.mac().mac_alg(), tag).unwrap();
            payloads.push(Payload::V(Verification::new(mac)));
            Message::new(header, &payloads).unwrap().to_vec()
        };
        // V, which does not depend on Initiator Data.
        let genuine = ticket(&self.genuine);
        let bare = write(genuine.without_initiator_data(), &[0; 32]);
        let end = bare.len() - 32;
        let message = Message::decode(&bare).unwrap();
        let (range, part) = message
            .located()
            .find_map(|(range, payload)| match payload {
                Payload::Ticket(ticket) => Some((range, ticket.initiator_part_len())),
                _ => None,
            })
            .unwrap();
        let v = keys.mac(&[
            &bare[..range.end - part],
            &bare[range.end..end],
            alice().data(),
            carol().data(),
        ]);
        let Some((vi, vr)) = genuine.initiator_data().and_then(|data| data.macs()) else {
            return write(genuine, v.as_octets());
        };
        let own = Mac::new(vi.alg(), v.as_octets()).unwrap();
        let vi = if self.vi_is_v { own } else { vi };
        let pair = [vi, vr].map(|mac| Payload::V(Verification::new(mac)));
        let ticket = genuine.without_initiator_data();
        write(ticket.with_initiator_data(&pair).unwrap(), v.as_octets())
    }
}

impl KeyTransport for Insider {
    fn wrap(
        &mut self,
        content: &Wrapping<'_>,
        recipients: &mut RecipientInfos,
        _: &mut dyn rand_core::CryptoRng,
    ) -> Result<(), TransportError> {
        let message = self.forge(content.key().expose_key(), content.proof_of_origin());
        let ori_type = smime_psk::Oid::from_octets(CODE_POINTS.id_ori_mikey).unwrap();
        recipients.push_other_octets(ori_type, &message);
        Ok(())
    }

    fn unwrap(&mut self, _: &RecipientInfo<'_>) -> Result<Option<Unwrapped>, TransportError> {
        Ok(None)
    }
}

fn ticket(transfer_init: &[u8]) -> Ticket<'_> {
    let message = Message::decode(transfer_init).unwrap();
    let mut payloads = message.payloads();
    payloads
        .find_map(|payload| match payload {
            Payload::Ticket(ticket) => Some(ticket),
            _ => None,
        })
        .unwrap()
}

const FORGERY: &[u8] = b"Content-Type: text/plain\r\n\r\nI owe Bob a thousand.\r\n";

#[test]
fn a_recipient_of_a_shared_ticket_can_write_as_the_sender_and_proves_nothing() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let members = [bob(), carol()];
    let mut shared = ticket_of(&alice(), &members, false, &mut kms, &mut rng);
    let genuine = sealed(&mut shared, &members[..1], &SealPolicy::default(), &mut rng);
    let mut insider = Insider::new(&genuine, true);
    for proof in [ProofOfOrigin::None, ProofOfOrigin::Committing] {
        let policy = SealPolicy::default().proof_of_origin(proof);
        let forgery = smime_psk::seal(FORGERY, &mut insider, &policy, &mut rng).unwrap();
        // By annex E with I = 0 nothing tells it from Alice's, so nothing may claim that it is hers.
        let opened = inbox(&carol()).open(&forgery, &mut kms, &mut rng).unwrap();
        assert_eq!(opened.proof_of_origin(), ProofOfOrigin::None);
        let mut strict = Inbox {
            policy: OpenPolicy::default().proof_of_origin(ProofOfOrigin::Mac),
            ..inbox(&carol())
        };
        let refused = strict.open(&forgery, &mut kms, &mut rng).unwrap_err();
        let missing = Failure::Content(OpenError::OriginMissing);
        assert_eq!(refused, missing);
    }
}

#[test]
fn a_recipient_of_a_forked_ticket_cannot_write_as_the_sender() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let members = [bob(), carol()];
    let mut forked = ticket_of(&alice(), &members, true, &mut kms, &mut rng);
    let policy = SealPolicy::default().proof_of_origin(ProofOfOrigin::Mac);
    let genuine = sealed(&mut forked, &members[..1], &policy, &mut rng);
    for (vi_is_v, expected) in [
        // The KMS holds Vr against Vi, and Carol Vi against V.
        (true, Failure::Kms(TicketError::Forged)),
        (false, Failure::Ticket(TicketError::Forged)),
    ] {
        let mut insider = Insider::new(&genuine, vi_is_v);
        let forgery = smime_psk::seal(FORGERY, &mut insider, &policy, &mut rng).unwrap();
        let refused = inbox(&carol()).open(&forgery, &mut kms, &mut rng);
        assert_eq!(refused.unwrap_err(), expected);
    }
}

/// A kept resolution has no KMS behind it that would look at Vr.
#[test]
fn a_recipient_of_a_forked_ticket_cannot_write_to_one_that_keeps_resolutions() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let members = [bob(), carol()];
    let mut forked = ticket_of(&alice(), &members, true, &mut kms, &mut rng);
    let policy = SealPolicy::default().proof_of_origin(ProofOfOrigin::Mac);
    let genuine = sealed(&mut forked, &members[..1], &policy, &mut rng);
    let insider = Insider::new(&genuine, true);
    let application = psk_mime::application().unwrap();
    let user = user(carol()).with_application(application);
    let receive = |octets: &[u8]| user.receive(octets, now()).unwrap();
    let (resolving, request) = receive(&insider.genuine)
        .resolve(&psk(&carol()), now(), &mut rng)
        .unwrap();
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let first = resolving.accept(&response, now(), &mut cache()).unwrap();
    assert!(first.is_proven());
    assert!(psk_mime::receive(&first, &CODE_POINTS, now()).is_ok());
    let kept = first.resolution().unwrap();

    let forgery = insider.forge(&[1; 16], Some(&[2; 16]));
    let reused = receive(&forgery).reuse(&kept, now(), &mut cache()).unwrap();
    assert!(!reused.is_proven());
    let refused = psk_mime::receive(&reused, &CODE_POINTS, now());
    assert_eq!(
        refused.unwrap_err(),
        TicketError::Policy(PolicyError::Profile)
    );
}
