/// Deviations of real devices that are to be borne; none by default.
///
/// Each is a thing that a standard forbids or that a device does for want of reading it. Ask for
/// one where such a device is the peer, and nowhere else.
///
/// ```
/// use mikey::Quirks;
///
/// let camera = Quirks { salt_in_tek: true, trailing_zero: true, ..Quirks::NONE };
/// assert_ne!(camera, Quirks::default());
/// ```
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
#[allow(clippy::struct_excessive_bools, reason = "each stands alone")]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quirks {
    /// A Security Policy without parameters for TLS, so that #P can be 1 as [RFC 6043 §6.1.1] asks
    /// of responses: one of the two ways that TR 33.829 §D.1 leaves open.
    ///
    /// [RFC 6043 §6.1.1]: https://www.rfc-editor.org/rfc/rfc6043#section-6.1.1
    pub dummy_tls_policy: bool,
    /// Timestamps of type NTP that hold another clock's time, so that they cannot be compared with
    /// ours. Borne in a secured channel alone ([`exchange::null`](crate::exchange::null)), which
    /// keeps messages from being replayed; all other exchanges need the time.
    pub foreign_timestamps: bool,
    /// Key and salt one behind the other in a TEK, where TEK+SALT is meant ([RFC 3830 §6.13]):
    /// what ONVIF cameras and GStreamer send.
    ///
    /// [RFC 3830 §6.13]: https://www.rfc-editor.org/rfc/rfc3830#section-6.13
    pub salt_in_tek: bool,
    /// Security Policies with the Empty map, which [RFC 4563 §5] forbids: mission-critical
    /// push-to-talk does so.
    ///
    /// [RFC 4563 §5]: https://www.rfc-editor.org/rfc/rfc4563#section-5
    pub sp_with_empty_map: bool,
    /// One zero octet behind the last payload.
    pub trailing_zero: bool,
}

impl Quirks {
    /// Nothing but the standards.
    pub const NONE: Self = Self {
        dummy_tls_policy: false,
        foreign_timestamps: false,
        salt_in_tek: false,
        sp_with_empty_map: false,
        trailing_zero: false,
    };
}
