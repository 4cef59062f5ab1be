//! SRTP suites by their names in SDP, as command lines give them.

use srtp::keying::Profile;

/// The suites that SDP can name ([RFC 4568 §6.2] and its successors).
///
/// [RFC 4568 §6.2]: https://www.rfc-editor.org/rfc/rfc4568#section-6.2
pub fn names() -> impl Iterator<Item = &'static str> {
    let profiles = Profile::ALL.iter();
    profiles.filter_map(|profile| profile.sdes_name())
}

/// The suite of this name.
///
/// # Errors
///
/// Which ones there are.
///
/// ```
/// use interop::suites;
/// use srtp::keying::Profile;
///
/// assert_eq!(suites::parse("AEAD_AES_128_GCM"), Ok(Profile::AeadAes128Gcm));
/// assert!(suites::parse("ROT13").is_err_and(|known| known.contains("AEAD_AES_128_GCM")));
/// ```
pub fn parse(name: &str) -> Result<Profile, String> {
    Profile::from_sdes(name).ok_or_else(|| {
        let known: Vec<&str> = names().collect();
        format!("unknown suite; known are {}", known.join(" "))
    })
}
