//! The converter: splits batches into runs of one schema, and separates rejected rows.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray};
use rustc_hash::FxHashMap;
use volley_api::{
    ConfigMap, Converted, Converter, Error, RawBatch, RejectedRow, Result, Run, Serialized, Side, Unserialized,
};

use super::checked_text::checked_text;
use super::inferred::{Messages, Topic, check_utf8};
use super::schemas::{Prefix, Schema, SchemaCache, SchemaReader, split};
use super::syntax::{AlikeMessages, Cause, Failure, strict};
use crate::json::config::JsonConfig;
use crate::json::encode::Encoder;
use crate::rejections::{Rejections, bytes_of};
use crate::runs::put_run;

/// How many schemas of a batch a message is compared with before it is taken apart.
const PREFIXES_TRIED: usize = 4;

/// `org.apache.kafka.connect.json.JsonConverter`.
///
/// With `schemas.enable=true` a message is an envelope of schema and payload. Without it, or with a null schema, it is
/// plain JSON. The schema of plain JSON is inferred per topic and can only become wider. No message is refused because
/// of its structure.
#[derive(Debug)]
pub struct JsonConverter {
    side: Side,
    config: JsonConfig,
    topics: FxHashMap<Arc<str>, Topic>,
    schemas: SchemaCache,
    /// `schema.content`, parsed.
    fixed: Option<Schema>,
    encoder: Encoder,
    /// Where messages may be given as they are.
    gives_text: Option<AlikeMessages>,
}

/// The source of the schema for decoding rows.
#[derive(Debug, PartialEq)]
enum Source<'a> {
    /// Plain JSON.
    Schemaless,
    /// Payloads of the schema with this raw text.
    Schema(&'a [u8]),
}

/// Rows of a batch with the same schema.
#[derive(Debug)]
struct Section<'a> {
    source: Source<'a>,
    /// Rows of the batch, ascending, without those that are not envelopes.
    rows: Vec<u32>,
    /// Their payloads; `None` = null without a schema.
    payloads: Vec<Option<&'a [u8]>>,
}

impl JsonConverter {
    /// Java class name.
    pub const CLASS: &'static str = "org.apache.kafka.connect.json.JsonConverter";

    /// A converter of one side. The keys of `config` have no prefix.
    ///
    /// # Errors
    /// An invalid setting.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = JsonConfig::parse(config)?;
        let reader = SchemaReader { replace_null_with_default: config.replace_null_with_default };
        let fixed = match &config.schema_content {
            Some(content) if config.schemas_enable => {
                let schema = Schema::parse(content.as_bytes(), reader);
                if let Some(reason) = schema.error() {
                    return Err(Error::config(format!("could not parse `schema.content`: {reason}")));
                }
                Some(schema)
            }
            _ => None,
        };
        Ok(Self {
            side,
            topics: FxHashMap::default(),
            schemas: SchemaCache::new(reader, config.cache_size),
            fixed,
            encoder: Encoder::new(&config),
            gives_text: None,
            config,
        })
    }

    /// The columns of messages.
    ///
    /// # Errors
    /// None caused by messages.
    pub(crate) fn convert(&mut self, topic: &Arc<str>, bytes: &BinaryArray, side: Side) -> Result<Converted> {
        // One check of the whole buffer is much cheaper than one check per message. A character cannot extend over two
        // messages: bytes outside of strings must be ASCII, and a string ends within its message.
        let (start, end) = (bytes.value_offsets()[0], bytes.value_offsets()[bytes.len()]);
        let utf8 = simdutf8::basic::from_utf8(&bytes.value_data()[start as usize..end as usize]).is_ok();
        match &mut self.fixed {
            Some(schema) => Self::fixed_schema(schema, bytes, utf8, side),
            None if self.config.schemas_enable => self.envelopes(topic, bytes, utf8, side),
            None => self.schemaless(topic, bytes, utf8, side),
        }
    }

    fn schemaless(&mut self, topic: &Arc<str>, bytes: &BinaryArray, utf8: bool, side: Side) -> Result<Converted> {
        let state = topic_state(&mut self.topics, topic, &self.config);
        let get = |row: usize| bytes.is_valid(row).then(|| bytes.value(row));
        let decoded = state.decode(&Messages { len: bytes.len(), utf8, get })?;
        let mut rejections = Rejections::new(Self::CLASS, side);
        decoded.rejected.into_iter().for_each(|(row, failure)| rejections.push(row, failure.into_error()));
        let runs = decoded.parts.into_iter().map(|(rows, column)| Run { rows, column }).collect();
        Ok(Converted { runs, rejected: rejections.into_rows() })
    }

    fn fixed_schema(schema: &mut Schema, bytes: &BinaryArray, utf8: bool, side: Side) -> Result<Converted> {
        let mut rejections = Rejections::new(Self::CLASS, side);
        let mut section = Section::new(Source::Schemaless);
        for (row, message) in bytes.iter().enumerate() {
            match message.map(|message| checked(message, utf8)).transpose() {
                Ok(payload) => section.push(row, payload),
                Err(failure) => rejections.push(row, failure.into_error()),
            }
        }
        let mut converted = Converted::default();
        section.decode_with(schema, bytes, &mut rejections, &mut converted.runs)?;
        converted.rejected = rejections.into_rows();
        Ok(converted)
    }

    fn envelopes(&mut self, topic: &Arc<str>, bytes: &BinaryArray, utf8: bool, side: Side) -> Result<Converted> {
        let mut rejections = Rejections::new(Self::CLASS, side);
        let sections = sections_of(bytes, utf8, &mut rejections);
        let mut converted = Converted::default();
        for section in sections {
            match section.source {
                Source::Schema(raw) => {
                    section.decode_with(self.schemas.get(raw), bytes, &mut rejections, &mut converted.runs)?;
                }
                Source::Schemaless => {
                    let state = topic_state(&mut self.topics, topic, &self.config);
                    let get = |row: usize| section.payloads[row];
                    let decoded = state.decode(&Messages { len: section.rows.len(), utf8: true, get })?;
                    for (index, failure) in decoded.rejected {
                        rejections.push(section.rows[index] as usize, failure.into_error());
                    }
                    for (indexes, column) in decoded.parts {
                        let rows = indexes.iter().map(|index| section.rows[index]).collect();
                        put_run(rows, column, &mut converted.runs);
                    }
                }
            }
        }
        converted.rejected = rejections.into_rows();
        Ok(converted)
    }
}

