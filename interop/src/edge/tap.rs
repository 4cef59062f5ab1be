//! Lawful interception at the IMS-AGW: the clear content, as it is between the two protections
//! (TR 33.829 §8.3.2.2.2.2).

use core::net::{IpAddr, SocketAddr};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use sdp_sec::edge::gateway::Termination;

/// What passes one stream in one direction, in clear.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ClearContent<'a> {
    /// The call, as the gateway numbers it.
    pub call: u64,
    /// Where it came from.
    pub from: Termination,
    /// Wireshark's name of the protocol: `rtp`, `rtcp`, `msrp`, `bfcp` or `t38_udp`.
    pub protocol: &'static str,
    /// Who sent it and whom it is for: the addresses of UE and core in SDP.
    pub addresses: [SocketAddr; 2],
    /// A packet, or what was read of a TCP stream.
    pub octets: &'a [u8],
}

impl core::fmt::Debug for ClearContent<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClearContent").finish_non_exhaustive()
    }
}

/// Where clear content is delivered to. It is called on the media path: do not block.
pub trait Tap: Send + Sync {
    /// Takes content that passes the gateway.
    fn deliver(&self, content: &ClearContent<'_>);

    /// Delivers what is still held back.
    ///
    /// # Errors
    ///
    /// What delivering it came to.
    fn flush(&self) -> io::Result<()>;
}

/// A tap that writes a pcap file of exported PDUs, which Wireshark opens as what they are.
#[derive(Debug)]
pub struct PcapTap(Mutex<BufWriter<File>>);

/// LINKTYPE_WIRESHARK_UPPER_PDU.
const LINK_TYPE: u32 = 252;

const DISSECTOR_NAME: u16 = 12;
const IPV4: [u16; 2] = [20, 21];
const IPV6: [u16; 2] = [22, 23];
const PORTS: [u16; 2] = [25, 26];
const END: u16 = 0;

impl PcapTap {
    /// Begins a file, readable by its owner alone, or goes on with the one that is there.
    ///
    /// # Errors
    ///
    /// What opening it came to.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        let file = options.append(true).create(true).mode(0o600).open(path)?;
        let begun = file.metadata()?.len() > 0;
        let mut file = BufWriter::new(file);
        if begun {
            return Ok(Self(Mutex::new(file)));
        }
        // Magic, version 2.4, no time zone, no accuracy, packets whole.
        for word in [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 0x0004_0000, LINK_TYPE] {
            file.write_all(&word.to_be_bytes())?;
        }
        Ok(Self(Mutex::new(file)))
    }
}

impl Tap for PcapTap {
    fn deliver(&self, content: &ClearContent<'_>) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let pdu = exported_pdu(content);
        let len = u32::try_from(pdu.len()).unwrap_or(0);
        let seconds = u32::try_from(now.as_secs()).unwrap_or(0);
        if let Ok(mut file) = self.0.lock() {
            // A full disk must not stop the call.
            let _ = [seconds, now.subsec_micros(), len, len]
                .into_iter()
                .try_for_each(|word| file.write_all(&word.to_be_bytes()))
                .and_then(|()| file.write_all(&pdu));
        }
    }

    fn flush(&self) -> io::Result<()> {
        self.0.lock().map_or(Ok(()), |mut file| file.flush())
    }
}

fn exported_pdu(content: &ClearContent<'_>) -> Vec<u8> {
    let mut pdu = Vec::with_capacity(content.octets.len() + 64);
    tag(&mut pdu, DISSECTOR_NAME, content.protocol.as_bytes());
    for (address, end) in content.addresses.iter().zip(0..) {
        match address.ip() {
            IpAddr::V4(ip) => tag(
                &mut pdu,
                IPV4.get(end).copied().unwrap_or(END),
                &ip.octets(),
            ),
            IpAddr::V6(ip) => tag(
                &mut pdu,
                IPV6.get(end).copied().unwrap_or(END),
                &ip.octets(),
            ),
        }
    }
    for (address, name) in content.addresses.iter().zip(PORTS) {
        tag(&mut pdu, name, &u32::from(address.port()).to_be_bytes());
    }
    tag(&mut pdu, END, &[]);
    pdu.extend_from_slice(content.octets);
    pdu
}

/// Name, length and value, padded to words.
fn tag(out: &mut Vec<u8>, name: u16, value: &[u8]) {
    let padded = value.len().next_multiple_of(4);
    out.extend_from_slice(&name.to_be_bytes());
    out.extend_from_slice(&u16::try_from(padded).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(value);
    out.resize(out.len() + padded - value.len(), 0);
}
