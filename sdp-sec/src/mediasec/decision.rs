use super::{Indications, Mechanism};
use crate::fingerprint::Fingerprint;
use crate::lines::Media;
use crate::{E2ae, KeyMgmt, Protocol, Rule, SdpError};

/// How far SIP signalling between UE and P-CSCF is protected.
///
/// Fingerprints need integrity; keys in SDP need confidentiality as well (TR 33.829 §5.3.2.1,
/// §8.3.2.1, §8.3.2.2.1).
///
/// ```
/// use sdp_sec::mediasec::{Mechanism, SignallingProtection};
///
/// assert!(SignallingProtection::Integrity.suffices_for(Mechanism::MsrpTls));
/// assert!(!SignallingProtection::Integrity.suffices_for(Mechanism::SdesSrtp));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth")]
pub enum SignallingProtection {
    /// Not at all.
    None,
    /// Against change: IPsec without encryption.
    Integrity,
    /// Against change and reading: TLS, or IPsec with encryption.
    IntegrityAndConfidentiality,
}

impl SignallingProtection {
    /// Whether `mechanism` may be used under it.
    #[must_use]
    pub fn suffices_for(self, mechanism: Mechanism) -> bool {
        let needed = if mechanism.puts_keys_in_sdp() {
            Self::IntegrityAndConfidentiality
        } else {
            Self::Integrity
        };
        self >= needed
    }
}

/// Which side a session description came from.
///
/// ```
/// use sdp_sec::mediasec::Source;
///
/// assert_ne!(Source::Ue, Source::Core);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the edge has two sides")]
pub enum Source {
    /// The UE: it originates.
    Ue,
    /// The core: the UE terminates.
    Core,
}

/// What the operator lets the edge do beyond the standard's default.
///
/// ```
/// use sdp_sec::mediasec::Policy;
///
/// assert!(!Policy::default().rcs5_msrp);
/// assert!(Policy::RCS5.rcs5_msrp);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// A UE that offers MSRP over TLS gets e2ae though it did not indicate it at registration, as
    /// RCS 5.0 UEs do not (TR 33.829 §8.3.2.4.2).
    pub rcs5_msrp: bool,
    /// A plain line that the UE offers is refused if both sides indicated its class: then every
    /// stream of the class is to be protected (TR 33.829 §8.3.2.4.2). Without it such a line passes
    /// in plain, for UEs that fall back.
    pub require_protection: bool,
}

impl Policy {
    /// RCS 5.0 UEs served.
    pub const RCS5: Self = Self {
        rcs5_msrp: true,
        require_protection: false,
    };
}

/// What the edge does with one media line.
///
/// ```
/// use sdp_sec::mediasec::{Decision, Mechanism};
///
/// assert_ne!(Decision::Apply(Mechanism::SdesSrtp), Decision::Plain);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Decision {
    /// The edge protects it towards the UE, and it is plain towards the core.
    Apply(Mechanism),
    /// It is protected end to end and passes untouched.
    EndToEnd(EndToEnd),
    /// It is not protected, nobody asked for it, and it passes untouched.
    Plain,
    /// It has ended or is refused already (port 0) and passes untouched.
    Ended,
    /// It is refused: port 0 in the answer, never plain media.
    Refuse(Refusal),
}

/// What protects a line end to end.
///
/// ```
/// use sdp_sec::mediasec::{Decision, EndToEnd};
///
/// assert_ne!(Decision::EndToEnd(EndToEnd::Sdes), Decision::EndToEnd(EndToEnd::KeyMgmt));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum EndToEnd {
    /// `a=key-mgmt` (RFC 4567).
    KeyMgmt,
    /// `a=crypto` without a request for e2ae (RFC 4568).
    Sdes,
    /// DTLS-SRTP (RFC 5764), in which this edge has no part.
    DtlsSrtp,
}

/// Why a line is refused.
///
/// ```
/// use sdp_sec::mediasec::Refusal;
///
/// assert_eq!(Refusal::NotKeyed.to_string(), "nothing keys the protected line");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// TLS or DTLS with fingerprints where the edge does not end it: they are not offered end to end
    /// past the operator (TR 33.829 §12.1).
    #[error("fingerprints are not passed end to end")]
    FingerprintEndToEnd,
    /// Protection at the edge is asked for and there is no mechanism for the protocol.
    #[error("the edge has no mechanism for the protocol")]
    NoMechanism,
    /// Protection at the edge is asked for and not agreed on at registration.
    #[error("not both sides indicated the mechanism at registration")]
    NotIndicated,
    /// The line is plain although both sides indicated its class, and
    /// [`require_protection`](Policy::require_protection) is the policy.
    #[error("the line is plain although both sides indicated its protection")]
    NotProtected,
    /// The protocol is protected and nothing says how it is keyed.
    #[error("nothing keys the protected line")]
    NotKeyed,
    /// Signalling is not protected as far as the mechanism needs.
    #[error("signalling is not protected enough")]
    SignallingUnprotected,
}

