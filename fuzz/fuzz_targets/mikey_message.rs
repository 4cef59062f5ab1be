#![no_main]

//! Octets are a message or an error that points into them; whatever is in a message can be read.

use libfuzzer_sys::fuzz_target;
use mikey::{
    Chain, Message,
    code_points::{PayloadType, ThreeGppCodePoints},
    payload::{BaseTicket, Payload, SrtpPolicy, TeslaPolicy},
};

fuzz_target!(|octets: &[u8]| {
    let message = match Message::decode(octets) {
        Ok(message) => message,
        Err(error) => return assert!(error.offset() <= octets.len()),
    };
    assert_eq!(message.encoded_len(), octets.len());
    for (range, payload) in message.located() {
        assert_eq!(range.len(), payload.encoded_len());
        match payload {
            Payload::Kemac(kemac) => {
                for first in [PayloadType::KeyData, PayloadType::Id] {
                    if let Ok(chain) = Chain::decode_encrypted(kemac.encr_data(), first) {
                        assert!(chain.encoded_len() <= kemac.encr_data().len());
                    }
                }
            }
            Payload::Ticket(ticket) => {
                if let Ok(base) = BaseTicket::decode(ticket.data()) {
                    assert_eq!(base.to_vec(), ticket.data());
                }
            }
            Payload::GeneralExtension(ext) => {
                if let Ok(value) = ext.value(&ThreeGppCodePoints::DEFAULT) {
                    assert_eq!(value.to_vec(), ext.data());
                }
            }
            Payload::Sp(sp) => {
                let _ = (SrtpPolicy::of(&sp), TeslaPolicy::of(&sp));
            }
            _ => {}
        }
    }
});
