//! Keys from a KMS, in `a=key-mgmt` with MIKEY-TICKET (RFC 6043, TS 33.328 §6.2).

use std::net::UdpSocket;

use getrandom::{
    SysRng,
    rand_core::{Rng, UnwrapErr},
};
use interop::{
    keyed_media::{self, ANSWERER, KeyingError, OFFERER},
    sdp::Audio,
    subscriber::SubscriberError,
    users::Users,
};
use mikey::Identity;
use mikey_ticket::{Established, TicketError, Transfer};
use sdp_sec::{Sdp, key_mgmt};

use super::{Agreed, End, Rival, print_sdp};
use crate::{
    CallError,
    arguments::{Diversion, Options, Scenario},
    user_agent,
};

/// Every user: who resolves the ticket may be anyone that the KMS knows.
const ANYONE: &str = "?@?";

#[derive(Clone, Copy)]
struct User {
    name: &'static str,
    uri: &'static str,
}

const ALICE: User = User {
    name: "Alice",
    uri: "sip:alice@example.com",
};
const BOB: User = User {
    name: "Bob",
    uri: "sip:bob@example.com",
};
const CAROL: User = User {
    name: "Carol",
    uri: "sip:carol@example.com",
};

/// Whom Alice would also speak to in Bob's place.
const CONTACTS: [User; 1] = [CAROL];

impl User {
    fn is(&self, identity: &Identity) -> bool {
        identity.data() == self.uri.as_bytes()
    }
}

pub(super) fn agree(options: &Options) -> Result<Option<Agreed>, CallError> {
    let network = Network(Users::new(&options.users)?);
    println!("KMS at {}\n", network.0.kms());
    let call = |recipients: &[&str], to| network.invite(options, recipients, to);
    match options.scenario {
        Scenario::Plain => {
            let call = call(&[BOB.uri], BOB)?;
            let answer = network.answer(&call.sdp, BOB)?;
            call.complete(answer.accepted()?, &[BOB]).map(Some)
        }
        Scenario::Fork => {
            let call = call(&[BOB.uri, CAROL.uri], BOB)?;
            println!("The network forks the call to Bob and to Carol. Both answer, Bob first.\n");
            let first = network.answer(&call.sdp, BOB)?.accepted()?;
            let second = network.answer(&call.sdp, CAROL)?.accepted()?;
            let mut agreed = call.complete(first, &[BOB, CAROL])?;
            agreed.rival = Some(second.as_rival()?);
            Ok(Some(agreed))
        }
        Scenario::Divert(Diversion::Anyone) => {
            let call = call(&[ANYONE], BOB)?;
            println!("Bob has his calls diverted: this one goes to Carol.\n");
            let answer = network.answer(&call.sdp, CAROL)?.accepted()?;
            println!("Alice lets anyone answer whom the KMS knows, and is told who it is.\n");
            call.complete(answer, &[BOB, CAROL]).map(Some)
        }
        Scenario::Divert(decision) => {
            let diverted = call(&[BOB.uri], BOB)?;
            println!("Bob has his calls diverted: this one goes to Carol.\n");
            let answer = network.answer(&diverted.sdp, CAROL)?;
            let who = diverted.declined_by(&answer)?;
            println!("Alice's ticket is not for {}, who declines.\n", uri(&who));
            // Nothing proves the name: Alice calls again only someone whom she knows.
            let known = CONTACTS.into_iter().find(|user| user.is(&who));
            let Some(user) = known.filter(|_| decision == Diversion::CallAgain) else {
                println!("Alice hangs up.");
                return Ok(None);
            };
            println!("Alice calls {}, with a new ticket.\n", user.name);
            let again = call(&[user.uri], user)?;
            let answer = network.answer(&again.sdp, user)?;
            again.complete(answer.accepted()?, &[user]).map(Some)
        }
    }
}

/// The users, and what is between them.
struct Network(Users);

impl Network {
    /// Alice gets a ticket for `recipients` and offers a call to `to`.
    fn invite(&self, options: &Options, recipients: &[&str], to: User) -> Result<Call, CallError> {
        println!(
            "Alice asks the KMS for a ticket: {}\n",
            recipients.join(", ")
        );
        let recipients = recipients.iter().map(|uri| Identity::uri(uri));
        let recipients: Vec<_> = recipients
            .collect::<Result<_, _>>()
            .map_err(TicketError::from)?;
        let policy = keyed_media::forked(options.profile.key_len(), &recipients);
        let policy = policy.map_err(TicketError::from)?;
        let mut ticket = self.0.user(ALICE.uri)?.request(&policy)?;

        let peer = Identity::uri(to.uri).map_err(TicketError::from)?;
        let ssrc = UnwrapErr(SysRng).next_u32();
        let offered = keyed_media::offer_audio(&mut ticket, &peer, options.profile, ssrc);
        let (transfer, message) = offered?;
        let socket = user_agent::socket()?;
        let sdp = describe(&socket, ALICE, 1, &message)?;
        print_sdp(&format!("offer, from Alice to {}", to.name), &sdp);
        Ok(Call {
            transfer,
            socket,
            ssrc,
            sdp,
        })
    }

