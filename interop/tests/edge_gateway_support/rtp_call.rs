//! A call through the gateway whose UE has SRTP.

use std::{net::UdpSocket, path::PathBuf};

use bytes::BytesMut;
use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::edge::Remote;
use srtp::{Receiver, Sender};

use crate::edge_gateway_support::{Ended, Running, description, folder, put, sdp, start, udp};

/// A UE's keys, and its `a=crypto` line.
pub(crate) fn offer_crypto() -> (sdes::Offer, String) {
    let offer = sdes::Offer::new(&sdes::Policy::default(), &mut UnwrapErr(SysRng)).unwrap();
    let lines = offer.lines().flat_map(|line| [line, "\n"]).collect();
    (offer, lines)
}

/// A call of a UE through the gateway, with audio.
pub(crate) struct Dialogue {
    pub(crate) folder: PathBuf,
    pub(crate) running: Running,
    pub(crate) ue: UdpSocket,
    pub(crate) ue_rtcp: UdpSocket,
    pub(crate) core: UdpSocket,
    pub(crate) core_rtcp: UdpSocket,
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
    pub(crate) ue_key: String,
    pub(crate) to_core: String,
    pub(crate) to_ue: String,
    pub(crate) gateway_ue: Remote,
    pub(crate) gateway_core: Remote,
}

impl Dialogue {
    pub(crate) fn begin(test: &str, arguments: &[&str], attributes: &str) -> Self {
        let folder = folder(test);
        let [ue, ue_rtcp, core, core_rtcp] = [(); 4].map(|()| udp());
        let (offer, crypto) = offer_crypto();
        let rtcp = |socket: &UdpSocket| format!("a=rtcp:{}\n", socket.local_addr().unwrap().port());
        let line = |socket: &UdpSocket, protocol: &str| {
            format!(
                "m=audio {} {protocol} 0\n",
                socket.local_addr().unwrap().port()
            )
        };
        let ue_sdp =
            line(&ue, "RTP/SAVP") + "a=3ge2ae:requested\n" + &crypto + &rtcp(&ue_rtcp) + attributes;
        let core_sdp = line(&core, "RTP/AVP") + &rtcp(&core_rtcp) + attributes;
        put(&folder, "1_from_ue.sdp", &sdp(&ue_sdp));
        let running = start(
            &folder,
            &[&["--exchange", ".", "--seconds", "60"], arguments].concat(),
        );
        let to_core = running.message("2_to_core.sdp");
        running.put("3_from_core.sdp", &sdp(&core_sdp));
        let to_ue = running.message("4_to_ue.sdp");
        let keys = offer
            .accept(
                description(&to_ue)
                    .lines()
                    .filter(|line| line.starts_with("a=crypto:")),
            )
            .unwrap();
        Self {
            gateway_ue: running.receives("4_to_ue.sdp")[0].unwrap(),
            gateway_core: running.receives("2_to_core.sdp")[0].unwrap(),
            folder,
            running,
            ue,
            ue_rtcp,
            core,
            core_rtcp,
            sender: Sender::from_source(&keys).unwrap(),
            receiver: Receiver::from_source(&keys).unwrap(),
            ue_key: crypto
                .split("inline:")
                .nth(1)
                .unwrap()
                .split(['|', '\n'])
                .next()
                .unwrap()
                .into(),
            to_core,
            to_ue,
        }
    }

    /// The UE protects and sends a packet: as it was sent.
    pub(crate) fn ue_sends(&mut self, packet: &[u8]) -> BytesMut {
        let mut packet = BytesMut::from(packet);
        self.sender.protect_rtp(&mut packet).unwrap();
        self.ue.send_to(&packet, self.gateway_ue.media).unwrap();
        packet
    }

    /// What the UE makes of a packet.
    pub(crate) fn opened(&mut self, packet: &[u8]) -> BytesMut {
        let mut packet = BytesMut::from(packet);
        self.receiver.unprotect_rtp(&mut packet).unwrap();
        packet
    }

    pub(crate) fn bye(self) -> Ended {
        self.running.bye()
    }
}
