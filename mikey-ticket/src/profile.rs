//! What TR 33.829 makes of MIKEY-TICKET, each check naming its clause.

pub mod conference;
pub mod psk_mime;
