//! What is asked of a registry, wherever it is.

use std::fmt;
use std::sync::Arc;

use volley_api::{Error, Result};

use crate::{RegisteredSchema, Schema, SchemaId, Version};

/// The Java class of all refusals.
pub(crate) const REST_EXCEPTION: &str = "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException";

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
            Self::Register { subject, .. } | Self::LookUp { subject, .. } => {
                write!(f, "the schema of the data under subject {subject}")
            }
            Self::Version { subject, version } => write!(f, "version {version} of subject {subject}"),
        }
    }
}

impl Question<'_> {
    /// The error for what a registry does not have. `detail` is what it says itself.
    pub(crate) fn missing(&self, registry: &str, detail: &str) -> Error {
        let advice = match self {
            Self::LookUp { .. } => "; register it, or set `auto.register.schemas=true`",
            Self::Schema(SchemaId::Id(_)) => "; was the message written with another registry?",
            Self::Schema(SchemaId::Guid(_)) => {
                "; was the message written with another registry? Confluent's knows GUIDs from version 8 on"
            }
            Self::Register { .. } | Self::Version { .. } => "",
        };
        Error::data(format!("the Schema Registry {registry} does not have {self}{detail}{advice}"))
            .with_exception(REST_EXCEPTION)
    }
}
