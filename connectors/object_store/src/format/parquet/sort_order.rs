//! The order of the rows in each row group: `country, amount DESC`.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, make_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{SortColumn, SortOptions, lexsort_to_indices, take_record_batch};
use arrow::datatypes::DataType;
use parquet::file::metadata::SortingColumn;
use parquet::schema::types::ColumnPath;
use volley_api::{Error, Result};

/// Columns, the most significant first. No columns: rows stay in the order in which they come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SortOrder(Vec<Sorted>);

/// A column, and which way. Nulls come first in rising order, last in falling order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sorted {
    path: String,
    descending: bool,
}

impl FromStr for Sorted {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (path, direction) = match text.trim().rsplit_once(char::is_whitespace) {
            Some((path, direction)) => (path.trim(), direction),
            None => (text.trim(), "asc"),
        };
        let descending = match direction.to_ascii_lowercase().as_str() {
            "asc" => false,
            "desc" => true,
            _ => return Err(format!("`{text}`: write a column, or a column and ASC or DESC")),
        };
        match path {
            "" => Err("a column is empty".to_owned()),
            path => Ok(Self { path: path.to_owned(), descending }),
        }
    }
}

impl SortOrder {
    /// The order of these columns, each with ASC or DESC behind it or neither.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub(crate) fn parse(columns: &[String]) -> std::result::Result<Self, String> {
        columns.iter().map(|column| column.parse()).collect::<std::result::Result<_, _>>().map(Self)
    }

    /// Whether rows stay as they come.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// What a row group says of it. `columns`: all columns of the file.
    pub(crate) fn sorting_columns(&self, columns: &[ColumnPath]) -> Vec<SortingColumn> {
        let places = self.0.iter().map_while(|sorted| {
            let place = columns.iter().position(|column| column.string() == sorted.path)?;
            let (descending, nulls_first) = (sorted.descending, !sorted.descending);
            Some(SortingColumn { column_idx: i32::try_from(place).ok()?, descending, nulls_first })
        });
        places.collect()
    }

    /// The rows in this order; those that are equal stay as they are. It ends with the first column that they do not have.
    pub(crate) fn sorted(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let columns: Vec<SortColumn> = self
            .0
            .iter()
            .map_while(|sorted| {
                let options = SortOptions { descending: sorted.descending, nulls_first: !sorted.descending };
                Some(SortColumn { values: column(rows, &sorted.path)?, options: Some(options) })
            })
            .collect();
        if columns.is_empty() {
            return Ok(rows.clone());
        }
        // equal rows by their place
        let place: ArrayRef = Arc::new(arrow::array::UInt32Array::from_iter_values(0..rows.num_rows() as u32));
        let columns: Vec<SortColumn> =
            columns.into_iter().chain(std::iter::once(SortColumn { values: place, options: None })).collect();
        let order = lexsort_to_indices(&columns, None).map_err(|error| {
            Error::config("`parquet.sorting.columns` has a column of a type without order").with_source(error)
        })?;
        Ok(take_record_batch(rows, &order)?)
    }
}

/// The column with this dotted path, null where a struct around it is; `None` if there is none, or if it is no single value.
fn column(rows: &RecordBatch, path: &str) -> Option<ArrayRef> {
    let mut parts = path.split('.');
    let mut array = Arc::clone(rows.column_by_name(parts.next()?)?);
    for part in parts {
        let outer = array.as_struct_opt()?;
        let inner = Arc::clone(outer.column_by_name(part)?);
        array = match outer.nulls() {
            None => inner,
            Some(nulls) => {
                let nulls = NullBuffer::union(Some(nulls), inner.nulls());
                make_array(inner.to_data().into_builder().nulls(nulls).build().ok()?)
            }
        };
    }
    let is_single = !array.data_type().is_nested() && !matches!(array.data_type(), DataType::Null);
    is_single.then_some(array)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray, StructArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn order(text: &str) -> SortOrder {
        SortOrder::parse(&text.split(',').map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    fn rows() -> RecordBatch {
        let cities = StructArray::try_from(vec![(
            "city",
            Arc::new(StringArray::from(vec![Some("b"), Some("a"), None, Some("a"), Some("b")])) as ArrayRef,
        )])
        .unwrap();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from(vec![0, 1, 2, 3, 4]))),
            ("n", Arc::new(Int64Array::from(vec![Some(7), None, Some(5), Some(7), Some(9)]))),
            ("address", Arc::new(cities)),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn rows_are_sorted_by_the_columns_that_they_have() {
        for (columns, expected) in [
            ("n", [1, 2, 0, 3, 4]),
            ("n DESC", [4, 0, 3, 2, 1]),
            ("address.city,n desc", [2, 3, 1, 4, 0]),
            ("missing,n", [0, 1, 2, 3, 4]),
            ("address", [0, 1, 2, 3, 4]),
        ] {
            let sorted = order(columns).sorted(&rows()).unwrap();
            assert_eq!(sorted.column(0).as_primitive::<Int64Type>().values(), &expected, "{columns}");
        }
    }

    #[test]
    fn a_column_is_a_name_and_a_direction() {
        assert_eq!(order(" a.b  desc, c ASC"), order("a.b DESC,c"));
        for wrong in ["", "a down"] {
            assert!(SortOrder::parse(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
        let columns = ["id", "address.city"].map(|name| ColumnPath::new(name.split('.').map(str::to_owned).collect()));
        let stored = order("address.city desc,missing,id").sorting_columns(&columns);
        assert_eq!(stored, [SortingColumn { column_idx: 1, descending: true, nulls_first: false }]);
    }
}
