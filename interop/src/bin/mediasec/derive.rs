//! `mediasec mikey derive`: keys from keys.

use std::ffi::OsString;

use lexopt::{Arg, ValueExt as _};
use mikey::derive::{
    ForkedKey, Label, MessageKey, MessageProtectionKey, Prf, Rands, Secret, SessionKey,
    TicketMessage,
};
use zeroize::Zeroizing;

use crate::{failure::Failure, hex, input, keys, print};

const HELP: &str = "\
Derives keys of MIKEY (RFC 3830 §4.1) and MIKEY-TICKET (RFC 6043 §5.1).

Usage: mediasec mikey derive [OPTIONS] [HEX...]

HEX is the key to derive from, a TGK or a pre-shared key: the arguments, which other users of this
machine may see, or the lines of standard input. Each gives a line.

  --key NAME           tek (default), salt, encr or auth of a crypto session; message-encr,
                       message-salt or message-auth of a message; ticket-encr, ticket-salt or
                       ticket-auth of a base ticket; mpk-i or mpk-r of an MPK; forked-tgk or
                       forked-mpk; initiator-data, which authenticates Vr
  --len N              octets of it, 1 to 512 (default: 16)
  --prf NAME           mikey-1 (default) or hmac-sha-256
  --cs-id N            the crypto session (default: 1)
  --csb-id N           the bundle, of RFC 3830 and of messages
  --rand HEX           RAND of RFC 3830 and of tickets; RANDRkms of forked keys
  --rand-i HEX         RANDRi: labels of RFC 6043 in place of those of RFC 3830
  --rand-r HEX         RANDRr, likewise
  --response           the message is a response (messages of RFC 6043)
  --id TEXT            ID data of the Responder (forked keys)
  --help               this text

Exit code 0: done. 1: a key cannot be derived from that. 2: bad usage or input.
";

/// Longest key that is asked for.
const MAX_LEN: usize = 512;

#[derive(Clone, Copy)]
enum Wanted {
    Forked(ForkedKey),
    InitiatorData,
    Message(MessageKey),
    Protection(MessageProtectionKey),
    Session(SessionKey),
    Ticket(MessageKey),
}

struct Options {
    wanted: Wanted,
    len: usize,
    prf: Prf,
    cs_id: u8,
    csb_id: Option<u32>,
    rand: Option<Vec<u8>>,
    rand_i: Option<Vec<u8>>,
    rand_r: Option<Vec<u8>>,
    message: TicketMessage,
    id: Option<String>,
}

/// Runs the command.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    match arguments.next().as_deref().and_then(|word| word.to_str()) {
        Some("derive") => {}
        Some("-h" | "--help") => return print(HELP),
        _ => {
            return Err(Failure::input(
                "mikey: expected derive; see mediasec mikey --help",
            ));
        }
    }
    let mut options = Options {
        wanted: Wanted::Session(SessionKey::Tek),
        len: 16,
        prf: Prf::Mikey1,
        cs_id: 1,
        csb_id: None,
        rand: None,
        rand_i: None,
        rand_r: None,
        message: TicketMessage::Initial,
        id: None,
    };
    let mut keys = Vec::new();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return print(HELP),
            Arg::Long("response") => options.message = TicketMessage::Response,
            Arg::Long(name) => {
                let name = name.to_owned();
                let value = parser.value()?.string()?;
                options
                    .set(&name, value)
                    .map_err(|failure| failure.within(format!("--{name}")))?;
            }
            Arg::Value(value) => keys.push(Zeroizing::new(value.string()?)),
            Arg::Short(_) => return Err(argument.unexpected().into()),
        }
    }
    let label = options.label()?;
    if keys.is_empty() {
        return input::each_line(|line| options.derive(line, &label));
    }
    input::each_argument("key", &keys, |key| options.derive(key, &label))
}

