use alloc::vec::Vec;
use core::fmt;
use std::io::Write;

use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::content_encryption::{PIECE, Pass};
use crate::error::SealError;
use crate::origin::ProofOfOrigin;
use crate::seal::{SealPolicy, Sealing};
use crate::transport::KeyTransport;

/// Seals content of a known length piece by piece, in bounded memory; what comes out is the same
/// DER that [`seal`](crate::seal()) makes.
///
/// ```
/// use smime_psk::{KekRecipient, OpenPolicy, SealPolicy, stream::StreamSealer};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// # let Some(mut kek) = KekRecipient::new(b"id", &[7; 16]) else { return Ok(()) };
/// let policy = SealPolicy::default();
/// let mut sealer = StreamSealer::new(Vec::new(), 11, &mut kek, &policy, &mut rng)?;
/// sealer.write(b"hello ")?;
/// sealer.write(b"world")?;
/// let sealed = sealer.finish()?;
/// # let Ok(opened) = smime_psk::open(&sealed, &mut kek, &OpenPolicy::default())
/// #     else { panic!() };
/// assert_eq!(opened.content(), b"hello world");
/// # Ok::<(), smime_psk::SealError>(())
/// ```
pub struct StreamSealer<'p, W> {
    writer: W,
    sealing: Sealing<'p>,
    pass: Pass,
    /// Content that is not yet a whole piece.
    pending: Zeroizing<Vec<u8>>,
    left: u64,
}

impl<'p, W: Write> StreamSealer<'p, W> {
    /// Writes everything that comes before the content.
    ///
    /// # Errors
    ///
    /// As for [`seal`](crate::seal()); or the policy wants a proof of origin, which needs the
    /// content first; or writing fails.
    pub fn new(
        mut writer: W,
        content_len: u64,
        transport: &mut (impl KeyTransport + ?Sized),
        policy: &'p SealPolicy,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, SealError> {
        if policy.wanted_proof() != ProofOfOrigin::None {
            return Err(SealError::ProofOfOriginInStream);
        }
        let mut sealing = Sealing::new(policy, content_len, rng)?;
        let pass = Pass::new(&sealing.parameters, &sealing.key, &sealing.aad, content_len)
            .ok_or(SealError::ContentTooLong)?;
        let head = sealing.head(None, 0, transport, rng)?;
        writer
            .write_all(&head)
            .map_err(|error| SealError::Io(error.kind()))?;
        let pending = Zeroizing::new(Vec::with_capacity(PIECE));
        Ok(Self {
            writer,
            sealing,
            pass,
            pending,
            left: content_len,
        })
    }

    /// Takes more of the content.
    ///
    /// # Errors
    ///
    /// There is more than was announced, of which nothing is then taken; or writing fails.
    pub fn write(&mut self, mut content: &[u8]) -> Result<(), SealError> {
        let len = u64::try_from(content.len()).map_err(|_| SealError::ContentLength)?;
        self.left = self.left.checked_sub(len).ok_or(SealError::ContentLength)?;
        while !content.is_empty() {
            let room = PIECE - self.pending.len();
            let (now, later) = content.split_at(room.min(content.len()));
            self.pending.extend_from_slice(now);
            content = later;
            if self.pending.len() == PIECE {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes everything that comes after the content, and gives the writer back.
    ///
    /// # Errors
    ///
    /// There was less content than announced, or writing fails: what was written is no message.
    pub fn finish(mut self) -> Result<W, SealError> {
        if self.left > 0 {
            return Err(SealError::ContentLength);
        }
        self.flush()?;
        let mut tail = Vec::new();
        self.sealing.tail(&self.pass.tag(), &mut tail);
        self.writer
            .write_all(&tail)
            .map_err(|error| SealError::Io(error.kind()))?;
        Ok(self.writer)
    }

    fn flush(&mut self) -> Result<(), SealError> {
        self.pass.encrypt(&mut self.pending);
        let written = self.writer.write_all(&self.pending);
        self.pending.zeroize();
        written.map_err(|error| SealError::Io(error.kind()))
    }
}

impl<W> fmt::Debug for StreamSealer<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamSealer")
    }
}
