//! Captures of every form, made here.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use etherparse::PacketBuilder;

/// What a capture file looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Pcap { big_endian: bool, nanoseconds: bool },
    PcapNg { big_endian: bool },
}

pub(crate) const FORMS: [Form; 6] = [
    Form::Pcap {
        big_endian: true,
        nanoseconds: false,
    },
    Form::Pcap {
        big_endian: false,
        nanoseconds: false,
    },
    Form::Pcap {
        big_endian: true,
        nanoseconds: true,
    },
    Form::Pcap {
        big_endian: false,
        nanoseconds: true,
    },
    Form::PcapNg { big_endian: true },
    Form::PcapNg { big_endian: false },
];

/// What stands in front of IP: the number of the link type, and the octets for IPv4 and for IPv6.
pub(crate) const LINKS: [(u32, &[u8], &[u8]); 9] = [
    (101, &[], &[]),
    (0, &[2, 0, 0, 0], &[30, 0, 0, 0]),
    (108, &[0, 0, 0, 2], &[0, 0, 0, 24]),
    (
        1,
        b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0",
        b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x86\xdd",
    ),
    // One VLAN tag, and two.
    (
        1,
        b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x81\0\0\x07\x08\0",
        b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x81\0\0\x07\x86\xdd",
    ),
    (
        1,
        b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x88\xa8\0\x07\x81\0\0\x08\x08\0",
        b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x88\xa8\0\x07\x81\0\0\x08\x86\xdd",
    ),
    // Linux cooked, 1 and 2.
    (
        113,
        b"\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x08\0",
        b"\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x86\xdd",
    ),
    (
        276,
        b"\x08\0\0\0\0\0\0\x02\0\x01\0\x06\x02\0\0\0\0\x01\0\0",
        b"\x86\xdd\0\0\0\0\0\x02\0\x01\0\x06\x02\0\0\0\0\x01\0\0",
    ),
    (228, &[], &[]),
];

pub(crate) fn v4(host: u8, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)), port)
}

pub(crate) fn v6(host: u16, port: u16) -> SocketAddr {
    let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host);
    SocketAddr::new(IpAddr::V6(address), port)
}

/// A frame with `payload` from one address to the other, `link` in front.
pub(crate) fn frame(link: &[u8], from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let ip = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), 64),
        (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), 64),
        _ => panic!("one family"),
    };
    let mut frame = link.to_vec();
    ip.udp(from.port(), to.port())
        .write(&mut frame, payload)
        .unwrap();
    frame
}

/// A capture of `frames`, one each 20 ms.
pub(crate) fn capture(form: Form, link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let (Form::Pcap { big_endian, .. } | Form::PcapNg { big_endian }) = form;
    let u16 = |value: u16| {
        if big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let u32 = |value: u32| {
        if big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let len = |octets: &[u8]| u32::try_from(octets.len()).unwrap();
    let mut file = Vec::new();
    let block = |file: &mut Vec<u8>, kind: u32, mut body: Vec<u8>| {
        body.resize(body.len().next_multiple_of(4), 0);
        let total = u32(len(&body) + 12);
        file.extend([&u32(kind)[..], &total, &body, &total].concat());
    };
    match form {
        Form::Pcap { nanoseconds, .. } => {
            let magic = if nanoseconds {
                0xa1b2_3c4d
            } else {
                0xa1b2_c3d4
            };
            file.extend([u32(magic).as_slice(), &u16(2), &u16(4), &[0; 8]].concat());
            file.extend([u32(262_144), u32(link)].concat());
        }
        Form::PcapNg { .. } => {
            let head = [&u32(0x1a2b_3c4d)[..], &u16(1), &u16(0), &[0xff; 8]].concat();
            block(&mut file, 0x0a0d_0d0a, head);
            let link = u16(u16::try_from(link).unwrap());
            // Nanoseconds, and the end of the options.
            let options = [&u16(9)[..], &u16(1), &[9, 0, 0, 0], &[0; 4]].concat();
            block(
                &mut file,
                1,
                [&link[..], &[0; 2], &u32(0), &options].concat(),
            );
        }
    }
    for (frame, number) in frames.iter().zip(0_u32..) {
        let (seconds, fraction) = (1_700_000_000 + number / 50, number % 50 * 20_000);
        match form {
            Form::Pcap { nanoseconds, .. } => {
                let fraction = if nanoseconds {
                    fraction * 1000
                } else {
                    fraction
                };
                let len = u32(len(frame));
                file.extend([u32(seconds), u32(fraction), len, len].concat());
                file.extend(frame);
            }
            Form::PcapNg { .. } => {
                let ticks = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * 1000;
                let (high, low) = (ticks >> 32, ticks & 0xffff_ffff);
                let ticks = [high, low].map(|half| u32(u32::try_from(half).unwrap()));
                let len = u32(len(frame));
                let body = [&u32(0)[..], &ticks.concat(), &len, &len, frame].concat();
                block(&mut file, 6, body);
            }
        }
    }
    file
}

/// The capture that the program writes for `frames`: pcap with nanoseconds, most significant octet
/// first, at the times of the frames that are `kept`.
pub(crate) fn written(link: u32, kept: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let form = Form::Pcap {
        big_endian: true,
        nanoseconds: true,
    };
    let mut file = capture(form, link, &[]);
    for (number, frame) in kept {
        let number = u32::try_from(*number).unwrap();
        let (seconds, fraction) = (1_700_000_000 + number / 50, number % 50 * 20_000_000);
        let len = u32::try_from(frame.len()).unwrap();
        for field in [seconds, fraction, len, len] {
            file.extend(field.to_be_bytes());
        }
        file.extend(frame);
    }
    file
}
