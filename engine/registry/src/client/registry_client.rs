//! The client of registries.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use uuid::Uuid;
use volley_api::{ErrorKind, Result};

use super::caches::Caches;
use super::references::{ResolvedReference, resolve};
use super::shared_clients::shared;
use crate::config::{ClientSettings, Dialect, Place};
use crate::http::{ArtifactRegistry, HttpRegistry};
use crate::mock::mock_registry;
use crate::question::Registry;
use crate::{RegisteredSchema, RegistryConfig, Schema, SchemaId, Version};

/// The client of the registries that a configuration names. Its calls block until there is an answer, or until there is none
/// after all retries; what it knows already, it answers at once. It may be called from any thread, one with a tokio runtime
/// too.
///
/// Errors of all calls: `Retriable` if no registry answers, `Config` if one refuses the client or is none, `Data` if it does
/// not have what is asked for, or does not like what it is given.
#[derive(Debug)]
pub struct RegistryClient {
    registry: Arc<dyn Registry>,
    /// Never locked while a registry is asked: two threads may ask the same, and get the same.
    caches: Mutex<Caches>,
}

impl RegistryClient {
    /// The client that all in this process share who have the same settings.
    ///
    /// # Errors
    /// `Fatal` if the system does not let it start.
    pub fn shared(config: &RegistryConfig) -> Result<Arc<Self>> {
        shared(&config.client)
    }

    /// A client of its own, which knows nothing yet.
    ///
    /// # Errors
    /// `Fatal` if the system does not let it start.
    pub fn new(config: &RegistryConfig) -> Result<Self> {
        Self::of_settings(&config.client)
    }

    pub(super) fn of_settings(settings: &ClientSettings) -> Result<Self> {
        let registry: Arc<dyn Registry> = match &settings.connection.place {
            Place::Mock(scope) => mock_registry(scope),
            Place::Http(urls) => match settings.dialect {
                Dialect::Confluent { normalize } => Arc::new(HttpRegistry::new(urls, &settings.connection, normalize)?),
                Dialect::Apicurio(artifacts) => Arc::new(ArtifactRegistry::new(urls, &settings.connection, artifacts)?),
            },
        };
        Ok(Self { registry, caches: Mutex::new(Caches::new(settings)) })
    }

    /// The schema with this id.
    ///
    /// # Errors
    /// See [`RegistryClient`].
    pub fn schema_by_id(&self, id: i32) -> Result<Arc<Schema>> {
        self.schema(SchemaId::Id(id))
    }

    /// The schema with this GUID, which registries before Confluent's 8 do not have.
    ///
    /// # Errors
    /// See [`RegistryClient`].
    pub fn schema_by_guid(&self, guid: Uuid) -> Result<Arc<Schema>> {
        self.schema(SchemaId::Guid(guid))
    }

    /// The schema that a message names.
    ///
    /// # Errors
    /// See [`RegistryClient`].
    pub fn schema(&self, id: SchemaId) -> Result<Arc<Schema>> {
        {
            let caches = self.caches.lock();
            if let Some(schema) = caches.schemas.get(&id) {
                return Ok(Arc::clone(schema));
            }
            if let Some(error) = caches.missing.get(&id, Instant::now()) {
                return Err(error);
            }
        }
        let answer = self.registry.schema(id).map(Arc::new);
        let mut caches = self.caches.lock();
        match &answer {
            Ok(schema) => caches.schemas.insert(id, Arc::clone(schema)),
            Err(error) if error.kind() == ErrorKind::Data => caches.missing.insert(id, error.clone(), Instant::now()),
            Err(_) => {}
        }
        answer
    }

    /// Registers a schema under a subject, unless it is there. What it refers to must be there.
    ///
    /// # Errors
    /// See [`RegistryClient`]; `Data` also if the schema is not valid, or not compatible with those before it.
    pub fn register(&self, subject: &str, schema: &Schema) -> Result<RegisteredSchema> {
        if let Some(known) = self.caches.lock().registered(subject, schema) {
            return Ok(known.clone());
        }
        let registered = self.registry.register(subject, &Arc::new(schema.clone()))?;
        let mut caches = self.caches.lock();
        caches.keep_registered(&registered);
        // It may be the newest now.
        caches.latest.forget(subject);
        Ok(registered)
    }

    /// Finds a schema under a subject; its version is known then.
    ///
    /// # Errors
    /// See [`RegistryClient`].
    pub fn lookup(&self, subject: &str, schema: &Schema) -> Result<RegisteredSchema> {
        let known = self.caches.lock().registered(subject, schema).cloned();
        // An answer to a registration may lack it.
        if let Some(known) = known.filter(|known| known.version.is_some() || known.artifact.is_some()) {
            return Ok(known);
        }
        let registered = self.registry.look_up(subject, &Arc::new(schema.clone()))?;
        self.caches.lock().keep_registered(&registered);
        Ok(registered)
    }

    /// The newest schema of a subject, as it was not longer than `latest.cache.ttl.sec` ago.
    ///
    /// # Errors
    /// See [`RegistryClient`].
    pub fn latest(&self, subject: &str) -> Result<RegisteredSchema> {
        if let Some(known) = self.caches.lock().latest.get(subject, Instant::now()) {
            return Ok(known);
        }
        let latest = self.registry.version(subject, Version::Latest)?;
        self.caches.lock().keep_latest(&latest, Instant::now());
        Ok(latest)
    }

    /// The schema of a version of a subject.
    ///
    /// # Errors
    /// See [`RegistryClient`].
    pub fn version(&self, subject: &str, version: i32) -> Result<RegisteredSchema> {
        if let Some(known) = self.caches.lock().versions.get(&(subject.to_owned(), version)) {
            return Ok(known.clone());
        }
        let found = self.registry.version(subject, Version::Number(version))?;
        self.caches.lock().keep_version(&found);
        Ok(found)
    }

    /// All that a schema needs, itself not among it: what is needed comes before what needs it, and every name once.
    ///
    /// # Errors
    /// See [`RegistryClient`]; `Data` also for schemas that need each other.
    pub fn references(&self, schema: &Schema) -> Result<Vec<ResolvedReference>> {
        resolve(schema, &|subject, version| self.version(subject, version).map(|found| found.schema))
    }
}
