//! Calls and media that the gateway makes for itself: UEs with SRTP at one side, the IMS core with
//! RTP at the other.

use core::{net::SocketAddr, time::Duration};
use std::{
    net::UdpSocket,
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use bytes::BytesMut;
use getrandom::{
    SysRng,
    rand_core::{Rng, UnwrapErr},
};
use interop::edge::{Alg, MAX_DATAGRAM, Message, Remote, RtpCall};
use interop::{
    rtcp,
    rtp::{self, Header, RtpSource},
};
use sdp_sec::mediasec::Source;
use srtp::{Receiver, Sender};

use crate::{Failure, arguments::Options};

/// Packets of one direction of a call that are on their way at once.
const WINDOW: u64 = 32;

/// Packets that an end sends before it is another's turn.
const BURST: usize = 4;

/// A sender report follows each so many packets.
const REPORT_EVERY: u64 = 50;

/// A packet that has not come after this long will not come.
const LATE: Duration = Duration::from_secs(1);

const CNAME: &str = "load@example.com";

/// One direction as its two ends count it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flow {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Received, and not what was sent.
    pub(crate) different: u64,
    /// Received twice, or refused by the end's own SRTP.
    pub(crate) refused: u64,
    pub(crate) reports_sent: u64,
    pub(crate) reports: u64,
}

impl Flow {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.received += other.received;
        self.different += other.different;
        self.refused += other.refused;
        self.reports_sent += other.reports_sent;
        self.reports += other.reports;
    }

    pub(crate) const fn is_whole(&self) -> bool {
        self.received == self.sent
            && self.reports == self.reports_sent
            && self.different == 0
            && self.refused == 0
    }

    const fn on_the_way(&self) -> u64 {
        (self.sent + self.reports_sent).saturating_sub(self.received + self.reports)
    }
}

/// One end of a call: what it sends, and what the other end made of it.
pub(crate) struct End {
    socket: UdpSocket,
    to: SocketAddr,
    source: RtpSource,
    payload: usize,
    /// The sequence number that the other end waits for.
    expected: u16,
    pub(crate) flow: Flow,
}

/// The two ends of a call.
pub(crate) struct Ends {
    pub(crate) ue: End,
    pub(crate) core: End,
    pub(crate) ue_sender: Sender,
    pub(crate) ue_receiver: Receiver,
}

