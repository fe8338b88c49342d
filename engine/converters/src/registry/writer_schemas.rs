//! Which schemas columns are written with, and their ids.

use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use rustc_hash::FxHashMap;
use volley_api::{Error, Result, Side};
use volley_registry::{
    Framing, Naming, Reference, RegistryClient, RegistryConfig, Schema, SchemaId, SchemaKind, WriterSchema,
};

use super::schema_format::{Import, SchemaFormat};

/// A schema and its id.
#[derive(Debug)]
pub(crate) struct Registered<S> {
    pub(crate) id: SchemaId,
    pub(crate) schema: S,
}

/// The schemas that columns of one field were written with in one topic, the oldest first.
type OfTopic<S> = Vec<(FieldRef, Arc<Registered<S>>)>;

/// The schemas that columns are written with. What the registry has answered is kept.
#[derive(Debug)]
pub(crate) struct WriterSchemas<F: SchemaFormat> {
    client: Arc<RegistryClient>,
    wanted: WriterSchema,
    naming: Naming,
    framing: Framing,
    side: Side,
    capacity: usize,
    known: FxHashMap<Box<str>, OfTopic<F::Schema>>,
}

impl<F: SchemaFormat> WriterSchemas<F> {
    pub(crate) fn new(config: &RegistryConfig, client: Arc<RegistryClient>, side: Side, capacity: usize) -> Self {
        let (naming, framing) = (config.subject_name(side).clone(), config.framing.clone());
        Self { client, wanted: config.writer_schema, naming, framing, side, capacity, known: FxHashMap::default() }
    }

    /// How subjects are named.
    pub(crate) fn strategy(&self) -> &Naming {
        &self.naming
    }

    /// The schema for values of `field` in `topic`.
    ///
    /// # Errors
    /// `Data` if the format cannot express it, or the registry does not take it.
    pub(crate) fn get(&mut self, format: &F, topic: &str, field: &FieldRef) -> Result<Arc<Registered<F::Schema>>> {
        let of_topic = self.known.get(topic);
        let same = |known: &FieldRef| Arc::ptr_eq(known, field) || known == field;
        if let Some((_, registered)) = of_topic.and_then(|known| known.iter().find(|(known, _)| same(known))) {
            return Ok(Arc::clone(registered));
        }
        let registered = Arc::new(self.find(format, topic, field)?);
        // the newest may be another the next time: the client knows for how long it is good
        if !matches!(self.wanted, WriterSchema::Latest { .. }) {
            let of_topic = self.known.entry(topic.into()).or_default();
            if of_topic.len() >= self.capacity {
                of_topic.remove(0);
            }
            of_topic.push((Arc::clone(field), Arc::clone(&registered)));
        }
        Ok(registered)
    }

    fn find(&self, format: &F, topic: &str, field: &Field) -> Result<Registered<F::Schema>> {
        let (own, mut schema) = format.schema_of(field)?;
        let subject = self.naming.subject(topic, self.side, F::record_name(&own, &F::written_place(&own)))?;
        let found = match self.wanted {
            WriterSchema::Latest { .. } => self.client.latest(&subject)?,
            WriterSchema::Fixed { id, .. } => {
                let other = self.client.schema_by_id(id)?;
                return self.other(format, &own, SchemaId::Id(id), &other);
            }
            WriterSchema::Registered => {
                schema.references = self.references(schema.kind, &format.imports(&own), true)?;
                self.client.register(&subject, &schema)?
            }
            WriterSchema::LookedUp => {
                schema.references = self.references(schema.kind, &format.imports(&own), false)?;
                self.client.lookup(&subject, &schema)?
            }
        };
        let id = self.framing.id_of(&found)?;
        // what is written with must be what the id stands for
        match *found.schema == schema {
            true => Ok(Registered { id, schema: own }),
            false => self.other(format, &own, id, &found.schema),
        }
    }

    /// References to what a schema refers to, which is registered if need be.
    fn references(&self, kind: SchemaKind, imports: &[Import], registers: bool) -> Result<Vec<Reference>> {
        let mut references: Vec<Reference> = Vec::new();
        for import in imports {
            let mut schema = Schema::new(kind, import.text.clone());
            let needed = references.iter().filter(|reference| import.needs.contains(&reference.name));
            schema.references = needed.cloned().collect();
            if registers {
                self.client.register(&import.subject, &schema)?;
            }
            let found = self.client.lookup(&import.subject, &schema)?;
            let version = found.version.ok_or_else(|| {
                Error::data(format!("the registry does not say which version of {} a schema is", import.subject))
            })?;
            references.push(Reference { name: import.name.clone(), subject: import.subject.clone(), version });
        }
        Ok(references)
    }

    /// A schema that is not made of the data, whose schema is `own`.
    fn other(&self, format: &F, own: &F::Schema, id: SchemaId, schema: &Schema) -> Result<Registered<F::Schema>> {
        let references = self.client.references(schema)?;
        let schema = format
            .parse(schema, &references)
            .map(|schema| F::in_place_of(own, schema))
            .map_err(|reason| Error::data(format!("schema {id} of the registry cannot be used: {reason}")))?;
        Ok(Registered { id, schema })
    }
}
