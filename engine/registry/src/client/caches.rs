//! What a client has learnt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use volley_api::Error;

use super::bounded_map::BoundedMap;
use super::latest_cache::LatestCache;
use crate::config::ClientSettings;
use crate::{RegisteredSchema, Schema, SchemaId};

/// Schemas by id, and versions by number. A topic has few; a process that reads thousands of topics has room for each.
const SCHEMAS: usize = 10_000;
/// Subjects whose schemas are remembered with their ids.
const SUBJECTS: usize = 10_000;
/// Ids that no registry knew. A topic with bad messages would otherwise ask for each of them.
const MISSING: usize = 1_000;
/// How long they are believed to be missing: short, since a schema may be on its way.
const MISSING_LIFE: Duration = Duration::from_secs(5);

/// What a client has learnt. What never changes in a registry is kept as long as there is room.
#[derive(Debug)]
pub(super) struct Caches {
    pub(super) schemas: BoundedMap<SchemaId, Arc<Schema>>,
    pub(super) missing: LatestCache<SchemaId, Error>,
    pub(super) versions: BoundedMap<(String, i32), RegisteredSchema>,
    pub(super) latest: LatestCache<String, RegisteredSchema>,
    registered: BoundedMap<String, BoundedMap<Arc<Schema>, RegisteredSchema>>,
    schemas_per_subject: usize,
}

impl Caches {
    pub(super) fn new(settings: &ClientSettings) -> Self {
        Self {
            schemas: BoundedMap::new(SCHEMAS),
            missing: LatestCache::new(MISSING, Some(MISSING_LIFE)),
            versions: BoundedMap::new(SCHEMAS),
            latest: LatestCache::new(settings.latest_size, settings.latest_life),
            registered: BoundedMap::new(SUBJECTS),
            schemas_per_subject: settings.schemas_per_subject,
        }
    }

    /// The place of a schema under a subject, if it is known.
    pub(super) fn registered(&self, subject: &str, schema: &Schema) -> Option<&RegisteredSchema> {
        self.registered.get(subject)?.get(schema)
    }

    /// Remembers the place of a schema under a subject.
    pub(super) fn keep_registered(&mut self, registered: &RegisteredSchema) {
        let size = self.schemas_per_subject;
        let schemas = self.registered.get_or_insert_with(&registered.subject, || BoundedMap::new(size));
        if let Some(schemas) = schemas {
            schemas.insert(Arc::clone(&registered.schema), registered.clone());
        }
    }

    /// Remembers a version, and the schema of its id.
    pub(super) fn keep_version(&mut self, registered: &RegisteredSchema) {
        if let Some(version) = registered.version {
            self.versions.insert((registered.subject.clone(), version), registered.clone());
        }
        let ids = match registered.artifact {
            None => vec![SchemaId::Id(registered.id)],
            Some(ids) => {
                vec![SchemaId::Id(registered.id), SchemaId::Global(ids.global), SchemaId::Content(ids.content)]
            }
        };
        ids.into_iter().for_each(|id| self.schemas.insert(id, Arc::clone(&registered.schema)));
    }

    /// Remembers that a newest version has been seen.
    pub(super) fn keep_latest(&mut self, registered: &RegisteredSchema, now: Instant) {
        self.latest.insert(registered.subject.clone(), registered.clone(), now);
        self.keep_version(registered);
    }
}
