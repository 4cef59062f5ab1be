use alloc::string::String;

/// Which identity is shown to the user as the sender (TR 33.829 §8.3.1.1.2).
///
/// ```
/// use smime_psk::{ShownSender, compare_sender};
///
/// let shown = compare_sender(Some("sip:list@example.com"), "\"Bob\" <sip:bob@example.com>;tag=1");
/// assert_eq!(shown, ShownSender::Differs { verified: "sip:list@example.com" });
/// assert_eq!(shown.verified(), Some("sip:list@example.com"));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ShownSender<'a> {
    /// From says who the sender is.
    Same {
        /// The verified sender.
        verified: &'a str,
    },
    /// From says something else: show the verified sender, not From. A list server that
    /// re-encrypts leaves From as it was.
    Differs {
        /// The verified sender.
        verified: &'a str,
    },
    /// The key says nothing about the sender; From is a claim that nothing here supports.
    Unverified,
}

impl<'a> ShownSender<'a> {
    /// The identity to show, if one was verified.
    #[must_use]
    pub const fn verified(&self) -> Option<&'a str> {
        match self {
            Self::Same { verified } | Self::Differs { verified } => Some(verified),
            Self::Unverified => None,
        }
    }
}

/// Compares the sender that the key transport verified, [`Opened::sender`](crate::Opened::sender),
/// with the value of a From field.
#[must_use]
pub fn compare_sender<'a>(verified: Option<&'a str>, from: &str) -> ShownSender<'a> {
    match verified {
        None => ShownSender::Unverified,
        Some(verified) if same_identity(verified, from) => ShownSender::Same { verified },
        Some(verified) => ShownSender::Differs { verified },
    }
}

/// Whether two name-addr, addr-spec or URI values name the same identity.
///
/// Public user identities are compared: scheme and host without case, user with case and
/// percent-encoding off, no parameters ([RFC 3261 §19.1.4], TS 23.003 §13.4); tel URIs without
/// visual separators, local numbers with their phone-context ([RFC 3966 §5]). A sip and a tel URI are different.
///
/// [RFC 3261 §19.1.4]: https://www.rfc-editor.org/rfc/rfc3261#section-19.1.4
/// [RFC 3966 §5]: https://www.rfc-editor.org/rfc/rfc3966#section-5
pub(crate) fn same_identity(one: &str, other: &str) -> bool {
    matches!((identity(one), identity(other)), (Some(one), Some(other)) if one == other)
}

/// The URI of a header field that is a name-addr or an addr-spec; parameters of either go.
pub(crate) fn addr_spec(value: &str) -> Option<&str> {
    let value = value.trim();
    // The display name may be quoted and hold anything.
    let rest = if let Some(quoted) = value.strip_prefix('"') {
        let mut escaped = false;
        let end = quoted.char_indices().find(|(_, c)| {
            let end = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            end
        });
        quoted.get(end?.0 + 1..)?
    } else {
        value
    };
    match rest.split_once('<') {
        Some((_, uri)) => uri.split_once('>').map(|(uri, _)| uri),
        None => Some(rest),
    }
}

/// A canonical form of the identity in `value`; `None` if there is none.
fn identity(value: &str) -> Option<String> {
    let uri = addr_spec(value)?.trim();
    let (scheme, rest) = uri.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let mut out = String::with_capacity(uri.len());
    out.push_str(&scheme);
    out.push(':');
    if scheme == "tel" {
        return telephone(rest, &mut out).map(|()| out);
    }
    // A user may have ';' and '?' in it, as that of a telephone number has: parameters begin
    // behind the host.
    let (user, host) = match rest.split_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, rest),
    };
    let host = host.split([';', '?']).next()?.trim();
    if host.is_empty() || host.contains('@') {
        return None;
    }
    if let Some(user) = user {
        // A decoded '@' or ':' must not look like the real one.
        out.push_str(&percent_decoded(user)?);
        out.push('\0');
    }
    out.push_str(&host.to_ascii_lowercase());
    Some(out)
}

