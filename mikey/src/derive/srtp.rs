//! From an SRTP policy to the profile that SRTP knows, and back ([RFC 3830 §6.10.1], [RFC 7714 §14.3]).
//!
//! [RFC 3830 §6.10.1]: https://www.rfc-editor.org/rfc/rfc3830#section-6.10.1
//! [RFC 7714 §14.3]: https://www.rfc-editor.org/rfc/rfc7714#section-14.3

use srtp::keying::Profile;

use crate::Quirks;
use crate::code_points::{FecOrder, SrtpAuthAlg, SrtpEncrAlg, SrtpPrf};
use crate::payload::SrtpPolicy;

/// Octets of the session authentication key of HMAC-SHA1.
const AUTH_KEY_LEN: u8 = 20;

/// The profile of `policy`; what is not set has the default of SRTP.
///
/// `None` for a policy that no profile has, and for one that leaves SRTP or SRTCP unencrypted or
/// SRTP unauthenticated: such media is not keyed from here. ROC transport and key derivation rates
/// are not supported.
///
/// ```
/// use mikey::code_points::SrtpEncrAlg;
/// use mikey::derive::srtp::profile;
/// use mikey::payload::SrtpPolicy;
/// use mikey::Quirks;
/// use srtp::keying::Profile;
///
/// assert_eq!(
///     profile(&SrtpPolicy::default(), Quirks::NONE),
///     Some(Profile::AesCm128HmacSha1_80)
/// );
/// let gcm = SrtpPolicy {
///     encr_alg: Some(SrtpEncrAlg::AesGcm),
///     encr_key_len: Some(32),
///     aead_auth_tag_len: Some(16),
///     ..SrtpPolicy::default()
/// };
/// assert_eq!(profile(&gcm, Quirks::NONE), Some(Profile::AeadAes256Gcm));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
#[must_use]
pub fn profile(policy: &SrtpPolicy, quirks: Quirks) -> Option<Profile> {
    let on = |switch: Option<bool>| switch.unwrap_or(true);
    if !(on(policy.srtp_encr) && on(policy.srtcp_encr) && on(policy.srtp_auth)) {
        return None;
    }
    let zero = |value: Option<u8>| value.unwrap_or(0) == 0;
    let plain = zero(policy.key_derivation_rate)
        && zero(policy.prefix_len)
        && policy.roc_rate.is_none()
        && policy.prf.unwrap_or(SrtpPrf::AesCm) == SrtpPrf::AesCm
        && policy.fec_order.unwrap_or(FecOrder::FecSrtp) == FecOrder::FecSrtp;
    if !plain {
        return None;
    }
    let key_len = policy.encr_key_len.unwrap_or(16);
    let profile = match policy.encr_alg.unwrap_or(SrtpEncrAlg::AesCm) {
        SrtpEncrAlg::AesGcm => aead(policy, key_len)?,
        SrtpEncrAlg::AesCm => match (key_len, hmac_tag_len(policy, quirks)?) {
            (16, 10) => Profile::AesCm128HmacSha1_80,
            (16, 4) => Profile::AesCm128HmacSha1_32,
            (24, 10) => Profile::AesCm192HmacSha1_80,
            (24, 4) => Profile::AesCm192HmacSha1_32,
            (32, 10) => Profile::AesCm256HmacSha1_80,
            (32, 4) => Profile::AesCm256HmacSha1_32,
            _ => return None,
        },
        SrtpEncrAlg::AesF8 => match (key_len, hmac_tag_len(policy, quirks)?) {
            (16, 10) => Profile::AesF8_128HmacSha1_80,
            _ => return None,
        },
        _ => return None,
    };
    let salt_len = usize::from(policy.salt_key_len.unwrap_or(0));
    (salt_len == 0 || salt_len == profile.salt_len()).then_some(profile)
}

