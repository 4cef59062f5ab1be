//! Keys in `a=crypto` (RFC 4568).

use getrandom::rand_core::CryptoRng;
use interop::sdp::Audio;
use sdes::{Answer, Offer, Policy};
use srtp::keying::{MasterKeySource, StaticKeys};

use super::{Agreed, End, print_sdp};
use crate::{CallError, arguments::Options, user_agent};

pub(super) fn agree(options: &Options, rng: &mut impl CryptoRng) -> Result<Agreed, CallError> {
    let policy = Policy::for_profiles([options.profile])?;

    // Alice offers.
    let alice_socket = user_agent::socket()?;
    let offer = Offer::new(&policy, rng)?;
    let crypto = offer.lines().map(str::to_owned).collect();
    let offer_sdp = Audio {
        address: alice_socket.local_addr()?,
        crypto,
    }
    .describe("alice", 1);
    print_sdp("offer, from Alice to Bob", &offer_sdp);

    // Bob answers.
    let bob_socket = user_agent::socket()?;
    let offered = Audio::read(&offer_sdp)?;
    let (answer, bob_keys) = Answer::to(&offered.crypto, &policy, rng)
        .inspect_err(|_| print_sdp("answer, from Bob to Alice", &Audio::refuse("bob", 2)))?;
    let crypto = vec![answer.line().to_owned()];
    let answer_sdp = Audio {
        address: bob_socket.local_addr()?,
        crypto,
    }
    .describe("bob", 2);
    print_sdp("answer, from Bob to Alice", &answer_sdp);

    // Alice verifies the answer. Both have keys now, for both directions.
    let answered = Audio::read(&answer_sdp)?;
    let alice_keys = offer.accept(&answered.crypto)?;
    Ok(Agreed {
        caller: End {
            name: "Alice",
            socket: alice_socket,
            peer: answered.address,
            keys: copy(&alice_keys),
            ssrc: rng.next_u32(),
        },
        callee: End {
            name: "Bob",
            socket: bob_socket,
            peer: offered.address,
            keys: copy(&bob_keys),
            ssrc: rng.next_u32(),
        },
        rival: None,
    })
}

fn copy(keys: &impl MasterKeySource) -> StaticKeys {
    StaticKeys::new(keys.outbound().duplicate(), keys.inbound().duplicate())
}