impl<'a> Section<'a> {
    fn new(source: Source<'a>) -> Self {
        Self { source, rows: Vec::new(), payloads: Vec::new() }
    }

    fn push(&mut self, row: usize, payload: Option<&'a [u8]>) {
        self.rows.push(row as u32);
        self.payloads.push(payload);
    }

    /// Decodes the payloads with a schema into a run.
    fn decode_with(
        &self,
        schema: &mut Schema,
        bytes: &BinaryArray,
        rejections: &mut Rejections,
        runs: &mut Vec<Run>,
    ) -> Result<()> {
        let mut failed = Vec::new();
        let column = schema.decode(&self.payloads, |index, failure| {
            let row = self.rows[index] as usize;
            failed.push(index);
            rejections.push(row, in_message(failure, bytes.value(row)).into_error());
        })?;
        if let Some(column) = column {
            let mut failed = failed.into_iter().peekable();
            let kept = self.rows.iter().enumerate().filter(|(index, _)| failed.next_if_eq(index).is_none());
            put_run(kept.map(|(_, row)| *row).collect(), column, runs);
        }
        Ok(())
    }
}

/// Splits the rows of a batch by schema. Each schema has one section, even where schemas take turns. Null rows belong to the
/// section of their neighbours.
fn sections_of<'a>(bytes: &'a BinaryArray, utf8: bool, rejections: &mut Rejections) -> Vec<Section<'a>> {
    let mut sections = Sections::default();
    for (row, message) in bytes.iter().enumerate() {
        let Some(message) = message else {
            sections.push_null(row);
            continue;
        };
        if utf8 && let Some(payload) = sections.enter_by_prefix(message) {
            sections.push(row, payload);
            continue;
        }
        match checked(message, utf8).and_then(split) {
            Ok(envelope) => {
                sections.enter(envelope.schema);
                sections.push(row, envelope.payload);
            }
            Err(failure) => rejections.push(row, failure.into_error()),
        }
    }
    sections.finish()
}

/// The sections of a batch while its rows are looked at.
#[derive(Debug, Default)]
struct Sections<'a> {
    /// In the order of their first rows.
    sections: Vec<Section<'a>>,
    /// Their places, by the raw text of the schema.
    places: FxHashMap<&'a [u8], usize>,
    /// How the messages of each mostly begin.
    prefixes: Vec<Prefix>,
    /// The one that the last row belongs to.
    current: Option<usize>,
    /// Null rows before the first section.
    leading: Vec<u32>,
}

