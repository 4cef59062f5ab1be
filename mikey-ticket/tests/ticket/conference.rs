//! Creating a conference and joining it (TR 33.829 §5.3.3), by requirement. Self-consistency.

use mikey::code_points::ThreeGppCodePoints;
use mikey::keymgmt::{self, KeyMgmt};
use mikey::payload::{Extension, GeneralExtension, Payload};
use mikey::{Identity, Message, ReplayError, Timestamp};
use mikey_ticket::profile::conference::{self, Admission};
use mikey_ticket::profile::ims_media;
use mikey_ticket::{
    Answer, Established, GrantedTicket, InMemoryTicketKeys, Kms, KmsPolicy, Offer, Policy,
    PolicyError, Recipient, Resolution, Responder, Strength, TicketError, VerifiedTransfer,
};

use crate::support::*;

const CODE_POINTS: ThreeGppCodePoints = ThreeGppCodePoints::DEFAULT;

fn focus() -> Identity {
    id("sip:focus7@conferencing.example.com")
}

fn other_focus() -> Identity {
    id("sip:focus8@conferencing.example.com")
}

fn factory() -> Identity {
    id("sip:factory@example.com")
}

fn eve() -> Identity {
    id("sip:eve@example.org")
}

/// The KMS knows which foci belong to the factory.
struct Foci;

impl KmsPolicy for Foci {
    fn grant(&self, _: &Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
        Some(asked.clone())
    }

    fn may_stand_in(&self, resolver: &Identity, policy: &Policy, _: Timestamp) -> bool {
        policy.allows_recipient(&factory()) && [focus(), other_focus()].contains(resolver)
    }
}

type ConferenceKms = Kms<mikey::InMemoryKeys, InMemoryTicketKeys, Foci, mikey::InMemoryReplayCache>;

fn kms() -> ConferenceKms {
    let mut keys = subscribers();
    for who in [focus(), other_focus(), eve()] {
        keys.insert(who.clone(), psk_of(&who));
    }
    Kms::new(kms_id(), keys, tpks(), Foci, cache())
}

fn granted_by(policy: &Policy, kms: &mut ConferenceKms, rng: &mut TestRng) -> GrantedTicket {
    let (pending, request) = ask(policy, rng);
    let response = kms.handle(&request, now(), rng).unwrap();
    pending.accept(&response, now()).unwrap()
}

fn conference_ticket(kms: &mut ConferenceKms, rng: &mut TestRng) -> GrantedTicket {
    let policy = conference::policy(Strength::Bits256, factory()).unwrap();
    granted_by(&policy, kms, rng)
}

fn at_focus(who: Identity) -> Responder {
    user(who).standing_in_for(factory())
}

fn try_resolve(
    who: &Identity,
    init: &[u8],
    kms: &mut ConferenceKms,
    rng: &mut TestRng,
) -> Result<VerifiedTransfer, TicketError> {
    let later = now().plus_seconds(60);
    let incoming = at_focus(who.clone()).receive(init, later)?;
    let (resolving, request) = incoming.resolve(&psk(who), later, rng)?;
    let response = kms.handle(&request, later, rng)?;
    Ok(resolving.accept(&response, later, &mut cache())?)
}

fn resolve(init: &[u8], kms: &mut ConferenceKms, rng: &mut TestRng) -> VerifiedTransfer {
    try_resolve(&focus(), init, kms, rng).unwrap()
}

fn create(
    ticket: &mut GrantedTicket,
    list: &[Identity],
    kms: &mut ConferenceKms,
    rng: &mut TestRng,
) -> (Admission, Established) {
    let (waiting, init) =
        conference::transfer(ticket, &factory(), list, &CODE_POINTS, now(), rng).unwrap();
    let verified = resolve(&init, kms, rng);
    let admission = Admission::create(&verified, &CODE_POINTS, now()).unwrap();
    let (_, answer) = verified.accept(&Answer::new(&[]), now(), rng).unwrap();
    let rule = Recipient::new(id("?@conferencing.example.com"));
    let created = waiting.accept_from(&answer.unwrap(), |peer| rule.names(peer));
    (admission, created.unwrap())
}

