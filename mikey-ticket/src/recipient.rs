use mikey::Identity;
use mikey::code_points::IdType;

/// Who may resolve a ticket: a user, or with `?` a group ([RFC 6043 §6.10], TS 33.328 annex D).
///
/// `?` stands for a whole user part or a whole host part of a URI or NAI, so `?@example.com` is
/// every user of that domain and `?@?` every user. Written without a scheme it holds for any.
/// Everything else is compared octet for octet, host parts of a group without regard to case.
///
/// ```
/// use mikey::Identity;
/// use mikey_ticket::Recipient;
///
/// let domain = Recipient::new(Identity::uri("?@example.com")?);
/// assert!(domain.names(&Identity::uri("sip:bob@example.com")?));
/// assert!(!domain.names(&Identity::uri("sip:bob@example.com.attacker.org")?));
/// # Ok::<(), mikey::EncodeError>(())
/// ```
///
/// # Security
///
/// An identity that this names must be one that is verified: a Responder's own, or one that the
/// KMS has authenticated.
///
/// [RFC 6043 §6.10]: https://www.rfc-editor.org/rfc/rfc6043#section-6.10
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipient(Identity);

impl Recipient {
    /// The user or group that `pattern` names.
    #[must_use]
    pub const fn new(pattern: Identity) -> Self {
        Self(pattern)
    }

    /// As it stands in the Ticket Policy.
    #[must_use]
    pub const fn pattern(&self) -> &Identity {
        &self.0
    }

    /// Whether it names more than one user.
    #[must_use]
    pub fn is_group(&self) -> bool {
        parts(&self.0).is_some_and(|parts| parts.user == WILDCARD || parts.host == WILDCARD)
    }

    /// Whether `identity` is this user, or of this group.
    #[must_use]
    pub fn names(&self, identity: &Identity) -> bool {
        if !self.is_group() {
            return self.0 == *identity;
        }
        let (Some(group), Some(user)) = (parts(&self.0), parts(identity)) else {
            return false;
        };
        let one = user.user != WILDCARD && user.host != WILDCARD;
        let scheme = group.scheme.is_empty() || group.scheme.eq_ignore_ascii_case(user.scheme);
        let name = group.user == WILDCARD || group.user == user.user;
        let host = group.host == WILDCARD || group.host.eq_ignore_ascii_case(user.host);
        self.0.id_type() == identity.id_type() && one && scheme && name && host
    }
}

const WILDCARD: &[u8] = b"?";

struct Parts<'a> {
    scheme: &'a [u8],
    user: &'a [u8],
    host: &'a [u8],
}

/// `[scheme:]user@host`; `None` for anything else, such as a second `@`.
fn parts(identity: &Identity) -> Option<Parts<'_>> {
    let has_scheme = match identity.id_type() {
        IdType::Uri => true,
        IdType::Nai => false,
        _ => return None,
    };
    let mut halves = identity.data().split(|octet| *octet == b'@');
    let (left, host, rest) = (halves.next()?, halves.next()?, halves.next());
    let colon = left.iter().position(|octet| *octet == b':');
    let (scheme, user) = match colon.filter(|_| has_scheme) {
        Some(colon) => (left.get(..colon)?, left.get(colon.saturating_add(1)..)?),
        None => (&[][..], left),
    };
    let whole = rest.is_none() && !user.is_empty() && !host.is_empty();
    whole.then_some(Parts { scheme, user, host })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Self-consistency.
    #[test]
    fn a_question_mark_stands_for_a_whole_part() {
        let cases = [
            ("sip:bob@example.com", "sip:bob@example.com", true),
            ("sip:bob@example.com", "sip:Bob@example.com", false),
            ("?@?", "sip:bob@example.com", true),
            ("?@?", "tel:+46701234567", false),
            ("?@?", "sip:a@b@c", false),
            ("?@?", "sip:@example.com", false),
            ("?@?", "sip:?@example.com", false),
            ("sip:?@example.com", "sip:bob@EXAMPLE.com", true),
            ("sip:?@example.com", "sips:bob@example.com", false),
            ("?@example.com", "sip:bob@sub.example.com", false),
            ("?@example.com", "sip:bob@example.comx", false),
            ("b?b@example.com", "sip:bob@example.com", false),
            ("sip:bob@?", "sip:bob@example.org", true),
            ("sip:bob@?", "sip:eve@example.org", false),
        ];
        for (pattern, user, named) in cases {
            let recipient = Recipient::new(Identity::uri(pattern).unwrap());
            let user = Identity::uri(user).unwrap();
            assert_eq!(recipient.names(&user), named, "{pattern} {user:?}");
        }
        let nai = Identity::nai("bob@example.com").unwrap();
        assert!(!Recipient::new(Identity::uri("?@?").unwrap()).names(&nai));
    }
}
