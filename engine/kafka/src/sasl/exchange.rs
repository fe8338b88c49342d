//! The messages of an authentication, whatever the mechanism.

use volley_api::{Error, Result};

use super::credentials::Credentials;
use super::oauthbearer;
use super::scram::ScramClient;

/// The part of a session's lifetime after which the client authenticates again.
pub(crate) const RENEW_AFTER: f64 = 0.85;

/// What to do after an answer of the broker.
pub(crate) enum Step {
    /// Send this.
    Send(Vec<u8>),
    /// Nothing: each side knows the other.
    Done,
}

/// An authentication under way.
pub(crate) enum Exchange {
    /// One message that the broker accepts or not.
    Plain(Vec<u8>),
    /// Two messages each way.
    Scram(ScramClient),
    /// One message; a refusal is to be acknowledged before it is final.
    OAuthBearer(Vec<u8>),
    /// As before, refused with this reason.
    Refused(String),
}

impl Exchange {
    /// Prepares the first message; may wait for a token.
    ///
    /// # Errors
    /// `Config` if there is no token to be had; `Retriable` if there is none for the time being.
    ///
    /// # Cancellation
    /// Without effect.
    pub(crate) async fn begin(credentials: &Credentials) -> Result<Self> {
        Ok(match credentials {
            Credentials::Plain { username, password } => {
                Self::Plain(format!("\0{username}\0{}", password.reveal()).into_bytes())
            }
            Credentials::Scram { hash, username, password, is_token } => {
                Self::Scram(ScramClient::new(*hash, username, password.clone(), *is_token)?)
            }
            Credentials::OAuthBearer { source, extensions } => {
                let token = source.token().await?;
                Self::OAuthBearer(oauthbearer::first_message(token.text.reveal(), extensions))
            }
        })
    }

    /// What to send first.
    pub(crate) fn first_message(&self) -> Vec<u8> {
        match self {
            Self::Plain(message) | Self::OAuthBearer(message) => message.clone(),
            Self::Scram(client) => client.first_message(),
            Self::Refused(_) => Vec::new(),
        }
    }

    /// Takes the broker's answer to the last message.
    ///
    /// # Errors
    /// `Config` if the broker refuses the client, or cannot prove that it knows the password.
    ///
    /// # Cancellation
    /// The exchange cannot go on.
    pub(crate) async fn answer(&mut self, answer: &[u8]) -> Result<Step> {
        match self {
            Self::Plain(_) => Ok(Step::Done),
            Self::Scram(client) => client.answer(answer).await,
            Self::OAuthBearer(_) if answer.is_empty() => Ok(Step::Done),
            Self::OAuthBearer(_) => {
                *self = Self::Refused(String::from_utf8_lossy(answer).into_owned());
                Ok(Step::Send(vec![1]))
            }
            Self::Refused(reason) => Err(Error::config(format!("the broker refuses the token: {reason}"))),
        }
    }
}
