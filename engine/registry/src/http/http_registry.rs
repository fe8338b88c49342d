//! Registries with Confluent's interface over HTTP.

use std::sync::Arc;

use serde_json::Value;
use volley_api::Result;

use super::conversation::Conversation;
use super::rest_answer::{Read, json, registered, schema};
use super::rest_request::rest_request;
use crate::config::{BaseUrl, Connection};
use crate::question::{Question, Registry};
use crate::{RegisteredSchema, Schema, SchemaId, Version};

/// Registries with Confluent's interface.
#[derive(Debug)]
pub(crate) struct HttpRegistry {
    conversation: Conversation,
    normalize: bool,
}

impl HttpRegistry {
    /// `urls` is not empty.
    pub(crate) fn new(urls: &[BaseUrl], connection: &Connection, normalize: bool) -> Result<Self> {
        Ok(Self { conversation: Conversation::new(urls, connection)?, normalize })
    }

    fn ask<T>(&self, question: &Question<'_>, read: impl FnOnce(&Value) -> Read<T>) -> Result<T> {
        let request = rest_request(question, self.normalize);
        self.conversation.ask(question, &request, |body| read(&json(body)?))
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
