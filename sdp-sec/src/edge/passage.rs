//! How an m-line that is none of the edge's streams passes it.

use super::section::{Facts, Kind, MediaFacts};
use super::shown_keys::{ShownKeys, Writer};
use super::{Dialogue, Intention, Refusal};
use crate::Rule;
use crate::mediasec::{self, Mechanism};
use crate::protocol::MediaLine;

/// What of an m-line passes the edge.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passage {
    /// All but what is for the edge alone, and keys.
    pub(super) untouched: bool,
    /// Its keys as well: they protect it end to end, and signalling hides them.
    pub(super) keeps_keys: bool,
    /// Nothing but `a=crypto` keys it.
    needs_crypto: bool,
}

impl Passage {
    /// What the offer of a line lets pass.
    pub(super) fn of(
        dialogue: &Dialogue,
        session: &Facts<'_>,
        media: &MediaFacts<'_>,
        intention: Intention,
    ) -> Self {
        let untouched = intention == Intention::Untouched;
        let keeps_keys = untouched
            && !media.is_closed()
            && media.line.protocol().is_signalling_keyed_srtp()
            && dialogue.access.signalling.suffices_for(Mechanism::SdesSrtp);
        Self {
            untouched,
            keeps_keys,
            needs_crypto: keeps_keys && !is_key_managed(session, media),
        }
    }

    /// Checks the answer to a line that passes: it must not take the protection away, nor bring keys
    /// that belong elsewhere. Gives what of the answer passes.
    pub(super) fn answered(
        self,
        session: &Facts<'_>,
        (media, offered): (&MediaFacts<'_>, &MediaLine<'_>),
        shown: &mut ShownKeys,
        writer: Writer,
    ) -> Result<Self, Refusal> {
        if media.is_closed() {
            return Ok(Self {
                untouched: self.untouched,
                ..Self::default()
            });
        }
        if offered.port() == 0 {
            return Err(Refusal::Sdp(
                Rule::AnswerPort.at(media.line.line().number()),
            ));
        }
        let answered = media.line.protocol();
        if answered != offered.protocol().with_feedback_of(answered) {
            return Err(Refusal::ProtocolMismatch);
        }
        let has_crypto = media.facts.has(Kind::Crypto);
        if self.needs_crypto && !has_crypto && !is_key_managed(session, media) {
            return Err(Refusal::Registration(mediasec::Refusal::NotKeyed));
        }
        if self.keeps_keys {
            shown
                .admit_all(media.index(), writer, &media.facts)
                .map_err(Refusal::Crypto)?;
        }
        Ok(self)
    }
}

fn is_key_managed(session: &Facts<'_>, media: &MediaFacts<'_>) -> bool {
    session.has(Kind::KeyMgmt) || media.facts.has(Kind::KeyMgmt)
}
