//! Requirements of the groups TA and T38 on who connects and who is TLS client. Self-consistency; the
//! tables are those of RFC 4145 and TS 23.334, written out.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use sdp_sec::fingerprint::HashFunction;
use sdp_sec::tls_role::{
    Agreement, Association, Comedia, Roles, Side, TlsRole, TlsRoleRule, TransportRole, answer_setup,
};
use sdp_sec::{Connection, Fingerprint, Protocol, Rule, Setup, TlsId};

const SETUPS: [Setup; 4] = [
    Setup::Active,
    Setup::Passive,
    Setup::Actpass,
    Setup::Holdconn,
];

fn agree(
    protocol: Protocol<'_>,
    offer: Option<Setup>,
    answer: Option<Setup>,
    side: Side,
) -> Result<Agreement, Rule> {
    let comedia = |setup| Comedia {
        setup,
        connection: None,
    };
    Agreement::of(protocol, comedia(offer), comedia(answer), side)
}

fn roles(transport: TransportRole, tls: TlsRole) -> Agreement {
    Agreement::Establish(Roles {
        transport,
        tls: Some(tls),
    })
}

#[test]
fn req_ta_09_msrp_active_is_tls_client_and_passive_is_tls_server() {
    use TlsRole::{Client, Server};
    let msrp = |offer, answer, side| agree(Protocol::TcpTlsMsrp, Some(offer), Some(answer), side);
    for (offer, answer, offerer) in [
        (
            Setup::Active,
            Setup::Passive,
            (TransportRole::Active, Client),
        ),
        (
            Setup::Passive,
            Setup::Active,
            (TransportRole::Passive, Server),
        ),
        (
            Setup::Actpass,
            Setup::Passive,
            (TransportRole::Active, Client),
        ),
        (
            Setup::Actpass,
            Setup::Active,
            (TransportRole::Passive, Server),
        ),
    ] {
        let (transport, tls) = offerer;
        assert_eq!(
            msrp(offer, answer, Side::Offerer),
            Ok(roles(transport, tls))
        );
        assert_eq!(
            msrp(offer, answer, Side::Answerer),
            Ok(roles(transport.peer(), tls.peer()))
        );
    }
}

#[test]
fn req_ta_10_bfcp_answerer_is_tls_server_whatever_its_tcp_role() {
    let bfcp = |offer, answer, side| agree(Protocol::TcpTlsBfcp, Some(offer), Some(answer), side);
    for (offer, answer, offerer) in [
        (Setup::Active, Setup::Passive, TransportRole::Active),
        (Setup::Passive, Setup::Active, TransportRole::Passive),
        (Setup::Actpass, Setup::Passive, TransportRole::Active),
        (Setup::Actpass, Setup::Active, TransportRole::Passive),
    ] {
        assert_eq!(
            bfcp(offer, answer, Side::Offerer),
            Ok(roles(offerer, TlsRole::Client))
        );
        assert_eq!(
            bfcp(offer, answer, Side::Answerer),
            Ok(roles(offerer.peer(), TlsRole::Server))
        );
    }
    // An application-agnostic gateway sees TCP/TLS and is told the rule.
    let comedia = |setup| Comedia {
        setup: Some(setup),
        connection: None,
    };
    let agnostic = Agreement::by_rule(
        Some(TlsRoleRule::AnswererIsServer),
        Protocol::TcpTls,
        comedia(Setup::Passive),
        comedia(Setup::Active),
        Side::Answerer,
    );
    assert_eq!(agnostic, Ok(roles(TransportRole::Active, TlsRole::Server)));
}

#[test]
fn req_ta_21_setup_answers_are_those_of_the_table() {
    let allowed = [
        (Setup::Active, Setup::Passive),
        (Setup::Passive, Setup::Active),
        (Setup::Actpass, Setup::Active),
        (Setup::Actpass, Setup::Passive),
    ];
    for offer in SETUPS {
        for answer in SETUPS {
            let outcome = agree(Protocol::TcpTls, Some(offer), Some(answer), Side::Offerer);
            if answer == Setup::Holdconn {
                assert_eq!(outcome, Ok(Agreement::Hold));
            } else if allowed.contains(&(offer, answer)) {
                assert!(matches!(outcome, Ok(Agreement::Establish(_))));
            } else {
                assert_eq!(outcome, Err(Rule::SetupAnswer), "{offer} {answer}");
            }
            assert_eq!(offer.may_be_answered_by(answer), outcome.is_ok());
        }
    }
}

#[test]
fn req_ta_21_absent_setup_is_active_in_offers_and_passive_in_answers() {
    let offerer = Ok(roles(TransportRole::Active, TlsRole::Client));
    assert_eq!(agree(Protocol::TcpTls, None, None, Side::Offerer), offerer);
    let passive_offer = agree(Protocol::TcpTls, Some(Setup::Passive), None, Side::Offerer);
    assert_eq!(passive_offer, Err(Rule::SetupAnswer));
    let active_answer = agree(Protocol::TcpTls, None, Some(Setup::Active), Side::Offerer);
    assert_eq!(active_answer, Err(Rule::SetupAnswer));
}

