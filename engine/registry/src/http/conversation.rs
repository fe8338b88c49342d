//! Questions and answers over HTTP, for callers that block.

use volley_api::{Error, Result};

use super::blocking::Blocking;
use super::refusal::Talk;
use super::rest_answer::Read;
use super::rest_request::RestRequest;
use super::rounds::Rounds;
use crate::config::{BaseUrl, Connection};
use crate::question::Question;

/// Registries that can be asked.
#[derive(Debug)]
pub(super) struct Conversation {
    rounds: Rounds,
    blocking: Blocking,
}

impl Conversation {
    /// `urls` is not empty.
    pub(super) fn new(urls: &[BaseUrl], connection: &Connection) -> Result<Self> {
        Ok(Self { rounds: Rounds::new(urls, connection), blocking: Blocking::new()? })
    }

    /// Sends a request that belongs to a question; `read` reads the body of the answer.
    ///
    /// # Errors
    /// See [`crate::RegistryClient`].
    pub(super) fn ask<T>(
        &self,
        question: &Question<'_>,
        request: &RestRequest,
        read: impl FnOnce(&[u8]) -> Read<T>,
    ) -> Result<T> {
        let (url, answered) = self.blocking.wait(self.rounds.ask(request))?;
        let talk = Talk { question, url, authorization: self.rounds.authorization() };
        if answered.status != 200 {
            return Err(talk.refusal(&answered));
        }
        read(&answered.body).map_err(|bad| talk.unusable(bad))
    }

    /// The error for what a registry says by its answer that it does not have.
    pub(super) fn missing(&self, question: &Question<'_>) -> Error {
        question.missing(&self.rounds.last(), "", self.rounds.authorization().words())
    }
}
