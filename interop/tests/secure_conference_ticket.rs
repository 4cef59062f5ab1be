//! Conferences with keys from a KMS (TR 33.829 §5.3.3), by requirement. Self-consistency.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::conference::{
    self, ConferenceError, ConferenceInfo, FACTORY, FocusPolicy, Focused, Invite, InviteError, Leg,
    MAX_RECIPIENTS, Referral, Refusal, TicketFocus, is_focus,
};
use interop::kms::{self, Subscribers};
use interop::subscriber::Subscriber;
use interop::users::Users;
use mikey::Identity;
use mikey::code_points::ThreeGppCodePoints;
use mikey_ticket::{GrantedTicket, Strength, Transfer, profile};
use smime_psk::ProofOfOrigin;

const ALICE: &str = "sip:alice@example.com";
const BOB: &str = "sip:bob@example.com";
const CAROL: &str = "sip:carol@example.com";
const MALLORY: &str = "sip:mallory@example.com";
const FOCUS: &str = "sip:focus1@conferencing.example.com";

struct Network(Users);

fn id(uri: &str) -> Identity {
    Identity::uri(uri).unwrap()
}

fn asserted(uri: &str) -> String {
    format!("<{uri}>")
}

impl Network {
    fn new() -> Self {
        let subscribers = Subscribers::random([ALICE, BOB, CAROL, MALLORY, FOCUS]).unwrap();
        let server = kms::local_with(&subscribers, FocusPolicy).unwrap();
        Self(Users::served(subscribers, server))
    }

    fn user(&self, uri: &str) -> Subscriber {
        self.0.user(uri).unwrap()
    }

    fn focus(&self) -> Subscriber {
        self.user(FOCUS).standing_in_for(id(FACTORY))
    }

    fn ticket(&self) -> GrantedTicket {
        let policy = profile::conference::policy(Strength::Bits256, id(FACTORY)).unwrap();
        self.user(ALICE).request(&policy).unwrap()
    }

    /// Alice's INVITE, and what she waits for.
    fn invite(&self, listed: &[&str]) -> (Invite, Transfer, conference::Calling, GrantedTicket) {
        let mut ticket = self.ticket();
        let (creating, init) = transfer(&mut ticket, FACTORY, listed);
        let calling = conference::call(&self.user(ALICE), &id(FACTORY)).unwrap();
        let mut invite = Invite::new(calling.sdp());
        invite.mikey = Some(init);
        (invite, creating, calling, ticket)
    }

    /// Alice has set up a conference.
    fn created(&self, listed: &[&str]) -> (TicketFocus, Leg, GrantedTicket) {
        let (invite, creating, calling, ticket) = self.invite(listed);
        let created = TicketFocus::create(self.focus(), &[&asserted(ALICE)], &invite).unwrap();
        let response = created.answer.mikey.unwrap();
        let established = creating.accept_from(&response, is_focus).unwrap();
        assert_eq!(established.peer(), &id(FOCUS));
        let (_, leg) = calling.answered(&created.answer.sdp, is_focus).unwrap();
        (created.focus, leg, ticket)
    }

    fn dial_in(&self, focus: &mut TicketFocus, uri: &str) -> Leg {
        let calling = conference::call(&self.user(uri), &id(FOCUS)).unwrap();
        let answer = focus.dial_in(&[&asserted(uri)], calling.sdp()).unwrap();
        calling.answered(&answer, is_focus).unwrap().1
    }
}

fn transfer(ticket: &mut GrantedTicket, to: &str, listed: &[&str]) -> (Transfer, Vec<u8>) {
    let listed: Vec<_> = listed.iter().map(|uri| id(uri)).collect();
    profile::conference::transfer(
        ticket,
        &id(to),
        &listed,
        &ThreeGppCodePoints::default(),
        kms::now(),
        &mut UnwrapErr(SysRng),
    )
    .unwrap()
}

fn is_refused<T>(outcome: Result<T, ConferenceError>, refusal: Refusal) -> bool {
    matches!(outcome.err(), Some(ConferenceError::Refused(error)) if error == refusal)
}