#[test]
fn req_ta_21_connection_is_new_unless_both_keep_the_existing() {
    use Connection::{Existing, New};
    let agree = |offer, answer| {
        let offer = Comedia {
            setup: Some(Setup::Actpass),
            connection: offer,
        };
        let answer = Comedia {
            setup: Some(Setup::Active),
            connection: answer,
        };
        Agreement::of(Protocol::TcpTlsBfcp, offer, answer, Side::Offerer)
    };
    let establish = Ok(roles(TransportRole::Passive, TlsRole::Client));
    for offer in [None, Some(New), Some(Existing)] {
        assert_eq!(agree(offer, None), establish);
        assert_eq!(agree(offer, Some(New)), establish);
    }
    assert_eq!(agree(Some(Existing), Some(Existing)), Ok(Agreement::Keep));
    for offer in [None, Some(New)] {
        assert_eq!(agree(offer, Some(Existing)), Err(Rule::ConnectionAnswer));
    }
    // MSRP ignores a=connection and a=setup:holdconn (RFC 6135).
    let offer = Comedia {
        setup: Some(Setup::Holdconn),
        connection: Some(New),
    };
    let answer = Comedia {
        setup: Some(Setup::Passive),
        connection: Some(Existing),
    };
    let msrp = Agreement::of(Protocol::TcpTlsMsrp, offer, answer, Side::Answerer);
    assert_eq!(msrp, Ok(roles(TransportRole::Passive, TlsRole::Server)));
}

#[test]
fn req_ta_21_an_answer_is_chosen_from_those_allowed() {
    for wish in [TransportRole::Active, TransportRole::Passive] {
        for offer in SETUPS.map(Some).into_iter().chain([None]) {
            let answer = answer_setup(Protocol::TcpTls, offer, wish).unwrap();
            assert!(
                offer
                    .unwrap_or(Setup::DEFAULT_OFFER)
                    .may_be_answered_by(answer)
            );
            if offer == Some(Setup::Actpass) {
                assert_eq!(answer, wish.setup());
            }
        }
    }
}

#[test]
fn req_t38_06_active_is_dtls_client_and_holdconn_is_refused() {
    let fax = |offer, answer, side| agree(Protocol::UdpTlsUdptl, Some(offer), Some(answer), side);
    let answerer = fax(Setup::Actpass, Setup::Active, Side::Answerer);
    assert_eq!(answerer, Ok(roles(TransportRole::Active, TlsRole::Client)));
    let answerer = fax(Setup::Actpass, Setup::Passive, Side::Answerer);
    assert_eq!(answerer, Ok(roles(TransportRole::Passive, TlsRole::Server)));
    for (offer, answer) in [
        (Setup::Holdconn, Setup::Holdconn),
        (Setup::Actpass, Setup::Holdconn),
    ] {
        assert_eq!(fax(offer, answer, Side::Offerer), Err(Rule::Holdconn));
    }
    let held = answer_setup(
        Protocol::UdpTlsUdptl,
        Some(Setup::Holdconn),
        TransportRole::Active,
    );
    assert_eq!(held, Err(Rule::Holdconn));
}

#[test]
fn req_t38_06_a_new_association_is_told_by_role_fingerprint_tls_id_or_address() {
    let fingerprints =
        [b"a", b"b"].map(|der| Fingerprint::of_certificate(der, HashFunction::Sha256).unwrap());
    let id = |text| Some(TlsId::parse(text).unwrap());
    let old = Association {
        tls_id: id("AAAAAAAAAAAAAAAAAAAA"),
        role: TlsRole::Client,
        fingerprints: &fingerprints,
        transport: "192.0.2.1 6056",
    };
    let reversed = [fingerprints[1], fingerprints[0]];
    let moved = Association {
        transport: "192.0.2.9 6056",
        fingerprints: &reversed,
        ..old
    };
    assert!(!old.is_replaced_by(&old) && !old.is_replaced_by(&moved));
    assert!(old.is_replaced_by(&Association {
        role: TlsRole::Server,
        ..old
    }));
    assert!(old.is_replaced_by(&Association {
        fingerprints: &fingerprints[..1],
        ..old
    }));
    assert!(old.is_replaced_by(&Association {
        tls_id: id("BBBBBBBBBBBBBBBBBBBB"),
        ..old
    }));
    assert!(old.is_replaced_by(&Association {
        tls_id: None,
        ..old
    }));
    let without = Association {
        tls_id: None,
        ..old
    };
    assert!(without.is_replaced_by(&Association {
        transport: "192.0.2.9 6056",
        ..without
    }));
}
