//! Self-consistency: conferences as a person runs them, and with bad input.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use support::{folder, run};

#[test]
fn with_tickets_listed_users_confer_and_nobody_else_does() {
    let ended = run("secure_conference", &folder("conference"), &[]);
    ended.succeeds();
    for line in [
        "INVITE sip:factory@example.com, from Alice",
        "    Content-Type: application/mikey",
        "    Content-Disposition: recipient-list",
        "To Alice the KMS vouches for sip:focus1@conferencing.example.com",
        "Mallory is no authorised participant and is not invited",
        "Carol is invited by sip:focus1@conferencing.example.com",
        "Bob dials in",
        "Mallory dials in: 403 Forbidden",
        "Mallory, as another, dials in: 403 Forbidden",
        "Someone who hides dials in: 433 Anonymity Disallowed",
        "The list of participants is updated",
        "Dave is told by Alice to join",
        "Dave is notified: Alice, Bob, Carol, Dave",
        "Mallory subscribes: 403 Forbidden",
        "Bob leaves",
        "Everyone hears what the others say",
    ] {
        assert!(ended.says(line), "{line}\n{}", ended.stdout);
    }
}

#[test]
fn with_sdes_users_dial_in_and_are_invited_leave_and_come_back() {
    let folder = folder("conference-sdes");
    for keys in ["bilateral", "group"] {
        let arguments = ["--keying", "sdes", "--keys", keys];
        let ended = run("secure_conference", &folder, &arguments);
        ended.succeeds();
        for line in [
            "Mallory dials in: 403 Forbidden",
            "Someone who hides dials in: 433 Anonymity Disallowed",
            "Alice, in clear, dials in: 488 Not Acceptable Here",
            "Dave is invited, Mallory answers: cancelled",
            "Dialling in: Alice. Invited: Bob, Carol",
            "Dave joins, and cannot open what was sent before",
            "Alice leaves, and cannot open what is sent after",
            "Alice comes back",
            "Everyone hears what the others say",
        ] {
            assert!(ended.says(line), "{line}\n{}", ended.stdout);
        }
        // Keys stand in the SDP and are not printed.
        assert!(!ended.stdout.contains("inline:"));
        let storm = "Dave leaves and comes back 10 times in a second: keys for all are renewed ";
        let line = ended
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix(storm));
        let renewals = line.and_then(|rest| rest.split(' ').next()).unwrap();
        match keys {
            "bilateral" => assert_eq!(renewals, "0"),
            _ => assert!(["2", "3", "4"].contains(&renewals), "{renewals}"),
        }
    }
}

#[test]
fn there_are_as_many_as_asked_for() {
    let folder = folder("conference-participants");
    for (number, last) in [("3", "Carol"), ("12", "Laura")] {
        let ended = run("secure_conference", &folder, &["--participants", number]);
        ended.succeeds();
        let notified = ended
            .stdout
            .lines()
            .filter(|line| line.contains(" is notified: "));
        assert_eq!(notified.count().to_string(), number);
        assert!(ended.says(&format!("{last} is told by Alice to join")));
        for keys in ["bilateral", "group"] {
            let sdes = ["--keying", "sdes", "--keys", keys, "--participants", number];
            let ended = run("secure_conference", &folder, &sdes);
            ended.succeeds();
            assert!(ended.says(&format!("{last} joins")));
        }
    }
}

#[test]
fn bad_input_is_refused() {
    let folder = folder("conference-bad-input");
    for (arguments, reason) in [
        (&["--keying", "smoke"][..], "ticket and sdes"),
        (&["--keys", "house"], "bilateral and group"),
        (&["--keys", "group"], "--keying sdes"),
        (&["--keys", "group", "--keying", "ticket"], "--keying sdes"),
        (&["--participants", "2"], "3 to 12"),
        (&["--participants", "13"], "3 to 12"),
        (&["--participants", "many"], "3 to 12"),
        (&["--participants"], "--participants"),
        (&["--unknown"], "--unknown"),
        (&["file"], "file"),
    ] {
        run("secure_conference", &folder, arguments).is_bad_input(reason);
    }
    let help = run("secure_conference", &folder, &["--help"]);
    help.succeeds();
    assert!(help.says("Usage: secure_conference"));
}
