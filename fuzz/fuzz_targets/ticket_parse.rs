//! Whatever a peer sends as a ticket: one that opens is one that was made under the TPK, and a policy
//! that is accepted is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey::payload::Payload;
use mikey::{Message, Timestamp};
use mikey_ticket::{InMemoryTicketKeys, Policy, open_ticket};

fuzz_target!(|octets: &[u8]| {
    let Ok(message) = Message::decode(octets) else {
        return;
    };
    let now = Timestamp::from_unix(1_800_000_000, 0);
    for payload in message.payloads() {
        let policy = match payload {
            Payload::Tp(policy) => policy,
            Payload::Ticket(ticket) => {
                // Nothing opens without a TPK.
                assert!(open_ticket(&ticket, &InMemoryTicketKeys::new(), now).is_err());
                *ticket.policy()
            }
            _ => continue,
        };
        if let Ok(policy) = Policy::from_payload(&policy) {
            assert_eq!(policy.flags().check(), Ok(()));
            assert!(!policy.recipients().is_empty());
        }
    }
});
