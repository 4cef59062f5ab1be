//! Captures: pcap and pcapng are read, pcap is written, and UDP is found in the frames.

mod frame;
mod reader;
mod writer;

pub(crate) use frame::{Datagram, Skipped};
pub(crate) use reader::{Frame, Link, Reader};
pub(crate) use writer::Writer;