#[test]
fn req_ck_01_a_ticket_for_the_factory_travels_in_a_part_of_the_invite() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = conference_ticket(&mut kms, &mut rng);
    assert!(ticket.policy().allows_recipient(&factory()));
    assert!(!ticket.policy().allows_recipient(&focus()));
    let (_, init) =
        conference::transfer(&mut ticket, &factory(), &[], &CODE_POINTS, now(), &mut rng).unwrap();
    let body = format!(
        "--boundary1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--boundary1\r\n\
         Content-Type: {}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--boundary1--\r\n",
        keymgmt::MEDIA_TYPE,
        *keymgmt::body_to_base64(&init),
    );
    let part = body.split("base64\r\n\r\n").nth(1).unwrap();
    let part = part.split("\r\n--").next().unwrap();
    assert_eq!(
        resolve(
            &keymgmt::body_from_base64(part).unwrap(),
            &mut kms,
            &mut rng
        )
        .initiator(),
        &alice()
    );
}

#[test]
fn req_ck_02_forking_and_no_crypto_session() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = conference_ticket(&mut kms, &mut rng);
    assert!(ticket.policy().flags().forking);
    let (_, init) =
        conference::transfer(&mut ticket, &factory(), &[], &CODE_POINTS, now(), &mut rng).unwrap();
    let message = Message::decode(&init).unwrap();
    assert_eq!(message.header().cs_id_map().cs_count(), 0);
    let verified = resolve(&init, &mut kms, &mut rng);
    assert!(verified.spi_of_only_key().is_none(), "no key in the ticket");

    // Without forking the focus is not known, so there is no such conference.
    let shared = Policy::new(
        Strength::Bits256,
        Policy::SHARED,
        vec![Recipient::new(factory())],
    );
    let mut shared = granted_by(&shared.unwrap(), &mut kms, &mut rng);
    let refused = conference::transfer(&mut shared, &factory(), &[], &CODE_POINTS, now(), &mut rng);
    let profile = TicketError::Policy(PolicyError::Profile);
    assert_eq!(refused.unwrap_err(), profile);
    let (_, init) = shared
        .transfer(&Offer::new(&factory(), &[]), now(), &mut rng)
        .unwrap();
    let verified = resolve(&init, &mut kms, &mut rng);
    assert_eq!(
        conference::participants(&verified, &CODE_POINTS),
        Err(profile)
    );

    // With a crypto session it is a call.
    let (params, peer) = (srtp_params(), factory());
    let srtp = mikey::code_points::ProtType::Srtp;
    let policies = [mikey::payload::SecurityPolicy::new(0, srtp, &params).unwrap()];
    let sessions = [stream(1, 0x1111_1111, &[])];
    let offer = Offer::new(&peer, &sessions).with_policies(&policies);
    let (_, init) = ticket.transfer(&offer, now(), &mut rng).unwrap();
    let verified = resolve(&init, &mut kms, &mut rng);
    let refused = conference::participants(&verified, &CODE_POINTS);
    assert_eq!(refused, Err(TicketError::UnsupportedSessions));
}

#[test]
fn req_ck_03_the_creator_checks_that_the_focus_is_one_of_the_factory() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = conference_ticket(&mut kms, &mut rng);
    let mut answered = |rng: &mut TestRng| {
        let factory = factory();
        let (waiting, init) =
            conference::transfer(&mut ticket, &factory, &[], &CODE_POINTS, now(), rng).unwrap();
        let verified = resolve(&init, &mut kms, rng);
        let (_, answer) = verified.accept(&Answer::new(&[]), now(), rng).unwrap();
        (waiting, answer.unwrap())
    };
    let (waiting, answer) = answered(&mut rng);
    let rejected = waiting.accept(&answer).unwrap_err();
    assert_eq!(
        rejected.error(),
        TicketError::WrongRecipient,
        "the ticket does not name it"
    );
    let waiting = rejected.into_state();
    let elsewhere = Recipient::new(id("?@elsewhere.example.com"));
    let rejected = waiting.accept_from(&answer, |peer| elsewhere.names(peer));
    let rejected = rejected.unwrap_err();
    assert_eq!(rejected.error(), TicketError::WrongRecipient);
    // By a rule.
    let rule = Recipient::new(id("?@conferencing.example.com"));
    let created = rejected
        .into_state()
        .accept_from(&answer, |peer| rule.names(peer));
    assert_eq!(created.unwrap().check_peer(&focus()), Ok(()));
    // By a list.
    let list = [other_focus(), focus()];
    let (waiting, answer) = answered(&mut rng);
    let created = waiting.accept_from(&answer, |peer| list.contains(peer));
    assert_eq!(created.unwrap().peer(), &focus());
    // Nobody answers in the name of another focus: its name forks the keys.
    let (waiting, answer) = answered(&mut rng);
    let forged = replaced(&answer, b"focus7", b"focus8");
    let rejected = waiting.accept_from(&forged, |peer| list.contains(peer));
    assert_eq!(rejected.unwrap_err().error(), TicketError::Forged);
}

