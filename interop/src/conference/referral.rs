use std::time::SystemTime;

use mikey::Identity;
use smime_psk::mime::{Entity, Headers, SmimeType, TransferEncoding, unwrap, wrap};
use smime_psk::sipfrag::{self, Assertion, AssertionError, DateWindow};
use smime_psk::{MimeError, ProofOfOrigin};

use super::{ConferenceError, Refusal};
use crate::subscriber::{self, Subscriber};

/// Seconds by which a Date may be off (RFC 3893 §6).
const TOLERANCE: u64 = 600;

const CONTENT_ID: &str = "assertion1@example.com";
const BOUNDARY: &str = "mediasec-boundary";

/// A SIP message that asserts who refers whom to a conference: a REFER to the focus
/// (TR 33.829 §5.3.3.4.2), or the INVITE that the focus makes of it, with the same S/MIME part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Referral(Vec<u8>);

impl Referral {
    /// The REFER by which `by` asks `focus` to invite `invited`. The assertion can be opened by these
    /// two.
    ///
    /// # Errors
    ///
    /// [`ConferenceError`] if the service refuses.
    pub fn refer(by: &Subscriber, focus: &str, invited: &str) -> Result<Self, ConferenceError> {
        let user = by.identity().data().escape_ascii();
        let date = httpdate::fmt_http_date(SystemTime::now());
        let head = format!(
            "REFER {focus} SIP/2.0\r\nFrom: <{user}>;tag=1\r\nTo: <{focus}>\r\n\
             Call-ID: refer1@example.com\r\nCSeq: 1 REFER\r\nDate: {date}\r\n\
             Refer-To: <{invited};method=INVITE>\r\n\
             Referred-By: <{user}>;cid=\"{CONTENT_ID}\"\r\n"
        );
        let headers = format!("{head}\r\n");
        let headers = Headers::of_sip(headers.as_bytes()).map_err(AssertionError::from)?;
        let fragment = sipfrag::copy(&headers, &sipfrag::REFER_TO_FOCUS)?;
        let to = [Identity::uri(focus)?, Identity::uri(invited)?];
        let mut ticket = by.message_ticket(&to, ProofOfOrigin::None)?;
        let cms = subscriber::seal(&fragment, &mut ticket, &to, ProofOfOrigin::None)?;
        Ok(Self::with_part(&head, &cms))
    }

    /// The INVITE of `focus` to whom this REFER names: Referred-By and the part are copied into it.
    ///
    /// # Errors
    ///
    /// [`ConferenceError`] for a message that is none.
    pub fn to_invite(&self, focus: &str, invited: &str) -> Result<Self, ConferenceError> {
        let referred_by = self.field("Referred-By")?;
        let head = format!(
            "INVITE {invited} SIP/2.0\r\nFrom: <{focus}>;tag=2\r\nTo: <{invited}>\r\n\
             Call-ID: invite1@example.com\r\nCSeq: 1 INVITE\r\nReferred-By: {referred_by}\r\n"
        );
        Ok(Self::with_part(&head, &self.assertion()?))
    }

    /// Reads a message.
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Self {
        Self(octets.to_vec())
    }

    /// The message.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }

    /// The focus verifies a REFER: who refers whom.
    ///
    /// # Errors
    ///
    /// [`ConferenceError::Assertion`] where the assertion does not hold, or as of [`Subscriber::open`].
    pub fn verify_at_focus(
        &self,
        focus: &mut Subscriber,
    ) -> Result<(String, String), ConferenceError> {
        let opened = focus.open(&self.assertion()?, ProofOfOrigin::None)?;
        let refer = self.headers()?;
        Assertion::of(&opened)?.verify_refer_to_focus(&refer, window())?;
        let invited = addr_spec(&self.field("Refer-To")?).ok_or(Refusal::NotAcceptableHere)?;
        let by = opened.sender().ok_or(AssertionError::Sender)?;
        Ok((by.to_owned(), invited))
    }

    /// An invited user verifies an INVITE: who has asked the focus to call.
    ///
    /// # Errors
    ///
    /// As of [`verify_at_focus`](Self::verify_at_focus).
    pub fn verify_invited(&self, user: &mut Subscriber) -> Result<String, ConferenceError> {
        let opened = user.open(&self.assertion()?, ProofOfOrigin::None)?;
        let invited = user.identity().data().escape_ascii().to_string();
        Assertion::of(&opened)?.verify_invite(&self.headers()?, &invited, window())?;
        let by = opened.sender().ok_or(AssertionError::Sender)?;
        Ok(by.to_owned())
    }

    fn with_part(head: &str, cms: &[u8]) -> Self {
        let part = wrap(cms, SmimeType::default(), TransferEncoding::Binary);
        let start = format!(
            "{head}Content-Type: multipart/mixed;boundary=\"{BOUNDARY}\"\r\n\r\n--{BOUNDARY}\r\n"
        );
        let end = format!("\r\n--{BOUNDARY}--\r\n");
        let part = part.to_entity(Some(CONTENT_ID));
        Self([start.as_bytes(), &part, end.as_bytes()].concat())
    }

    fn headers(&self) -> Result<Headers<'_>, ConferenceError> {
        Ok(Headers::of_sip(&self.0).map_err(AssertionError::from)?)
    }

    fn field(&self, name: &'static str) -> Result<String, ConferenceError> {
        let headers = self.headers()?;
        let value = headers.single(name).map_err(AssertionError::from)?;
        Ok(value.ok_or(AssertionError::Missing(name))?.into_owned())
    }

    /// The CMS of the part that Referred-By names.
    fn assertion(&self) -> Result<Vec<u8>, ConferenceError> {
        let referred_by = self.field("Referred-By")?;
        let id = referred_by.split_once("cid=\"").map(|(_, rest)| rest);
        let id = id.and_then(|rest| rest.split('"').next());
        let id = id.ok_or(AssertionError::Missing("Referred-By"))?;
        let found = self.part(id).map_err(AssertionError::from)?;
        Ok(found)
    }

    fn part(&self, id: &str) -> Result<Vec<u8>, MimeError> {
        let start = self.0.windows(2).position(|two| two == b"\r\n");
        let fields = self.0.get(start.unwrap_or_default() + 2..);
        let entity = Entity::parse(fields.unwrap_or_default())?;
        let part = entity.part_by_content_id(id)?;
        Ok(unwrap(part.as_octets())?.into_owned())
    }
}

/// The URI between the brackets, without its parameters.
fn addr_spec(value: &str) -> Option<String> {
    let (_, rest) = value.split_once('<')?;
    let (uri, _) = rest.split_once('>')?;
    uri.split(';').next().map(str::to_owned)
}

fn window() -> DateWindow {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    DateWindow::new(now.unwrap_or_default().as_secs(), TOLERANCE)
}
