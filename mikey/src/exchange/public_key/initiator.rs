use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use crate::code_points::{DataType, EnvelopeKeyCache, PayloadType};
use crate::crypto::{Iv, Suite};
use crate::derive::CsbDerivation;
use crate::exchange::bundle::Parties;
use crate::exchange::psk::{AwaitingVerification, fresh_rand};
use crate::exchange::signature::{EnvelopedKeys, envelope_keys, fresh_envelope_key, signed};
use crate::exchange::{Bundle, ExchangeError, KeyMaterial, Proposal};
use crate::payload::{Header, Payload, Pke, Rand};
use crate::seam::Credentials;
use crate::{Identity, MessageTime};

/// The Initiator of the public-key exchange ([RFC 3830 §3.2]).
///
/// Its steps are those of [`psk::Initiator`](crate::exchange::psk::Initiator), with
/// [`Credentials`] in place of a shared key.
///
/// [RFC 3830 §3.2]: https://www.rfc-editor.org/rfc/rfc3830#section-3.2
pub struct Initiator<'k, C: ?Sized> {
    credentials: &'k C,
    parties: Parties,
    suite: Suite,
    cache: EnvelopeKeyCache,
}

impl<'k, C: Credentials + ?Sized> Initiator<'k, C> {
    /// `local` calls `peer`, with the mandatory suite of RFC 3830 and the envelope key cached for
    /// updates of the bundle.
    #[must_use]
    pub const fn new(credentials: &'k C, local: Identity, peer: Identity) -> Self {
        let parties = Parties { local, peer };
        let suite = Suite::AES_CM_128_HMAC_SHA1;
        Self {
            credentials,
            parties,
            suite,
            cache: EnvelopeKeyCache::CacheForCsb,
        }
    }

    /// With another suite.
    #[must_use]
    pub const fn suite(mut self, suite: Suite) -> Self {
        self.suite = suite;
        self
    }

    /// Forgets the envelope key, so that the bundle cannot be updated ([RFC 3830 §6.3]).
    ///
    /// [RFC 3830 §6.3]: https://www.rfc-editor.org/rfc/rfc3830#section-6.3
    #[must_use]
    pub const fn without_cache(mut self) -> Self {
        self.cache = EnvelopeKeyCache::NoCache;
        self
    }

    /// The I_MESSAGE that wants no answer (V = 0).
    ///
    /// # Errors
    ///
    /// [`ExchangeError`] for a suite that does not protect keys, no key, keys that do not fit, or
    /// credentials that fail.
    pub fn send<R: CryptoRng>(
        &self,
        proposal: &Proposal<'_>,
        material: Vec<KeyMaterial>,
        time: MessageTime,
        rng: &mut R,
    ) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        let (mut bundle, message) = self.message(proposal, material, time, false, rng)?;
        if self.cache == EnvelopeKeyCache::NoCache {
            bundle.protection = None;
        }
        Ok((bundle, message))
    }

    /// The I_MESSAGE that wants a verification message (V = 1).
    ///
    /// # Errors
    ///
    /// As of [`send`](Self::send).
    pub fn request<R: CryptoRng>(
        &self,
        proposal: &Proposal<'_>,
        material: Vec<KeyMaterial>,
        time: MessageTime,
        rng: &mut R,
    ) -> Result<(AwaitingVerification, Vec<u8>), ExchangeError> {
        let (bundle, message) = self.message(proposal, material, time, true, rng)?;
        let cached = self.cache != EnvelopeKeyCache::NoCache;
        Ok((
            AwaitingVerification::new(bundle, DataType::PkVerMsg, cached),
            message,
        ))
    }

    fn message<R: CryptoRng>(
        &self,
        proposal: &Proposal<'_>,
        material: Vec<KeyMaterial>,
        time: MessageTime,
        v_flag: bool,
        rng: &mut R,
    ) -> Result<(Bundle, Vec<u8>), ExchangeError> {
        let Parties { local, peer } = &self.parties;
        if material.is_empty() {
            return Err(ExchangeError::MissingPayload(PayloadType::KeyData));
        }
        let envelope_key = fresh_envelope_key(self.suite, rng)?;
        let envelope = self.credentials.seal_envelope(peer, &[], &envelope_key)?;
        let csb_id = proposal.draw_csb_id(rng);
        let rand = fresh_rand(self.suite.prf(), rng);
        let keys = envelope_keys(&envelope_key, self.suite, csb_id, &rand)?;
        let iv = Iv {
            csb_id,
            timestamp: time.octets(),
        };
        let kemac = EnvelopedKeys::seal(&keys, &iv, local, &material)?;
        let mut payloads = alloc::vec![
            Payload::T(time.to_payload()),
            Payload::Rand(Rand::new(&rand)?),
            Payload::Id(local.to_payload()?),
        ];
        payloads.extend(
            self.credentials
                .certificates()
                .into_iter()
                .map(Payload::Cert),
        );
        payloads.push(Payload::Id(peer.to_payload()?));
        payloads.extend(proposal.payloads());
        payloads.push(Payload::Kemac(kemac.to_payload()?));
        payloads.push(Payload::Pke(Pke::new(self.cache, &envelope)?));
        let prf_func = self.suite.prf().prf_func();
        let header = Header::new(DataType::PublicKey, prf_func, csb_id, proposal.cs_id_map())?
            .expecting_response(v_flag);
        let octets = signed(header, &payloads, self.credentials)?;
        let bundle = Bundle {
            keys: material,
            protection: Some(keys),
            ..Bundle::proposed(
                DataType::PublicKey,
                Some(self.parties.clone()),
                csb_id,
                CsbDerivation::rfc3830(self.suite.prf(), csb_id, &rand),
                proposal,
                time,
            )
        };
        Ok((bundle, octets))
    }
}

impl<C: ?Sized> fmt::Debug for Initiator<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator")
            .field("parties", &self.parties)
            .finish_non_exhaustive()
    }
}
