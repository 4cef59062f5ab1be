//! Frames of pcap (both byte orders, microseconds and nanoseconds) and of pcapng.

use std::io::Read;

use pcap_parser::{
    Block, Linktype, PcapBlockOwned, PcapError, create_reader, traits::PcapReaderIterator,
};

use crate::failure::Failure;

/// Longest frame that captures have, with some more for the block around it.
const BUFFER: usize = 1 << 20;

/// Interfaces of a section that are kept track of.
const MAX_INTERFACES: usize = 4096;

/// What stands in front of the IP header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Link(pub(crate) i32);

impl Link {
    pub(crate) const NULL: Self = Self(Linktype::NULL.0);
    pub(crate) const ETHERNET: Self = Self(Linktype::ETHERNET.0);
    /// What Linux has called raw IP besides the registered number.
    pub(crate) const RAW_BSD: Self = Self(12);
    pub(crate) const RAW: Self = Self(Linktype::RAW.0);
    pub(crate) const LOOP: Self = Self(Linktype::LOOP.0);
    pub(crate) const LINUX_SLL: Self = Self(Linktype::LINUX_SLL.0);
    pub(crate) const LINUX_SLL2: Self = Self(276);
    pub(crate) const IPV4: Self = Self(Linktype::IPV4.0);
    pub(crate) const IPV6: Self = Self(Linktype::IPV6.0);
}

/// A captured frame.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Its place in the capture, from 1.
    pub(crate) number: u64,
    pub(crate) link: Link,
    /// Seconds and nanoseconds since 1970.
    pub(crate) time: (u32, u32),
    pub(crate) octets: Vec<u8>,
}

/// Reads the frames of a capture.
pub(crate) struct Reader {
    blocks: Box<dyn PcapReaderIterator + Send>,
    interfaces: Vec<Interface>,
    nanoseconds: bool,
    frames: u64,
}

#[derive(Clone, Copy)]
struct Interface {
    link: Link,
    resolution: u64,
    offset: u64,
}

/// What a block means for the walk.
enum Step {
    Frame(Frame),
    Skip,
    NoInterface,
}

impl Reader {
    pub(crate) fn new(source: impl Read + Send + 'static) -> Result<Self, Failure> {
        let blocks = create_reader(BUFFER, source).map_err(|error| {
            Failure::input(format!(
                "capture: octet 0: expected the header of pcap or pcapng: {}",
                reason(&error)
            ))
        })?;
        Ok(Self {
            blocks,
            interfaces: Vec::new(),
            nanoseconds: false,
            frames: 0,
        })
    }

    /// The next frame; `None` at the end.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>, Failure> {
        loop {
            let at = self.blocks.consumed();
            let (len, step) = match self.blocks.next() {
                Ok((len, block)) => {
                    let known = Known {
                        interfaces: &mut self.interfaces,
                        nanoseconds: &mut self.nanoseconds,
                        number: self.frames + 1,
                    };
                    (len, known.step(block))
                }
                Err(PcapError::Eof) => return Ok(None),
                Err(PcapError::Incomplete(_)) => {
                    self.refill(at)?;
                    continue;
                }
                Err(error) => {
                    let reason = reason(&error);
                    return Err(self.broken(at, reason));
                }
            };
            self.blocks.consume(len);
            match step {
                Step::Frame(frame) => {
                    self.frames += 1;
                    return Ok(Some(frame));
                }
                Step::Skip => {}
                Step::NoInterface => {
                    return Err(self.broken(at, "a packet of an interface that is not described"));
                }
            }
        }
    }

    /// Reads more; that nothing more comes is for the next block to find.
    fn refill(&mut self, at: usize) -> Result<(), Failure> {
        let before = self.blocks.data().len();
        let failed = self.blocks.refill().err().map(|error| reason(&error));
        let stuck = self.blocks.data().len() == before && !self.blocks.reader_exhausted();
        match failed.or(stuck.then_some("a block longer than any frame")) {
            Some(reason) => Err(self.broken(at, reason)),
            None => Ok(()),
        }
    }

    fn broken(&self, at: usize, reason: &str) -> Failure {
        Failure::input(format!(
            "capture: octet {at}, behind frame {}: {reason}",
            self.frames
        ))
    }
}

struct Known<'a> {
    interfaces: &'a mut Vec<Interface>,
    nanoseconds: &'a mut bool,
    number: u64,
}

impl Known<'_> {
    fn step(self, block: PcapBlockOwned<'_>) -> Step {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                *self.nanoseconds = header.is_nanosecond_precision();
                self.interfaces.push(Interface {
                    // The upper bits may tell of a frame check sequence.
                    link: Link(header.network.0 & 0xffff),
                    resolution: 0,
                    offset: 0,
                });
                Step::Skip
            }
            PcapBlockOwned::Legacy(block) => {
                let nanoseconds = if *self.nanoseconds {
                    block.ts_usec
                } else {
                    block.ts_usec.saturating_mul(1000)
                };
                let time = (block.ts_sec, nanoseconds.min(999_999_999));
                self.frame(0, time, block.caplen, block.data)
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                self.interfaces.clear();
                Step::Skip
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(block)) => {
                if self.interfaces.len() == MAX_INTERFACES {
                    return Step::NoInterface;
                }
                self.interfaces.push(Interface {
                    link: Link(block.linktype.0),
                    resolution: block.ts_resolution().unwrap_or(1_000_000),
                    // Before 1970 is no time that pcap could say.
                    offset: u64::try_from(block.ts_offset()).unwrap_or(0),
                });
                Step::Skip
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
                let interface = usize::try_from(block.if_id).unwrap_or(usize::MAX);
                let ticks = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
                let time = self.time(interface, ticks);
                self.frame(interface, time, block.caplen, block.data)
            }
            PcapBlockOwned::NG(Block::SimplePacket(block)) => {
                self.frame(0, (0, 0), block.origlen, block.data)
            }
            PcapBlockOwned::NG(_) => Step::Skip,
        }
    }

    /// Seconds and nanoseconds of `ticks` of `interface`.
    fn time(&self, interface: usize, ticks: u64) -> (u32, u32) {
        let Some(interface) = self.interfaces.get(interface) else {
            return (0, 0);
        };
        let resolution = u128::from(interface.resolution.max(1));
        let ticks = u128::from(ticks);
        let seconds = ticks / resolution + u128::from(interface.offset);
        let nanoseconds = ticks % resolution * 1_000_000_000 / resolution;
        (
            u32::try_from(seconds).unwrap_or(u32::MAX),
            u32::try_from(nanoseconds).unwrap_or(0),
        )
    }

    /// `data` may have padding behind the frame.
    fn frame(self, interface: usize, time: (u32, u32), captured: u32, data: &[u8]) -> Step {
        let Some(interface) = self.interfaces.get(interface) else {
            return Step::NoInterface;
        };
        let captured = usize::try_from(captured).unwrap_or(usize::MAX);
        Step::Frame(Frame {
            number: self.number,
            link: interface.link,
            time,
            octets: data.get(..captured).unwrap_or(data).to_vec(),
        })
    }
}

/// What is wrong, without the octets.
fn reason<I>(error: &PcapError<I>) -> &'static str {
    match error {
        PcapError::Eof | PcapError::UnexpectedEof | PcapError::Incomplete(_) => "it ends too early",
        PcapError::BufferTooSmall => "a block longer than any frame",
        PcapError::ReadError => "it cannot be read",
        PcapError::HeaderNotRecognized => "it is neither",
        _ => "not a block of this format",
    }
}
