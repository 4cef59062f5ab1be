#![no_main]

use libfuzzer_sys::fuzz_target;
use sdp_sec::Sdp;

fuzz_target!(|octets: &[u8]| {
    let Ok(sdp) = Sdp::parse(octets) else { return };
    assert_eq!(sdp.edit().finish(), octets);

    let mut joined = sdp.session().octets().to_vec();
    let (mut editor, mut removed) = (sdp.edit(), 0);
    for line in sdp
        .session()
        .lines()
        .filter(|line| line.attribute().is_some())
    {
        editor.remove(line).expect("from top to bottom");
        removed += 1;
    }
    for media in sdp.media() {
        joined.extend_from_slice(media.section().octets());
        if let Ok(line) = media.media_line() {
            editor
                .replace(line.protocol_field(), "X")
                .expect("from top to bottom");
        }
        for attribute in media.attributes() {
            editor.remove(attribute.line()).expect("from top to bottom");
            removed += 1;
        }
    }
    assert_eq!(joined, octets);

    let out = editor.finish();
    let out = Sdp::parse(&out).expect("edits break no line");
    assert_eq!(out.line_count(), sdp.line_count() - removed);
    assert_eq!(out.media_count(), sdp.media_count());
    assert!(out.lines().all(|line| line.attribute().is_none()));
});
