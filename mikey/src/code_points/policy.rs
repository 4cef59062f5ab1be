use super::registry;

registry! {
    /// Security protocol of a policy or crypto session ([RFC 3830 §6.10], 4442).
    ///
    /// TLS, PSK/MIME and Application Specific have no number: see
    /// [`ThreeGppCodePoints`](super::ThreeGppCodePoints).
    ///
    /// [RFC 3830 §6.10]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10
    ProtType: u8 {
        Srtp = 0, "SRTP";
        Tesla = 1, "TESLA";
    }
}

registry! {
    /// Type of an SRTP policy parameter ([RFC 3830 §6.10.1], 4771, 7714).
    ///
    /// [RFC 3830 §6.10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10.1
    SrtpParamType: u8 {
        EncrAlg = 0, "Encryption algorithm";
        EncrKeyLen = 1, "Session encr. key length";
        AuthAlg = 2, "Authentication algorithm";
        AuthKeyLen = 3, "Session auth. key length";
        SaltKeyLen = 4, "Session salt key length";
        Prf = 5, "SRTP Pseudo Random Function";
        KeyDerivationRate = 6, "Key derivation rate";
        SrtpEncr = 7, "SRTP encryption off/on";
        SrtcpEncr = 8, "SRTCP encryption off/on";
        FecOrder = 9, "Sender's FEC order";
        SrtpAuth = 10, "SRTP authentication off/on";
        AuthTagLen = 11, "Authentication tag length";
        PrefixLen = 12, "SRTP prefix length";
        RocRate = 13, "ROC transmission rate";
        SrtpAuthAlg = 14, "SRTP Authentication algorithm";
        SrtcpAuthAlg = 15, "SRTCP Authentication algorithm";
        SrtpAuthKeyLen = 16, "SRTP Session auth. key length";
        SrtcpAuthKeyLen = 17, "SRTCP Session auth. key length";
        SrtpAuthTagLen = 18, "SRTP Authentication tag length";
        SrtcpAuthTagLen = 19, "SRTCP Authentication tag length";
        AeadAuthTagLen = 20, "AEAD authentication tag length";
    }
}

registry! {
    /// SRTP encryption algorithm ([RFC 3830 §6.10.1], 5669, 7714, 8269).
    ///
    /// [RFC 3830 §6.10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10.1
    SrtpEncrAlg: u8 {
        Null = 0, "NULL";
        AesCm = 1, "AES-CM";
        AesF8 = 2, "AES-F8";
        SeedCtr = 3, "SEED-CTR";
        SeedCcm = 4, "SEED-CCM";
        SeedGcm = 5, "SEED-GCM";
        AesGcm = 6, "AES-GCM";
        AriaCtr = 7, "ARIA-CTR";
        AriaGcm = 8, "ARIA-GCM";
    }
}

registry! {
    /// SRTP authentication algorithm ([RFC 3830 §6.10.1], 4771).
    ///
    /// [RFC 3830 §6.10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10.1
    SrtpAuthAlg: u8 {
        Null = 0, "NULL";
        HmacSha1 = 1, "HMAC-SHA-1";
        RccM1 = 2, "RCCm1";
        RccM2 = 3, "RCCm2";
        RccM3 = 4, "RCCm3";
    }
}

registry! {
    /// SRTP key derivation function ([RFC 3830 §6.10.1], 5669, 8269).
    ///
    /// [RFC 3830 §6.10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10.1
    SrtpPrf: u8 {
        AesCm = 0, "AES-CM";
        SeedCtr = 1, "SEED-CTR";
        AriaCtr = 2, "ARIA-CTR";
    }
}

registry! {
    /// Order of FEC and SRTP at the sender ([RFC 3830 §6.10.1]).
    ///
    /// [RFC 3830 §6.10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10.1
    FecOrder: u8 {
        FecSrtp = 0, "FEC-SRTP";
    }
}

registry! {
    /// Type of a TESLA policy parameter ([RFC 4442 §4.1]).
    ///
    /// [RFC 4442 §4.1]: https://www.rfc-editor.org/rfc/rfc4442#section-4.1
    TeslaParamType: u8 {
        Prf = 1, "PRF identifier";
        PrfLen = 2, "Length of PRF f' output";
        MacAlg = 3, "Identifier for the MAC";
        MacLen = 4, "Length of MAC output";
        SessionStart = 5, "Start of session";
        Interval = 6, "Interval duration";
        DisclosureDelay = 7, "Key disclosure delay";
        ChainLen = 8, "Key chain length";
        LocalTimestamp = 9, "Local timestamp media receiver";
    }
}
