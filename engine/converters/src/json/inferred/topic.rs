//! Schemaless JSON of one topic. Each kind of value has its own schema, so that one text among a million objects does
//! not change the objects' schema.

use arrow::array::UInt32Array;
use volley_api::{Column, Result, RowIndex};

use super::pins::Pinned;
use super::schemaless::{Decode, Inference, Messages};
use crate::json::syntax::{Failure, Kind};

/// The schemas of a topic's values.
#[derive(Debug)]
pub(crate) struct Topic {
    /// By [`Kind`]; `None` for a kind that has not occurred.
    kinds: [Option<Inference>; Kind::ALL.len()],
    pins: Vec<Pinned>,
}

/// A decoded batch.
#[derive(Debug, Default)]
pub(crate) struct DecodedBatch {
    /// For each kind of value its rows, ascending, and their values. Null rows belong to one of the kinds.
    pub(crate) parts: Vec<(RowIndex, Column)>,
    /// Rows that could not be decoded, ascending, with the reason.
    pub(crate) rejected: Vec<(usize, Failure)>,
}

impl Topic {
    /// A topic that starts with the columns from the user only.
    pub(crate) fn new(pins: &[Pinned]) -> Self {
        Self { kinds: Default::default(), pins: pins.to_vec() }
    }

    /// Decodes a batch. The schema of a kind covers all its values so far.
    ///
    /// # Errors
    /// None caused by rows.
    pub(crate) fn decode<'a, F: Fn(usize) -> Option<&'a [u8]>>(
        &mut self,
        messages: &Messages<F>,
    ) -> Result<DecodedBatch> {
        let mut decoded = DecodedBatch::default();
        match self.only_kind(messages) {
            Ok(kind) => {
                let Decode { column, rejected } = self.inference(kind).decode(messages)?;
                let rows = accepted(0..messages.len, &rejected);
                decoded.parts.push((rows.unwrap_or_else(|| RowIndex::all(messages.len)), column));
                decoded.rejected = rejected;
            }
            Err(home) => {
                for (kind, rows) in rows_by_kind(messages, home) {
                    let get = |index: usize| (messages.get)(rows[index] as usize);
                    let part = Messages { len: rows.len(), utf8: messages.utf8, get };
                    let Decode { column, rejected } = self.inference(kind).decode(&part)?;
                    let rejected = rejected.into_iter().map(|(index, failure)| (rows[index] as usize, failure));
                    let rejected: Vec<_> = rejected.collect();
                    let kept = accepted(rows.iter().map(|row| *row as usize), &rejected);
                    decoded.parts.push((kept.unwrap_or_else(|| RowIndex::Selected(rows.clone().into())), column));
                    decoded.rejected.extend(rejected);
                }
                decoded.rejected.sort_by_key(|(row, _)| *row);
            }
        }
        decoded.parts.retain(|(rows, _)| !rows.is_empty());
        Ok(decoded)
    }

    fn inference(&mut self, kind: Kind) -> &mut Inference {
        let pins = if kind == Kind::Object { self.pins.as_slice() } else { &[] };
        self.kinds[kind as usize].get_or_insert_with(|| Inference::new(pins))
    }

    /// The kind of all messages, if it is a single one. Otherwise an error with the kind that null rows belong to: a
    /// tombstone belongs to the objects if there were any.
    fn only_kind<'a, F: Fn(usize) -> Option<&'a [u8]>>(
        &self,
        messages: &Messages<F>,
    ) -> std::result::Result<Kind, Kind> {
        if !self.pins.is_empty() {
            return Ok(Kind::Object);
        }
        let (mut first, mut several, mut without) = (None, false, false);
        for row in 0..messages.len {
            match (messages.get)(row).and_then(Kind::of) {
                None => without = true,
                kind if first.is_none() => first = kind,
                kind => several |= kind != first,
            }
        }
        let known = Kind::ALL.into_iter().find(|kind| self.kinds[*kind as usize].is_some());
        let home = known.filter(|kind| *kind == Kind::Object).or(first).or(known).unwrap_or(Kind::Object);
        let only = first.unwrap_or(home);
        if several || (without && only != home) { Err(home) } else { Ok(only) }
    }
}

fn rows_by_kind<'a, F: Fn(usize) -> Option<&'a [u8]>>(messages: &Messages<F>, home: Kind) -> Vec<(Kind, Vec<u32>)> {
    let mut by_kind = Kind::ALL.map(|kind| (kind, Vec::new()));
    for row in 0..messages.len {
        let kind = (messages.get)(row).and_then(Kind::of).unwrap_or(home);
        by_kind[kind as usize].1.push(row as u32);
    }
    by_kind.into_iter().filter(|(_, rows)| !rows.is_empty()).collect()
}

/// `rows` without the rejected ones; `None` if no row is rejected. Both are ascending.
fn accepted(rows: impl Iterator<Item = usize>, rejected: &[(usize, Failure)]) -> Option<RowIndex> {
    if rejected.is_empty() {
        return None;
    }
    let mut rejected = rejected.iter().map(|(row, _)| *row).peekable();
    let kept = rows.filter(|row| rejected.next_if_eq(row).is_none());
    Some(RowIndex::Selected(UInt32Array::from_iter_values(kept.map(|row| row as u32))))
}
