//! What MSRP, BFCP and T.38 have in common: fingerprints, roles, and when a connection stays.

use alloc::string::String;
use alloc::vec::Vec;

use super::section::{Facts, Kind, MediaFacts};
use super::{Policy, Refusal, TlsStream, bfcp, msrp, t38};
use crate::fingerprint::{Fingerprint, FingerprintSet, HashPolicy};
use crate::mediasec::Mechanism;
use crate::tls_role::{Agreement, Comedia, Roles, Side, TlsRoleRule, TransportRole, answer_setup};
use crate::{Connection, Protocol, Rule, SdpError, Setup};

/// The UE's description of one TLS line.
#[derive(Clone, Debug)]
pub(super) struct UeSide {
    pub(super) fingerprints: FingerprintSet,
    pub(super) comedia: Comedia,
    transport: Vec<u8>,
    tls_id: Option<String>,
}

impl UeSide {
    pub(super) fn read(
        policy: &Policy,
        session: &mut SessionFingerprints<'_>,
        media: &MediaFacts<'_>,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            fingerprints: session.of(media, policy.hashes)?,
            comedia: media.comedia(session.facts)?,
            transport: media.transport(session.facts)?,
            tls_id: media.facts.tls_id()?.map(String::from),
        })
    }
}

/// The session section, whose fingerprints are read once however many m-lines ask for them.
pub(super) struct SessionFingerprints<'f> {
    pub(super) facts: &'f Facts<'f>,
    set: Option<Result<FingerprintSet, SdpError>>,
}

impl<'f> SessionFingerprints<'f> {
    pub(super) const fn new(facts: &'f Facts<'f>) -> Self {
        Self { facts, set: None }
    }

    fn of(
        &mut self,
        media: &MediaFacts<'_>,
        policy: HashPolicy,
    ) -> Result<FingerprintSet, SdpError> {
        let read = || FingerprintSet::of(&media.media, policy);
        if media.facts.has(Kind::Fingerprint) {
            read()
        } else if self.facts.has(Kind::Fingerprint) {
            self.set.get_or_insert_with(read).clone()
        } else {
            Err(Rule::NoFingerprint.at(media.line.line().number()))
        }
    }
}

/// A TLS stream that an exchange has set up.
#[derive(Clone, Debug)]
pub(super) struct TlsLine {
    pub(super) mechanism: Mechanism,
    pub(super) own: Fingerprint,
    ue: UeSide,
    /// What was agreed; `None` while it is held.
    access: Option<Roles>,
    core: Option<TransportRole>,
}

impl TlsLine {
    /// How to answer the UE: passive where that is legal (TR 33.829 §8.3.2.4.2); for a DTLS
    /// association that is there with the role it has, so that it may stay.
    pub(super) fn answer(
        held: Option<&Self>,
        protocol: Protocol<'_>,
        offered: Comedia,
    ) -> Result<Setup, Rule> {
        let wish = match held {
            Some(held) if held.mechanism == Mechanism::UdptlDtls => held.access,
            _ => None,
        };
        let wish = wish.map_or(TransportRole::Passive, |roles| roles.transport);
        answer_setup(protocol, offered.setup, wish)
    }
}

/// An exchange with the UE, complete, and what the one with the core came to.
pub(super) struct Completed<'c> {
    pub(super) mechanism: Mechanism,
    pub(super) own: Fingerprint,
    pub(super) ue: UeSide,
    /// Between UE and IMS-AGW.
    pub(super) access: Agreement,
    /// Between IMS-AGW and core; `None` over UDP.
    pub(super) core: Option<Agreement>,
    pub(super) held: Option<&'c TlsLine>,
}