/// Has the IMS-ALG set up a call: what the gateway gets of it, and its ends.
pub(crate) fn set_up(alg: &Alg, id: u64, options: &Options) -> Result<(RtpCall, Ends), Failure> {
    let mut rng = UnwrapErr(SysRng);
    let socket = || -> Result<UdpSocket, std::io::Error> {
        let socket = UdpSocket::bind((options.address, 0))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    let (ue, core) = (socket()?, socket()?);

    let policy = sdes::Policy::for_profiles([options.profile]).map_err(Failure::input)?;
    let offer = sdes::Offer::new(&policy, &mut rng).map_err(Failure::call)?;
    let mut security = "a=3ge2ae:requested\r\n".to_owned();
    security.extend(offer.lines().map(|line| format!("{line}\r\n")));
    let ue_sdp = describe(ue.local_addr()?, "RTP/SAVP", &security);
    let core_sdp = describe(core.local_addr()?, "RTP/AVP", "");
    let no_certificate = |_| None;
    let (exchange, to_core) = alg.offer(
        crate::UE,
        None,
        Source::Ue,
        &ue_sdp,
        no_certificate,
        &mut rng,
    )?;
    let (established, to_ue) = exchange.answered(&core_sdp, no_certificate, &mut rng)?;

    let text = String::from_utf8_lossy(to_ue.sdp());
    let answered = text.lines().filter(|line| line.starts_with("a=crypto:"));
    let keys = offer.accept(answered).map_err(Failure::call)?;
    let receives = |message: &Message| -> Result<SocketAddr, Failure> {
        let remote = Remote::read(message.sdp())?;
        let remote = remote.into_iter().next().flatten();
        remote
            .map(|r| r.media)
            .ok_or_else(|| Failure::call("the stream was refused"))
    };
    let mut end = |socket, to| End {
        socket,
        to,
        source: RtpSource::new(rng.next_u32(), 0, 0),
        payload: options.payload,
        expected: 0,
        flow: Flow::default(),
    };
    let ends = Ends {
        ue: end(ue, receives(&to_ue)?),
        core: end(core, receives(&to_core)?),
        ue_sender: Sender::from_source(&keys).map_err(Failure::call)?,
        ue_receiver: Receiver::from_source(&keys).map_err(Failure::call)?,
    };
    let stream = established.streams.into_iter().next().flatten();
    let call = stream.and_then(|stream| RtpCall::new(id, stream));
    let call = call.ok_or_else(|| Failure::call("the stream was refused"))?;
    Ok((call.map_err(Failure::call)?, ends))
}

fn describe(address: SocketAddr, protocol: &str, security: &str) -> Message {
    let (ip, port) = (address.ip(), address.port());
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    Message::new(
        format!(
            "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
             m=audio {port} {protocol} 0\r\n{security}a=rtcp-mux\r\n"
        )
        .as_bytes(),
    )
}

impl End {
    /// The next packet in clear.
    pub(crate) fn packet(&mut self) -> BytesMut {
        let payload = self.payload(self.source.sequence_number());
        self.source.packet(&payload)
    }

    /// Whether this is the next packet that this end sent, as it was sent.
    pub(crate) fn is_next(&mut self, packet: &[u8]) -> bool {
        let number = self.expected;
        let header = Header::read(packet);
        self.expected = header.map_or(number, |h| h.sequence_number).wrapping_add(1);
        header.is_some_and(|header| header.sequence_number == number)
            && packet.get(rtp::HEADER_LEN..) == Some(&self.payload(number))
    }

    /// What packet number `sequence_number` carries.
    fn payload(&self, sequence_number: u16) -> Vec<u8> {
        let [_, low] = sequence_number.to_be_bytes();
        vec![low; self.payload]
    }

    /// Sends what there is room for on the way, protected by `sender` where there is one.
    fn send(&mut self, mut sender: Option<&mut Sender>) -> Result<bool, Failure> {
        let mut any = false;
        for _ in 0..BURST {
            if self.flow.on_the_way() >= WINDOW {
                break;
            }
            any = true;
            let report = self.flow.sent / REPORT_EVERY > self.flow.reports_sent;
            let mut packet = if report {
                rtcp::sender_report(&self.source, ntp_now(), CNAME).map_err(Failure::call)?
            } else {
                self.packet()
            };
            let protected = match sender.as_deref_mut() {
                Some(sender) if report => sender.protect_rtcp(&mut packet),
                Some(sender) => sender.protect_rtp(&mut packet),
                None => Ok(()),
            };
            protected.map_err(Failure::call)?;
            self.socket.send_to(&packet, self.to)?;
            let flow = &mut self.flow;
            *(if report {
                &mut flow.reports_sent
            } else {
                &mut flow.sent
            }) += 1;
        }
        Ok(any)
    }

    /// Counts what arrived of this end at the other, whose receiver is `receiver` where it has one.
    fn arrived(&mut self, at: &UdpSocket, mut receiver: Option<&mut Receiver>) -> bool {
        let mut any = false;
        let mut packet = BytesMut::zeroed(MAX_DATAGRAM);
        loop {
            packet.resize(MAX_DATAGRAM, 0);
            let Ok(len) = at.recv(&mut packet) else {
                return any;
            };
            any = true;
            packet.truncate(len);
            let report = rtp::is_rtcp(&packet);
            let opened = match receiver.as_deref_mut() {
                Some(receiver) if report => receiver.unprotect_rtcp(&mut packet),
                Some(receiver) => receiver.unprotect_rtp(&mut packet),
                None => Ok(()),
            };
            if opened.is_err() {
                self.flow.refused += 1;
            } else if report {
                self.flow.reports += 1;
            } else {
                self.flow.received += 1;
                self.flow.different += u64::from(!self.is_next(&packet));
            }
        }
    }
}

impl Ends {
    fn send(&mut self) -> Result<bool, Failure> {
        Ok(self.ue.send(Some(&mut self.ue_sender))? | self.core.send(None)?)
    }

    fn receive(&mut self) -> bool {
        let at_core = self.ue.arrived(&self.core.socket, None);
        at_core
            | self
                .core
                .arrived(&self.ue.socket, Some(&mut self.ue_receiver))
    }

    const fn is_idle(&self) -> bool {
        self.ue.flow.on_the_way() == 0 && self.core.flow.on_the_way() == 0
    }
}

/// Has media flow both ways until `end`, and waits for what is on its way.
pub(crate) fn talk(ends: &mut [Ends], end: Instant) -> Result<(), Failure> {
    let mut progress = Instant::now();
    loop {
        let now = Instant::now();
        let (talks, mut any) = (now < end, false);
        for call in ends.iter_mut() {
            if talks {
                any |= call.send()?;
            }
            any |= call.receive();
        }
        if any {
            progress = now;
        } else if progress.elapsed() > LATE || !talks && ends.iter().all(Ends::is_idle) {
            return Ok(());
        } else {
            thread::sleep(Duration::from_micros(50));
        }
    }
}

fn ntp_now() -> u64 {
    const NTP_UNIX_EPOCH: u64 = 2_208_988_800;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    (now.as_secs() + NTP_UNIX_EPOCH) << 32
}
