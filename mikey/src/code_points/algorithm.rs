use super::registry;

registry! {
    /// The pseudo-random function of a message, 7 bits ([RFC 3830 §4.1.2], [RFC 6043 §6.1]).
    ///
    /// [RFC 3830 §4.1.2]: https://www.rfc-editor.org/rfc/rfc3830#section-4.1.2
    /// [RFC 6043 §6.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.1
    PrfFunc: u8 {
        Mikey1 = 0, "MIKEY-1";
        HmacSha256 = 1, "PRF-HMAC-SHA-256";
    }
}

registry! {
    /// Encryption of a KEMAC payload ([RFC 3830 §6.2], [RFC 6043 §6.2]).
    ///
    /// [RFC 3830 §6.2]: https://www.rfc-editor.org/rfc/rfc3830#section-6.2
    /// [RFC 6043 §6.2]: https://www.rfc-editor.org/rfc/rfc6043#section-6.2
    EncrAlg: u8 {
        Null = 0, "NULL";
        AesCm128 = 1, "AES-CM-128";
        AesKw128 = 2, "AES-KW-128";
        AesCm256 = 3, "AES-CM-256";
    }
}

registry! {
    /// Authentication of a KEMAC or V payload ([RFC 3830 §6.2], [RFC 6043 §6.2]).
    ///
    /// [RFC 3830 §6.2]: https://www.rfc-editor.org/rfc/rfc3830#section-6.2
    /// [RFC 6043 §6.2]: https://www.rfc-editor.org/rfc/rfc6043#section-6.2
    MacAlg: u8 {
        Null = 0, "NULL";
        HmacSha1_160 = 1, "HMAC-SHA-1-160";
        HmacSha256_256 = 2, "HMAC-SHA-256-256";
    }
}

impl MacAlg {
    /// Octets of the MAC; `None` for an algorithm without a name here.
    #[must_use]
    pub const fn mac_len(self) -> Option<usize> {
        match self {
            Self::Null => Some(0),
            Self::HmacSha1_160 => Some(20),
            Self::HmacSha256_256 => Some(32),
            Self::Unknown(_) => None,
        }
    }
}

registry! {
    /// Whether an envelope key is kept, 2 bits ([RFC 3830 §6.3]).
    ///
    /// [RFC 3830 §6.3]: https://www.rfc-editor.org/rfc/rfc3830#section-6.3
    EnvelopeKeyCache: u8 {
        NoCache = 0, "No cache";
        Cache = 1, "Cache";
        CacheForCsb = 2, "Cache for CSB";
    }
}

registry! {
    /// Group of a Diffie-Hellman value ([RFC 3830 §6.4]).
    ///
    /// [RFC 3830 §6.4]: https://www.rfc-editor.org/rfc/rfc3830#section-6.4
    DhGroup: u8 {
        Oakley5 = 0, "OAKLEY 5";
        Oakley1 = 1, "OAKLEY 1";
        Oakley2 = 2, "OAKLEY 2";
    }
}

impl DhGroup {
    /// Octets of a DH value; `None` for a group without a name here.
    #[must_use]
    pub const fn value_len(self) -> Option<usize> {
        match self {
            Self::Oakley5 => Some(192),
            Self::Oakley1 => Some(96),
            Self::Oakley2 => Some(128),
            Self::Unknown(_) => None,
        }
    }
}

registry! {
    /// Signature algorithm of a SIGN payload, 4 bits ([RFC 3830 §6.5], 6509).
    ///
    /// [RFC 3830 §6.5]: https://www.rfc-editor.org/rfc/rfc3830#section-6.5
    SType: u8 {
        RsaPkcs1 = 0, "RSA/PKCS#1/1.5";
        RsaPss = 1, "RSA/PSS";
        Eccsi = 2, "ECCSI";
    }
}

registry! {
    /// Hash of a CHASH payload ([RFC 3830 §6.8], [RFC 6043 §6.7]).
    ///
    /// [RFC 3830 §6.8]: https://www.rfc-editor.org/rfc/rfc3830#section-6.8
    /// [RFC 6043 §6.7]: https://www.rfc-editor.org/rfc/rfc6043#section-6.7
    HashFunc: u8 {
        Sha1 = 0, "SHA-1";
        Md5 = 1, "MD5";
        Sha256 = 2, "SHA-256";
    }
}

impl HashFunc {
    /// Octets of the hash; `None` for a function without a name here.
    #[must_use]
    pub const fn hash_len(self) -> Option<usize> {
        match self {
            Self::Sha1 => Some(20),
            Self::Md5 => Some(16),
            Self::Sha256 => Some(32),
            Self::Unknown(_) => None,
        }
    }
}

registry! {
    /// Curve of an ECCPT sub-payload ([RFC 6267 §6.1.4]).
    ///
    /// [RFC 6267 §6.1.4]: https://www.rfc-editor.org/rfc/rfc6267#section-6.1.4
    EccCurve: u8 {
        P192 = 1, "P-192";
        B163 = 2, "B-163";
        K163 = 3, "K-163";
        Sect163r1 = 4, "sect163r1";
        P224 = 5, "P-224";
        B233 = 6, "B-233";
        K233 = 7, "K-233";
        P256 = 8, "P-256";
        B283 = 9, "B-283";
        K283 = 10, "K-283";
        P384 = 11, "P-384";
        B409 = 12, "B-409";
        K409 = 13, "K-409";
        P521 = 14, "P-521";
        B571 = 15, "B-571";
        K571 = 16, "K-571";
    }
}

impl EccCurve {
    /// Octets of one coordinate; `None` for a curve without a name here.
    #[must_use]
    pub const fn coordinate_len(self) -> Option<usize> {
        Some(match self {
            Self::B163 | Self::K163 | Self::Sect163r1 => 21,
            Self::P192 => 24,
            Self::P224 => 28,
            Self::B233 | Self::K233 => 30,
            Self::P256 => 32,
            Self::B283 | Self::K283 => 36,
            Self::P384 => 48,
            Self::B409 | Self::K409 => 52,
            Self::P521 => 66,
            Self::B571 | Self::K571 => 72,
            Self::Unknown(_) => return None,
        })
    }
}

registry! {
    /// Parameter set of a SAKKE payload ([RFC 6509 §4]).
    ///
    /// [RFC 6509 §4]: https://www.rfc-editor.org/rfc/rfc6509#section-4
    SakkeParams: u8 {
        ParameterSet1 = 1, "Parameter Set 1";
    }
}

registry! {
    /// Identifier scheme of a SAKKE payload ([RFC 6509 §4]; TS 33.180).
    ///
    /// [RFC 6509 §4]: https://www.rfc-editor.org/rfc/rfc6509#section-4
    SakkeIdScheme: u8 {
        TelUriMonthly = 1, "tel URI with monthly keys";
        McxHashedUid = 2, "3GPP MCX hashed UID";
    }
}
