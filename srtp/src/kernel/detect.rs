/// Which vector instructions a session may use. A value exists only where the processor has them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Isa {
    level: Level,
    sha: bool,
}

/// A set of instructions; each holds those before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Level {
    /// None: the RustCrypto crates, which look for instructions themselves.
    Portable,
    /// AES-NI and PCLMULQDQ.
    AesNi,
    /// AVX2 and VAES on registers of 256 bits.
    Vaes256,
    /// AVX-512 (F, BW, DQ, VL), VAES and VPCLMULQDQ on registers of 512 bits.
    Vaes512,
}

impl Isa {
    /// No vector instructions.
    pub(crate) const PORTABLE: Self = Self {
        level: Level::Portable,
        sha: false,
    };

    /// The instructions of `level`, and the SHA extensions with any but the lowest, if the
    /// processor has them.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn at(level: Level) -> Option<Self> {
        let has = match level {
            Level::Portable => return Some(Self::PORTABLE),
            Level::AesNi => aes_ni::get(),
            Level::Vaes256 => aes_ni::get() && avx2::get() && vaes(),
            Level::Vaes512 => aes_ni::get() && avx2::get() && vaes_512::get(),
        };
        has.then(|| Self {
            level,
            sha: sha::get(),
        })
    }

    /// The instructions of `level`, if the processor has them.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn at(level: Level) -> Option<Self> {
        (level == Level::Portable).then_some(Self::PORTABLE)
    }

    /// The best level.
    #[cfg(target_arch = "x86_64")]
    pub(crate) const fn level(self) -> Level {
        self.level
    }

    /// Whether the SHA extensions are there.
    #[cfg(target_arch = "x86_64")]
    pub(super) const fn has_sha(self) -> bool {
        self.sha
    }

    /// The same instructions without the SHA extensions, for tests of what serves then.
    #[cfg(all(test, target_arch = "x86_64"))]
    pub(super) const fn without_sha(self) -> Self {
        Self { sha: false, ..self }
    }
}

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(aes_ni, "sse2", "ssse3", "sse4.1", "aes", "pclmulqdq");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(avx2, "avx2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(
    vaes_512,
    "avx512f",
    "avx512bw",
    "avx512dq",
    "avx512vl",
    "vaes",
    "vpclmulqdq"
);
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(sha, "sha", "ssse3", "sse4.1");

/// Whether VAES is there, on a processor whose registers of 256 bits are known to be usable:
/// `cpufeatures` would ask for those of 512 bits too.
#[cfg(target_arch = "x86_64")]
fn vaes() -> bool {
    use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

    const UNKNOWN: u8 = 2;
    static FOUND: AtomicU8 = AtomicU8::new(UNKNOWN);

    if cfg!(miri) {
        // It has no CPUID; what the program is compiled for is there.
        return cfg!(target_feature = "vaes");
    }
    let found = FOUND.load(Relaxed);
    if found != UNKNOWN {
        return found == 1;
    }
    #[allow(unused_unsafe, reason = "safe since Rust 1.94")]
    // SAFETY: every x86-64 processor has CPUID, and one with AVX2 its leaf 7.
    let leaf = unsafe { core::arch::x86_64::__cpuid_count(7, 0) };
    let vaes = leaf.ecx & 1 << 9 != 0;
    FOUND.store(u8::from(vaes), Relaxed);
    vaes
}