impl Options {
    fn set(&mut self, name: &str, value: String) -> Result<(), Failure> {
        let octets = |value: &str| {
            hex::decode(value)
                .map(|octets| octets.to_vec())
                .map_err(|place| {
                    Failure::input(format!("octet {place}: expected hexadecimal digits"))
                })
        };
        match name {
            "key" => self.wanted = wanted(&value)?,
            "len" => {
                let len = value.parse().ok().filter(|len| (1..=MAX_LEN).contains(len));
                let expected = || Failure::input(format!("expected a number from 1 to {MAX_LEN}"));
                self.len = len.ok_or_else(expected)?;
            }
            "prf" => {
                self.prf = match value.as_str() {
                    "mikey-1" => Prf::Mikey1,
                    "hmac-sha-256" => Prf::HmacSha256,
                    _ => return Err(Failure::input("expected mikey-1 or hmac-sha-256")),
                }
            }
            "cs-id" => {
                let number = u8::try_from(keys::number("number", &value)?);
                self.cs_id = number.map_err(|_| Failure::input("expected 0 to 255"))?;
            }
            "csb-id" => self.csb_id = Some(keys::number("number", &value)?),
            "rand" => self.rand = Some(octets(&value)?),
            "rand-i" => self.rand_i = Some(octets(&value)?),
            "rand-r" => self.rand_r = Some(octets(&value)?),
            "id" => self.id = Some(value),
            _ => return Err(Failure::input("unknown option; see --help")),
        }
        Ok(())
    }

    fn label(&self) -> Result<Label, Failure> {
        let missing = |name| move || Failure::input(format!("expected {name}; see --help"));
        let csb_id = || self.csb_id.ok_or_else(missing("--csb-id"));
        let rand = || self.rand.as_deref().ok_or_else(missing("--rand"));
        let ticket = self.rand_i.is_some() || self.rand_r.is_some();
        let rands = || {
            let initiator = self.rand_i.as_deref().unwrap_or_default();
            let responder = self.rand_r.as_deref().unwrap_or_default();
            Rands::new(initiator, responder).ok_or_else(|| {
                Failure::input("--rand-i, --rand-r: expected 1 to 255 octets in one of them")
            })
        };
        let too_long = || Failure::input("--rand or --id: too long for its length field");
        match self.wanted {
            Wanted::Session(key) if ticket => {
                Ok(Label::ticket_session_key(key, self.cs_id, rands()?))
            }
            Wanted::Session(key) => Ok(Label::session_key(key, self.cs_id, csb_id()?, rand()?)),
            Wanted::Message(key) if ticket => Ok(Label::ticket_message_key(
                key,
                self.message,
                csb_id()?,
                rands()?,
            )),
            Wanted::Message(key) => Ok(Label::message_key(key, csb_id()?, rand()?)),
            Wanted::Ticket(key) => Label::base_ticket_key(key, rand()?).ok_or_else(too_long),
            Wanted::Protection(key) => {
                Label::message_protection_key(key, rand()?).ok_or_else(too_long)
            }
            Wanted::InitiatorData => Ok(Label::initiator_data_key()),
            Wanted::Forked(key) => {
                let id = self.id.as_deref().ok_or_else(missing("--id"))?;
                Label::forked_key(key, id.as_bytes(), rand()?).ok_or_else(too_long)
            }
        }
    }

    /// The line that the key `line` becomes.
    fn derive(&self, line: &str, label: &Label) -> Result<String, Failure> {
        let octets = hex::decode(line).map_err(|place| {
            Failure::input(format!(
                "octet {place}: expected hexadecimal digits in pairs"
            ))
        })?;
        let secret = Secret::new(&octets).map_err(|error| Failure::failed(error.to_string()))?;
        let mut out = Zeroizing::new(vec![0; self.len]);
        self.prf
            .derive(secret.expose(), label.as_octets(), &mut out);
        Ok(format!("{}\n", hex::encode(&out)))
    }
}

fn wanted(name: &str) -> Result<Wanted, Failure> {
    Ok(match name {
        "tek" => Wanted::Session(SessionKey::Tek),
        "salt" => Wanted::Session(SessionKey::Salt),
        "encr" => Wanted::Session(SessionKey::Encryption),
        "auth" => Wanted::Session(SessionKey::Authentication),
        "message-encr" => Wanted::Message(MessageKey::Encryption),
        "message-salt" => Wanted::Message(MessageKey::Salt),
        "message-auth" => Wanted::Message(MessageKey::Authentication),
        "ticket-encr" => Wanted::Ticket(MessageKey::Encryption),
        "ticket-salt" => Wanted::Ticket(MessageKey::Salt),
        "ticket-auth" => Wanted::Ticket(MessageKey::Authentication),
        "mpk-i" => Wanted::Protection(MessageProtectionKey::Initiator),
        "mpk-r" => Wanted::Protection(MessageProtectionKey::Responder),
        "initiator-data" => Wanted::InitiatorData,
        "forked-tgk" => Wanted::Forked(ForkedKey::Tgk),
        "forked-mpk" => Wanted::Forked(ForkedKey::MpkR),
        _ => return Err(Failure::input("no such key; see --help")),
    })
}