#[test]
fn req_ck_01_the_ticket_is_for_the_factory_and_its_message_beside_the_sdp_of_the_invite() {
    let network = Network::new();
    let ticket = network.ticket();
    assert!(ticket.policy().allows_recipient(&id(FACTORY)));
    assert!(!ticket.policy().allows_recipient(&id(FOCUS)));
    let (invite, creating, calling, _) = network.invite(&[BOB]);
    let body = String::from_utf8(invite.to_vec()).unwrap();
    assert!(body.starts_with("Content-Type: multipart/mixed;boundary="));
    let sdp = body
        .find("Content-Type: application/sdp\r\n\r\nv=0\r\n")
        .unwrap();
    let head = "Content-Type: application/mikey\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    assert!(body.find(head).unwrap() > sdp);
    // The creator takes part: the SDP has a TRANSFER_INIT of its own (REQ-CK-11).
    assert!(invite.sdp.contains("a=key-mgmt:mikey "));

    let read = Invite::read(body.as_bytes()).unwrap();
    let created = TicketFocus::create(network.focus(), &[&asserted(ALICE)], &read).unwrap();
    let answer = Invite::read(&created.answer.to_vec()).unwrap();
    let established = creating
        .accept_from(&answer.mikey.unwrap(), is_focus)
        .unwrap();
    assert_eq!(established.peer(), &id(FOCUS));
    assert!(calling.answered(&answer.sdp, is_focus).is_ok());
    assert_eq!(created.focus.members().collect::<Vec<_>>(), [ALICE]);
}

#[test]
fn req_ck_01_an_invite_without_the_message_or_changed_sets_up_nothing() {
    let network = Network::new();
    let (invite, ..) = network.invite(&[BOB]);
    let create = |invite: &Invite, who: &[&str]| TicketFocus::create(network.focus(), who, invite);
    let alice = asserted(ALICE);
    let without = Invite::new(&invite.sdp);
    assert!(is_refused(
        create(&without, &[&alice]),
        Refusal::NotAcceptableHere
    ));
    let mut changed = invite.clone();
    *changed.mikey.as_mut().unwrap().last_mut().unwrap() ^= 1;
    assert!(matches!(
        create(&changed, &[&alice]),
        Err(ConferenceError::Subscriber(_))
    ));
    // The network names another than the KMS, or nobody.
    assert!(is_refused(
        create(&invite, &[&asserted(MALLORY)]),
        Refusal::Forbidden
    ));
    assert!(is_refused(
        create(&invite, &[]),
        Refusal::AnonymityDisallowed
    ));
    // Only a focus of the factory may have the ticket resolved.
    let elsewhere = network.user(MALLORY).standing_in_for(id(FACTORY));
    let refused = TicketFocus::create(elsewhere, &[&alice], &invite);
    assert!(matches!(refused, Err(ConferenceError::Subscriber(_))));
}

#[test]
fn req_ck_03_the_creator_takes_no_focus_that_is_not_the_factory_s() {
    let network = Network::new();
    let (invite, creating, calling, _) = network.invite(&[]);
    let created = TicketFocus::create(network.focus(), &[&asserted(ALICE)], &invite).unwrap();
    let response = created.answer.mikey.unwrap();
    assert!(creating.accept_from(&response, |_| false).is_err());
    assert!(calling.answered(&created.answer.sdp, |_| false).is_err());
}

#[test]
fn req_ck_05_the_creator_updates_the_list_and_who_is_not_on_it_is_out() {
    let network = Network::new();
    let (mut focus, _alice, mut ticket) = network.created(&[BOB]);
    let _bob = network.dial_in(&mut focus, BOB);
    let (updating, init) = transfer(&mut ticket, FOCUS, &[CAROL]);
    let response = focus.update(&init).unwrap();
    let confirmed = updating.accept_from(&response, is_focus).unwrap();
    assert!(confirmed.sessions().is_empty());
    assert_eq!(focus.members().collect::<Vec<_>>(), [ALICE]);
    assert!(focus.update(&init).is_err(), "a second time");
    network.dial_in(&mut focus, CAROL);
    let calling = conference::call(&network.user(BOB), &id(FOCUS)).unwrap();
    let refused = focus.dial_in(&[&asserted(BOB)], calling.sdp());
    assert!(is_refused(refused, Refusal::Forbidden));
}

