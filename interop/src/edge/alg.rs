//! The IMS-ALG: descriptions rewritten by `sdp_sec::edge`, and anchored at the IMS-AGW's ports.

use alloc::sync::Arc;
use core::net::{IpAddr, SocketAddr};
use std::io;

use getrandom::rand_core::CryptoRng;
use sdp_sec::edge::{
    Answered, Dialogue, EdgeError, Intention, Originating, Outcome, Policy, Terminating,
};
use sdp_sec::fingerprint::Fingerprint;
use sdp_sec::identity::{AssertedIdentity, IdentityError};
use sdp_sec::mediasec::{
    self, AccessEdge, Bindings, HeaderError, Indications, Mechanism, MechanismSet,
    SignallingProtection, Source,
};

use super::{AddressError, Message, Pair, PortRange, Ports, Remote, Reserved, address};

/// The header that names the other endpoint (RFC 3325 §9.1, TR 33.829 §11.4).
const ASSERTED: &str = "P-Asserted-Identity";

/// An offer or answer could not be passed on; answer 488 and keep the dialogue as it was.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum AlgError {
    /// An address in it cannot be used.
    #[error("{0}")]
    Address(#[from] AddressError),
    /// The edge refuses it as a whole.
    #[error("{0}")]
    Edge(#[from] EdgeError),
    /// P-Asserted-Identity cannot be read.
    #[error("P-Asserted-Identity: {0}")]
    Identity(#[from] IdentityError),
    /// The IMS-AGW has no port left.
    #[error("no port: {0}")]
    Ports(#[from] io::Error),
}

/// A P-CSCF with its IMS-ALG: who registered what, and where the IMS-AGW receives.
///
/// ```
/// use interop::edge::{Alg, Message};
/// use sdp_sec::edge::{Outcome, Policy};
/// use sdp_sec::mediasec::{MechanismSet, Source};
///
/// # let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
/// let everything = sdp_sec::mediasec::Mechanism::ALL.into_iter().collect::<MechanismSet>();
/// let mut alg = Alg::new([127, 0, 0, 1].into(), everything, Policy::default());
/// alg.register("sip:ue@192.0.2.1", &["sdes-srtp;mediasec"])?;
///
/// let offer = Message::new(
///     b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 0\r\n\
///       a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n\
///       a=3ge2ae:requested\r\n");
/// let (exchange, to_core) = alg.offer("sip:ue@192.0.2.1", None, Source::Ue, &offer, |_| None, &mut rng)?;
/// assert!(!to_core.sdp().windows(8).any(|part| part == b"a=crypto"));
///
/// let answer = Message::new(b"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 5004 RTP/AVP 0\r\n");
/// let (established, to_ue) = exchange.answered(&answer, |_| None, &mut rng)?;
/// assert!(to_ue.sdp().windows(8).any(|part| part == b"a=crypto"));
/// assert!(matches!(established.streams[0].as_ref().map(|s| &s.outcome), Some(Outcome::Rtp(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Alg {
    bindings: Bindings,
    policy: Arc<Policy>,
    address: IpAddr,
    ports: PortRange,
}

impl Alg {
    /// Of a network that supports `network`; its IMS-AGW receives at `address`. Signalling with the
    /// UEs is taken to be confidential and authentic.
    #[must_use]
    pub fn new(address: IpAddr, network: MechanismSet, policy: Policy) -> Self {
        Self {
            bindings: Bindings::new(network),
            policy: policy.into(),
            address,
            ports: None,
        }
    }

    /// The same, with these ports for its IMS-AGW.
    #[must_use]
    pub const fn with_ports(mut self, ports: PortRange) -> Self {
        self.ports = ports;
        self
    }

    /// Takes the `Security-Client` values of a contact's REGISTER.
    ///
    /// # Errors
    ///
    /// As [`Bindings::register`].
    pub fn register(
        &mut self,
        contact: &str,
        security_client: &[&str],
    ) -> Result<Indications, HeaderError> {
        self.bindings.register(contact, security_client)
    }

    /// Takes an offer to or from the UE at `contact`, which is served by what *that contact*
    /// registered, whoever was called first: what comes is sent on to the other side.
    ///
    /// `dialogue` is what the exchange before came to. `certificate` gives the fingerprint of the
    /// IMS-AGW's certificate for an m-line.
    ///
    /// # Errors
    ///
    /// [`AlgError`]; nothing has changed.
    pub fn offer<R: CryptoRng + ?Sized>(
        &self,
        contact: &str,
        dialogue: Option<Dialogue>,
        from: Source,
        offer: &Message,
        certificate: impl FnMut(usize) -> Option<Fingerprint>,
        rng: &mut R,
    ) -> Result<(Exchange, Message), AlgError> {
        let access = AccessEdge {
            indications: self.bindings.of(contact),
            signalling: SignallingProtection::IntegrityAndConfidentiality,
            policy: mediasec::Policy::default(),
        };
        let dialogue = match dialogue {
            Some(dialogue) => dialogue.with_access(access),
            None => Dialogue::new(self.policy.clone(), access),
        };
        let offerer = Remote::read(offer.sdp())?;
        let (pending, intentions) = match from {
            Source::Ue => {
                let originating = dialogue.originating(offer.sdp())?;
                let intentions: Vec<_> = originating.intentions().collect();
                (Pending::Originating(originating.into()), intentions)
            }
            Source::Core => {
                let terminating = dialogue.terminating(offer.sdp(), certificate, rng)?;
                let intentions = terminating.intentions().collect();
                (Pending::Terminating(terminating.into()), intentions)
            }
        };
        let reserved = intentions
            .into_iter()
            .map(|intention| self.reserve(intention));
        let reserved = reserved.collect::<io::Result<Vec<_>>>()?;
        let exchange = Exchange {
            pending,
            offerer,
            reserved,
        };
        let sdp = match &exchange.pending {
            Pending::Originating(originating) => originating.offer_to_core(),
            Pending::Terminating(terminating) => terminating.offer_to_ue(),
        };
        let message = exchange.anchored(sdp, from == Source::Ue, offer)?;
        Ok((exchange, message))
    }

    fn reserve(&self, intention: Intention) -> io::Result<Option<Reserved>> {
        let Intention::Protect(mechanism) = intention else {
            return Ok(None);
        };
        let ports = || match mechanism {
            Mechanism::SdesSrtp => Pair::bind(self.address, self.ports).map(Ports::Rtp),
            Mechanism::UdptlDtls => Ports::udptl(self.address, self.ports),
            _ => Ports::tcp(self.address, self.ports),
        };
        Ok(Some(Reserved {
            access: ports()?,
            core: ports()?,
        }))
    }
}

/// An offer that has no answer yet.
#[derive(Debug)]
pub struct Exchange {
    pending: Pending,
    offerer: Vec<Option<Remote>>,
    reserved: Vec<Option<Reserved>>,
}

#[derive(Debug)]
enum Pending {
    Originating(Box<Originating>),
    Terminating(Box<Terminating>),
}

impl Exchange {
    /// Takes the answer: what was settled, and what is sent on to the offerer.
    ///
    /// # Errors
    ///
    /// [`AlgError`]; the ports are given back.
    pub fn answered<R: CryptoRng + ?Sized>(
        mut self,
        answer: &Message,
        certificate: impl FnMut(usize) -> Option<Fingerprint>,
        rng: &mut R,
    ) -> Result<(Established, Message), AlgError> {
        let answerer = Remote::read(answer.sdp())?;
        let answered = match &mut self.pending {
            Pending::Originating(originating) => {
                originating.answered(answer.sdp(), certificate, rng)?
            }
            Pending::Terminating(terminating) => terminating.answered(answer.sdp(), rng)?,
        };
        let ue_offered = matches!(self.pending, Pending::Originating(_));
        let message = self.anchored(answered.sdp(), !ue_offered, answer)?;
        let (ue, core) = if ue_offered {
            (self.offerer, answerer)
        } else {
            (answerer, self.offerer)
        };
        let other_endpoint = other_endpoint(answer)?;
        let ends = ue.into_iter().zip(core);
        let parts = self.reserved.into_iter().zip(ends).zip(answered.outcomes());
        let streams = parts
            .map(|((ports, (ue, core)), outcome)| {
                let settled = matches!(outcome, Outcome::Rtp(_) | Outcome::Tls(_));
                let (ports, ue, core) = (ports.filter(|_| settled)?, ue?, core?);
                let outcome = outcome.clone();
                Some(Stream {
                    outcome,
                    ports,
                    ue,
                    core,
                })
            })
            .collect();
        let established = Established {
            streams,
            other_endpoint,
            answered,
        };
        Ok((established, message))
    }

    /// What is sent on: the description with the IMS-AGW's ports towards whom it goes to, and the
    /// asserted identity of whom it comes from.
    fn anchored(
        &self,
        sdp: &[u8],
        to_core: bool,
        received: &Message,
    ) -> Result<Message, AddressError> {
        let own = |index: usize| -> Option<SocketAddr> {
            let reserved = self.reserved.get(index)?.as_ref()?;
            let ports = if to_core {
                &reserved.core
            } else {
                &reserved.access
            };
            ports.address().ok()
        };
        let message = Message::new(&address::anchor(sdp, own)?);
        Ok(received
            .header(ASSERTED)
            .fold(message, |message, value| message.with(ASSERTED, value)))
    }
}

fn other_endpoint(answer: &Message) -> Result<Vec<String>, IdentityError> {
    let values: Vec<&str> = answer.header(ASSERTED).collect();
    let asserted = AssertedIdentity::parse(&values)?;
    let identities = asserted.identities();
    Ok(identities
        .map(|identity| identity.as_str().to_owned())
        .collect())
}

/// A dialogue with its streams.
#[derive(Debug)]
pub struct Established {
    /// For each m-line; `None` for one that is refused, ended, or not the edge's concern.
    pub streams: Vec<Option<Stream>>,
    /// Who answered, as the network asserts it: a SIP URI, a tel URI, both or nobody.
    pub other_endpoint: Vec<String>,
    answered: Answered,
}

impl Established {
    /// What became of each m-line.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        self.answered.outcomes()
    }

    /// The dialogue that the next offer belongs to.
    #[must_use]
    pub const fn dialogue(&self) -> &Dialogue {
        self.answered.dialogue()
    }
}

/// A stream that the IMS-AGW converts.
#[derive(Debug)]
pub struct Stream {
    /// [`Outcome::Rtp`] or [`Outcome::Tls`].
    pub outcome: Outcome,
    /// The IMS-AGW's ports.
    pub ports: Reserved,
    /// Where the UE receives.
    pub ue: Remote,
    /// Where the core receives.
    pub core: Remote,
}
