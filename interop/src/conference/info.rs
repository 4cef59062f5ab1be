use super::invite::{InviteError, escaped, parse};

const NAMESPACE: &str = "urn:ietf:params:xml:ns:conference-info";
const MEDIA_TYPE: &str = "application/conference-info+xml";

/// The state of a conference as a NOTIFY tells it ([RFC 4575]): its URI and who is connected.
///
/// ```
/// use interop::conference::ConferenceInfo;
///
/// let info = ConferenceInfo::new("sip:focus1@conferencing.example.com", 1, ["sip:bob@example.com"]);
/// assert_eq!(ConferenceInfo::read(&info.to_xml())?, info);
/// # Ok::<(), interop::conference::InviteError>(())
/// ```
///
/// [RFC 4575]: https://www.rfc-editor.org/rfc/rfc4575
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "what the programs show")]
pub struct ConferenceInfo {
    /// The conference URI.
    pub entity: String,
    /// One more with each notification of a subscription (RFC 4575 §4.1).
    pub version: u32,
    /// The URIs of the users.
    pub users: Vec<String>,
}

impl ConferenceInfo {
    /// Of this conference, with these users.
    #[must_use]
    pub fn new<'u>(entity: &str, version: u32, users: impl IntoIterator<Item = &'u str>) -> Self {
        Self {
            entity: entity.to_owned(),
            version,
            users: users.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The document.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let users = self.users.iter().map(|uri| {
            let uri = escaped(uri);
            format!(
                "<user entity=\"{uri}\"><endpoint entity=\"{uri}\"><status>connected</status>\
                 </endpoint></user>"
            )
        });
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <conference-info xmlns=\"{NAMESPACE}\" entity=\"{}\" state=\"full\" version=\"{}\">\
             <users>{}</users></conference-info>",
            escaped(&self.entity),
            self.version,
            users.collect::<String>()
        )
    }

    /// The MIME entity, to be protected.
    #[must_use]
    pub fn to_entity(&self) -> Vec<u8> {
        format!("Content-Type: {MEDIA_TYPE}\r\n\r\n{}", self.to_xml()).into_bytes()
    }

    /// Reads the MIME entity.
    ///
    /// # Errors
    ///
    /// [`InviteError`] if it is not one.
    pub fn from_entity(octets: &[u8]) -> Result<Self, InviteError> {
        let entity = smime_psk::mime::Entity::parse(octets)?;
        if entity.media_type()?.essence() != MEDIA_TYPE {
            return Err(InviteError::Parts);
        }
        let xml = core::str::from_utf8(entity.body()).map_err(|_| InviteError::List)?;
        Self::read(xml)
    }

    /// Reads the document.
    ///
    /// # Errors
    ///
    /// [`InviteError::List`] if it is not one.
    pub fn read(xml: &str) -> Result<Self, InviteError> {
        let document = parse(xml)?;
        let root = document.root_element();
        if !root.has_tag_name((NAMESPACE, "conference-info")) {
            return Err(InviteError::List);
        }
        let entity = root.attribute("entity").ok_or(InviteError::List)?;
        let version = root.attribute("version").and_then(|text| text.parse().ok());
        let users = root.descendants();
        let users = users.filter(|node| node.has_tag_name((NAMESPACE, "user")));
        let users = users.map(|user| user.attribute("entity").ok_or(InviteError::List));
        let users: Vec<_> = users.collect::<Result<_, _>>()?;
        Ok(Self::new(entity, version.ok_or(InviteError::List)?, users))
    }
}
