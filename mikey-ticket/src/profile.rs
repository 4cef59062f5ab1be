//! What TR 33.829 makes of MIKEY-TICKET, each check naming its clause.

pub mod conference;
#[cfg(feature = "smime-psk")]
pub mod key_transport;
pub mod psk_mime;
