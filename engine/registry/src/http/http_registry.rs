//! Registries over HTTP, for callers that block.

use std::sync::Arc;

use serde_json::Value;
use volley_api::Result;

use super::blocking::Blocking;
use super::refusal::Talk;
use super::rest_answer::{BadAnswer, json, registered, schema};
use super::rest_request::rest_request;
use super::rounds::Rounds;
use crate::config::{BaseUrl, Connection};
use crate::question::{Question, Registry};
use crate::{RegisteredSchema, Schema, SchemaId, Version};

/// Registries over HTTP.
#[derive(Debug)]
pub(crate) struct HttpRegistry {
    rounds: Rounds,
    normalize: bool,
    blocking: Blocking,
}

impl HttpRegistry {
    /// `urls` is not empty.
    pub(crate) fn new(urls: &[BaseUrl], connection: &Connection, normalize: bool) -> Result<Self> {
        Ok(Self { rounds: Rounds::new(urls, connection), normalize, blocking: Blocking::new()? })
    }

    fn ask<T>(
        &self,
        question: &Question<'_>,
        read: impl FnOnce(&Value) -> std::result::Result<T, BadAnswer>,
    ) -> Result<T> {
        let request = rest_request(question, self.normalize);
        let (url, answered) = self.blocking.wait(self.rounds.ask(&request))?;
        let talk = Talk { question, url, authorization: self.rounds.authorization() };
        if answered.status != 200 {
            return Err(talk.refusal(&answered));
        }
        json(&answered.body).and_then(|answer| read(&answer)).map_err(|bad| talk.unusable(bad))
    }
}

impl Registry for HttpRegistry {
    fn schema(&self, id: SchemaId) -> Result<Schema> {
        self.ask(&Question::Schema(id), schema)
    }

    fn register(&self, subject: &str, schema: &Arc<Schema>) -> Result<RegisteredSchema> {
        let read = |answer: &Value| registered(answer, subject, Arc::clone(schema));
        self.ask(&Question::Register { subject, schema }, read)
    }

    fn look_up(&self, subject: &str, schema: &Arc<Schema>) -> Result<RegisteredSchema> {
        let read = |answer: &Value| registered(answer, subject, Arc::clone(schema));
        self.ask(&Question::LookUp { subject, schema }, read)
    }

    fn version(&self, subject: &str, version: Version) -> Result<RegisteredSchema> {
        let read = |answer: &Value| registered(answer, subject, Arc::new(schema(answer)?));
        let found = self.ask(&Question::Version { subject, version }, read)?;
        Ok(match version {
            Version::Latest => found,
            Version::Number(number) => RegisteredSchema { version: Some(number), ..found },
        })
    }
}