#[test]
fn req_ck_04_the_list_is_zero_or_more_identities_under_the_mac() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = conference_ticket(&mut kms, &mut rng);
    for list in [vec![], vec![bob()], vec![bob(), carol()]] {
        let factory = factory();
        let (_, init) =
            conference::transfer(&mut ticket, &factory, &list, &CODE_POINTS, now(), &mut rng)
                .unwrap();
        let verified = resolve(&init, &mut kms, &mut rng);
        let listed = conference::participants(&verified, &CODE_POINTS).unwrap();
        assert_eq!(listed, Some(list.clone()));
        if list.len() == 1 {
            let other = replaced(&init, b"bob", b"eve");
            let refused = try_resolve(&focus(), &other, &mut kms, &mut rng);
            assert_eq!(refused.unwrap_err(), TicketError::Forged);
        }
    }
    let (_, init) = ticket
        .transfer(&Offer::new(&factory(), &[]), now(), &mut rng)
        .unwrap();
    let verified = resolve(&init, &mut kms, &mut rng);
    assert_eq!(conference::participants(&verified, &CODE_POINTS), Ok(None));

    // Two lists are none.
    let id = bob();
    let ids = [Payload::Id(id.to_payload().unwrap())];
    let data = Extension::Conf(mikey::payload::Participants::new(&ids).unwrap()).to_vec();
    let twice = [GeneralExtension::new(CODE_POINTS.conf, &data).unwrap(); 2];
    let factory = factory();
    let offer = Offer::new(&factory, &[]).with_extensions(&twice);
    let (_, init) = ticket.transfer(&offer, now(), &mut rng).unwrap();
    let verified = resolve(&init, &mut kms, &mut rng);
    assert!(conference::participants(&verified, &CODE_POINTS).is_err());
}

#[test]
fn req_ck_05_the_creator_updates_the_list_and_the_answer_only_confirms() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = conference_ticket(&mut kms, &mut rng);
    let (mut admission, created) = create(&mut ticket, &[bob()], &mut kms, &mut rng);
    assert!(admission.admits(&bob()) && !admission.admits(&carol()));
    let later = |seconds| now().plus_seconds(seconds);
    let mut update = |to: &Identity, list: &[Identity], at, rng: &mut TestRng| {
        conference::transfer(&mut ticket, to, list, &CODE_POINTS, at, rng).unwrap()
    };
    let (_, old) = update(&focus(), &[eve()], later(5), &mut rng);
    let (waiting, init) = update(&focus(), &[carol()], later(10), &mut rng);
    let verified = resolve(&init, &mut kms, &mut rng);
    assert_eq!(admission.update(&verified, &CODE_POINTS, later(10)), Ok(()));
    assert!(!admission.admits(&bob()) && admission.admits(&carol()));
    assert!(admission.admits(&alice()), "the creator is always in");
    let (_, answer) = verified
        .accept(&Answer::new(&[]), later(10), &mut rng)
        .unwrap();
    let confirmed = waiting.accept_from(&answer.unwrap(), |peer| *peer == *created.peer());
    let confirmed = confirmed.unwrap();
    assert_eq!(confirmed.check_peer(created.peer()), Ok(()));
    assert!(confirmed.sessions().is_empty());

    // An older list, one for another conference, one of another user.
    let before = admission.clone();
    let verified = resolve(&old, &mut kms, &mut rng);
    let refused = admission.update(&verified, &CODE_POINTS, later(11));
    assert_eq!(refused, Err(TicketError::Replay(ReplayError::TooOld)));
    for to in [factory(), other_focus()] {
        let (_, init) = update(&to, &[eve()], later(20), &mut rng);
        let verified = resolve(&init, &mut kms, &mut rng);
        let refused = admission.update(&verified, &CODE_POINTS, later(20));
        assert_eq!(refused, Err(TicketError::WrongRecipient));
    }
    let policy = conference::policy(Strength::Bits256, factory()).unwrap();
    let (pending, request) = mikey_ticket::Initiator::new(eve(), kms_id())
        .request(&policy, &psk(&eve()), now(), &mut rng)
        .unwrap();
    let response = kms.handle(&request, now(), &mut rng).unwrap();
    let mut of_eve = pending.accept(&response, now()).unwrap();
    let (_, init) = conference::transfer(
        &mut of_eve,
        &focus(),
        &[eve()],
        &CODE_POINTS,
        later(30),
        &mut rng,
    )
    .unwrap();
    let verified = resolve(&init, &mut kms, &mut rng);
    let refused = admission.update(&verified, &CODE_POINTS, later(30));
    assert_eq!(refused, Err(TicketError::UnknownIdentity));
    assert_eq!(admission, before);
}