/// The policy that says `profile`, with nothing left to defaults that peers read differently.
///
/// `None` for a profile that MIKEY has no numbers for.
///
/// ```
/// use mikey::Quirks;
/// use mikey::derive::srtp::{policy, profile};
/// use srtp::keying::Profile;
///
/// let gcm = policy(Profile::AeadAes256Gcm).ok_or("no numbers")?;
/// assert_eq!(profile(&gcm, Quirks::NONE), Some(Profile::AeadAes256Gcm));
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn policy(profile: Profile) -> Option<SrtpPolicy> {
    let encr_alg = match profile {
        Profile::AesCm128HmacSha1_80
        | Profile::AesCm128HmacSha1_32
        | Profile::AesCm192HmacSha1_80
        | Profile::AesCm192HmacSha1_32
        | Profile::AesCm256HmacSha1_80
        | Profile::AesCm256HmacSha1_32 => SrtpEncrAlg::AesCm,
        Profile::AesF8_128HmacSha1_80 => SrtpEncrAlg::AesF8,
        Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => SrtpEncrAlg::AesGcm,
        _ => return None,
    };
    let common = SrtpPolicy {
        encr_alg: Some(encr_alg),
        encr_key_len: u8::try_from(profile.key_len()).ok(),
        salt_key_len: u8::try_from(profile.salt_len()).ok(),
        ..SrtpPolicy::default()
    };
    Some(if encr_alg == SrtpEncrAlg::AesGcm {
        SrtpPolicy {
            aead_auth_tag_len: Some(16),
            ..common
        }
    } else {
        SrtpPolicy {
            auth_alg: Some(SrtpAuthAlg::HmacSha1),
            auth_key_len: Some(AUTH_KEY_LEN),
            srtp_auth_tag_len: u8::try_from(profile.srtp_tag_len()).ok(),
            srtcp_auth_tag_len: Some(10),
            ..common
        }
    })
}

fn aead(policy: &SrtpPolicy, key_len: u8) -> Option<Profile> {
    let no_hmac = [policy.auth_alg, policy.srtp_auth_alg, policy.srtcp_auth_alg]
        .into_iter()
        .flatten()
        .all(|alg| alg == SrtpAuthAlg::Null);
    match (key_len, policy.aead_auth_tag_len.unwrap_or(16), no_hmac) {
        (16, 16, true) => Some(Profile::AeadAes128Gcm),
        (32, 16, true) => Some(Profile::AeadAes256Gcm),
        _ => None,
    }
}

/// The tag of SRTP; that of SRTCP has 80 bits in every profile.
fn hmac_tag_len(policy: &SrtpPolicy, quirks: Quirks) -> Option<u8> {
    let algs = [policy.auth_alg, policy.srtp_auth_alg, policy.srtcp_auth_alg];
    let key_lens = [
        policy.auth_key_len,
        policy.srtp_auth_key_len,
        policy.srtcp_auth_key_len,
    ];
    // The devices that put the salt into the TEK take this field for the length of the tag.
    let key_len_fits = |len: u8| len == AUTH_KEY_LEN || (quirks.salt_in_tek && len == 10);
    let fits = algs
        .into_iter()
        .flatten()
        .all(|alg| alg == SrtpAuthAlg::HmacSha1)
        && key_lens.into_iter().flatten().all(key_len_fits)
        && policy.srtcp_auth_tag_len.unwrap_or(10) == 10
        && policy.aead_auth_tag_len.is_none();
    fits.then(|| {
        policy
            .srtp_auth_tag_len
            .or(policy.auth_tag_len)
            .unwrap_or(10)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Self-consistency.
    #[test]
    fn every_policy_that_is_written_is_read_as_its_profile() {
        let mut written = 0;
        for known in Profile::ALL {
            if let Some(policy) = policy(*known) {
                assert_eq!(profile(&policy, Quirks::NONE), Some(*known));
                written += 1;
            }
        }
        assert!(written >= 8, "{written}");
    }
}
