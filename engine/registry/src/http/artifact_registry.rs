//! Apicurio's registries over HTTP. Most questions take several requests.

use std::sync::Arc;

use serde_json::Value;
use volley_api::Result;

use super::artifact_answer::{created, found, ids, references, text};
use super::artifact_request::{ArtifactRequest, artifact_request};
use super::conversation::Conversation;
use super::rest_answer::{Read, json};
use crate::config::{ArtifactSettings, BaseUrl, Connection, IfExists};
use crate::coordinates::Coordinates;
use crate::question::{Question, Registry};
use crate::{ArtifactIds, RegisteredSchema, Schema, SchemaId, Version};

/// Apicurio's registries.
#[derive(Debug)]
pub(crate) struct ArtifactRegistry {
    conversation: Conversation,
    settings: ArtifactSettings,
}

impl ArtifactRegistry {
    /// `urls` is not empty.
    pub(crate) fn new(urls: &[BaseUrl], connection: &Connection, settings: ArtifactSettings) -> Result<Self> {
        Ok(Self { conversation: Conversation::new(urls, connection)?, settings })
    }

    fn ask<T>(
        &self,
        question: &Question<'_>,
        request: &ArtifactRequest<'_>,
        read: impl FnOnce(&[u8]) -> Read<T>,
    ) -> Result<T> {
        self.conversation.ask(question, &artifact_request(request, self.settings)?, read)
    }

    fn ask_json<T>(
        &self,
        question: &Question<'_>,
        request: &ArtifactRequest<'_>,
        read: impl FnOnce(&Value) -> Read<T>,
    ) -> Result<T> {
        self.ask(question, request, |body| read(&json(body)?))
    }

    fn fetch(&self, question: &Question<'_>, id: SchemaId) -> Result<Schema> {
        let text = self.ask(question, &ArtifactRequest::Content(id), text)?;
        let references = self.ask_json(question, &ArtifactRequest::References(id), references)?;
        Ok(Schema { kind: self.settings.kind, text, references })
    }
}

impl Registry for ArtifactRegistry {
    fn schema(&self, id: SchemaId) -> Result<Schema> {
        self.fetch(&Question::Schema(id), id)
    }

    fn register(&self, subject: &str, schema: &Arc<Schema>) -> Result<RegisteredSchema> {
        let question = Question::Register { subject, schema };
        let request = ArtifactRequest::Create { at: &Coordinates::parse(subject), schema };
        let ids = self.ask_json(&question, &request, |answer| created(answer, self.settings.api))?;
        let schema = match self.settings.if_exists {
            // what was there may be another
            IfExists::Return => Arc::new(self.fetch(&question, SchemaId::Global(ids.global))?),
            IfExists::Fail | IfExists::Update | IfExists::ReturnOrUpdate => Arc::clone(schema),
        };
        Ok(registered(subject, ids, schema))
    }

    fn look_up(&self, subject: &str, schema: &Arc<Schema>) -> Result<RegisteredSchema> {
        let question = Question::LookUp { subject, schema };
        let request = ArtifactRequest::Find { at: &Coordinates::parse(subject), schema };
        let ids = self.ask_json(&question, &request, |answer| found(answer, self.settings.api))?;
        let ids = ids.ok_or_else(|| self.conversation.missing(&question))?;
        Ok(registered(subject, ids, Arc::clone(schema)))
    }

    fn version(&self, subject: &str, version: Version) -> Result<RegisteredSchema> {
        let question = Question::Version { subject, version };
        let mut at = Coordinates::parse(subject);
        if let (Version::Number(number), None) = (version, &at.version) {
            at.version = Some(number.to_string());
        }
        let ids = self.ask_json(&question, &ArtifactRequest::Version { at: &at }, ids)?;
        let schema = self.fetch(&question, SchemaId::Global(ids.global))?;
        let version = match version {
            Version::Number(number) => Some(number),
            Version::Latest => None,
        };
        Ok(RegisteredSchema { version, ..registered(subject, ids, Arc::new(schema)) })
    }
}

fn registered(subject: &str, ids: ArtifactIds, schema: Arc<Schema>) -> RegisteredSchema {
    RegisteredSchema { subject: subject.to_owned(), id: 0, artifact: Some(ids), guid: None, version: None, schema }
}
