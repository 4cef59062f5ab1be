use super::registry;

registry! {
    /// Data type of a message ([RFC 3830 §6.1], 4650, 4738, 6043, 6267, 6509).
    ///
    /// [RFC 3830 §6.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1
    DataType: u8 {
        PreShared = 0, "Pre-shared";
        PskVerMsg = 1, "PSK ver msg";
        PublicKey = 2, "Public key";
        PkVerMsg = 3, "PK ver msg";
        DhInit = 4, "D-H init";
        DhResp = 5, "D-H resp";
        Error = 6, "Error";
        DhHmacInit = 7, "DHHMAC init";
        DhHmacResp = 8, "DHHMAC resp";
        RsaRInit = 9, "RSA-R I_MSG";
        RsaRResp = 10, "RSA-R R_MSG";
        RequestInitPsk = 11, "REQUEST_INIT_PSK";
        RequestInitPk = 12, "REQUEST_INIT_PK";
        RequestResp = 13, "REQUEST_RESP";
        TransferInit = 14, "TRANSFER_INIT";
        TransferResp = 15, "TRANSFER_RESP";
        ResolveInitPsk = 16, "RESOLVE_INIT_PSK";
        ResolveInitPk = 17, "RESOLVE_INIT_PK";
        ResolveResp = 18, "RESOLVE_RESP";
        RequestKeyPsk = 19, "REQUEST_KEY_PSK";
        RequestKeyPke = 20, "REQUEST_KEY_PKE";
        RequestKeyResp = 21, "REQUEST_KEY_RESP";
        IMessage1 = 22, "I_MESSAGE_1";
        RMessage1 = 23, "R_MESSAGE_1";
        IMessage2 = 24, "I_MESSAGE_2";
        RMessage2 = 25, "R_MESSAGE_2";
        Sakke = 26, "SAKKE msg";
    }
}

registry! {
    /// Type of a payload, as the Next payload field of the one before names it ([RFC 3830 §6.1],
    /// 6043, 6267, 6509).
    ///
    /// [RFC 3830 §6.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1
    PayloadType: u8 {
        Last = 0, "Last payload";
        Kemac = 1, "KEMAC";
        Pke = 2, "PKE";
        Dh = 3, "DH";
        Sign = 4, "SIGN";
        T = 5, "T";
        Id = 6, "ID";
        Cert = 7, "CERT";
        Chash = 8, "CHASH";
        V = 9, "V";
        Sp = 10, "SP";
        Rand = 11, "RAND";
        Err = 12, "ERR";
        Tr = 13, "TR";
        Idr = 14, "IDR";
        Randr = 15, "RANDR";
        Tp = 16, "TP";
        Ticket = 17, "TICKET";
        KeyData = 20, "Key data";
        GeneralExtension = 21, "General Ext.";
        Ibake = 22, "IBAKE";
        Esk = 23, "ESK";
        Sk = 24, "SK";
        Eccpt = 25, "ECCPT";
        Sakke = 26, "SAKKE";
    }
}

registry! {
    /// How a message maps crypto sessions to sessions of the security protocol ([RFC 3830 §6.1],
    /// 4563, 6043).
    ///
    /// [RFC 3830 §6.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1
    CsIdMapType: u8 {
        SrtpId = 0, "SRTP-ID";
        Empty = 1, "Empty map";
        GenericId = 2, "GENERIC-ID";
    }
}

registry! {
    /// What an Error message complains of ([RFC 3830 §6.12], 4738, 6043).
    ///
    /// [RFC 3830 §6.12]: https://www.rfc-editor.org/rfc/rfc3830#section-6.12
    ErrorNo: u8 {
        AuthFailure = 0, "Auth failure";
        InvalidTs = 1, "Invalid TS";
        InvalidPrf = 2, "Invalid PRF";
        InvalidMac = 3, "Invalid MAC";
        InvalidEa = 4, "Invalid EA";
        InvalidHa = 5, "Invalid HA";
        InvalidDh = 6, "Invalid DH";
        InvalidId = 7, "Invalid ID";
        InvalidCert = 8, "Invalid Cert";
        InvalidSp = 9, "Invalid SP";
        InvalidSpPar = 10, "Invalid SPpar";
        InvalidDt = 11, "Invalid DT";
        Unspecified = 12, "Unspecified error";
        UnsupportedMessageType = 13, "Unsupported message type";
        InvalidTicket = 14, "Invalid TICKET";
        InvalidTpPar = 15, "Invalid TPpar";
    }
}

registry! {
    /// Type of a General Extension payload ([RFC 3830 §6.15], 4442, 4563, 4738, 5410; TS 33.180).
    ///
    /// TR 33.829's two have no number: see [`ThreeGppCodePoints`](super::ThreeGppCodePoints).
    ///
    /// [RFC 3830 §6.15]: https://www.rfc-editor.org/rfc/rfc3830#section-6.15
    GeneralExtensionType: u8 {
        VendorId = 0, "Vendor ID";
        SdpIds = 1, "SDP IDs";
        TeslaIKey = 2, "TESLA I-Key";
        KeyId = 3, "Key ID";
        CsbId = 4, "CSB_ID";
        OmaBcast = 5, "OMA BCAST";
        SakkeToSelf = 6, "SAKKE-to-self";
        ThreeGppKeyParameters = 7, "3GPP key parameters";
    }
}

registry! {
    /// Type of an element of the Key ID extension ([RFC 4563 §4]).
    ///
    /// [RFC 4563 §4]: https://www.rfc-editor.org/rfc/rfc4563#section-4
    KeyIdType: u8 {
        MbmsKeyDomainId = 0, "MBMS Key Domain ID";
        MbmsServiceKeyId = 1, "MBMS Service Key ID";
        MbmsTransportKeyId = 2, "MBMS Transport Key ID";
    }
}

registry! {
    /// Subtype of the OMA BCAST extension ([RFC 5410]).
    ///
    /// [RFC 5410]: https://www.rfc-editor.org/rfc/rfc5410
    OmaBcastSubtype: u8 {
        Ltkm = 1, "LTKM";
        Stkm = 2, "STKM";
        LtkmReporting = 3, "LTKM Reporting";
        ParentalControl = 4, "Parental Control";
    }
}