#[test]
fn req_ck_06_listed_users_dial_in_and_others_do_not() {
    let network = Network::new();
    let (mut focus, _alice, _) = network.created(&[BOB]);
    for (who, asserted, refusal) in [
        (MALLORY, &[asserted(MALLORY)][..], Refusal::Forbidden),
        (CAROL, &[asserted(CAROL)], Refusal::Forbidden),
        (MALLORY, &[asserted(BOB)], Refusal::Forbidden),
        (BOB, &[asserted(MALLORY)], Refusal::Forbidden),
        (BOB, &[], Refusal::AnonymityDisallowed),
    ] {
        let calling = conference::call(&network.user(who), &id(FOCUS)).unwrap();
        let asserted: Vec<_> = asserted.iter().map(String::as_str).collect();
        assert!(
            is_refused(focus.dial_in(&asserted, calling.sdp()), refusal),
            "{who}"
        );
    }
    let calling = conference::call(&network.user(BOB), &id(FOCUS)).unwrap();
    let in_clear = calling.sdp().replace("RTP/SAVP", "RTP/AVP");
    let refused = focus.dial_in(&[&asserted(BOB)], &in_clear);
    assert!(is_refused(refused, Refusal::NotAcceptableHere));
    assert_eq!(focus.members().collect::<Vec<_>>(), [ALICE]);
    network.dial_in(&mut focus, BOB);
    assert_eq!(focus.members().collect::<Vec<_>>(), [ALICE, BOB]);
}

#[test]
fn req_ck_07_each_has_keys_with_the_mixer_alone_which_mixes_under_its_own_ssrcs() {
    let network = Network::new();
    let (mut focus, alice, _) = network.created(&[BOB, CAROL]);
    let bob = network.dial_in(&mut focus, BOB);
    let carol = network.dial_in(&mut focus, CAROL);
    let mut legs = [alice, bob, carol];
    for (leg, sample) in legs.iter_mut().zip([0, 132, 396]) {
        leg.speak(&[sample; 160]).unwrap();
    }
    assert_eq!(focus.relay().unwrap(), Vec::<String>::new());
    let heard = legs.each_mut().map(|leg| leg.hear().unwrap());
    let first = heard.each_ref().map(|heard| heard.samples[0]);
    assert_eq!(
        first,
        [decode_ulaw(encode_ulaw(528)), 396, 132],
        "the sum of the others"
    );
    for (own, leg) in legs.iter_mut().enumerate() {
        for (other, packet) in heard.iter().enumerate() {
            assert!(leg.open(&packet.datagram).is_err(), "{own} {other}");
        }
    }
    let mut ssrcs = heard.each_ref().map(|heard| heard.ssrc).to_vec();
    ssrcs.sort_unstable();
    ssrcs.dedup();
    assert_eq!(ssrcs.len(), 3);
}

#[test]
fn req_ck_08_of_the_list_of_recipients_those_are_invited_who_are_authorised() {
    let network = Network::new();
    let (mut invite, ..) = network.invite(&[BOB, CAROL]);
    invite.recipients = [MALLORY, CAROL].map(str::to_owned).into();
    let body = invite.to_vec();
    let text = String::from_utf8_lossy(&body);
    assert!(text.contains(
        "Content-Type: application/resource-lists+xml\r\nContent-Disposition: recipient-list\r\n"
    ));
    let invite = Invite::read(&body).unwrap();
    let created = TicketFocus::create(network.focus(), &[&asserted(ALICE)], &invite).unwrap();
    let Focused {
        mut focus,
        invited,
        refused,
        ..
    } = created;
    assert_eq!(
        (invited, refused),
        (vec![CAROL.to_owned()], vec![MALLORY.to_owned()])
    );
    assert!(is_refused(focus.invite(MALLORY), Refusal::Forbidden));

    let calling = focus.invite(CAROL).unwrap();
    let mut carol = network.user(CAROL);
    let answered = conference::answer(&mut carol, calling.sdp(), |caller| {
        is_focus(caller).then_some(()).ok_or(Refusal::Forbidden)
    });
    let (caller, _leg, sdp) = answered.unwrap();
    assert_eq!(caller, id(FOCUS));
    // The invitation was diverted, as the network says; the KMS says otherwise, so nobody comes in.
    let again = focus.invite(CAROL).unwrap();
    let (_, _, other) = conference::answer(&mut carol, again.sdp(), |_| Ok(())).unwrap();
    let diverted = focus.answered(again, &[&asserted(MALLORY)], &other);
    assert!(is_refused(diverted, Refusal::Forbidden));
    focus.answered(calling, &[&asserted(CAROL)], &sdp).unwrap();
    assert_eq!(focus.members().collect::<Vec<_>>(), [ALICE, CAROL]);
}

#[test]
fn req_ck_08_the_invited_know_a_conference_by_its_name() {
    let network = Network::new();
    let mut carol = network.user(CAROL);
    // Mallory says to be a focus.
    let calling = conference::call(&network.user(MALLORY), &id(CAROL)).unwrap();
    let refused = conference::answer(&mut carol, calling.sdp(), |caller| {
        is_focus(caller).then_some(()).ok_or(Refusal::Forbidden)
    });
    assert!(is_refused(refused, Refusal::Forbidden));
    for (uri, known) in [
        (FOCUS, true),
        ("sip:focus2@conferencing.example.com", true),
        (
            "sip:focus1@conferencing.example.com.mallory.example.org",
            false,
        ),
        ("sip:focus1@example.com", false),
        (FACTORY, false),
    ] {
        assert_eq!(is_focus(&id(uri)), known, "{uri}");
    }
}

