/// Who computes AES-GCM; all else is computed by the RustCrypto block functions.
///
/// ```
/// assert_eq!(srtp::Backend::default(), srtp::Backend::ALL[0]);
/// ```
///
/// # Security
///
/// Expanded keys are erased when a session ends with [`RustCrypto`](Self::RustCrypto). `ring` has
/// no way to erase its own.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Backend {
    /// The `ring` crate; the default where feature `ring` is on.
    #[cfg(feature = "ring")]
    Ring,
    /// The `aes-gcm` crate.
    RustCrypto,
}

impl Backend {
    /// Every backend that this build has, the default first.
    pub const ALL: &[Self] = &[
        #[cfg(feature = "ring")]
        Self::Ring,
        Self::RustCrypto,
    ];
}

impl Default for Backend {
    fn default() -> Self {
        #[cfg(feature = "ring")]
        return Self::Ring;
        #[cfg(not(feature = "ring"))]
        return Self::RustCrypto;
    }
}
