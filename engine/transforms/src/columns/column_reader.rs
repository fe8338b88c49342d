//! Looks at each value of one side, for transformations that leave keys and values as they are.

use volley_api::{Column, Records, Result, Side};
use volley_converters::MixedRows;

use super::column_of;
use super::typed_parts::typed_parts;

/// The side that is looked at, and the class that looks.
#[derive(Debug)]
pub(crate) struct ColumnReader {
    pub(crate) side: Side,
    pub(crate) class: &'static str,
    mixed: MixedRows,
}

impl ColumnReader {
    /// `classes`: the Java classes for the key and the value.
    pub(crate) fn new(side: Side, classes: [&'static str; 2]) -> Self {
        let class = match side {
            Side::Key => classes[0],
            Side::Value => classes[1],
        };
        Self { side, class, mixed: MixedRows::new() }
    }

    /// What `look` finds for each row, in order. The values that it sees have types, also within the fields that are wanted.
    pub(crate) fn each_row<T>(
        &mut self,
        records: &Records,
        is_wanted: impl Fn(&str) -> bool,
        mut look: impl FnMut(&Column) -> Result<Vec<T>>,
    ) -> Result<Vec<T>> {
        let column = column_of(records, self.side);
        let Some(parts) = typed_parts(&mut self.mixed, column, is_wanted)? else { return look(column) };
        let mut found: Vec<(u32, T)> = Vec::with_capacity(column.len());
        for (rows, part) in parts {
            found.extend(rows.values().iter().copied().zip(look(&part)?));
        }
        found.sort_unstable_by_key(|(row, _)| *row);
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }
}