#[test]
fn req_ck_09_a_referral_is_asserted_to_the_focus_and_to_the_invited() {
    let network = Network::new();
    let (mut focus, ..) = network.created(&[BOB, CAROL]);
    let refer = |by, whom| Referral::refer(&network.user(by), FOCUS, whom).unwrap();
    let referral = refer(ALICE, CAROL);
    assert_eq!(focus.refer(&referral).unwrap(), CAROL);
    let invite = referral.to_invite(FOCUS, CAROL).unwrap();
    assert_eq!(
        invite.verify_invited(&mut network.user(CAROL)).unwrap(),
        ALICE
    );

    // By or for one who may not take part; sent again; of another than it says.
    assert!(is_refused(
        focus.refer(&refer(MALLORY, CAROL)),
        Refusal::Forbidden
    ));
    assert!(is_refused(
        focus.refer(&refer(ALICE, MALLORY)),
        Refusal::Forbidden
    ));
    assert!(focus.refer(&referral).is_err());
    let change = |referral: &Referral, from: &str, to: &str| {
        let octets = referral.as_octets();
        let at = octets
            .windows(from.len())
            .position(|at| at == from.as_bytes())
            .unwrap();
        let (before, after) = (&octets[..at], &octets[at + from.len()..]);
        Referral::from_octets(&[before, to.as_bytes(), after].concat())
    };
    for (from, to) in [
        ("Referred-By: <sip:mallory@", "Referred-By: <sip:alice@"),
        ("Refer-To: <sip:carol@", "Refer-To: <sip:bob@"),
    ] {
        let forged = change(&refer(MALLORY, CAROL), from, to);
        let refused = focus.refer(&forged);
        assert!(
            matches!(refused, Err(ConferenceError::Assertion(_))),
            "{refused:?}"
        );
    }
    // The assertion is for Carol alone, and for this invitation.
    let referral = refer(ALICE, CAROL);
    let to_bob = referral.to_invite(FOCUS, BOB).unwrap();
    let refused = to_bob.verify_invited(&mut network.user(BOB));
    assert!(matches!(refused, Err(ConferenceError::Subscriber(_))));
    for octets in [
        &b""[..],
        b"REFER x",
        b"REFER x SIP/2.0\r\nReferred-By: <sip:a>\r\n\r\n",
    ] {
        assert!(focus.refer(&Referral::from_octets(octets)).is_err());
    }
}

#[test]
fn req_ck_12_only_participants_are_notified_each_so_that_nobody_else_can_read_it() {
    let network = Network::new();
    let (mut focus, _alice, mut creators) = network.created(&[BOB]);
    let _bob = network.dial_in(&mut focus, BOB);
    for uri in [ALICE, BOB] {
        let mut subscription = focus.subscribe(uri).unwrap();
        let body = focus.notify(&mut subscription).unwrap();
        let open = |who| network.user(who).open(&body, ProofOfOrigin::None);
        let opened = open(uri).unwrap();
        assert_eq!(opened.sender(), Some(FOCUS));
        let info = ConferenceInfo::from_entity(opened.content()).unwrap();
        assert_eq!(info, ConferenceInfo::new(FOCUS, 1, [ALICE, BOB]));
        assert!(open(MALLORY).is_err());
        assert!(open(if uri == ALICE { BOB } else { ALICE }).is_err());
        let mut changed = body.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(
            network
                .user(uri)
                .open(&changed, ProofOfOrigin::None)
                .is_err()
        );
    }
    assert!(is_refused(focus.subscribe(MALLORY), Refusal::Forbidden));
    // Bob is told once more, and when he is listed no longer, not again.
    let mut subscription = focus.subscribe(BOB).unwrap();
    let mut bob = network.user(BOB);
    for version in [1, 2] {
        let body = focus.notify(&mut subscription).unwrap();
        let opened = bob.open(&body, ProofOfOrigin::None).unwrap();
        let info = ConferenceInfo::from_entity(opened.content()).unwrap();
        assert_eq!(info.version, version);
    }
    focus
        .update(&transfer(&mut creators, FOCUS, &[CAROL]).1)
        .unwrap();
    let refused = focus.notify(&mut subscription);
    assert!(is_refused(refused, Refusal::Forbidden));
}

