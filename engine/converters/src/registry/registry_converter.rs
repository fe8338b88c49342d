//! A converter of messages whose schemas are in a registry.

use std::sync::Arc;

use arrow::array::{BinaryArray, BinaryBuilder};
use rustc_hash::FxHashMap;
use volley_api::{ConfigMap, Converted, Converter, Error, ErrorKind, RawBatch, Result, Serialized, Side, Unserialized};
use volley_registry::{DataEncoding, Framing, RegistryClient, RegistryConfig, Schema, SchemaId};

use super::schema_format::{Parsed, SchemaFormat, SectionReader};
use super::sections::{Section, put_nulls, sections_of};
use super::writer_schemas::WriterSchemas;
use crate::json::Failure;
use crate::rejections::{Rejections, serialization_error};
use crate::runs::put_run;

/// Messages of one format, each with the id of its schema before its data, or in a header.
///
/// Messages are read with the schema that they were written with. A batch of several schemas becomes a run for each, however
/// they alternate.
#[derive(Debug)]
pub(crate) struct RegistryConverter<F: SchemaFormat> {
    side: Side,
    format: F,
    client: Arc<RegistryClient>,
    framing: Framing,
    readers: Readers<F>,
    writers: WriterSchemas<F>,
}

/// What schemas are read by, by their ids and the types within; the one that was not used for longest makes room.
#[derive(Debug)]
struct Readers<F: SchemaFormat> {
    kept: FxHashMap<(SchemaId, F::Place), (F::Reader, u64)>,
    capacity: usize,
    clock: u64,
}

impl<F: SchemaFormat> Readers<F> {
    fn make_room(&mut self) {
        if self.kept.len() >= self.capacity {
            let oldest = self.kept.iter().min_by_key(|(_, (_, last_used))| *last_used).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.kept.remove(&key));
        }
    }
}

impl<F: SchemaFormat> RegistryConverter<F> {
    /// A converter of one side that keeps up to `capacity` schemas. The keys of `config` have no prefix.
    ///
    /// # Errors
    /// An invalid setting of the registry.
    pub(crate) fn new(config: &ConfigMap, side: Side, format: F, capacity: usize) -> Result<Self> {
        Self::of_registry(&RegistryConfig::parse(config)?, side, format, capacity)
    }

    /// A converter for the registry of these settings.
    ///
    /// # Errors
    /// `Fatal` if the system does not let a client start.
    pub(crate) fn of_registry(registry: &RegistryConfig, side: Side, format: F, capacity: usize) -> Result<Self> {
        let client = RegistryClient::shared(registry)?;
        Ok(Self {
            side,
            format,
            readers: Readers { kept: FxHashMap::default(), capacity, clock: 0 },
            writers: WriterSchemas::new(registry, Arc::clone(&client), side, capacity),
            client,
            framing: registry.framing.clone(),
        })
    }

    /// Fetches the schema, unless it is known.
    ///
    /// # Errors
    /// The registry does not answer, or does not know the schema.
    fn reader(&mut self, id: SchemaId, place: &F::Place, topic: &str, side: Side) -> Result<&mut F::Reader> {
        self.readers.clock += 1;
        let clock = self.readers.clock;
        let key = (id, place.clone());
        if !self.readers.kept.contains_key(&key) {
            let reader = self.fetch(id, place, topic, side)?;
            self.readers.make_room();
            self.readers.kept.insert(key.clone(), (reader, clock));
        }
        let (reader, last_used) =
            self.readers.kept.get_mut(&key).ok_or_else(|| Error::fatal("a schema was lost while it was added"))?;
        *last_used = clock;
        Ok(reader)
    }

    fn fetch(&self, id: SchemaId, place: &F::Place, topic: &str, side: Side) -> Result<F::Reader> {
        let schema = self.client.schema(id)?;
        let parsed = if schema.kind == F::KIND {
            self.format.parse(&schema, &self.client.references(&schema)?)
        } else {
            Err(format!("it is a schema of {}", schema.kind))
        };
        let version =
            parsed.as_ref().ok().and_then(|parsed| self.version(&schema, F::record_name(parsed, place), topic, side));
        let parsed: Parsed<&F::Schema> = match &parsed {
            Ok(parsed) => Ok(parsed),
            Err(reason) => Err(format!("schema {id} of the registry cannot be used: {reason}")),
        };
        self.format.reader(parsed, place, version)
    }

    /// The version of a schema under the subject of the topic, where the registry knows it: Connect's schemas have it too.
    fn version(&self, schema: &Schema, record: Option<&str>, topic: &str, side: Side) -> Option<i32> {
        // Apicurio's versions are no numbers, and its converter gives schemas none
        if self.framing != Framing::Confluent {
            return None;
        }
        let subject = self.writers.strategy().subject(topic, side, Some(record?)).ok()?;
        self.client.lookup(&subject, schema).ok()?.version
    }

