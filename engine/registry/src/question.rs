//! What is asked of a registry, wherever it is.

use std::fmt;
use std::sync::Arc;

use volley_api::{Error, Result};

use crate::config::KeyWords;
use crate::{RegisteredSchema, Schema, SchemaId, Version};

/// A registry. Calls block.
pub(crate) trait Registry: Send + Sync + fmt::Debug {
    /// The schema of an id.
    fn schema(&self, id: SchemaId) -> Result<Schema>;

    /// Registers a schema, unless it is there.
    fn register(&self, subject: &str, schema: &Arc<Schema>) -> Result<RegisteredSchema>;

    /// Finds a schema under a subject.
    fn look_up(&self, subject: &str, schema: &Arc<Schema>) -> Result<RegisteredSchema>;

    /// The schema of a version of a subject.
    fn version(&self, subject: &str, version: Version) -> Result<RegisteredSchema>;
}

/// What is asked; `Display` says what is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Question<'a> {
    /// The schema of an id.
    Schema(SchemaId),
    /// The id of a schema, new if need be.
    Register { subject: &'a str, schema: &'a Schema },
    /// The id of a schema that is there.
    LookUp { subject: &'a str, schema: &'a Schema },
    /// The schema of a version.
    Version { subject: &'a str, version: Version },
}

impl fmt::Display for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(SchemaId::Id(id)) => write!(f, "the schema with id {id}"),
            Self::Schema(SchemaId::Guid(guid)) => write!(f, "the schema with GUID {guid}"),
            Self::Schema(SchemaId::Global(id)) => write!(f, "the schema with global id {id}"),
            Self::Schema(SchemaId::Content(id)) => write!(f, "the schema with content id {id}"),
            Self::Register { subject, .. } | Self::LookUp { subject, .. } => {
                write!(f, "the schema of the data under subject {subject}")
            }
            Self::Version { subject, version } => write!(f, "version {version} of subject {subject}"),
        }
    }
}

impl Question<'_> {
    /// The error for what a registry does not have. `detail` is what it says itself.
    pub(crate) fn missing(&self, registry: &str, detail: &str, words: &KeyWords) -> Error {
        let advice = match self {
            Self::LookUp { .. } => format!("; register it, or set `{}=true`", words.auto_register),
            Self::Schema(SchemaId::Id(_)) => "; was the message written with another registry?".to_owned(),
            Self::Schema(SchemaId::Guid(_)) => {
                "; was the message written with another registry? Confluent's knows GUIDs from version 8 on".to_owned()
            }
            Self::Schema(SchemaId::Global(_) | SchemaId::Content(_)) => {
                "; was the message written with another registry, or with another `apicurio.registry.use-id`?"
                    .to_owned()
            }
            Self::Register { .. } | Self::Version { .. } => String::new(),
        };
        Error::data(format!("the Schema Registry {registry} does not have {self}{detail}{advice}"))
            .with_exception(words.exception)
    }
}
