//! Calls handed over to another gateway process while they go on: their open sockets, and their SRTP
//! sessions sealed for the other.
//!
//! The first process stops reading, exports, and passes the sockets themselves: what arrives in
//! between waits in them, so nothing is lost, and no index is used twice, since only one of the two
//! ever has a session. Until [`hand_over`] has told the other to begin the first may go on itself.

use core::mem::MaybeUninit;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};

use bytes::{Buf, BufMut};
use getrandom::rand_core::CryptoRng;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair, sockopt,
};
use srtp::{Builder, HandoverKey, HandoverKeys, IndexSkip, Receiver, Sender};
use zeroize::Zeroizing;

use super::{Pair, Remote, RtpCall, RtpLeg};

/// How long each side waits for the other.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Most octets of one message: a call with all its streams.
const MAX_MESSAGE: usize = 128 * 1024;

/// Sockets of a call.
const SOCKETS: usize = 4;

const KEY: u8 = 1;
const CALL: u8 = 2;
const BEGIN: u8 = 3;
const RUNNING: u8 = 4;
const STOP: u8 = 5;

/// A hand-over failed.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum HandoverFailed {
    /// What the other process sent is no hand-over.
    #[error("what came is no hand-over")]
    Malformed,
    /// The other process was told to begin and has not answered: it may be sending.
    #[error("the second process has not said that it runs")]
    NoAnswer,
    /// The other process could not be started or talked to.
    #[error("second process: {0}")]
    Process(#[from] io::Error),
    /// The SRTP sessions could not be taken over.
    #[error("sessions: {0}")]
    Sessions(#[from] srtp::HandoverError),
    /// The SRTP sessions could not be built.
    #[error("sessions: {0}")]
    Session(#[from] srtp::SessionError),
}

/// Hands `calls` over to `second`, which finds the channel as its standard input, and returns once it
/// runs.
///
/// # Errors
///
/// [`HandoverFailed`], and the calls if they may go on here: not after [`HandoverFailed::NoAnswer`].
pub fn hand_over<R: CryptoRng + ?Sized>(
    mut second: Command,
    calls: Vec<RtpCall>,
    rng: &mut R,
) -> Result<Offered, (HandoverFailed, Vec<RtpCall>)> {
    let offered = match begin(&mut second, &calls, rng) {
        Ok(offered) => offered,
        Err(error) => return Err((error, calls)),
    };
    match send(&offered.channel, &[BEGIN], &[]) {
        Ok(())
            if receive(offered.channel.as_fd()).is_ok_and(|m| m.octets.as_slice() == [RUNNING]) =>
        {
            Ok(offered)
        }
        _ => Err((HandoverFailed::NoAnswer, Vec::new())),
    }
}

fn begin<R: CryptoRng + ?Sized>(
    second: &mut Command,
    calls: &[RtpCall],
    rng: &mut R,
) -> Result<Offered, HandoverFailed> {
    let (channel, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(io::Error::from)?;
    let child = second.stdin(Stdio::from(theirs)).spawn()?;
    // The command has its own copy of their end; without it, an end of the child is noticed.
    second.stdin(Stdio::null());
    let offered = Offered { child, channel };
    sockopt::set_socket_timeout(&offered.channel, sockopt::Timeout::Send, Some(TIMEOUT))
        .map_err(io::Error::from)?;

    // Two nodes would have this key from their operator; two processes have a channel of their own.
    let mut octets = Zeroizing::new([0; 32]);
    rng.fill_bytes(octets.as_mut_slice());
    let mut message = Zeroizing::new(vec![KEY]);
    message.extend_from_slice(octets.as_slice());
    send(&offered.channel, &message, &[])?;
    let key = HandoverKey::new(*octets);
    for call in calls {
        let sockets = [&call.access, &call.core];
        let sockets = sockets.map(|leg| [&leg.sockets.rtp, &leg.sockets.rtcp]);
        let descriptors: Vec<_> = sockets
            .iter()
            .flatten()
            .map(|socket| socket.as_fd())
            .collect();
        send(&offered.channel, &encode(call, &key, rng), &descriptors)?;
    }
    Ok(offered)
}

/// A second process that runs and has the calls.
#[derive(Debug)]
pub struct Offered {
    child: Child,
    channel: OwnedFd,
}

impl Offered {
    /// How it has ended, if it has by itself.
    ///
    /// # Errors
    ///
    /// What asking came to.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Tells it to end its calls, and waits until it has.
    ///
    /// # Errors
    ///
    /// What telling it, or waiting, came to.
    pub fn stop(mut self) -> io::Result<ExitStatus> {
        send(&self.channel, &[STOP], &[])?;
        self.child.wait()
    }
}

/// The second process's side: the calls, and the channel to the first one.
///
/// # Errors
///
/// [`HandoverFailed`]; nothing may be sent.
pub fn take_over(channel: BorrowedFd<'_>) -> Result<(Vec<RtpCall>, Offering<'_>), HandoverFailed> {
    let key = receive(channel)?;
    let key = match key.octets.split_first() {
        Some((&KEY, octets)) => octets.try_into().map(HandoverKey::new),
        _ => return Err(HandoverFailed::Malformed),
    };
    let key = key.map_err(|_| HandoverFailed::Malformed)?;
    let mut calls = Vec::new();
    loop {
        let message = receive(channel)?;
        match message.octets.split_first() {
            Some((&CALL, body)) => calls.push(decode(body, message.sockets, &key)?),
            Some((&BEGIN, [])) => return Ok((calls, Offering(channel))),
            _ => return Err(HandoverFailed::Malformed),
        }
    }
}

/// The first process, as the second one sees it.
#[derive(Debug)]
pub struct Offering<'c>(BorrowedFd<'c>);

impl Offering<'_> {
    /// Says that the calls go on here.
    ///
    /// # Errors
    ///
    /// What saying it came to: nobody listens any more.
    pub fn running(&self) -> io::Result<()> {
        send(&self.0, &[RUNNING], &[])
    }

    /// Whether the calls are to be ended.
    #[must_use]
    pub fn stops(&self) -> bool {
        let mut octets = [0; 1];
        let received = rustix::net::recv(self.0, octets.as_mut_slice(), RecvFlags::DONTWAIT);
        received.is_ok() && octets == [STOP]
    }
}

fn encode<R: CryptoRng + ?Sized>(call: &RtpCall, key: &HandoverKey, rng: &mut R) -> Vec<u8> {
    let mut out = vec![CALL];
    out.put_u64(call.id);
    out.put_u8(call.access.peer.rtcp_mux.into());
    for leg in [&call.access, &call.core] {
        for address in [leg.peer.media, leg.peer.rtcp] {
            put(&mut out, address.to_string().as_bytes());
        }
    }
    put(
        &mut out,
        &call.sender.export(key, HandoverKeys::Included, rng),
    );
    put(
        &mut out,
        &call.receiver.export(key, HandoverKeys::Included, rng),
    );
    out
}

fn decode(
    mut body: &[u8],
    sockets: Vec<OwnedFd>,
    key: &HandoverKey,
) -> Result<RtpCall, HandoverFailed> {
    let malformed = |_| HandoverFailed::Malformed;
    let id = body.try_get_u64().map_err(malformed)?;
    let rtcp_mux = body.try_get_u8().map_err(malformed)? == 1;
    let mut address = || -> Result<SocketAddr, HandoverFailed> {
        let text = core::str::from_utf8(take(&mut body)?).map_err(|_| HandoverFailed::Malformed)?;
        text.parse().map_err(|_| HandoverFailed::Malformed)
    };
    let mut remote = || -> Result<Remote, HandoverFailed> {
        Ok(Remote {
            media: address()?,
            rtcp: address()?,
            rtcp_mux,
        })
    };
    let peers = [remote()?, remote()?];
    // The exported session stood still: not one packet has been sent since.
    let skip = IndexSkip { srtp: 0, srtcp: 0 };
    let sender = Builder::<Sender>::resume(take(&mut body)?, key, None, skip)?.build()?;
    let receiver = Builder::<Receiver>::resume(take(&mut body)?, key, None)?.build()?;
    let sockets: [OwnedFd; SOCKETS] = sockets.try_into().map_err(|_| HandoverFailed::Malformed)?;
    let [access_rtp, access_rtcp, core_rtp, core_rtcp] = sockets.map(UdpSocket::from);
    let leg = |rtp, rtcp, peer| RtpLeg {
        sockets: Pair { rtp, rtcp },
        peer,
    };
    let [ue, core] = peers;
    Ok(RtpCall {
        id,
        access: leg(access_rtp, access_rtcp, ue),
        core: leg(core_rtp, core_rtcp, core),
        sender,
        receiver,
    })
}

/// A length and as many octets.
fn put(out: &mut Vec<u8>, octets: &[u8]) {
    out.put_u32(u32::try_from(octets.len()).unwrap_or(u32::MAX));
    out.put_slice(octets);
}

fn take<'a>(body: &mut &'a [u8]) -> Result<&'a [u8], HandoverFailed> {
    let len = body.try_get_u32().map_err(|_| HandoverFailed::Malformed)?;
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let (octets, rest) = body
        .split_at_checked(len)
        .ok_or(HandoverFailed::Malformed)?;
    *body = rest;
    Ok(octets)
}

struct Received {
    octets: Zeroizing<Vec<u8>>,
    sockets: Vec<OwnedFd>,
}

fn send(channel: &impl AsFd, octets: &[u8], sockets: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !sockets.is_empty() && !control.push(SendAncillaryMessage::ScmRights(sockets)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    sendmsg(
        channel,
        &[IoSlice::new(octets)],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// The next message, if one comes in time.
fn receive(channel: BorrowedFd<'_>) -> Result<Received, HandoverFailed> {
    sockopt::set_socket_timeout(channel, sockopt::Timeout::Recv, Some(TIMEOUT))
        .map_err(io::Error::from)?;
    let mut octets = Zeroizing::new(vec![0; MAX_MESSAGE]);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        channel,
        &mut [IoSliceMut::new(&mut octets)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )
    .map_err(io::Error::from)?;
    if received.bytes == 0
        || received
            .flags
            .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC)
    {
        return Err(HandoverFailed::Malformed);
    }
    octets.truncate(received.bytes);
    let mut sockets = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            sockets.extend(descriptors);
        }
    }
    Ok(Received { octets, sockets })
}
