//! Which schemas columns are written with, and their ids.

use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use rustc_hash::FxHashMap;
use volley_api::{Error, Result, Side};
use volley_registry::{Framing, Naming, RegistryClient, RegistryConfig, Schema, SchemaId, WriterSchema};

use super::schema_format::SchemaFormat;

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
        let (own, schema) = format.schema_of(field)?;
        let subject = self.naming.subject(topic, self.side, F::record_name(&own))?;
        let found = match self.wanted {
            WriterSchema::Registered => self.client.register(&subject, &schema)?,
            WriterSchema::LookedUp => self.client.lookup(&subject, &schema)?,
            WriterSchema::Latest { .. } => self.client.latest(&subject)?,
            WriterSchema::Fixed { id, .. } => {
                return self.other(format, SchemaId::Id(id), &*self.client.schema_by_id(id)?);
            }
        };
        let id = self.framing.id_of(&found)?;
        // what is written with must be what the id stands for
        if *found.schema == schema { Ok(Registered { id, schema: own }) } else { self.other(format, id, &found.schema) }
    }

    /// A schema that is not made of the data.
    fn other(&self, format: &F, id: SchemaId, schema: &Schema) -> Result<Registered<F::Schema>> {
        let references = self.client.references(schema)?;
        let schema = format
            .parse(schema, &references)
            .map_err(|reason| Error::data(format!("schema {id} of the registry cannot be used: {reason}")))?;
        Ok(Registered { id, schema })
    }
}
