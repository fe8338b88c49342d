//! A registry that takes every schema: all are compatible, ids count from 1.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;
use volley_api::Result;

use crate::config::CONFLUENT;
use crate::question::{Question, Registry};
use crate::{ArtifactIds, RegisteredSchema, Schema, SchemaId, Version};

/// The first half of all GUIDs; the second is the id.
const GUID: u64 = 0x6d6f_636b_0000_4000;

/// A registry inside the process.
#[derive(Debug)]
pub(crate) struct MockRegistry {
    name: String,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// By id, which is the place here plus 1.
    schemas: Vec<Arc<Schema>>,
    ids: HashMap<Arc<Schema>, i32>,
    /// Ids by version, which is the place plus 1.
    subjects: HashMap<String, Vec<i32>>,
}

impl MockRegistry {
    pub(super) fn new(scope: &str) -> Self {
        Self { name: format!("mock://{scope}"), kept: Mutex::new(Kept::default()) }
    }
}

impl Kept {
    fn schema(&self, id: i32) -> Option<&Arc<Schema>> {
        let place = usize::try_from(id).ok()?.checked_sub(1)?;
        self.schemas.get(place)
    }

    fn id_of(&mut self, schema: &Arc<Schema>) -> i32 {
        if let Some(id) = self.ids.get(schema) {
            return *id;
        }
        self.schemas.push(Arc::clone(schema));
        let id = number(self.schemas.len());
        self.ids.insert(Arc::clone(schema), id);
        id
    }

    fn look_up(&self, subject: &str, schema: &Arc<Schema>) -> Option<RegisteredSchema> {
        let id = *self.ids.get(schema)?;
        let place = self.subjects.get(subject)?.iter().position(|one| *one == id)?;
        Some(registered(subject, id, place, schema))
    }

    fn version(&self, subject: &str, version: Version) -> Option<RegisteredSchema> {
        let ids = self.subjects.get(subject)?;
        let place = match version {
            Version::Latest => ids.len().checked_sub(1)?,
            Version::Number(number) => usize::try_from(number).ok()?.checked_sub(1)?,
        };
        let id = *ids.get(place)?;
        Some(registered(subject, id, place, self.schema(id)?))
    }
}

impl Registry for MockRegistry {
    fn schema(&self, id: SchemaId) -> Result<Schema> {
        let number = match id {
            SchemaId::Id(id) => Some(id),
            SchemaId::Guid(guid) => id_in(guid),
            SchemaId::Global(id) | SchemaId::Content(id) => i32::try_from(id).ok(),
        };
        let kept = self.kept.lock();
        let schema = number.and_then(|number| kept.schema(number)).map(|schema| Schema::clone(schema));
        schema.ok_or_else(|| Question::Schema(id).missing(&self.name, "", &CONFLUENT))
    }

    fn register(&self, subject: &str, schema: &Arc<Schema>) -> Result<RegisteredSchema> {
        let mut kept = self.kept.lock();
        if let Some(found) = kept.look_up(subject, schema) {
            return Ok(found);
        }
        let id = kept.id_of(schema);
        let versions = kept.subjects.entry(subject.to_owned()).or_default();
        versions.push(id);
        Ok(registered(subject, id, versions.len() - 1, schema))
    }

    fn look_up(&self, subject: &str, schema: &Arc<Schema>) -> Result<RegisteredSchema> {
        let found = self.kept.lock().look_up(subject, schema);
        found.ok_or_else(|| Question::LookUp { subject, schema }.missing(&self.name, "", &CONFLUENT))
    }

    fn version(&self, subject: &str, version: Version) -> Result<RegisteredSchema> {
        let found = self.kept.lock().version(subject, version);
        found.ok_or_else(|| Question::Version { subject, version }.missing(&self.name, "", &CONFLUENT))
    }
}

fn registered(subject: &str, id: i32, place: usize, schema: &Arc<Schema>) -> RegisteredSchema {
    RegisteredSchema {
        subject: subject.to_owned(),
        id,
        guid: u64::try_from(id).ok().map(|id| Uuid::from_u64_pair(GUID, id)),
        version: Some(number(place + 1)),
        artifact: Some(ArtifactIds { global: id.into(), content: id.into() }),
        schema: Arc::clone(schema),
    }
}

fn id_in(guid: Uuid) -> Option<i32> {
    let (first, id) = guid.as_u64_pair();
    i32::try_from(id).ok().filter(|_| first == GUID)
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use volley_api::ErrorKind;

    use super::*;
    use crate::SchemaKind;

    fn schema(text: &str) -> Arc<Schema> {
        Arc::new(Schema::new(SchemaKind::Avro, text))
    }

    #[test]
    fn ids_count_up_and_one_schema_has_one_id() {
        let registry = MockRegistry::new("x");
        let (a, b) = (schema("a"), schema("b"));
        let place = |registered: RegisteredSchema| (registered.id, registered.version);
        assert_eq!(place(registry.register("s", &a).unwrap()), (1, Some(1)));
        assert_eq!(place(registry.register("s", &b).unwrap()), (2, Some(2)));
        assert_eq!(place(registry.register("s", &a).unwrap()), (1, Some(1)));
        assert_eq!(place(registry.register("t", &b).unwrap()), (2, Some(1)));
        assert_eq!(place(registry.look_up("s", &b).unwrap()), (2, Some(2)));
        let latest = registry.version("s", Version::Latest).unwrap();
        assert_eq!(registry.version("s", Version::Number(2)).unwrap(), latest);
        assert_eq!(registry.schema(SchemaId::Guid(latest.guid.unwrap())).unwrap(), *b);
        assert_eq!(registry.schema(SchemaId::Id(2)).unwrap(), *b);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let registry = MockRegistry::new("x");
        registry.register("s", &schema("a")).unwrap();
        for (outcome, named) in [
            (registry.schema(SchemaId::Id(0)).map(drop), "id 0"),
            (registry.schema(SchemaId::Id(-1)).map(drop), "id -1"),
            (registry.schema(SchemaId::Guid(Uuid::nil())).map(drop), "GUID 0000"),
            (registry.version("s", Version::Number(2)).map(drop), "version 2 of subject s"),
            (registry.version("t", Version::Latest).map(drop), "version latest of subject t"),
            (registry.look_up("t", &schema("a")).map(drop), "auto.register.schemas"),
        ] {
            let error = outcome.unwrap_err();
            assert!(error.kind() == ErrorKind::Data && error.to_string().contains(named), "{error}");
            assert!(error.to_string().contains("mock://x"), "{error}");
        }
    }
}
