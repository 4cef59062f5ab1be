use super::{GeneralExtensionType, ProtType};

/// Code points that TR 33.829 asks for and no registry has assigned.
///
/// Both peers must be told the same. The defaults lie in the range for private use (241-255), or in
/// the arc for examples, so they can never collide with an assignment; change them when one is
/// made, or to meet a peer.
///
/// ```
/// use mikey::code_points::{ProtType, ThreeGppCodePoints};
///
/// let defaults = ThreeGppCodePoints::default();
/// assert_eq!(defaults.tls, ProtType::Unknown(241));
///
/// let ours = ThreeGppCodePoints { tls: ProtType::Unknown(250), ..defaults };
/// assert_eq!(u8::from(ours.tls), 250);
/// ```
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThreeGppCodePoints {
    /// Prot Type TLS: a pre-shared key for TLS or DTLS (TR 33.829 §A.1); 241.
    pub tls: ProtType,
    /// Prot Type PSK/MIME: a key for MIME content (TR 33.829 §A.1, annex B); 242.
    pub psk_mime: ProtType,
    /// Prot Type Application Specific: keys for the application's own protocol (TR 33.829 §A.1); 243.
    pub application_specific: ProtType,
    /// General extension 3GPP IMS CONF: who may join a conference (TR 33.829 §C.1); 241.
    pub conf: GeneralExtensionType,
    /// General extension 3GPP IMS MSG PROOF-OF-ORIGIN (TR 33.829 §F.1); 242.
    pub proof_of_origin: GeneralExtensionType,
    /// id-ori-mikey, the type of an OtherRecipientInfo that holds a TRANSFER_INIT (TR 33.829 §B.3):
    /// the contents octets of its DER encoding; 2.999.33829.1, from the arc for examples.
    pub id_ori_mikey: &'static [u8],
}

impl ThreeGppCodePoints {
    /// Values from the range for private use.
    pub const DEFAULT: Self = Self {
        tls: ProtType::Unknown(241),
        psk_mime: ProtType::Unknown(242),
        application_specific: ProtType::Unknown(243),
        conf: GeneralExtensionType::Unknown(241),
        proof_of_origin: GeneralExtensionType::Unknown(242),
        id_ori_mikey: &[0x88, 0x37, 0x82, 0x88, 0x25, 0x01],
    };

    /// Whether Security Policies must not be given for `prot_type` (TR 33.829 §A.1).
    #[must_use]
    pub fn forbids_policy(&self, prot_type: ProtType) -> bool {
        prot_type == self.tls || prot_type == self.application_specific
    }
}

impl Default for ThreeGppCodePoints {
    fn default() -> Self {
        Self::DEFAULT
    }
}
