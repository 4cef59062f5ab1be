//! The users of a program and the KMS that they ask: one that is there, or one of the program's own.

use std::path::PathBuf;

use lexopt::{Parser, ValueExt};
use mikey_ticket::TicketError;
use ureq::http::Uri;

use crate::{
    kms::{self, ConfigError, Node, Server, Subscribers},
    program::Failure,
    subscriber::{Subscriber, SubscriberError},
};

/// What the command line says of users and KMS.
#[non_exhaustive]
#[derive(Debug, Default)]
pub struct UserOptions {
    /// Nodes of a KMS; none for one of the program's own.
    pub kms: Vec<String>,
    /// The file of subscribers; none for those of the demonstrations.
    pub subscribers: Option<PathBuf>,
}

impl UserOptions {
    /// What `--help` says of them.
    pub const HELP: &str = "  --kms URL           a node of the KMS; may be repeated, the first that answers is taken
                      (default: a KMS of the program's own)
  --subscribers FILE  users and their keys, as the KMS has them (default: those of the demonstration)
";

    /// Reads the value of `--kms`.
    ///
    /// # Errors
    ///
    /// If it is not there, or no URL of a node.
    pub fn read_kms(&mut self, parser: &mut Parser) -> Result<(), lexopt::Error> {
        self.kms.push(parser.value()?.parse_with(url)?);
        Ok(())
    }

    /// Reads the value of `--subscribers`.
    ///
    /// # Errors
    ///
    /// If it is not there.
    pub fn read_subscribers(&mut self, parser: &mut Parser) -> Result<(), lexopt::Error> {
        self.subscribers = Some(parser.value()?.into());
        Ok(())
    }

    /// Whether any was given.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        !self.kms.is_empty() || self.subscribers.is_some()
    }
}

/// There are no users to begin with.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The file of subscribers cannot be used.
    #[error("--subscribers: {0}")]
    Config(#[from] ConfigError),
    /// The program's own KMS cannot listen.
    #[error("KMS: {0}")]
    Listen(#[from] std::io::Error),
    /// The users of the demonstration cannot be written.
    #[error("{0}")]
    Ticket(#[from] TicketError),
}

impl Failure for UsersError {
    fn is_bad_input(&self) -> bool {
        matches!(self, Self::Config(_))
    }
}

/// Users, and the nodes of their KMS.
#[derive(Debug)]
pub struct Users {
    /// Serves as long as it is here.
    _server: Option<Server>,
    subscribers: Subscribers,
    urls: Vec<String>,
    nodes: Vec<Node>,
}

impl Users {
    /// The users that the options name.
    ///
    /// # Errors
    ///
    /// [`UsersError`].
    pub fn new(options: &UserOptions) -> Result<Self, UsersError> {
        let subscribers = match &options.subscribers {
            Some(file) => Subscribers::read(file)?,
            None => Subscribers::demo().map_err(TicketError::from)?,
        };
        if options.kms.is_empty() {
            let server = kms::local(&subscribers)?;
            Ok(Self::served(subscribers, server))
        } else {
            Ok(Self::asking(None, subscribers, options.kms.clone()))
        }
    }

    /// These users, and a KMS of their own.
    #[must_use]
    pub fn served(subscribers: Subscribers, server: Server) -> Self {
        let url = server.url();
        Self::asking(Some(server), subscribers, vec![url])
    }

    fn asking(server: Option<Server>, subscribers: Subscribers, urls: Vec<String>) -> Self {
        Self {
            _server: server,
            subscribers,
            nodes: urls.iter().map(|url| Node::new(url)).collect(),
            urls,
        }
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`SubscriberError::NoSubscriber`] if the KMS knows no such user.
    pub fn user(&self, uri: &str) -> Result<Subscriber, SubscriberError> {
        Subscriber::new(uri, &self.subscribers, &self.nodes)
    }

    /// Where the KMS is asked.
    #[must_use]
    pub fn kms(&self) -> String {
        self.urls.join(", ")
    }
}

/// Reads the URL of a node, which will be printed: one with a password in it is not taken.
fn url(text: &str) -> Result<String, &'static str> {
    let url = text.parse::<Uri>().ok().filter(|url| {
        let of_http = url.scheme_str() == Some("http");
        of_http && url.host().is_some_and(|host| !host.is_empty()) && !text.contains('@')
    });
    let url = url.ok_or("not a URL of http:// and a host")?;
    Ok(url.to_string())
}