#[test]
fn what_is_no_body_of_an_invite_is_refused() {
    let mut invite = Invite::new("v=0\r\n");
    invite.mikey = Some(vec![7; 100]);
    invite.recipients = vec!["sip:a&b\"<@example.com".to_owned(); MAX_RECIPIENTS];
    let octets = invite.to_vec();
    assert_eq!(Invite::read(&octets).unwrap(), invite);
    for end in 0..octets.len() - 4 {
        assert!(Invite::read(&octets[..end]).is_err(), "{end}");
    }
    invite.recipients.push(BOB.to_owned());
    assert_eq!(Invite::read(&invite.to_vec()), Err(InviteError::TooMany));

    let multipart = |parts: &str| {
        let parts = parts.replace('|', "\r\n--b\r\n");
        format!("Content-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\n{parts}\r\n--b--\r\n")
    };
    let sdp = "Content-Type: application/sdp\r\n\r\nv=0\r\n";
    let list = "Content-Type: application/resource-lists+xml\r\n\
        Content-Disposition: recipient-list\r\n\r\n";
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><x>&a;</x>";
    for (parts, error) in [
        (format!("{sdp}|{sdp}"), InviteError::Parts),
        (format!("{list}<x/>"), InviteError::List),
        (format!("{sdp}|{list}<x>"), InviteError::List),
        (format!("{sdp}|{list}{bomb}"), InviteError::List),
        (
            "Content-Type: text/plain\r\n\r\nx".to_owned(),
            InviteError::Parts,
        ),
        (
            format!("{sdp}|Content-Type: application/mikey\r\n\r\n"),
            InviteError::Mikey,
        ),
    ] {
        let read = Invite::read(multipart(&parts).as_bytes());
        assert_eq!(read, Err(error), "{parts}");
    }
    assert!(ConferenceInfo::read(bomb).is_err());
    assert!(ConferenceInfo::read("<x/>").is_err());
}

/// A server of MSRP or BFCP for a conference: a TLS connection to each participant.
#[cfg(feature = "tls")]
#[test]
fn req_cs_14_each_connection_of_the_server_has_keys_of_its_own() {
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use interop::keyed_media::{self, OFFERER};
    use interop::tls_psk::{Endpoint, Transport};
    use sdp_sec::tls_role::TlsRole;

    let network = Network::new();
    let mut server = network.user(FOCUS);
    let mut psks = Vec::new();
    for uri in [ALICE, BOB, CAROL] {
        let user = network.user(uri);
        let policy = keyed_media::forked(32, &[id(FOCUS)]).unwrap();
        let mut ticket = user.request(&policy).unwrap();
        let (offer, init) = keyed_media::offer_tls(&mut ticket, &id(FOCUS)).unwrap();
        let verified = server.receive(&init).unwrap();
        let (at_server, response) = keyed_media::answer_tls(verified).unwrap();
        let at_user = offer.accept(&response).unwrap();
        psks.push((
            at_server.tls_psk(OFFERER).unwrap(),
            at_user.tls_psk(OFFERER).unwrap(),
        ));
    }
    let connect = |server: usize, client: usize| {
        let (psk, own) = (&psks[server].0, &psks[client].1);
        let server = Endpoint::new(TlsRole::Server, Transport::Stream, psk).unwrap();
        let client = Endpoint::new(TlsRole::Client, Transport::Stream, own).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (theirs, _) = listener.accept().unwrap();
        // Nothing waits for it unless a handshake hangs.
        let timeout = Some(conference::SILENCE * 10);
        ours.set_read_timeout(timeout).unwrap();
        theirs.set_read_timeout(timeout).unwrap();
        let served = thread::spawn(move || server.handshake(theirs).map(drop));
        let connected = client.handshake(ours).map(|stream| {
            let mut secret = [0; 48];
            stream.ssl().session().unwrap().master_key(&mut secret);
            secret
        });
        let served = served.join().unwrap();
        connected.ok().filter(|_| served.is_ok())
    };
    let mut secrets = Vec::new();
    for one in 0..psks.len() {
        for other in 0..psks.len() {
            assert_eq!(connect(one, other).is_some(), one == other, "{one} {other}");
        }
        // And other keys when it connects again.
        secrets.extend([connect(one, one).unwrap(), connect(one, one).unwrap()]);
    }
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 6);
    for (n, (psk, _)) in psks.iter().enumerate() {
        assert!(
            psks[..n]
                .iter()
                .all(|(other, _)| psk.expose() != other.expose())
        );
    }
}
