//! MIME entities around and inside the protected message ([RFC 8551 §3], TR 33.829 annex B.2).
//!
//! ```
//! use smime_psk::mime::{self, SmimeType, TransferEncoding};
//!
//! let wrapped = mime::wrap(b"\x30\x00", SmimeType::AuthEnvelopedData, TransferEncoding::Base64);
//! assert_eq!(
//!     wrapped.content_type(),
//!     "application/pkcs7-mime; smime-type=auth-enveloped-data; name=smime.p7m",
//! );
//! assert_eq!(mime::unwrap(&wrapped.to_entity(None))?.as_ref(), b"\x30\x00");
//! # Ok::<(), smime_psk::MimeError>(())
//! ```
//!
//! [RFC 8551 §3]: https://www.rfc-editor.org/rfc/rfc8551#section-3

mod base64;
mod canonical;
mod entity;
mod headers;
mod media_type;
mod pkcs7;

pub use canonical::canonical;
pub use entity::Entity;
pub use headers::Headers;
pub use media_type::MediaType;
pub use pkcs7::{SmimeType, TransferEncoding, Wrapped, unwrap, unwrap_body, wrap};

pub(crate) use headers::collapse;
