#![no_main]
use interop::conference::{ConferenceInfo, Invite, MAX_RECIPIENTS};
use libfuzzer_sys::fuzz_target;

const NAMESPACE: &str = "urn:ietf:params:xml:ns";
const INVITE: &str = "Content-Type: multipart/mixed;boundary=b\r\n\r\n\
    --b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\
    --b\r\nContent-Type: application/resource-lists+xml\r\n\
    Content-Disposition: recipient-list\r\n\r\n";

// What is read reads the same when it is written again.
fuzz_target!(|parts: (&str, &str)| {
    let (uri, more) = parts;
    let info = format!(
        "<conference-info xmlns=\"{NAMESPACE}:conference-info\" entity=\"{uri}\" version=\"7\">\
         <user entity=\"{uri}\"/>{more}</conference-info>"
    );
    for xml in [more, &info] {
        if let Ok(info) = ConferenceInfo::read(xml) {
            assert_eq!(ConferenceInfo::read(&info.to_xml()), Ok(info));
        }
    }
    let list = format!(
        "<resource-lists xmlns=\"{NAMESPACE}:resource-lists\"><entry uri=\"{uri}\"/>{more}\
         </resource-lists>"
    );
    if let Ok(invite) = Invite::read(format!("{INVITE}{list}\r\n--b--\r\n").as_bytes()) {
        assert!(invite.recipients.len() <= MAX_RECIPIENTS);
        assert_eq!(Invite::read(&invite.to_vec()), Ok(invite));
    }
});
