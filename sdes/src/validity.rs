//! What makes an `a=crypto` attribute valid for SRTP ([RFC 4568 §6]), beyond the generic grammar.
//!
//! [RFC 4568 §6]: https://www.rfc-editor.org/rfc/rfc4568#section-6

use alloc::vec::Vec;

use srtp::keying::{KeyEntry, KeySet, KeyingError, Parameters};

use crate::{
    Attribute, CryptoSuite, FecOrder, KeyParams, LineError, Rule, SecurityDescription,
    SessionParameter, description::shares_a_key,
};

/// Reads the attribute as a description under `suite`, to which its name was found to belong.
pub(crate) fn check(
    attribute: &Attribute<'_>,
    suite: CryptoSuite,
) -> Result<SecurityDescription, LineError> {
    let line = attribute.line();
    let session = Session::read(attribute, &suite)?;
    let keys = read_keys(line, attribute.keys(), &suite, session.parameters)?;
    let fec_keys = match session.fec_key {
        Some(params) => Some(read_keys(line, params, &suite, session.parameters)?),
        None => None,
    };
    if let (Some(fec), Some(params)) = (&fec_keys, session.fec_key) {
        if shares_a_key(&keys, fec) {
            return Err(Rule::KeyReused.at(line, params.as_str()));
        }
        // One length for all keys of the attribute, FEC_KEY included.
        if keys.mki_len() != 0 && fec.mki_len() != 0 && keys.mki_len() != fec.mki_len() {
            return Err(Rule::Keying(KeyingError::Mki).at(line, params.as_str()));
        }
    }
    Ok(SecurityDescription::new(attribute.tag(), suite, keys)
        .with_fec(fec_keys, session.fec_order)
        .with_window_size_hint(session.window_size_hint))
}

/// The session parameters of one line, each at most once.
#[derive(Default)]
struct Session<'a> {
    parameters: Parameters,
    fec_key: Option<KeyParams<'a>>,
    fec_order: Option<FecOrder>,
    window_size_hint: Option<u32>,
}

impl<'a> Session<'a> {
    fn read(attribute: &Attribute<'a>, suite: &CryptoSuite) -> Result<Self, LineError> {
        let line = attribute.line();
        let mut session = Self::default();
        session.parameters.roc_transport = suite.roc_transport();
        let srtp = &mut session.parameters;
        for (word, parameter) in attribute
            .parameters()
            .words()
            .zip(attribute.parameters().iter())
        {
            let parameter = parameter?;
            let repeated = match parameter {
                SessionParameter::FecKey(keys) => session.fec_key.replace(keys).is_some(),
                SessionParameter::FecOrder(order) => session.fec_order.replace(order).is_some(),
                SessionParameter::KeyDerivationRate(rate) => {
                    srtp.srtcp_kdr = rate;
                    core::mem::replace(&mut srtp.srtp_kdr, rate)
                        .exponent()
                        .is_some()
                }
                SessionParameter::UnauthenticatedSrtp => {
                    core::mem::replace(&mut srtp.unauthenticated_srtp, true)
                }
                SessionParameter::UnencryptedSrtcp => {
                    core::mem::replace(&mut srtp.unencrypted_srtcp, true)
                }
                SessionParameter::UnencryptedSrtp => {
                    core::mem::replace(&mut srtp.unencrypted_srtp, true)
                }
                SessionParameter::Unknown(_) if parameter.is_ignorable() => false,
                SessionParameter::Unknown(_) => return Err(Rule::ParameterUnknown.at(line, word)),
                SessionParameter::WindowSizeHint(hint) => {
                    session.window_size_hint.replace(hint).is_some()
                }
            };
            if repeated {
                return Err(Rule::DuplicateParameter.at(line, word));
            }
        }
        Ok(session)
    }
}

fn read_keys(
    line: &str,
    params: KeyParams<'_>,
    suite: &CryptoSuite,
    parameters: Parameters,
) -> Result<KeySet, LineError> {
    // Not to grow: that would leave keys behind in the memory that is given back.
    let mut entries = Vec::with_capacity(params.iter().count());
    for param in params.iter() {
        let inline = param.inline()?;
        let lifetime = inline
            .lifetime()
            .unwrap_or_else(|| suite.default_lifetime());
        let entry = KeyEntry::new(inline.decode(suite.profile())?).with_lifetime(lifetime);
        entries.push(match inline.mki() {
            None => entry,
            Some(mki) => entry.with_mki(mki),
        });
    }
    if entries.len() > 1 && entries.iter().any(|entry| entry.mki().is_none()) {
        return Err(Rule::MkiMissing.at(line, params.as_str()));
    }
    KeySet::new(suite.profile(), parameters, entries)
        .map_err(|error| Rule::Keying(error).at(line, params.as_str()))
}
