//! Things within things: a SIP MESSAGE with S/MIME, whose recipient information is a MIKEY message.

use smime_psk::{
    KeyTransport, Oid, RecipientInfo, RecipientInfos, SealPolicy, TransportError, Unwrapped,
    Wrapping,
    mime::{self, SmimeType, TransferEncoding},
};

use crate::{
    captures::{FORMS, LINKS, capture, frame, v4},
    program::{explain, ticket_message},
};

/// Puts a message into the recipient information, as the ticket transport does.
struct Carries(Vec<u8>);

impl KeyTransport for Carries {
    fn wrap(
        &mut self,
        _content: &Wrapping<'_>,
        recipients: &mut RecipientInfos,
        _rng: &mut dyn getrandom::rand_core::CryptoRng,
    ) -> Result<(), TransportError> {
        recipients.push_other_octets(Oid::EXAMPLE_ORI_MIKEY, &self.0);
        Ok(())
    }

    fn unwrap(&mut self, _: &RecipientInfo<'_>) -> Result<Option<Unwrapped>, TransportError> {
        Ok(None)
    }
}

#[test]
fn a_sip_message_is_looked_into_to_its_ticket() {
    let mikey = base16ct::lower::decode_vec(ticket_message("TRANSFER_INIT")).unwrap();
    let mut transport = Carries(mikey);
    let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
    let entity = mime::canonical(b"Content-Type: text/plain\r\n\r\nhello\r\n").unwrap();
    let cms = smime_psk::seal(&entity, &mut transport, &SealPolicy::default(), &mut rng).unwrap();
    let wrapped = mime::wrap(&cms, SmimeType::default(), TransferEncoding::Binary);
    let head = format!(
        "MESSAGE sip:bob@example.com SIP/2.0\r\nAuthorization: Digest response=\"5ec4e7\"\r\n\
         c: {}\r\nContent-Transfer-Encoding: binary\r\n\r\n",
        wrapped.content_type()
    );
    let sip = [head.as_bytes(), wrapped.body()].concat();
    let frames = [frame(LINKS[0].1, v4(1, 5060), v4(2, 5060), &sip)];
    let shown = explain(&[], &capture(FORMS[5], 101, &frames)).done();
    for line in [
        "    SIP message @0+",
        "      CMS AuthEnvelopedData @0+",
        "          MIKEY message @0+424: 14 (TRANSFER_INIT)  [RFC 6043 §4]",
        "              ID data @56+21: \"sip:alice@example.com\"",
        "! the object identifier is an example: id-ori-mikey was never registered",
        "            contentType @",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!shown.contains("5ec4e7"), "{shown}");

    // The same without SIP around it.
    let alone = explain(&["--json"], &cms).done();
    let json: serde_json::Value = serde_json::from_str(&alone).unwrap();
    assert_eq!(json["kind"], "cms");
    let recipient = &json["tree"]["children"][0];
    assert_eq!(recipient["children"][1]["value"], "14 (TRANSFER_INIT)");
}
