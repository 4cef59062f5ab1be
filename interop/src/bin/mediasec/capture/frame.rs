//! UDP datagrams in frames: found, and put back with another payload.

use core::{net::SocketAddr, ops::Range};

use etherparse::{IpNumber, IpSlice, Ipv4Header, UdpHeader, UdpSlice};

use super::Link;

/// Most VLAN tags of a frame.
const MAX_VLAN_TAGS: usize = 3;

/// Why a frame has no datagram to look into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Skipped {
    /// Part of a datagram.
    Fragment,
    /// A link type that is not known here.
    Link,
    /// No UDP, or no IP.
    NotUdp,
    /// Lengths that contradict one another, or octets that were not captured.
    Truncated,
}

/// Where things stand in a frame that holds a whole UDP datagram.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    ip: usize,
    payload: Range<usize>,
}

impl Datagram {
    /// Finds the datagram of `frame`.
    pub(crate) fn find(link: Link, frame: &[u8]) -> Result<Self, Skipped> {
        let ip_at = ip_offset(link, frame)?;
        let ip = ip_of(frame, ip_at)?;
        if ip.payload_ip_number() != IpNumber::UDP {
            return Err(Skipped::NotUdp);
        }
        if ip.is_fragmenting_payload() {
            return Err(Skipped::Fragment);
        }
        let udp = UdpSlice::from_slice(ip.payload().payload).map_err(|_| Skipped::Truncated)?;
        let start = ip_at + headers_len(&ip) + UdpHeader::LEN;
        Ok(Self {
            source: SocketAddr::new(ip.source_addr(), udp.source_port()),
            destination: SocketAddr::new(ip.destination_addr(), udp.destination_port()),
            ip: ip_at,
            payload: start..start + udp.payload().len(),
        })
    }

    /// What the datagram carries.
    pub(crate) fn payload<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        frame.get(self.payload.clone()).unwrap_or_default()
    }

    /// `frame` with `payload` in its place; lengths and checksums of IP and UDP are those of the new
    /// payload. What stood behind the IP packet, such as padding of Ethernet, is gone.
    pub(crate) fn with_payload(&self, frame: &[u8], payload: &[u8]) -> Result<Vec<u8>, Skipped> {
        let ip = ip_of(frame, self.ip)?;
        let udp = UdpSlice::from_slice(ip.payload().payload).map_err(|_| Skipped::Truncated)?;
        let (source, destination) = (udp.source_port(), udp.destination_port());
        let udp_len = UdpHeader::LEN + payload.len();
        let mut out = frame.get(..self.ip).unwrap_or_default().to_vec();
        let header = match &ip {
            IpSlice::Ipv4(slice) => {
                let extensions = headers_len(&ip) - slice.header().slice().len();
                let mut header: Ipv4Header = slice.header().to_header();
                header
                    .set_payload_len(extensions + udp_len)
                    .map_err(|_| Skipped::Truncated)?;
                header.header_checksum = header.calc_header_checksum();
                out.extend_from_slice(&header.to_bytes());
                out.extend_from_slice(range(frame, self.extensions(&ip)));
                // A sender that leaves the checksum out goes on to.
                if udp.checksum() == 0 {
                    UdpHeader::without_ipv4_checksum(source, destination, payload.len())
                } else {
                    UdpHeader::with_ipv4_checksum(source, destination, &header, payload)
                }
            }
            IpSlice::Ipv6(slice) => {
                let extensions = self.extensions(&ip);
                let mut header = slice.header().to_header();
                header.payload_length =
                    u16::try_from(extensions.len() + udp_len).map_err(|_| Skipped::Truncated)?;
                out.extend_from_slice(&header.to_bytes());
                out.extend_from_slice(range(frame, extensions));
                UdpHeader::with_ipv6_checksum(source, destination, &header, payload)
            }
        };
        let header = header.map_err(|_| Skipped::Truncated)?;
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(payload);
        Ok(out)
    }

    /// What stands between the IP header and the UDP header.
    fn extensions(&self, ip: &IpSlice<'_>) -> Range<usize> {
        let header = match ip {
            IpSlice::Ipv4(slice) => slice.header().slice().len(),
            IpSlice::Ipv6(slice) => slice.header().slice().len(),
        };
        self.ip + header..self.ip + headers_len(ip)
    }
}

fn range(frame: &[u8], range: Range<usize>) -> &[u8] {
    frame.get(range).unwrap_or_default()
}

fn ip_of(frame: &[u8], at: usize) -> Result<IpSlice<'_>, Skipped> {
    let octets = frame.get(at..).ok_or(Skipped::Truncated)?;
    IpSlice::from_slice(octets).map_err(|_| Skipped::Truncated)
}

/// Octets of the IP header and its extensions.
fn headers_len(ip: &IpSlice<'_>) -> usize {
    match ip {
        IpSlice::Ipv4(slice) => {
            let auth = slice.extensions().auth.map_or(0, |auth| auth.slice().len());
            slice.header().slice().len() + auth
        }
        IpSlice::Ipv6(slice) => slice.header().slice().len() + slice.extensions().slice().len(),
    }
}

/// Octets in front of the IP header.
fn ip_offset(link: Link, frame: &[u8]) -> Result<usize, Skipped> {
    match link {
        Link::RAW | Link::RAW_BSD | Link::IPV4 | Link::IPV6 => Ok(0),
        // The address family, in the byte order of whoever captured it. IPv4 is 2 everywhere, IPv6
        // has as many numbers as there are systems.
        Link::NULL | Link::LOOP => match frame.first_chunk::<4>() {
            None => Err(Skipped::Truncated),
            Some([0, 0, 0, 2 | 10 | 23 | 24 | 28 | 30] | [2 | 10 | 23 | 24 | 28 | 30, 0, 0, 0]) => {
                Ok(4)
            }
            Some(_) => Err(Skipped::NotUdp),
        },
        Link::LINUX_SLL => behind_ether_type(frame, 14),
        Link::LINUX_SLL2 => {
            // Its protocol stands in front.
            let protocol = frame.first_chunk::<2>().ok_or(Skipped::Truncated)?;
            is_ip(*protocol).then_some(20).ok_or(Skipped::NotUdp)
        }
        Link::ETHERNET => behind_ether_type(frame, 12),
        _ => Err(Skipped::Link),
    }
}

/// Behind the EtherType at `at` and the VLAN tags that it may name.
fn behind_ether_type(frame: &[u8], mut at: usize) -> Result<usize, Skipped> {
    for _ in 0..=MAX_VLAN_TAGS {
        let rest = frame.get(at..).ok_or(Skipped::Truncated)?;
        let ether_type = *rest.first_chunk::<2>().ok_or(Skipped::Truncated)?;
        match ether_type {
            [0x81 | 0x91, 0x00] | [0x88, 0xa8] => at += 4,
            _ if is_ip(ether_type) => return Ok(at + 2),
            _ => return Err(Skipped::NotUdp),
        }
    }
    Err(Skipped::NotUdp)
}

const fn is_ip(ether_type: [u8; 2]) -> bool {
    matches!(ether_type, [0x08, 0x00] | [0x86, 0xdd])
}
