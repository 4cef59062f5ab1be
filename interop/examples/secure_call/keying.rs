//! How the two ends of a call come to their keys.

mod sdes;
mod ticket;

use core::net::SocketAddr;
use std::net::UdpSocket;

use getrandom::{SysRng, rand_core::UnwrapErr};
use srtp::keying::StaticKeys;

use crate::{
    CallError,
    arguments::{Keying, Options},
};

/// One end, once it has keys: what it sends and receives with.
pub(crate) struct End {
    pub(crate) name: &'static str,
    pub(crate) socket: UdpSocket,
    pub(crate) peer: SocketAddr,
    pub(crate) keys: StaticKeys,
    pub(crate) ssrc: u32,
}

/// A call that both sides agree on.
pub(crate) struct Agreed {
    pub(crate) caller: End,
    pub(crate) callee: End,
    /// Who else answered, where the call was forked.
    pub(crate) rival: Option<Rival>,
}

/// Someone who answered the same offer as the callee, and hears what is sent.
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    /// What would open the caller's packets and the callee's, if they had the same keys.
    pub(crate) keys: [StaticKeys; 2],
}

/// Offer and answer. `None` if the caller has hung up.
pub(crate) fn agree(options: &Options) -> Result<Option<Agreed>, CallError> {
    match options.keying {
        Keying::Sdes => sdes::agree(options, &mut UnwrapErr(SysRng)).map(Some),
        Keying::Ticket => ticket::agree(options),
    }
}

pub(crate) fn print_sdp(title: &str, text: &str) {
    println!("{title}:");
    for line in text.lines() {
        println!("    {line}");
    }
    println!();
}
