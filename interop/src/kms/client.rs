use core::time::Duration;

use mikey::keymgmt::{MEDIA_TYPE, is_media_type};
use ureq::{Agent, http::header::CONTENT_TYPE};

use super::MAX_MESSAGE;

/// A node that has not answered after this long will not.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A node gave no MIKEY message in answer.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// It answers with something else: its HTTP status.
    #[error("the KMS at {url} answers HTTP status {status} and no MIKEY message")]
    NoMikey {
        /// Where it was asked.
        url: String,
        /// The status.
        status: u16,
    },
    /// It does not answer at all.
    #[error("the KMS at {url} does not answer: {error}")]
    Unreachable {
        /// Where it was asked.
        url: String,
        /// Why.
        error: Box<ureq::Error>,
    },
}

/// A node of the service, as a user asks it.
#[derive(Clone, Debug)]
pub struct Node {
    url: String,
    agent: Agent,
}

impl Node {
    /// The node at `url`. Nothing is sent yet.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            // A node closes idle connections; one that is kept here could be one that is closed.
            .max_idle_connections(0)
            .build();
        Self {
            url: url.to_owned(),
            agent: config.new_agent(),
        }
    }

    /// Sends a message and gives the one that answers it, an Error message perhaps.
    ///
    /// # Errors
    ///
    /// [`NodeError`] if no message comes, 5 seconds later at most.
    pub fn ask(&self, message: &[u8]) -> Result<Vec<u8>, NodeError> {
        let unreachable = |error| NodeError::Unreachable {
            url: self.url.clone(),
            error: Box::new(error),
        };
        let request = self.agent.post(&self.url).content_type(MEDIA_TYPE);
        let mut response = request.send(message).map_err(unreachable)?;
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(is_media_type) {
            return Err(NodeError::NoMikey {
                url: self.url.clone(),
                status: response.status().as_u16(),
            });
        }
        let body = response.body_mut().with_config();
        let limit = u64::try_from(MAX_MESSAGE).unwrap_or(u64::MAX);
        body.limit(limit).read_to_vec().map_err(unreachable)
    }
}