/// A global number says it all; a local one is another in each phone-context ([RFC 3966 §5.1.5]).
///
/// [RFC 3966 §5.1.5]: https://www.rfc-editor.org/rfc/rfc3966#section-5.1.5
fn telephone(subscriber: &str, out: &mut String) -> Option<()> {
    let separator = |c: &char| matches!(c, '-' | '.' | '(' | ')' | ' ');
    let mut fields = subscriber.split(';');
    let before = out.len();
    let number = fields.next()?.chars().filter(|c| !separator(c));
    out.extend(number.map(|c| c.to_ascii_lowercase()));
    let global = out.get(before..)?.starts_with('+');
    if !global {
        let mut parameters = fields.filter_map(|field| field.split_once('='));
        let is_context = |name: &str| name.trim().eq_ignore_ascii_case("phone-context");
        let (_, context) = parameters.find(|(name, _)| is_context(name))?;
        out.push('\0');
        out.push_str(&context.trim().to_ascii_lowercase());
    }
    (out.len() > before + 1).then_some(())
}

fn percent_decoded(user: &str) -> Option<String> {
    let mut octets = alloc::vec::Vec::with_capacity(user.len());
    let mut rest = user.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let escaped = (*first == b'%').then(|| tail.split_at_checked(2)).flatten();
        let value = escaped.and_then(|(hex, _)| {
            let text = core::str::from_utf8(hex).ok()?;
            text.bytes().all(|c| c.is_ascii_hexdigit()).then_some(())?;
            u8::from_str_radix(text, 16)
                .ok()
                .filter(|value| *value != 0)
        });
        match (value, escaped) {
            (Some(value), Some((_, tail))) => {
                octets.push(value);
                rest = tail;
            }
            _ => octets.push(*first),
        }
    }
    String::from_utf8(octets)
        .ok()
        .filter(|user| !user.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_compared_as_public_user_identities() {
        for (one, other) in [
            ("sip:user1@domain.com", "sip:user1@domain.com;tag=49583"),
            (
                "sip:user1@domain.com",
                "\"A <sip:x@y>\" <SIP:user1@DOMAIN.com;user=phone>;tag=4",
            ),
            ("sip:al%69ce@a.com", "<sip:alice@a.com>"),
            ("tel:+1-201-555-0123", "<tel:+12015550123>"),
            ("tel:+12015550123", "tel:+12015550123;tag=4"),
            (
                "tel:70-42;phone-context=Example.com",
                "<tel:7042;phone-context=example.com>;tag=4",
            ),
            (
                "sip:+1201;phone-context=a@b.com",
                "<sip:+1201;phone-context=a@b.com;user=phone>;tag=4",
            ),
            ("sip:user1@domain.com", "sip:user1@domain.com;cid=\"1@a\""),
        ] {
            assert!(same_identity(one, other), "{one} and {other}");
        }
        for (one, other) in [
            ("sip:user1@domain.com", "sip:User1@domain.com"),
            ("sip:user1@domain.com", "sips:user1@domain.com"),
            (
                "sip:user1@domain.com",
                "\"sip:user1@domain.com\" <sip:user2@domain.com>",
            ),
            ("sip:a@b.com", "sip:a%40b.com"),
            ("sip:a%40b@c", "sip:a@b@c\0"),
            ("sip:alice;x@good.com", "<sip:alice;x@evil.com>"),
            ("sip:alice?x@good.com", "<sip:alice?x@evil.com>"),
            ("sip:alice;x@good.com", "sip:alice"),
            ("sip:a@good.com@evil.com", "sip:a@good.com@evil.com"),
            ("sip:a@", "sip:a@"),
            (
                "tel:7042;phone-context=good.com",
                "<tel:7042;phone-context=evil.com>",
            ),
            ("tel:7042", "tel:7042"),
            ("tel:+", "tel:+"),
            ("sip:", "sip:"),
            ("", ""),
            ("sip:a@b", "<sip:a@b"),
        ] {
            assert!(!same_identity(one, other), "{one} and {other}");
        }
    }
}
