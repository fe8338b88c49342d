//! The client of a Schema Registry: a server that keeps the schemas of topics, with Confluent's REST interface or Apicurio's.
//!
//! ```text
//!  converter ─ Framing, MessageIndexes     what is before the data in a message, or in its headers
//!      │     ─ Naming                      under which name its schema is kept
//!      ▼
//!  RegistryClient ─ caches ─┬─ http ─► the registries of `schema.registry.url`, each in turn
//!   (blocks)                └─ mock    `mock://scope`: a registry inside the process
//! ```
//!
//! ```
//! use volley_api::ConfigMap;
//! use volley_registry::{RegistryClient, RegistryConfig, Schema, SchemaKind};
//!
//! let properties = ConfigMap::from([("schema.registry.url".to_owned(), "mock://example".to_owned())]);
//! let client = RegistryClient::shared(&RegistryConfig::parse(&properties)?)?;
//! let schema = Schema::new(SchemaKind::Avro, r#"{"type":"string"}"#);
//! let id = client.register("orders-value", &schema)?.id;
//! assert_eq!(*client.schema_by_id(id)?, schema);
//! # Ok::<(), volley_api::Error>(())
//! ```

#![warn(missing_docs)]

mod artifact_naming;
mod client;
mod config;
mod coordinates;
mod http;
mod mock;
mod question;
mod schema;
mod subject;
mod wire;

pub use artifact_naming::ArtifactNaming;
pub use client::{RegistryClient, ResolvedReference};
pub use config::{RegistryConfig, WriterSchema, apicurio_config_def, registry_config_def};
pub use mock::forget_mock_registry;
pub use schema::{ArtifactIds, Reference, RegisteredSchema, Schema, SchemaKind, Version};
pub use subject::{Naming, ReferenceSubjectNameStrategy, SubjectNameStrategy};
pub use uuid::Uuid;
pub use wire::{ApicurioFraming, DataEncoding, Frame, Framing, MessageIndexes, SchemaId, schema_id_header};
