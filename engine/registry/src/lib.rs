//! The client of a Schema Registry: a server that keeps the schemas of topics, with Confluent's REST interface.
//!
//! ```text
//!  converter ─ Frame, MessageIndexes       what is before the data in a message
//!      │     ─ SubjectNameStrategy         under which name its schema is kept
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

mod client;
mod config;
mod http;
mod mock;
mod question;
mod schema;
mod subject;
mod wire;

pub use client::{RegistryClient, ResolvedReference};
pub use config::{RegistryConfig, WriterSchema, registry_config_def};
pub use mock::forget_mock_registry;
pub use schema::{Reference, RegisteredSchema, Schema, SchemaKind, Version};
pub use subject::{ReferenceSubjectNameStrategy, SubjectNameStrategy};
pub use uuid::Uuid;
pub use wire::{Frame, MessageIndexes, SchemaId, schema_id_header};