/// What of a media section a decision rests on, gathered in one walk over its lines.
///
/// ```
/// use sdp_sec::mediasec::SecurityElements;
/// use sdp_sec::{E2ae, Sdp};
///
/// let sdp = Sdp::parse(b"v=0\r\nm=audio 4000 RTP/SAVP 0\r\na=3ge2ae:requested\r\n")?;
/// for media in sdp.media() {
///     let elements = SecurityElements::of(&media)?;
///     assert_eq!(elements.indicator, Some(E2ae::Requested));
///     assert!(!elements.crypto && !elements.key_mgmt);
/// }
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether an attribute is there"
)]
pub struct SecurityElements<'a> {
    /// The number of the m-line, for errors.
    pub line: usize,
    /// Its port.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol<'a>,
    /// `a=3ge2ae`.
    pub indicator: Option<E2ae<'a>>,
    /// `a=crypto` stands in the section.
    pub crypto: bool,
    /// `a=fingerprint` stands in the section or in the session's.
    pub fingerprint: bool,
    /// `a=key-mgmt` stands in the section.
    pub key_mgmt: bool,
    /// `a=key-mgmt` stands in the session's section.
    pub session_key_mgmt: bool,
}

impl<'a> SecurityElements<'a> {
    /// Gathers them.
    ///
    /// # Errors
    ///
    /// As [`MediaLine::parse`](crate::protocol::MediaLine::parse) and [`E2ae::of`].
    pub fn of(media: &Media<'a>) -> Result<Self, SdpError> {
        let line = media.media_line()?;
        let mut found = Self {
            line: line.line().number(),
            port: line.port(),
            protocol: line.protocol(),
            indicator: None,
            crypto: false,
            fingerprint: false,
            key_mgmt: false,
            session_key_mgmt: false,
        };
        for attribute in media.session().attributes() {
            found.fingerprint |= attribute.is(Fingerprint::NAME);
            found.session_key_mgmt |= attribute.is(KeyMgmt::NAME);
        }
        for attribute in media.attributes() {
            found.crypto |= attribute.is("crypto");
            found.fingerprint |= attribute.is(Fingerprint::NAME);
            found.key_mgmt |= attribute.is(KeyMgmt::NAME);
            if attribute.is(E2ae::NAME) {
                if found.indicator.is_some() {
                    return Err(Rule::Duplicate.at(attribute.line().number()));
                }
                found.indicator = Some(attribute.parse(E2ae::parse)?);
            }
        }
        Ok(found)
    }

    const fn fault(&self, rule: Rule) -> SdpError {
        rule.at(self.line)
    }
}

/// An access edge as one UE's registration makes it.
///
/// ```
/// use sdp_sec::Sdp;
/// use sdp_sec::mediasec::{
///     AccessEdge, Decision, Indications, Mechanism, MechanismSet, Policy, SignallingProtection, Source,
/// };
///
/// let both = MechanismSet::EMPTY.with(Mechanism::SdesSrtp);
/// let edge = AccessEdge {
///     indications: Indications { ue: both, network: both },
///     signalling: SignallingProtection::IntegrityAndConfidentiality,
///     policy: Policy::default(),
/// };
/// let offer = Sdp::parse(b"v=0\r\nm=audio 4000 RTP/AVP 0\r\nm=message 4002 TCP/MSRP *\r\n")?;
/// let decisions: Result<Vec<_>, _> =
///     offer.media().map(|media| edge.decide(Source::Core, &media)).collect();
/// assert_eq!(decisions?, [Decision::Apply(Mechanism::SdesSrtp), Decision::Plain]);
/// # Ok::<(), sdp_sec::SdpError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AccessEdge {
    /// What UE and network indicated, for the UE's contact binding.
    pub indications: Indications,
    /// How its signalling is protected.
    pub signalling: SignallingProtection,
    /// What the operator allows.
    pub policy: Policy,
}

impl AccessEdge {
    /// What becomes of one media line of an *offer* (TR 33.829 §8.3.2.4.2, §11.4, §12.1).
    ///
    /// An `a=3ge2ae` counts from the UE alone: from the core it is a leak of another network, and is
    /// ignored.
    ///
    /// # Errors
    ///
    /// As [`SecurityElements::of`] and [`decide_on`](Self::decide_on).
    pub fn decide(self, source: Source, media: &Media<'_>) -> Result<Decision, SdpError> {
        self.decide_on(source, &SecurityElements::of(media)?)
    }

