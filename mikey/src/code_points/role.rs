use super::registry;

registry! {
    /// Type of a timestamp ([RFC 3830 §6.6], [RFC 6043 §6.3]).
    ///
    /// [RFC 3830 §6.6]: https://www.rfc-editor.org/rfc/rfc3830#section-6.6
    /// [RFC 6043 §6.3]: https://www.rfc-editor.org/rfc/rfc6043#section-6.3
    TsType: u8 {
        NtpUtc = 0, "NTP-UTC";
        Ntp = 1, "NTP";
        Counter = 2, "COUNTER";
        NtpUtc32 = 3, "NTP-UTC-32";
    }
}

registry! {
    /// What a timestamp of a TR payload is the time of ([RFC 6043 §6.4]).
    ///
    /// [RFC 6043 §6.4]: https://www.rfc-editor.org/rfc/rfc6043#section-6.4
    TsRole: u8 {
        Issue = 1, "Time of issue (TRi)";
        Start = 2, "Start of validity period (TRs)";
        End = 3, "End of validity period (TRe)";
        Rekeying = 4, "Rekeying interval (TRr)";
    }
}

registry! {
    /// Type of an identity ([RFC 3830 §6.7], [RFC 6043 §6.5]).
    ///
    /// [RFC 3830 §6.7]: https://www.rfc-editor.org/rfc/rfc3830#section-6.7
    /// [RFC 6043 §6.5]: https://www.rfc-editor.org/rfc/rfc6043#section-6.5
    IdType: u8 {
        Nai = 0, "NAI";
        Uri = 1, "URI";
        ByteString = 2, "Byte string";
    }
}

registry! {
    /// Whose identity an IDR payload holds ([RFC 6043 §6.6], 6509; TS 33.180).
    ///
    /// [RFC 6043 §6.6]: https://www.rfc-editor.org/rfc/rfc6043#section-6.6
    IdRole: u8 {
        Initiator = 1, "Initiator (IDRi)";
        Responder = 2, "Responder (IDRr)";
        Kms = 3, "KMS (IDRkms)";
        PreSharedKey = 4, "Pre-Shared Key (IDRpsk)";
        Application = 5, "Application (IDRapp)";
        InitiatorKms = 6, "Initiator's KMS (IDRkmsi)";
        ResponderKms = 7, "Responder's KMS (IDRkmsr)";
        HashedInitiator = 8, "Hashed Initiator (IDRuidi)";
        HashedResponder = 9, "Hashed Responder (IDRuidr)";
    }
}

registry! {
    /// Who chose the value of a RANDR payload ([RFC 6043 §6.8]).
    ///
    /// [RFC 6043 §6.8]: https://www.rfc-editor.org/rfc/rfc6043#section-6.8
    RandRole: u8 {
        Initiator = 1, "Initiator (RANDRi)";
        Responder = 2, "Responder (RANDRr)";
        Kms = 3, "KMS (RANDRkms)";
    }
}

registry! {
    /// Type of a certificate ([RFC 3830 §6.7]).
    ///
    /// [RFC 3830 §6.7]: https://www.rfc-editor.org/rfc/rfc3830#section-6.7
    CertType: u8 {
        X509 = 0, "X.509v3";
        X509Url = 1, "X.509v3 URL";
        X509Sign = 2, "X.509v3 Sign";
        X509Encr = 3, "X.509v3 Encr";
    }
}

registry! {
    /// Type of a key, 4 bits ([RFC 3830 §6.13], [RFC 6043 §6.2.1], [RFC 6267 §6.1.3]).
    ///
    /// [RFC 3830 §6.13]: https://www.rfc-editor.org/rfc/rfc3830#section-6.13
    /// [RFC 6043 §6.2.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.2.1
    /// [RFC 6267 §6.1.3]: https://www.rfc-editor.org/rfc/rfc6267#section-6.1.3
    KeyDataType: u8 {
        Tgk = 0, "TGK";
        TgkSalt = 1, "TGK+SALT";
        Tek = 2, "TEK";
        TekSalt = 3, "TEK+SALT";
        Gtgk = 4, "GTGK";
        GtgkSalt = 5, "GTGK+SALT";
        Mpk = 6, "MPK";
        PrivateKey = 7, "K_PR";
    }
}

impl KeyDataType {
    /// Whether a salt comes with the key; `None` for a type without a name here.
    #[must_use]
    pub const fn has_salt(self) -> Option<bool> {
        match self {
            Self::TgkSalt | Self::TekSalt | Self::GtgkSalt => Some(true),
            Self::Tgk | Self::Tek | Self::Gtgk | Self::Mpk | Self::PrivateKey => Some(false),
            Self::Unknown(_) => None,
        }
    }
}

registry! {
    /// How the validity of a key is told, 4 bits ([RFC 3830 §6.13]).
    ///
    /// [RFC 3830 §6.13]: https://www.rfc-editor.org/rfc/rfc3830#section-6.13
    KvType: u8 {
        Null = 0, "Null";
        Spi = 1, "SPI";
        Interval = 2, "Interval";
    }
}

registry! {
    /// Type of a secret key sub-payload, 4 bits ([RFC 6267 §6.1.5]).
    ///
    /// [RFC 6267 §6.1.5]: https://www.rfc-editor.org/rfc/rfc6267#section-6.1.5
    SkType: u8 {
        Sk = 1, "SK";
    }
}

registry! {
    /// Type of a ticket ([RFC 6043 §6.10]).
    ///
    /// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
    TicketType: u16 {
        MikeyBase = 1, "MIKEY base ticket";
        ThreeGppBase = 2, "3GPP base ticket";
    }
}