/// A list is only taken when the KMS has verified who sent this very message.
#[test]
fn req_ck_05_a_kept_resolution_proves_no_list() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = conference_ticket(&mut kms, &mut rng);
    let (mut admission, _) = create(&mut ticket, &[], &mut kms, &mut rng);
    let at = now().plus_seconds(1);
    let (_, init) =
        conference::transfer(&mut ticket, &focus(), &[bob()], &CODE_POINTS, at, &mut rng).unwrap();
    let kept: Resolution = resolve(&init, &mut kms, &mut rng).resolution().unwrap();
    let incoming = at_focus(focus()).receive(&init, at).unwrap();
    let reused = incoming.reuse(&kept, at, &mut cache()).unwrap();
    let refused = admission.update(&reused, &CODE_POINTS, at);
    assert_eq!(refused, Err(TicketError::Policy(PolicyError::Profile)));
    assert!(!admission.admits(&bob()));
}

#[test]
fn req_ck_06_only_listed_users_join_and_only_a_focus_of_the_factory_resolves() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = conference_ticket(&mut kms, &mut rng);
    let flags = ticket.policy().flags();
    assert!(flags.kms_generated && flags.resolve_mandatory, "mode 1");
    let (admission, _) = create(&mut ticket, &[bob()], &mut kms, &mut rng);
    let invited = [bob(), carol(), eve()];
    let admitted: Vec<_> = invited
        .iter()
        .filter(|user| admission.admits(user))
        .collect();
    assert_eq!(admitted, [&bob()]);
    let (nobody, _) = create(&mut ticket, &[], &mut kms, &mut rng);
    assert!(nobody.admits(&alice()) && !nobody.admits(&bob()));
    assert_eq!(
        (nobody.creator(), nobody.participants()),
        (&alice(), &[][..])
    );

    let (_, init) =
        conference::transfer(&mut ticket, &factory(), &[], &CODE_POINTS, now(), &mut rng).unwrap();
    let refused = try_resolve(&eve(), &init, &mut kms, &mut rng).unwrap_err();
    assert_eq!(refused, TicketError::WrongRecipient);
}

#[test]
fn req_ck_07_each_participant_shares_its_keys_with_the_focus_alone() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let media = ims_media::policy(Strength::Bits128, vec![Recipient::new(factory())]).unwrap();
    let params = srtp_params();
    let srtp = mikey::code_points::ProtType::Srtp;
    let policies = [mikey::payload::SecurityPolicy::new(0, srtp, &params).unwrap()];
    let sessions = [stream(1, 0x1111_1111, &[])];
    let peer = factory();
    let mut joined = |user: &Identity| {
        let (pending, request) = mikey_ticket::Initiator::new(user.clone(), kms_id())
            .request(&media, &psk(user), now(), &mut rng)
            .unwrap();
        let response = kms.handle(&request, now(), &mut rng).unwrap();
        let mut ticket = pending.accept(&response, now()).unwrap();
        let offer = Offer::new(&peer, &sessions).with_policies(&policies);
        let (_, init) =
            ims_media::transfer(&mut ticket, &offer, &CODE_POINTS, now(), &mut rng).unwrap();
        let called = resolve(&init, &mut kms, &mut rng);
        let spi = called.spi_of_only_key().unwrap().to_vec();
        let streams = [stream(1, 0x1111_1111, &spi), stream(2, 0x7777_7777, &spi)];
        let (at_focus, _) = called
            .accept(&Answer::new(&streams), now(), &mut rng)
            .unwrap();
        at_focus
    };
    let (of_bob, of_carol) = (joined(&bob()), joined(&carol()));
    assert_eq!((of_bob.peer(), of_carol.peer()), (&bob(), &carol()));
    for cs_id in [1, 2] {
        assert_ne!(tek(&of_bob, cs_id), tek(&of_carol, cs_id));
    }
}

