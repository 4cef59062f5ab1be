use getrandom::{SysRng, rand_core::UnwrapErr};
use mikey::code_points::ThreeGppCodePoints;
use mikey::{Identity, Timestamp};
use mikey_ticket::profile::conference::Admission;
use mikey_ticket::{
    Answer, GrantedTicket, KmsPolicy, Policy, Recipient, TicketError, VerifiedTransfer,
};
use sdp_sec::identity::{AssertedIdentity, PublicIdentity};
use smime_psk::ProofOfOrigin;

use super::{
    Calling, ConferenceError, ConferenceInfo, Invite, LegError, Referral, Refusal, Room, answer,
    call,
};
use crate::kms;
use crate::subscriber::{self, Subscriber};

/// The URI of the conference factory of the programs.
pub const FACTORY: &str = "sip:factory@example.com";

/// The URIs that the factory gives to conferences: a rule of the operator (TR 33.829 §5.3.3.3, NOTE 1),
/// by which an invited user knows one (§5.3.3.4.1).
const FOCI: &str = "?@conferencing.example.com";

/// Whether `uri` is that of a conference of the factory.
#[must_use]
pub fn is_focus(uri: &Identity) -> bool {
    Identity::uri(FOCI).is_ok_and(|rule| Recipient::new(rule).names(uri))
}

/// Of the operator of the service: grants tickets as they are asked for, and lets a focus stand in for
/// the factory.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
pub struct FocusPolicy;

impl KmsPolicy for FocusPolicy {
    fn grant(&self, _: &Identity, asked: &Policy, _: Timestamp) -> Option<Policy> {
        Some(asked.clone())
    }

    fn may_stand_in(&self, resolver: &Identity, policy: &Policy, _: Timestamp) -> bool {
        Identity::uri(FACTORY).is_ok_and(|factory| policy.allows_recipient(&factory))
            && is_focus(resolver)
    }
}

/// A conference whose keys come from tickets (TR 33.829 §5.3.3): bilateral ones, to those whom the
/// creator has listed.
#[derive(Debug)]
pub struct TicketFocus {
    user: Subscriber,
    uri: String,
    admission: Admission,
    room: Room,
}

/// A conference that was created.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "what creating one gives")]
pub struct Focused {
    /// The focus.
    pub focus: TicketFocus,
    /// The body of the answer to the creator.
    pub answer: Invite,
    /// Whom to invite: those of the creator's list of recipients who are authorised.
    pub invited: Vec<String>,
    /// Those of it who are not, and are not invited.
    pub refused: Vec<String>,
}

/// A user who is told of the state of a conference (TR 33.829 §5.3.3.6), under a ticket that this user
/// alone may have resolved.
#[derive(Debug)]
pub struct Subscription {
    subscriber: Identity,
    ticket: GrantedTicket,
    notified: u32,
}

impl TicketFocus {
    /// Creates the conference that an INVITE to the factory asks for (§5.3.3.3): `user` is the new focus,
    /// standing in for the factory; `asserted` are the values of P-Asserted-Identity.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where the network and the service name different users, or nobody;
    /// [`ConferenceError`] for messages that do not fit.
    pub fn create(
        mut user: Subscriber,
        asserted: &[&str],
        invite: &Invite,
    ) -> Result<Focused, ConferenceError> {
        let message = invite.mikey.as_ref().ok_or(Refusal::NotAcceptableHere)?;
        let verified = user.receive(message)?;
        check_asserted(asserted, verified.initiator())?;
        let code_points = ThreeGppCodePoints::default();
        let admission = Admission::create(&verified, &code_points, kms::now())?;
        let mut focus = Self {
            uri: user.identity().data().escape_ascii().to_string(),
            user,
            admission,
            room: Room::new(),
        };
        let mut created = Invite::new(&focus.dial_in(asserted, &invite.sdp)?);
        created.mikey = Some(confirm(verified)?);
        let admitted =
            |uri: &String| Identity::uri(uri).is_ok_and(|id| focus.admission.admits(&id));
        let (invited, refused) = invite.recipients.iter().cloned().partition(admitted);
        Ok(Focused {
            focus,
            answer: created,
            invited,
            refused,
        })
    }

    /// The conference URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Answers the INVITE of a user who dials in: one whom the creator has listed.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for anyone else, and where the network and the service name different users;
    /// [`ConferenceError`] for an offer that does not fit.
    pub fn dial_in(&mut self, asserted: &[&str], offer: &str) -> Result<String, ConferenceError> {
        let admission = &self.admission;
        let (user, leg, sdp) = answer(&mut self.user, offer, |user| {
            check_asserted(asserted, user)?;
            if admission.admits(user) {
                Ok(())
            } else {
                Err(Refusal::Forbidden)
            }
        })?;
        self.room.enter(&name(&user), leg);
        Ok(sdp)
    }

    /// Invites a user, if the creator has listed them.
    ///
    /// # Errors
    ///
    /// [`Refusal::Forbidden`] if not; [`ConferenceError`] if the service refuses.
    pub fn invite(&self, uri: &str) -> Result<Calling, ConferenceError> {
        let user = Identity::uri(uri)?;
        if !self.admission.admits(&user) {
            return Err(Refusal::Forbidden.into());
        }
        call(&self.user, &user)
    }