impl Completed<'_> {
    /// Whether the connection stays, and what then holds.
    pub(super) fn settle(self, policy: &Policy) -> Result<(TlsLine, TlsStream), Refusal> {
        let access = match self.access {
            Agreement::Establish(roles) => Some(roles),
            _ => None,
        };
        let core = match self.core {
            Some(Agreement::Establish(roles)) => Some(roles.transport),
            _ => None,
        };
        let stays = self.stays(access)?;
        let (access, core) = match (stays, self.held) {
            (true, Some(held)) => (held.access, held.core),
            _ => (access, core),
        };
        let (mechanism, own) = (self.mechanism, self.own);
        let line = TlsLine {
            mechanism,
            own,
            ue: self.ue,
            access,
            core,
        };
        let (access_protocol, core_protocol) = transports(mechanism, policy);
        let stream = TlsStream {
            mechanism,
            access: access_protocol,
            core: core_protocol,
            own,
            remote: line.ue.fingerprints.clone(),
            access_roles: access,
            core_role: core,
            connection: if stays {
                Connection::Existing
            } else {
                Connection::New
            },
            syn_trigger: policy.syn_trigger,
        };
        Ok((line, stream))
    }

    fn stays(&self, access: Option<Roles>) -> Result<bool, Refusal> {
        let Some(held) = self.held else {
            return if self.access == Agreement::Keep {
                Err(Refusal::NoConnection)
            } else {
                Ok(false)
            };
        };
        let same_peer = held.ue.fingerprints == self.ue.fingerprints && held.own == self.own;
        let same_place = held.ue.transport == self.ue.transport && held.ue.tls_id == self.ue.tls_id;
        match self.mechanism {
            // The attribute decides; addresses and roles are then ignored (RFC 4145 §5.1).
            Mechanism::BfcpTls if self.access != Agreement::Keep => Ok(false),
            Mechanism::BfcpTls if held.access.is_none() => Err(Refusal::NoConnection),
            Mechanism::BfcpTls if !same_peer => Err(Refusal::FingerprintChanged),
            Mechanism::BfcpTls => Ok(true),
            // A re-offer of MSRP may exchange the roles without touching the connection.
            Mechanism::MsrpTls => Ok(same_peer && same_place),
            _ => Ok(same_peer && same_place && held.access == access),
        }
    }
}

/// What the IMS-AGW's own `a=setup` is in an offer to the UE.
pub(super) fn offer_setup(mechanism: Mechanism, core: Comedia, policy: &Policy) -> Setup {
    match mechanism {
        Mechanism::BfcpTls if core.setup == Some(Setup::Holdconn) => Setup::Holdconn,
        Mechanism::BfcpTls => policy.bfcp_setup,
        Mechanism::UdptlDtls => policy.t38_setup,
        _ => policy.msrp_setup,
    }
}

/// What `side`, the IMS-AGW, and the UE have agreed on.
pub(super) fn access_agreement(
    mechanism: Mechanism,
    protocol: Protocol<'_>,
    (offer, answer): (Comedia, Comedia),
    side: Side,
    policy: &Policy,
) -> Result<Agreement, Rule> {
    let rule = match mechanism {
        Mechanism::BfcpTls => policy.bfcp_tls.rule(),
        Mechanism::UdptlDtls => t38::TLS_ROLE,
        _ => msrp::TLS_ROLE,
    };
    Agreement::by_rule(Some(rule), protocol, offer, answer, side)
}

/// What `side`, the IMS-AGW, and the core have agreed on; `None` over UDP.
pub(super) fn core_agreement(
    mechanism: Mechanism,
    protocol: Protocol<'_>,
    (offer, answer): (Comedia, Comedia),
    side: Side,
) -> Result<Option<Agreement>, Rule> {
    const NO_TLS: Option<TlsRoleRule> = None;
    if mechanism == Mechanism::UdptlDtls {
        return Ok(None);
    }
    Agreement::by_rule(NO_TLS, protocol, offer, answer, side).map(Some)
}

const fn transports(
    mechanism: Mechanism,
    policy: &Policy,
) -> (Protocol<'static>, Protocol<'static>) {
    match mechanism {
        Mechanism::BfcpTls => (bfcp::ACCESS, bfcp::CORE),
        Mechanism::UdptlDtls => (t38::ACCESS, t38::CORE),
        _ => (policy.msrp.access(), policy.msrp.core()),
    }
}
