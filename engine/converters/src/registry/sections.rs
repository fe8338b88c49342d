//! Parts the rows of a batch by schema.

use arrow::array::Array;
use rustc_hash::FxHashMap;
use volley_api::{Column, Error, RawBatch, RawHeader, Run, Side};
use volley_registry::{DataEncoding, Framing, SchemaId};

use super::schema_format::SchemaFormat;
use crate::rejections::bytes_of;
use crate::runs::put_run;

/// Rows of a batch with the same schema.
#[derive(Debug)]
pub(crate) struct Section<'a, P> {
    pub(crate) id: SchemaId,
    /// Which type of the schema they are of.
    pub(crate) place: P,
    pub(crate) encoding: DataEncoding,
    /// Ascending.
    pub(crate) rows: Vec<u32>,
    /// `None` = null.
    pub(crate) data: Vec<Option<&'a [u8]>>,
}

impl<'a, P> Section<'a, P> {
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
pub(crate) fn sections_of<'a, F: SchemaFormat>(
    batch: &'a RawBatch,
    side: Side,
    framing: &Framing,
    mut reject: impl FnMut(usize, Error),
) -> (Vec<Section<'a, F::Place>>, Vec<u32>) {
    let bytes = bytes_of(batch, side);
    let mut sections: Vec<Section<'_, F::Place>> = Vec::new();
    let mut places: FxHashMap<(SchemaId, F::Place, DataEncoding), usize> = FxHashMap::default();
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
        let (frame, place, encoding) = match F::take_apart(framing, headers_of(batch, row), side, bytes.value(row)) {
            Ok(taken) => taken,
            Err(error) => {
                reject(row, error);
                continue;
            }
        };
        let is_same = |section: &Section<'_, F::Place>| {
            section.id == frame.id && section.place == place && section.encoding == encoding
        };
        let index = match current.filter(|index| is_same(&sections[*index])) {
            Some(index) => index,
            None => *places.entry((frame.id, place, encoding)).or_insert_with_key(|(id, place, encoding)| {
                let (id, place, encoding) = (*id, place.clone(), *encoding);
                sections.push(Section { id, place, encoding, rows: Vec::new(), data: Vec::new() });
                sections.len() - 1
            }),
        };
        current = Some(index);
        let section = &mut sections[index];
        for null in leading.drain(..) {
            section.push(null, None);
        }
        section.push(number, Some(frame.data));
    }
    (sections, leading)
}

/// The headers of a row.
fn headers_of(batch: &RawBatch, row: usize) -> &[RawHeader] {
    batch.headers.as_ref().and_then(|headers| headers.get(row)).map(Vec::as_slice).unwrap_or_default()
}

/// Adds a run of null rows.
pub(crate) fn put_nulls(rows: Vec<u32>, runs: &mut Vec<Run>) {
    let column = Column::nulls(rows.len());
    put_run(rows, column, runs);
}
