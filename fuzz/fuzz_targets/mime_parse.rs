#![no_main]
use libfuzzer_sys::fuzz_target;
use smime_psk::mime::{Entity, SmimeType, TransferEncoding, canonical, unwrap, wrap};

// Canonical form is canonical; what is wrapped unwraps; parts lie within their entity.
fuzz_target!(|data: &[u8]| {
    if let Ok(once) = canonical(data) {
        assert_eq!(canonical(&once).as_deref(), Ok(&*once));
    }
    if let Ok(cms) = unwrap(data) {
        let again = wrap(&cms, SmimeType::Rfc8551, TransferEncoding::Base64).to_entity(None);
        assert_eq!(unwrap(&again).as_deref(), Ok(&*cms));
    }
    if let Ok(entity) = Entity::parse(data) {
        let parts = entity.parts().unwrap_or_default();
        let octets: usize = parts.iter().map(|part| part.as_octets().len()).sum();
        assert!(octets <= entity.body().len());
    }
});
