use crate::kernel::{Isa, Level};

/// Whose code computes AES, AES-GCM and SHA-1.
///
/// [`default`](Self::default) is the fastest that the processor has; the others are for tests, and
/// for those who must ship a certain implementation.
///
/// ```
/// use srtp::Backend;
///
/// assert!(Backend::default().is_available());
/// assert_eq!(Backend::available().next(), Some(Backend::default()));
/// assert!(Backend::available().any(|backend| backend == Backend::RustCrypto));
/// ```
///
/// # Security
///
/// Expanded keys are erased when a session ends. `ring` has no way to erase its own.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Backend {
    /// This crate, in registers of 512 bits: AVX-512 (F, BW, DQ, VL), VAES, VPCLMULQDQ, and the
    /// SHA extensions where they are.
    Vaes512,
    /// This crate, in registers of 256 bits: AVX2, VAES, PCLMULQDQ, and the SHA extensions where
    /// they are.
    Vaes256,
    /// This crate, in registers of 128 bits: AES-NI, PCLMULQDQ, and the SHA extensions where they
    /// are.
    AesNi,
    /// AES-GCM by the `ring` crate, all else as [`RustCrypto`](Self::RustCrypto).
    #[cfg(feature = "ring")]
    Ring,
    /// The `aes`, `aes-gcm` and `sha1` crates, which have ARMv8 and portable code too.
    RustCrypto,
}

impl Backend {
    /// Every backend that this build and this processor have, the default first.
    pub fn available() -> impl Iterator<Item = Self> {
        [
            Self::Vaes512,
            Self::Vaes256,
            Self::AesNi,
            #[cfg(feature = "ring")]
            Self::Ring,
            Self::RustCrypto,
        ]
        .into_iter()
        .filter(|backend| backend.is_available())
    }

    /// Whether the processor has what it takes; a session cannot be built otherwise.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.isa().is_some()
    }

    /// The vector instructions for this crate's own code.
    pub(crate) fn isa(self) -> Option<Isa> {
        Isa::at(match self {
            Self::Vaes512 => Level::Vaes512,
            Self::Vaes256 => Level::Vaes256,
            Self::AesNi => Level::AesNi,
            #[cfg(feature = "ring")]
            Self::Ring => Level::Portable,
            Self::RustCrypto => Level::Portable,
        })
    }
}

impl Default for Backend {
    /// The first that is [`available`](Self::available).
    fn default() -> Self {
        Self::available().next().unwrap_or(Self::RustCrypto)
    }
}