    fn read_section(
        &mut self,
        section: &Section<'_, F::Place>,
        topic: &str,
        side: Side,
        converted: &mut Converted,
        rejections: &mut Rejections,
    ) -> Result<()> {
        let reader = match self.reader(section.id, &section.place, topic, side) {
            Ok(reader) => reader,
            // it is about the schema, not about the registry
            Err(error) if error.kind() == ErrorKind::Data => {
                let what = format!("Error retrieving {} {} schema for id {}", F::NAME, word(side), section.id);
                let error = unreadable::<F>(topic, serialization_error(what).with_source(error));
                let with_data = section.rows.iter().zip(&section.data).filter(|(_, data)| data.is_some());
                with_data.for_each(|(row, _)| rejections.push(*row as usize, error.clone()));
                section.put_nulls(&mut converted.runs);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let mut reject = |index: usize, failure: Failure| {
            let what = format!("Error deserializing {} message for id {}: {failure}", F::NAME, section.id);
            rejections.push(section.rows[index] as usize, unreadable::<F>(topic, serialization_error(what)));
        };
        let (parts, kept) = match section.encoding {
            DataEncoding::Binary => (reader.read(topic, &section.data, &mut reject)?, None),
            DataEncoding::Json => {
                let (kept, data) = usual(reader, &section.data, &mut reject);
                let data: Vec<_> = data.iter().map(Option::as_deref).collect();
                (reader.read(topic, &data, &mut |index, failure| reject(kept[index], failure))?, Some(kept))
            }
        };
        let place = |row: usize| kept.as_ref().map_or(row, |kept| kept[row]);
        for (rows, column) in parts {
            put_run(rows.iter().map(|row| section.rows[place(*row)]).collect(), column, &mut converted.runs);
        }
        Ok(())
    }
}

impl<F: SchemaFormat> Converter for RegistryConverter<F> {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        let topic = &batch.origin.partition.topic;
        let mut rejections = Rejections::new(F::CLASS, side);
        let (sections, nulls) = sections_of::<F>(batch, side, &self.framing, |row, error| {
            rejections.push(row, unreadable::<F>(topic, error))
        });
        let mut converted = Converted::default();
        for section in sections {
            self.read_section(&section, topic, side, &mut converted, &mut rejections)?;
        }
        put_nulls(nulls, &mut converted.runs);
        converted.rejected = rejections.into_rows();
        Ok(converted)
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        let column = rows.column;
        if (0..column.len()).all(|row| column.is_null(row)) {
            return Ok(Serialized::new(BinaryArray::new_null(column.len()), Vec::new()));
        }
        let mut rejections = Rejections::new(F::CLASS, self.side);
        let found = self.writers.get(&self.format, rows.topic, &column.field);
        let prepared = found.and_then(|found| {
            let writer = self.format.writer(&found.schema, column)?;
            Ok((found, writer))
        });
        let (found, writer) = match prepared {
            Ok(prepared) => prepared,
            // the schema is at fault, so every row is, and the error handler decides about each
            Err(error) if error.kind() == ErrorKind::Data => {
                let error = unwritable::<F>(rows.topic, error);
                let with_data = (0..column.len()).filter(|row| !column.is_null(*row));
                with_data.for_each(|row| rejections.push(row, error.clone()));
                return Ok(Serialized::new(BinaryArray::new_null(column.len()), rejections.into_rows()));
            }
            Err(error) => return Err(error),
        };
        let mut head = Vec::new();
        F::write_head(&found.schema, &self.framing, found.id, &mut head);
        let headers = self.framing.headers(found.id);
        let mut bytes = BinaryBuilder::with_capacity(column.len(), column.len() * 64);
        let mut message = Vec::new();
        for row in 0..column.len() {
            if column.is_null(row) {
                bytes.append_null();
                continue;
            }
            message.clear();
            message.extend_from_slice(&head);
            match writer.write(row, &mut message) {
                Ok(()) => bytes.append_value(&message),
                Err(reason) => {
                    bytes.append_null();
                    rejections.push(row, unwritable::<F>(rows.topic, Error::data(reason)));
                }
            }
        }
        let bytes = bytes.finish();
        let headers = (!headers.is_empty()).then(|| {
            let of_row = |message: Option<&[u8]>| message.map(|_| headers.clone()).unwrap_or_default();
            bytes.iter().map(of_row).collect()
        });
        Ok(Serialized { headers, ..Serialized::new(bytes, rejections.into_rows()) })
    }
}

/// Messages in Avro's JSON in the usual encoding, without those that are refused, and which they are.
fn usual<R: SectionReader>(
    reader: &R,
    messages: &[Option<&[u8]>],
    reject: &mut impl FnMut(usize, Failure),
) -> (Vec<usize>, Vec<Option<Vec<u8>>>) {
    let usual = messages.iter().enumerate().filter_map(|(index, message)| {
        match message.map(|message| reader.usual(message)).transpose() {
            Ok(message) => Some((index, message)),
            Err(failure) => {
                reject(index, failure);
                None
            }
        }
    });
    usual.unzip()
}

fn word(side: Side) -> &'static str {
    match side {
        Side::Key => "key",
        Side::Value => "value",
    }
}

fn unreadable<F: SchemaFormat>(topic: &str, error: Error) -> Error {
    Error::data(F::unreadable(topic)).with_source(error)
}

fn unwritable<F: SchemaFormat>(topic: &str, error: Error) -> Error {
    Error::data(F::unwritable(topic)).with_source(error)
}
