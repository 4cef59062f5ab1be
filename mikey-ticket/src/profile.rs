//! What TS 33.328 and TR 33.829 make of MIKEY-TICKET, each check naming its clause.

pub mod conference;
pub mod ims_media;
#[cfg(feature = "smime-psk")]
pub mod key_transport;
pub mod psk_mime;
pub mod tls;