    /// Takes the answer of an invited user, with the values of P-Asserted-Identity.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if another has answered; [`ConferenceError`] for an answer that does not fit.
    pub fn answered(
        &mut self,
        call: Calling,
        asserted: &[&str],
        sdp: &str,
    ) -> Result<(), ConferenceError> {
        let (user, leg) = call.answered(sdp, |user| self.admission.admits(user))?;
        check_asserted(asserted, &user)?;
        self.room.enter(&name(&user), leg);
        Ok(())
    }

    /// Takes a new list of participants, of the creator (§5.3.3.3), and gives the TRANSFER_RESP. Those
    /// who are no longer listed are out.
    ///
    /// # Errors
    ///
    /// [`ConferenceError`]; the list is as it was.
    pub fn update(&mut self, message: &[u8]) -> Result<Vec<u8>, ConferenceError> {
        let verified = self.user.receive(message)?;
        let code_points = ThreeGppCodePoints::default();
        self.admission.update(&verified, &code_points, kms::now())?;
        let names: Vec<_> = self.room.names().map(str::to_owned).collect();
        for name in names {
            if !self.admits(&name) {
                self.room.leave(&name);
            }
        }
        confirm(verified)
    }

    /// Takes a REFER (§5.3.3.4.2) of a participant, and gives whom to [`invite`](Self::invite).
    ///
    /// # Errors
    ///
    /// [`Refusal::Forbidden`] of one who may not take part, or for one; [`ConferenceError`] where the
    /// assertion does not hold.
    pub fn refer(&mut self, referral: &Referral) -> Result<String, ConferenceError> {
        let (by, invited) = referral.verify_at_focus(&mut self.user)?;
        if self.admits(&by) && self.admits(&invited) {
            Ok(invited)
        } else {
            Err(Refusal::Forbidden.into())
        }
    }

    /// A SUBSCRIBE to the state of the conference has come (§5.3.3.6), of whom the network asserts to be
    /// `subscriber`.
    ///
    /// # Errors
    ///
    /// [`Refusal::Forbidden`] for one who may not take part; [`ConferenceError`] if the service refuses.
    pub fn subscribe(&self, subscriber: &str) -> Result<Subscription, ConferenceError> {
        if !self.admits(subscriber) {
            return Err(Refusal::Forbidden.into());
        }
        let subscriber = Identity::uri(subscriber)?;
        let to = core::slice::from_ref(&subscriber);
        let ticket = self.user.message_ticket(to, ProofOfOrigin::None)?;
        Ok(Subscription {
            subscriber,
            ticket,
            notified: 0,
        })
    }

    /// The protected body of a NOTIFY, with who is in the conference (§5.3.3.6).
    ///
    /// # Errors
    ///
    /// [`Refusal::Forbidden`] for a subscriber who may not take part any more; [`ConferenceError`] for
    /// a ticket that is good no longer.
    pub fn notify(&self, subscription: &mut Subscription) -> Result<Vec<u8>, ConferenceError> {
        let Subscription {
            subscriber,
            ticket,
            notified,
        } = subscription;
        if !self.admission.admits(subscriber) {
            return Err(Refusal::Forbidden.into());
        }
        let version = notified.saturating_add(1);
        let info = ConferenceInfo::new(&self.uri, version, self.room.names());
        let to = core::slice::from_ref(subscriber);
        let sealed = subscriber::seal(&info.to_entity(), ticket, to, ProofOfOrigin::None)?;
        *notified = version;
        Ok(sealed)
    }

    /// A BYE has come.
    pub fn leave(&mut self, uri: &str) {
        self.room.leave(uri);
    }

    /// Twenty milliseconds of media, as [`Room::relay`].
    ///
    /// # Errors
    ///
    /// As of [`Room::relay`].
    pub fn relay(&mut self) -> Result<Vec<String>, LegError> {
        self.room.relay()
    }

    /// Who is in it.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.room.names()
    }

    fn admits(&self, uri: &str) -> bool {
        Identity::uri(uri).is_ok_and(|user| self.admission.admits(&user))
    }
}

/// TRANSFER_RESP, in the name of the focus: no crypto session.
fn confirm(verified: VerifiedTransfer) -> Result<Vec<u8>, ConferenceError> {
    let accepted = verified.accept(&Answer::new(&[]), kms::now(), &mut UnwrapErr(SysRng));
    let (_, message) = accepted.map_err(TicketError::from)?;
    Ok(message.ok_or(TicketError::Mismatch)?)
}

/// That the network asserts the user for whom the service vouches.
fn check_asserted(asserted: &[&str], user: &Identity) -> Result<(), Refusal> {
    let asserted = AssertedIdentity::parse(asserted).map_err(|_| Refusal::Forbidden)?;
    if asserted.is_absent() {
        return Err(Refusal::AnonymityDisallowed);
    }
    let name = name(user);
    let verified = PublicIdentity::parse(&name).map_err(|_| Refusal::Forbidden)?;
    if asserted.is(&verified) {
        Ok(())
    } else {
        Err(Refusal::Forbidden)
    }
}

fn name(user: &Identity) -> String {
    user.data().escape_ascii().to_string()
}