#[test]
fn req_ck_08_of_a_uri_list_those_are_invited_who_are_authorised() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = conference_ticket(&mut kms, &mut rng);
    let (admission, created) = create(&mut ticket, &[bob(), carol()], &mut kms, &mut rng);
    let uri_list = [carol(), eve(), bob()];
    let invited: Vec<_> = uri_list
        .iter()
        .filter(|user| admission.admits(user))
        .collect();
    assert_eq!(invited, [&carol(), &bob()]);
    // The invited know a conference by the name of its focus.
    let named = Recipient::new(id("?@conferencing.example.com"));
    assert!(named.names(created.peer()));
    assert!(!named.names(&id("sip:focus7@conferencing.example.com.eve.example.org")));
}

#[test]
fn req_ck_11_the_creator_s_invite_has_a_transfer_in_its_body_and_others_in_its_sdp() {
    let (mut kms, mut rng) = (kms(), TestRng(1));
    let mut ticket = conference_ticket(&mut kms, &mut rng);
    let (in_body, body) = conference::transfer(
        &mut ticket,
        &factory(),
        &[bob()],
        &CODE_POINTS,
        now(),
        &mut rng,
    )
    .unwrap();
    let media = ims_media::policy(Strength::Bits256, vec![Recipient::new(factory())]).unwrap();
    let mut media = granted_by(&media, &mut kms, &mut rng);
    let params = srtp_params();
    let srtp = mikey::code_points::ProtType::Srtp;
    let policies = [mikey::payload::SecurityPolicy::new(0, srtp, &params).unwrap()];
    let sessions = [stream(1, 0x1111_1111, &[])];
    let peer = factory();
    let offer = Offer::new(&peer, &sessions).with_policies(&policies);
    let (in_sdp, sdp) =
        ims_media::transfer(&mut media, &offer, &CODE_POINTS, now(), &mut rng).unwrap();
    let attribute = keymgmt::attribute(&sdp);

    // The focus answers each where it came.
    let created = resolve(&body, &mut kms, &mut rng);
    let admission = Admission::create(&created, &CODE_POINTS, now()).unwrap();
    assert!(admission.admits(&bob()));
    let called = KeyMgmt::from_attribute(&attribute).unwrap();
    let called = called.decode().unwrap();
    let called = resolve(&called, &mut kms, &mut rng);
    assert_eq!(ims_media::check_verified(&called, &CODE_POINTS), Ok(()));
    assert_eq!(called.initiator(), admission.creator());
    let (_, body) = created.accept(&Answer::new(&[]), now(), &mut rng).unwrap();
    let spi = called.spi_of_only_key().unwrap().to_vec();
    // The mixer has an SSRC of its own.
    let streams = [stream(1, 0x1111_1111, &spi), stream(2, 0x7777_7777, &spi)];
    let (at_focus, sdp) = called
        .accept(&Answer::new(&streams), now(), &mut rng)
        .unwrap();

    let rule = Recipient::new(id("?@conferencing.example.com"));
    let created = in_body
        .accept_from(&body.unwrap(), |peer| rule.names(peer))
        .unwrap();
    let call = in_sdp
        .accept_from(&sdp.unwrap(), |peer| rule.names(peer))
        .unwrap();
    assert_eq!(call.check_peer(created.peer()), Ok(()), "one focus in both");
    assert_eq!(ims_media::check_established(&call, &CODE_POINTS), Ok(()));
    assert_eq!(
        ims_media::check_established(&at_focus, &CODE_POINTS),
        Ok(())
    );
    for cs_id in [1, 2] {
        assert_eq!(tek(&call, cs_id), tek(&at_focus, cs_id));
    }
    assert_ne!(tek(&call, 1), tek(&call, 2), "bilateral, one by SSRC");
}

/// `octets` with every `from` made `to`, of the same length.
fn replaced(octets: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = octets.to_vec();
    let found: Vec<_> = (0..octets.len())
        .filter(|at| octets[*at..].starts_with(from))
        .collect();
    assert!(!found.is_empty());
    for at in found {
        out[at..at + to.len()].copy_from_slice(to);
    }
    out
}
