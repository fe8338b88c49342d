//! Parts the rows of a batch by schema.

use arrow::array::Array;
use rustc_hash::FxHashMap;
use volley_api::{Column, Error, RawBatch, Run, Side};
use volley_registry::{Frame, SchemaId, schema_id_header};

use crate::rejections::bytes_of;
use crate::runs::put_run;

/// Rows of a batch with the same schema.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    pub(crate) id: SchemaId,
    /// Ascending.
    pub(crate) rows: Vec<u32>,
    /// `None` = null.
    pub(crate) data: Vec<Option<&'a [u8]>>,
}

impl<'a> Section<'a> {
    fn push(&mut self, row: u32, data: Option<&'a [u8]>) {
        self.rows.push(row);
        self.data.push(data);
    }

    /// The rows that are null, as a run without a schema.
    pub(crate) fn put_nulls(&self, runs: &mut Vec<Run>) {
        let nulls = self.rows.iter().zip(&self.data).filter(|(_, data)| data.is_none());
        put_nulls(nulls.map(|(row, _)| *row).collect(), runs);
    }
}

/// The rows of a batch by schema, each schema once. Nulls go with the rows before them, those at the beginning with the first
/// others; where there are no others, their rows come back as they are.
pub(crate) fn sections_of(
    batch: &RawBatch,
    side: Side,
    mut reject: impl FnMut(usize, Error),
) -> (Vec<Section<'_>>, Vec<u32>) {
    let bytes = bytes_of(batch, side);
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut places: FxHashMap<SchemaId, usize> = FxHashMap::default();
    let mut current: Option<usize> = None;
    let mut leading = Vec::new();
    for row in 0..bytes.len() {
        // a batch has less than 2^32 rows
        let number = row as u32;
        if bytes.is_null(row) {
            match current {
                Some(place) => sections[place].push(number, None),
                None => leading.push(number),
            }
            continue;
        }
        let frame = match Frame::read(id_header(batch, row, side), bytes.value(row)) {
            Ok(frame) => frame,
            Err(error) => {
                reject(row, error);
                continue;
            }
        };
        let place = match current.filter(|place| sections[*place].id == frame.id) {
            Some(place) => place,
            None => *places.entry(frame.id).or_insert_with(|| {
                sections.push(Section { id: frame.id, rows: Vec::new(), data: Vec::new() });
                sections.len() - 1
            }),
        };
        current = Some(place);
        let section = &mut sections[place];
        for null in leading.drain(..) {
            section.push(null, None);
        }
        section.push(number, Some(frame.data));
    }
    (sections, leading)
}

/// The id of the schema in the headers of a row.
fn id_header(batch: &RawBatch, row: usize, side: Side) -> Option<&[u8]> {
    let name = schema_id_header(side);
    let headers = batch.headers.as_ref()?.get(row)?;
    headers.iter().rev().find(|header| &*header.name == name)?.value.as_deref()
}

/// Adds a run of null rows.
pub(crate) fn put_nulls(rows: Vec<u32>, runs: &mut Vec<Run>) {
    let column = Column::nulls(rows.len());
    put_run(rows, column, runs);
}