    /// `user` gets the offer, has the ticket resolved, and answers.
    fn answer(&self, offer: &str, user: User) -> Result<Answer, CallError> {
        let offered = Sdp::parse(offer.as_bytes())?;
        key_mgmt::check_protected(&offered)?;
        let section = offered.media().next().ok_or(KeyingError::OtherSessions)?;
        let section = section.section();
        let init = keyed_media::message(section)?;
        let verified = match self.0.user(user.uri)?.receive(&init) {
            Ok(verified) => verified,
            Err(SubscriberError::Declined(refusal)) => {
                let message = refusal.message().map(<[u8]>::to_vec);
                return Ok(Answer::Declined(message.ok_or(refusal.error())?));
            }
            Err(error) => return Err(error.into()),
        };
        keyed_media::check_protocols(section, &verified)?;
        println!(
            "{} has the KMS resolve the ticket: the caller is {}\n",
            user.name,
            uri(verified.initiator())
        );
        let ssrc = UnwrapErr(SysRng).next_u32();
        let (established, response) = keyed_media::answer_audio(verified, ssrc)?;
        let socket = user_agent::socket()?;
        let sdp = describe(&socket, user, 2, &response)?;
        print_sdp(&format!("answer, from {} to Alice", user.name), &sdp);
        Ok(Answer::Accepted(Box::new(Accepted {
            user,
            socket,
            ssrc,
            established,
            sdp,
            peer: Audio::read(offer)?.address,
        })))
    }
}

/// A call that is offered.
struct Call {
    transfer: Transfer,
    socket: UdpSocket,
    ssrc: u32,
    sdp: String,
}

impl Call {
    /// Alice verifies the answer, and that it is by one of `wanted`.
    fn complete(self, callee: Accepted, wanted: &[User]) -> Result<Agreed, CallError> {
        let answer = Audio::read(&callee.sdp)?;
        let sdp = Sdp::parse(callee.sdp.as_bytes())?;
        key_mgmt::check_protected(&sdp)?;
        let section = sdp.media().next().ok_or(KeyingError::OtherSessions)?;
        let response = keyed_media::message(section.section())?;
        let at_alice = self.transfer.accept(&response).map_err(TicketError::from)?;
        if !wanted.iter().any(|user| user.is(at_alice.peer())) {
            return Err(TicketError::UnknownIdentity.into());
        }
        println!("To Alice the KMS vouches for {}\n", uri(at_alice.peer()));
        Ok(Agreed {
            caller: End {
                name: ALICE.name,
                socket: self.socket,
                peer: answer.address,
                keys: at_alice.srtp_keys(&[OFFERER], &[ANSWERER])?,
                ssrc: self.ssrc,
            },
            callee: End {
                name: callee.user.name,
                socket: callee.socket,
                peer: callee.peer,
                keys: callee.established.srtp_keys(&[ANSWERER], &[OFFERER])?,
                ssrc: callee.ssrc,
            },
            rival: None,
        })
    }

    /// Who declines.
    fn declined_by(&self, answer: &Answer) -> Result<Identity, CallError> {
        match (answer, &self.transfer) {
            (Answer::Declined(error), Transfer::Awaiting(call)) => {
                Ok(call.declined_by(error).ok_or(TicketError::Mismatch)?)
            }
            _ => Err(TicketError::Mismatch.into()),
        }
    }
}

/// What becomes of an offer.
enum Answer {
    Accepted(Box<Accepted>),
    /// With the Error message of MIKEY.
    Declined(Vec<u8>),
}

struct Accepted {
    user: User,
    socket: UdpSocket,
    ssrc: u32,
    established: Established,
    sdp: String,
    peer: core::net::SocketAddr,
}

impl Accepted {
    /// One who lost the call, with keys of its own for it (TR 33.829 §9.3.2.3).
    fn as_rival(&self) -> Result<Rival, CallError> {
        let keys = &self.established;
        Ok(Rival {
            name: self.user.name,
            keys: [
                keys.srtp_keys(&[ANSWERER], &[OFFERER])?,
                keys.srtp_keys(&[OFFERER], &[ANSWERER])?,
            ],
        })
    }
}

impl Answer {
    fn accepted(self) -> Result<Accepted, CallError> {
        match self {
            Self::Accepted(accepted) => Ok(*accepted),
            Self::Declined(_) => Err(TicketError::WrongRecipient.into()),
        }
    }
}

fn uri(identity: &Identity) -> impl core::fmt::Display {
    identity.data().escape_ascii()
}

fn describe(
    socket: &UdpSocket,
    user: User,
    session_id: u32,
    message: &[u8],
) -> Result<String, CallError> {
    let line = keyed_media::line(message).map_err(|rule| rule.at(0))?;
    let audio = Audio {
        address: socket.local_addr()?,
        crypto: vec![line],
    };
    Ok(audio.describe(&user.name.to_lowercase(), session_id))
}
