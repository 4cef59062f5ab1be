//! The content key of an S/MIME message in a TRANSFER_INIT: [`smime_psk::KeyTransport`] over
//! MIKEY-TICKET (TR 33.829 annexes B.3, E, F).
//!
//! A sender gives [`ContentKeySender`] to [`smime_psk::seal`]. A recipient finds the TRANSFER_INIT
//! that is for it with [`IncomingContentKey::find`], has the KMS resolve the ticket, and opens with
//! the [`ContentKeyReceiver`] that comes of it:
//!
//! ```
//! # use mikey::derive::Secret;
//! # use mikey::{Identity, InMemoryKeys, InMemoryReplayCache, SkewWindow, Timestamp};
//! # use mikey_ticket::{GrantAsAsked, InMemoryTicketKeys, Initiator, Kms, Recipient, Strength};
//! use mikey_ticket::profile::key_transport::{ContentKeySender, IncomingContentKey};
//! use mikey_ticket::{DeferredReplayCache, Responder, profile::psk_mime};
//! use smime_psk::{AuthEnvelopedData, Encoding, OpenPolicy, SealPolicy};
//!
//! # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
//! # let now = Timestamp::from_unix(1_800_000_000, 0);
//! # let alice = Identity::uri("sip:alice@example.com")?;
//! # let bob = Identity::uri("sip:bob@example.com")?;
//! # let kms_id = Identity::uri("sip:kms.example.com")?;
//! # let (mut subscribers, mut of_alice, mut of_bob) =
//! #     (InMemoryKeys::new(), InMemoryKeys::new(), InMemoryKeys::new());
//! # for (user, keys) in [(&alice, &mut of_alice), (&bob, &mut of_bob)] {
//! #     let key = Secret::random(32, &mut rng)?;
//! #     keys.insert(kms_id.clone(), key.duplicate());
//! #     subscribers.insert(user.clone(), key);
//! # }
//! # let mut tpks = InMemoryTicketKeys::new();
//! # let day = now.plus_seconds(86_400);
//! # tpks.insert(b"tpk 1", Strength::Bits128, Secret::random(16, &mut rng)?, now, day);
//! # let replay = InMemoryReplayCache::new(1000, SkewWindow::default());
//! # let mut kms = Kms::new(kms_id.clone(), subscribers, tpks, GrantAsAsked, replay);
//! // Alice has a ticket for Bob, and seals.
//! let policy = psk_mime::policy(Strength::Bits128, vec![Recipient::new(bob.clone())], false)?;
//! # let alice = Initiator::new(alice.clone(), kms_id.clone());
//! let (pending, request) = alice.request(&policy, &of_alice, now, &mut rng)?;
//! let mut ticket = pending.accept(&kms.handle(&request, now, &mut rng)?, now)?;
//! let recipients = [bob.clone()];
//! let mut to_bob = ContentKeySender::new(&mut ticket, &recipients, now);
//! let sealed = smime_psk::seal(b"hi", &mut to_bob, &SealPolicy::default(), &mut rng)?;
//!
//! // Bob was away for an hour.
//! let (now, mut seen) = (now.plus_seconds(3600), DeferredReplayCache::new(1000));
//! let user = Responder::new(bob, kms_id).with_window(None);
//! let message = AuthEnvelopedData::parse(&sealed, Encoding::Der)?;
//! let found = IncomingContentKey::find(message.recipient_infos(), &user, now)?.ok_or("none")?;
//! let (resolving, resolve) = found.resolve(&of_bob, now, &mut rng)?;
//! let response = kms.handle(&resolve, now, &mut rng)?;
//! let mut key = resolving.accept(&response, now, &mut seen)?;
//! let opened = message.open(&mut key, &OpenPolicy::default())?;
//! assert_eq!(opened.content(), b"hi");
//! assert_eq!(opened.sender(), Some("sip:alice@example.com"));
//!
//! // What was opened once is not opened again.
//! assert!(message.open(&mut key, &OpenPolicy::default()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod receiver;
mod sender;

use mikey::ReplayError;
use smime_psk::TransportError;

pub use self::receiver::{AwaitingContentKey, ContentKeyReceiver, IncomingContentKey};
pub use self::sender::ContentKeySender;
use crate::TicketError;

impl From<TicketError> for TransportError {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::Expired | TicketError::NotYetValid | TicketError::TicketKey(_) => {
                Self::Expired
            }
            TicketError::Forged => Self::Forged,
            TicketError::KeyLength => Self::KeyLength,
            TicketError::NotAuthorised
            | TicketError::Policy(_)
            | TicketError::Replay(ReplayError::Early)
            | TicketError::TicketUsed
            | TicketError::WrongApplication
            | TicketError::WrongRecipient => Self::Refused,
            TicketError::Replay(_) => Self::Replayed,
            _ => Self::Malformed,
        }
    }
}