impl<'a> Sections<'a> {
    /// The payload of a message that begins as those of a known schema do; the rows that follow have that schema.
    fn enter_by_prefix(&mut self, message: &'a [u8]) -> Option<&'a [u8]> {
        let current = self.current?;
        let others = (0..self.prefixes.len().min(PREFIXES_TRIED)).filter(|place| *place != current);
        let mut places = std::iter::once(current).chain(others);
        let (place, payload) = places.find_map(|place| Some((place, self.prefixes[place].payload_of(message)?)))?;
        self.current = Some(place);
        Some(payload)
    }

    /// The rows that follow have this schema.
    fn enter(&mut self, schema: &'a [u8]) {
        let (sections, prefixes, leading) = (&mut self.sections, &mut self.prefixes, &mut self.leading);
        let place = *self.places.entry(schema).or_insert_with(|| {
            let source = if schema == b"null" { Source::Schemaless } else { Source::Schema(schema) };
            let mut section = Section::new(source);
            std::mem::take(leading).into_iter().for_each(|row| section.push(row as usize, None));
            sections.push(section);
            prefixes.push(Prefix::of(schema));
            sections.len() - 1
        });
        self.current = Some(place);
    }

    fn push(&mut self, row: usize, payload: &'a [u8]) {
        if let Some(section) = self.current.and_then(|place| self.sections.get_mut(place)) {
            section.push(row, Some(payload));
        }
    }

    fn push_null(&mut self, row: usize) {
        match self.current.and_then(|place| self.sections.get_mut(place)) {
            Some(section) => section.push(row, None),
            // a batch has fewer than 2^32 rows
            None => self.leading.push(row as u32),
        }
    }

    fn finish(mut self) -> Vec<Section<'a>> {
        if !self.leading.is_empty() {
            let mut section = Section::new(Source::Schemaless);
            self.leading.into_iter().for_each(|row| section.push(row as usize, None));
            self.sections.push(section);
        }
        self.sections
    }
}

/// Converts the place of a syntax error from the payload to the message.
fn in_message(failure: Failure, message: &[u8]) -> Failure {
    match failure.cause() {
        Cause::Syntax { .. } => split(message).err().unwrap_or(failure),
        _ => failure,
    }
}

/// The messages with the rejected ones rewritten as strict JSON; `None` if that changes nothing.
fn rewritten(bytes: &BinaryArray, rejected: &[RejectedRow]) -> Option<BinaryArray> {
    let strict: FxHashMap<usize, Vec<u8>> =
        rejected.iter().filter_map(|row| Some((row.row, strict(bytes.value(row.row))?))).collect();
    if strict.is_empty() {
        return None;
    }
    let message = |row| match strict.get(&row) {
        Some(message) => Some(message.as_slice()),
        None => bytes.is_valid(row).then(|| bytes.value(row)),
    };
    Some((0..bytes.len()).map(message).collect())
}

fn checked(message: &[u8], utf8: bool) -> std::result::Result<&[u8], Failure> {
    if !utf8 {
        check_utf8(message)?;
    }
    Ok(message)
}

fn topic_state<'a>(topics: &'a mut FxHashMap<Arc<str>, Topic>, name: &Arc<str>, config: &JsonConfig) -> &'a mut Topic {
    topics.entry(Arc::clone(name)).or_insert_with(|| Topic::new(&config.pins))
}

impl Converter for JsonConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        let bytes = bytes_of(batch, side);
        if let Some(alike) = &mut self.gives_text
            && let Some(column) = checked_text(bytes, alike)
        {
            return Ok(Converted {
                runs: vec![Run { rows: volley_api::RowIndex::all(column.len()), column }],
                rejected: Vec::new(),
            });
        }
        let topic = &batch.origin.partition.topic;
        let converted = self.convert(topic, bytes, side)?;
        match rewritten(bytes, &converted.rejected) {
            Some(bytes) => self.convert(topic, &bytes, side),
            None => Ok(converted),
        }
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        let column = rows.column;
        let mut rejections = Rejections::new(Self::CLASS, self.side);
        let bytes = self.encoder.encode(column, |row, error| rejections.push(row, error))?;
        Ok(Serialized::new(bytes, rejections.into_rows()))
    }

    fn allow_json_text(&mut self) {
        // with a schema a value may mean something else than its text says
        let can = !self.config.schemas_enable && self.config.pins.is_empty();
        self.gives_text = can.then(AlikeMessages::default);
    }
}
