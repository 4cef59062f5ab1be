//! Writes pcap, with nanoseconds.

use std::io::{self, Write};

use super::Link;

/// A capture of one link type.
#[derive(Debug)]
pub(crate) struct Writer<W> {
    out: W,
    link: Option<Link>,
}

impl<W: Write> Writer<W> {
    pub(crate) const fn new(out: W) -> Self {
        Self { out, link: None }
    }

    /// Writes a frame. `false` if it has another link type than those before it: pcap has one.
    pub(crate) fn write(
        &mut self,
        link: Link,
        time: (u32, u32),
        octets: &[u8],
    ) -> io::Result<bool> {
        match self.link {
            None => self.begin(link)?,
            Some(known) if known != link => return Ok(false),
            Some(_) => {}
        }
        let len = u32::try_from(octets.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        for field in [time.0, time.1, len, len] {
            self.out.write_all(&field.to_be_bytes())?;
        }
        self.out.write_all(octets)?;
        Ok(true)
    }

    /// A capture without frames has a header, too.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if self.link.is_none() {
            self.begin(Link::ETHERNET)?;
        }
        self.out.flush()
    }

    fn begin(&mut self, link: Link) -> io::Result<()> {
        const NANOSECONDS: u32 = 0xa1b2_3c4d;
        const VERSION: [u16; 2] = [2, 4];
        const SNAPLEN: u32 = 262_144;
        self.link = Some(link);
        self.out.write_all(&NANOSECONDS.to_be_bytes())?;
        for half in VERSION {
            self.out.write_all(&half.to_be_bytes())?;
        }
        // Time zone and accuracy, which no tool fills in.
        self.out.write_all(&[0; 8])?;
        self.out.write_all(&SNAPLEN.to_be_bytes())?;
        self.out.write_all(&link.0.to_be_bytes())
    }
}
