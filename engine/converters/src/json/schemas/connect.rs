//! Payloads with a known schema: the cache of parsed schemas, and the decoding of rows with the same one.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use rustc_hash::FxHashMap;
use volley_api::{Column, Result};

use super::connect_schema::SchemaReader;
use crate::json::columns::{Node, decode_message};
use crate::json::syntax::{Cause, Decoded, Failure};
use crate::registry::kept_rows;

/// A parsed schema with its builders, which are empty between batches.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Builders, or the error of the schema.
    root: std::result::Result<Node, String>,
    /// The root's field, nullable: for batches with null rows.
    nullable: Option<FieldRef>,
    last_used: u64,
}

impl Schema {
    /// Parses the schema of this JSON text.
    pub(crate) fn parse(raw: &[u8], reader: SchemaReader) -> Self {
        let root = serde_json::from_slice(raw)
            .map_err(|error| format!("could not parse the schema: {error}"))
            .and_then(|schema| reader.root(&schema));
        Self::of(root)
    }

    /// A schema with these builders.
    pub(crate) fn of(root: std::result::Result<Node, String>) -> Self {
        let mut schema = Self { root, nullable: None, last_used: 0 };
        schema.keep_nullable_field();
        schema
    }

    /// The error of the schema, if it is invalid.
    pub(crate) fn error(&self) -> Option<&str> {
        self.root.as_ref().err().map(String::as_str)
    }

    /// Keeps both forms of the field, so that batches of one schema share one field.
    fn keep_nullable_field(&mut self) {
        let field = self.root.as_ref().ok().and_then(Node::field);
        self.nullable = field.map(|field| match field.is_nullable() {
            true => Arc::clone(field),
            false => Arc::new(field.as_ref().clone().with_nullable(true)),
        });
    }

    /// Decodes payloads (`None` = null without a schema, which is null for any schema). `rejected` gets the index of
    /// each payload that is left out.
    ///
    /// # Errors
    /// None caused by rows.
    pub(crate) fn decode(
        &mut self,
        payloads: &[Option<&[u8]>],
        rejected: impl FnMut(usize, Failure),
    ) -> Result<Option<Column>> {
        self.decode_by(decode_message, payloads, rejected)
    }

    /// The rows and the column that [`decode_by`](Self::decode_by) makes of messages, if there are any.
    ///
    /// # Errors
    /// None caused by rows.
    pub(crate) fn decode_parts(
        &mut self,
        read: impl Fn(&mut Node, &[u8], usize) -> Decoded<()>,
        messages: &[Option<&[u8]>],
        reject: &mut dyn FnMut(usize, Failure),
    ) -> Result<Vec<(Vec<usize>, Column)>> {
        let mut rejected = Vec::new();
        let column = self.decode_by(read, messages, |row, failure| {
            rejected.push(row);
            reject(row, failure);
        })?;
        Ok(column.map(|column| (kept_rows(messages.len(), &rejected), column)).into_iter().collect())
    }

    /// As [`decode`](Self::decode), of another format than JSON: `read` fills a row of the builders.
    ///
    /// # Errors
    /// None caused by rows.
    pub(crate) fn decode_by(
        &mut self,
        read: impl Fn(&mut Node, &[u8], usize) -> Decoded<()>,
        payloads: &[Option<&[u8]>],
        mut rejected: impl FnMut(usize, Failure),
    ) -> Result<Option<Column>> {
        let mut failures: Vec<(usize, Failure)> = Vec::new();
        let (mut at, mut row, mut nulls) = (0, 0, false);
        let root = match &mut self.root {
            Ok(root) => root,
            Err(reason) => {
                let values = payloads.iter().enumerate().filter(|(_, payload)| payload.is_some());
                values.for_each(|(row, _)| rejected(row, Failure::unfit(reason.clone())));
                let len = payloads.iter().filter(|payload| payload.is_none()).count();
                return Ok((len > 0).then(|| Column::nulls(len)));
            }
        };
        while row < payloads.len() {
            let outcome = match payloads[row] {
                None => {
                    root.append_null(at);
                    Ok(())
                }
                Some(payload) => read(root, payload, at),
            };
            match outcome {
                Ok(()) => {
                    nulls |= payloads[row].is_none();
                    at += 1;
                }
                Err(failure) if matches!(failure.cause(), Cause::Wider) => {
                    // A decimal exceeds its column: the column gets a larger type, and all rows are decoded again.
                    root.truncate(0);
                    root.enlarge_decimals();
                    failures.clear();
                    (at, row, nulls) = (0, 0, false);
                    continue;
                }
                Err(failure) => {
                    root.truncate(at);
                    failures.push((row, failure));
                }
            }
            row += 1;
        }
        let array = root.finish(at)?;
        let field = root.field().map(Arc::clone);
        if field.as_ref().map(|field| field.data_type()) != self.nullable.as_ref().map(|field| field.data_type()) {
            self.keep_nullable_field();
        }
        let field = if nulls { self.nullable.clone() } else { field };
        failures.into_iter().for_each(|(row, failure)| rejected(row, failure));
        Ok(field.filter(|_| at > 0).map(|field| Column::new(field, array)))
    }
}

/// Parsed schemas by their raw text; the least recently used one is evicted.
#[derive(Debug)]
pub(crate) struct SchemaCache {
    reader: SchemaReader,
    capacity: usize,
    schemas: FxHashMap<Box<[u8]>, usize>,
    slots: Vec<Schema>,
    clock: u64,
}

impl SchemaCache {
    /// A cache of `capacity` schemas (at least one).
    pub(crate) fn new(reader: SchemaReader, capacity: usize) -> Self {
        Self { reader, capacity: capacity.max(1), schemas: FxHashMap::default(), slots: Vec::new(), clock: 0 }
    }

    /// The schema of a raw text, parsed if it is not in the cache.
    pub(crate) fn get(&mut self, raw: &[u8]) -> &mut Schema {
        self.clock += 1;
        let slot = match self.schemas.get(raw) {
            Some(slot) => *slot,
            None => self.insert(raw),
        };
        let schema = &mut self.slots[slot];
        schema.last_used = self.clock;
        schema
    }

    #[cold]
    fn insert(&mut self, raw: &[u8]) -> usize {
        let parsed = Schema::parse(raw, self.reader);
        let slot = if self.slots.len() < self.capacity {
            self.slots.push(parsed);
            self.slots.len() - 1
        } else {
            let oldest = self.slots.iter().enumerate().min_by_key(|(_, schema)| schema.last_used);
            let slot = oldest.map_or(0, |(slot, _)| slot);
            self.schemas.retain(|_, used| *used != slot);
            self.slots[slot] = parsed;
            slot
        };
        self.schemas.insert(raw.into(), slot);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_schema_makes_room() {
        let mut cache = SchemaCache::new(SchemaReader { replace_null_with_default: true }, 2);
        let texts: [&[u8]; 3] = [br#"{"type":"int8"}"#, br#"{"type":"int16"}"#, br#"{"type":"int32"}"#];
        cache.get(texts[0]);
        cache.get(texts[1]);
        cache.get(texts[0]);
        cache.get(texts[2]);
        assert!(cache.schemas.contains_key(texts[0]));
        assert!(!cache.schemas.contains_key(texts[1]));
        assert_eq!(cache.slots.len(), 2);
    }
}
