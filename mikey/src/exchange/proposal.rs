use rand_core::CryptoRng;

use crate::payload::{CsIdMap, GeneralExtension, Payload, SecurityPolicy};

/// What an Initiator proposes: crypto sessions and their policies ([RFC 3830 §5.1.1]).
///
/// ```
/// use mikey::exchange::Proposal;
/// use mikey::payload::{CsIdMap, SrtpIdMap, SrtpIdSession};
///
/// let streams = [SrtpIdSession { policy_no: 0, ssrc: 0x1234_5678, roc: 0 }];
/// let proposal = Proposal::new(CsIdMap::SrtpId(SrtpIdMap::new(&streams)?));
/// assert_eq!(proposal.cs_id_map().cs_count(), 1);
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// [RFC 3830 §5.1.1]: https://www.rfc-editor.org/rfc/rfc3830#section-5.1.1
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'a> {
    cs_id_map: CsIdMap<'a>,
    policies: &'a [SecurityPolicy<'a>],
    extensions: &'a [GeneralExtension<'a>],
    taken: &'a [u32],
}

impl<'a> Proposal<'a> {
    /// The crypto sessions of `cs_id_map`, with the default policy of their protocol.
    #[must_use]
    pub const fn new(cs_id_map: CsIdMap<'a>) -> Self {
        Self {
            cs_id_map,
            policies: &[],
            extensions: &[],
            taken: &[],
        }
    }

    /// The policies that the sessions name.
    #[must_use]
    pub const fn policies(mut self, policies: &'a [SecurityPolicy<'a>]) -> Self {
        self.policies = policies;
        self
    }

    /// General extensions, as the SDP IDs against bidding down ([RFC 4567 §4.1.4]).
    ///
    /// [RFC 4567 §4.1.4]: https://www.rfc-editor.org/rfc/rfc4567#section-4.1.4
    #[must_use]
    pub const fn extensions(mut self, extensions: &'a [GeneralExtension<'a>]) -> Self {
        self.extensions = extensions;
        self
    }

    /// CSB IDs of the bundles that exist with this peer: the new one gets another
    /// ([RFC 3830 §6.1]).
    ///
    /// [RFC 3830 §6.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.1
    #[must_use]
    pub const fn taken_csb_ids(mut self, taken: &'a [u32]) -> Self {
        self.taken = taken;
        self
    }

    /// The crypto sessions.
    #[must_use]
    pub const fn cs_id_map(&self) -> CsIdMap<'a> {
        self.cs_id_map
    }

    pub(super) const fn proposed_policies(&self) -> &'a [SecurityPolicy<'a>] {
        self.policies
    }

    pub(super) fn draw_csb_id<R: CryptoRng>(&self, rng: &mut R) -> u32 {
        loop {
            let csb_id = rng.next_u32();
            if !self.taken.contains(&csb_id) {
                return csb_id;
            }
        }
    }

    /// The payloads between identities and keys.
    pub(super) fn payloads(&self) -> impl Iterator<Item = Payload<'a>> + use<'a> {
        let policies = self.policies.iter().copied().map(Payload::Sp);
        self.extensions
            .iter()
            .copied()
            .map(Payload::GeneralExtension)
            .chain(policies)
    }
}
