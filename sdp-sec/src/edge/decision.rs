use super::section::{Facts, Kind, MediaFacts};
use super::{Policy, Refusal};
use crate::mediasec::{self, AccessEdge, Decision, EndToEnd, Mechanism, SecurityElements, Source};
use crate::{E2ae, Rule, SdpError};

/// What the edge means to do with one stream of an offer.
///
/// ```
/// use sdp_sec::edge::Intention;
/// use sdp_sec::mediasec::Mechanism;
///
/// assert_ne!(Intention::Protect(Mechanism::SdesSrtp), Intention::Untouched);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Intention {
    /// Port 0: the offerer ends the stream, or has ended it.
    Close,
    /// e2ae: protected towards the UE, plain towards the core.
    Protect(Mechanism),
    /// Port 0 on both sides.
    Refuse(Refusal),
    /// Passes as it came: end-to-end protected, plain by agreement, or of a kind that e2ae does not
    /// know.
    Untouched,
}

/// What holds for the m-line of the same place in an established dialogue.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) policy: &'c Policy,
    pub(super) access: AccessEdge,
    /// The mechanism of the e2ae stream that is there. It stays e2ae without being asked for again,
    /// also when the UE has registered without it since.
    pub(super) held: Option<Mechanism>,
}

impl Context<'_> {
    /// Judges an m-line of an offer that is not closed: [`AccessEdge::decide_on`], and what follows
    /// from the stream that is there.
    pub(super) fn decide(
        mut self,
        from: Source,
        session: &Facts<'_>,
        media: &MediaFacts<'_>,
    ) -> Intention {
        if let Some(held) = self.held {
            let indications = &mut self.access.indications;
            indications.ue = indications.ue.with(held);
            indications.network = indications.network.with(held);
        }
        if from == Source::Ue && self.is_opportunistic(media) {
            return self.opportunistic();
        }
        let elements = elements(from, session, media);
        let decision = match elements.and_then(|found| self.access.decide_on(from, &found)) {
            Ok(decision) => decision,
            Err(error) => return Intention::Refuse(Refusal::Sdp(error)),
        };
        let breaks =
            |rule: Rule| Intention::Refuse(Refusal::Sdp(rule.at(media.line.line().number())));
        match (from, decision, self.held) {
            (_, Decision::Refuse(refusal), _) => Intention::Refuse(Refusal::Registration(refusal)),
            (_, Decision::Apply(mechanism), _) => Intention::Protect(mechanism),
            (Source::Ue, Decision::EndToEnd(EndToEnd::Sdes), Some(Mechanism::SdesSrtp)) => {
                Intention::Protect(Mechanism::SdesSrtp)
            }
            (Source::Ue, Decision::EndToEnd(_), Some(_)) => breaks(Rule::Conflicting),
            // A fax in the place of voice is another stream, and judged for itself.
            (Source::Ue, Decision::Plain, Some(held))
                if Mechanism::of_protocol(media.line.protocol())
                    .is_none_or(|class| class == held) =>
            {
                breaks(Rule::ProtectionStripped)
            }
            _ => Intention::Untouched,
        }
    }

    /// `RTP/AVP(F)` with `a=crypto` for which the UE asks e2ae.
    fn is_opportunistic(&self, media: &MediaFacts<'_>) -> bool {
        let protocol = media.line.protocol();
        self.policy.opportunistic_srtp
            && protocol.is_rtp()
            && !protocol.is_secured()
            && media.facts.has(Kind::Crypto)
            && !media.facts.has(Kind::KeyMgmt)
            && (self.held.is_some() || media.facts.indicator() == Ok(Some(E2ae::Requested)))
    }

    fn opportunistic(self) -> Intention {
        let mechanism = Mechanism::SdesSrtp;
        let refuse = |refusal| Intention::Refuse(Refusal::Registration(refusal));
        if !self.access.indications.agreed().contains(mechanism) {
            refuse(mediasec::Refusal::NotIndicated)
        } else if !self.access.signalling.suffices_for(mechanism) {
            refuse(mediasec::Refusal::SignallingUnprotected)
        } else {
            Intention::Protect(mechanism)
        }
    }
}

fn elements<'a>(
    from: Source,
    session: &Facts<'a>,
    media: &MediaFacts<'a>,
) -> Result<SecurityElements<'a>, SdpError> {
    Ok(SecurityElements {
        line: media.line.line().number(),
        port: media.line.port(),
        protocol: media.line.protocol(),
        // From the core it counts for nothing, and need not be read.
        indicator: if from == Source::Ue {
            media.facts.indicator()?
        } else {
            None
        },
        crypto: media.facts.has(Kind::Crypto),
        fingerprint: media.facts.has(Kind::Fingerprint) || session.has(Kind::Fingerprint),
        key_mgmt: media.facts.has(Kind::KeyMgmt),
        session_key_mgmt: session.has(Kind::KeyMgmt),
    })
}