    /// The same for elements that are gathered already.
    ///
    /// # Errors
    ///
    /// [`Rule::ProtectionStripped`] if the line has its own `a=key-mgmt`, or a request for e2ae, and
    /// is not protected; [`Rule::Conflicting`] if it asks for e2ae and has its own `a=key-mgmt`, or
    /// if a UE says `applied`; [`Rule::NoFingerprint`] if e2ae by TLS or DTLS is to be applied and
    /// the UE gave no fingerprint.
    pub fn decide_on(
        self,
        source: Source,
        elements: &SecurityElements<'_>,
    ) -> Result<Decision, SdpError> {
        let protocol = elements.protocol;
        if elements.port == 0 {
            return Ok(Decision::Ended);
        }
        if elements.key_mgmt && !protocol.is_secured() {
            return Err(elements.fault(Rule::ProtectionStripped));
        }
        let requested = match (source, elements.indicator) {
            (Source::Ue, Some(E2ae::Applied)) => return Err(elements.fault(Rule::Conflicting)),
            (Source::Ue, indicator) => indicator == Some(E2ae::Requested),
            (Source::Core, _) => false,
        };
        if requested && elements.key_mgmt {
            return Err(elements.fault(Rule::Conflicting));
        }
        if requested && !protocol.is_secured() {
            return Err(elements.fault(Rule::ProtectionStripped));
        }
        let keyed = elements.key_mgmt || elements.session_key_mgmt;
        if keyed && !requested && protocol.is_secured() {
            return Ok(Decision::EndToEnd(EndToEnd::KeyMgmt));
        }
        let Some(mechanism) = Mechanism::of_protocol(protocol) else {
            return Ok(if requested {
                Decision::Refuse(Refusal::NoMechanism)
            } else {
                outside(elements)
            });
        };
        match (source, protocol.is_secured()) {
            (Source::Ue, false)
                if self.policy.require_protection
                    && self.indications.agreed().contains(mechanism) =>
            {
                Ok(Decision::Refuse(Refusal::NotProtected))
            }
            (Source::Ue, false) => Ok(Decision::Plain),
            (Source::Ue, true) => self.offered_by_ue(mechanism, requested, elements),
            (Source::Core, false) => Ok(self.plain_from_core(mechanism)),
            (Source::Core, true) => Ok(self.protected_from_core(mechanism, elements)),
        }
    }

    /// A protected line that the UE offers and key management does not key.
    fn offered_by_ue(
        self,
        mechanism: Mechanism,
        requested: bool,
        elements: &SecurityElements<'_>,
    ) -> Result<Decision, SdpError> {
        if mechanism == Mechanism::SdesSrtp {
            if !elements.crypto {
                return Ok(Decision::Refuse(Refusal::NotKeyed));
            }
            if !requested {
                return Ok(self.end_to_end_sdes());
            }
        } else if !elements.fingerprint {
            return Err(elements.fault(Rule::NoFingerprint));
        }
        let rcs5 = self.policy.rcs5_msrp
            && mechanism == Mechanism::MsrpTls
            && self.indications.network.contains(mechanism);
        if !self.indications.agreed().contains(mechanism) && !rcs5 {
            return Ok(Decision::Refuse(Refusal::NotIndicated));
        }
        Ok(self.apply(mechanism))
    }

    /// A plain line that the core offers.
    fn plain_from_core(self, mechanism: Mechanism) -> Decision {
        if self.indications.agreed().contains(mechanism) {
            self.apply(mechanism)
        } else {
            Decision::Plain
        }
    }

    /// A protected line that the core offers and key management does not key.
    fn protected_from_core(
        self,
        mechanism: Mechanism,
        elements: &SecurityElements<'_>,
    ) -> Decision {
        if mechanism == Mechanism::SdesSrtp && elements.crypto {
            self.end_to_end_sdes()
        } else if mechanism != Mechanism::SdesSrtp && elements.fingerprint {
            Decision::Refuse(Refusal::FingerprintEndToEnd)
        } else {
            Decision::Refuse(Refusal::NotKeyed)
        }
    }

    /// The keys are in SDP, whoever they are for (TR 33.829 §5.3.2.1).
    fn end_to_end_sdes(self) -> Decision {
        if self.signalling.suffices_for(Mechanism::SdesSrtp) {
            Decision::EndToEnd(EndToEnd::Sdes)
        } else {
            Decision::Refuse(Refusal::SignallingUnprotected)
        }
    }

    fn apply(self, mechanism: Mechanism) -> Decision {
        if self.signalling.suffices_for(mechanism) {
            Decision::Apply(mechanism)
        } else {
            Decision::Refuse(Refusal::SignallingUnprotected)
        }
    }
}

/// A line whose protocol has no mechanism at the edge, and for which none is asked.
fn outside(elements: &SecurityElements<'_>) -> Decision {
    let protocol = elements.protocol;
    if protocol.is_srtp() {
        Decision::EndToEnd(EndToEnd::DtlsSrtp)
    } else if !protocol.is_secured() {
        Decision::Plain
    } else if elements.fingerprint {
        Decision::Refuse(Refusal::FingerprintEndToEnd)
    } else {
        Decision::Refuse(Refusal::NotKeyed)
    }
}
