//! Converted keys and values of a topic as the columns of a table.
//!
//! `_key` is the key; the fields of the values are the other columns. Values of several schemas give the columns of all.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use volley_api::schema::is_mixed;
use volley_api::{Column, Run, mixed_as_text};

use crate::records_table::{MetaColumn, WHOLE_VALUE, value_field};

const KEY: MetaColumn = MetaColumn::Key;

/// A column that grows from run to run.
#[derive(Debug)]
struct Growing {
    name: String,
    data_type: DataType,
    /// The values of each run that has the column, by the number of the run.
    parts: Vec<(usize, ArrayRef)>,
}

/// The table of `keys` and `values`, which are runs of the same `len` rows. A row without key or value is left out. The
/// columns of `before` come first and are all there; where values of now fit into their types, they keep these.
pub(super) fn table_of(keys: &[Run], values: &[Run], len: usize, before: &Schema) -> Result<RecordBatch, ArrowError> {
    let mut columns = columns_of_before(before);
    let key_places = places_of(keys, len);
    let (mut rows, mut run_lengths) = (Vec::new(), Vec::new());
    for (number, run) in values.iter().enumerate() {
        let kept: Vec<(u32, u32)> = (0_u32..)
            .zip(run.rows.iter())
            .filter_map(|(place, row)| key_places[row].map(|key_place| (place, key_place)))
            .collect();
        let places = UInt32Array::from_iter_values(kept.iter().map(|(place, _)| *place));
        rows.extend(kept.iter().map(|(_, key_place)| *key_place));
        run_lengths.push(kept.len());
        for (name, values) in columns_of_run(&run.column) {
            add(&mut columns, &name, number, take(&values, &places, None)?);
        }
    }
    let key = key_column(keys, &UInt32Array::from(rows))?;
    let len = key.len();
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for column in columns {
        let is_key = column.name == KEY.name();
        let array = if is_key { fitted(&key, &column.data_type) } else { joined(&column, &run_lengths)? };
        fields.push(Field::new(column.name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(len));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
}

/// The columns of a table that has had no row yet: the key, and those that the query names.
pub(super) fn first_columns(named: &[String]) -> SchemaRef {
    let others = named.iter().map(String::as_str).filter(|name| *name != KEY.name());
    let names = std::iter::once(KEY.name()).chain(others);
    Arc::new(Schema::new(names.map(|name| Field::new(name, DataType::Null, true)).collect::<Vec<_>>()))
}

fn columns_of_before(before: &Schema) -> Vec<Growing> {
    let columns = before.fields().iter().map(|field| Growing {
        name: field.name().clone(),
        data_type: field.data_type().clone(),
        parts: Vec::new(),
    });
    columns.collect()
}

/// For each row the place of its key among those of all runs, one after the other.
fn places_of(keys: &[Run], len: usize) -> Vec<Option<u32>> {
    let mut places = vec![None; len];
    let rows = keys.iter().flat_map(|run| run.rows.iter());
    for (place, row) in (0_u32..).zip(rows) {
        places[row] = Some(place);
    }
    places
}

fn columns_of_run(value: &Column) -> Vec<(String, ArrayRef)> {
    match value.field.data_type() {
        DataType::Struct(fields) => {
            let named = fields.iter().enumerate().filter(|(_, field)| field.name() != KEY.name());
            named
                .map(|(index, field)| (field.name().clone(), plain(field, &value_field(&value.array, index))))
                .collect()
        }
        DataType::Null => Vec::new(),
        _ => vec![(WHOLE_VALUE.to_owned(), plain(&value.field, &value.array))],
    }
}

/// The values of a column; where each has a type of its own, their texts.
fn plain(field: &Field, values: &ArrayRef) -> ArrayRef {
    match values.as_string_opt::<i32>().filter(|_| is_mixed(field)) {
        Some(mixed) => Arc::new(mixed_as_text(mixed)),
        None => Arc::clone(values),
    }
}

fn add(columns: &mut Vec<Growing>, name: &str, run: usize, values: ArrayRef) {
    let column = match columns.iter_mut().position(|column| column.name == name) {
        Some(found) => &mut columns[found],
        None => {
            columns.push(Growing { name: name.to_owned(), data_type: DataType::Null, parts: Vec::new() });
            let last = columns.len() - 1;
            &mut columns[last]
        }
    };
    column.parts.push((run, values));
}

fn key_column(keys: &[Run], rows: &UInt32Array) -> Result<ArrayRef, ArrowError> {
    let parts: Vec<ArrayRef> = keys.iter().map(|run| plain(&run.column.field, &run.column.array)).collect();
    let data_type = common_type(&parts, &DataType::Null);
    let parts: Vec<ArrayRef> = parts.iter().map(|part| cast_or_null(part, &data_type)).collect();
    match parts.is_empty() {
        true => Ok(new_null_array(&DataType::Null, rows.len())),
        false => take(&concatenated(&parts)?, rows, None),
    }
}

fn joined(column: &Growing, run_lengths: &[usize]) -> Result<ArrayRef, ArrowError> {
    let values: Vec<ArrayRef> = column.parts.iter().map(|(_, values)| Arc::clone(values)).collect();
    let data_type = common_type(&values, &column.data_type);
    let mut parts = Vec::with_capacity(run_lengths.len());
    for (number, len) in run_lengths.iter().enumerate() {
        parts.push(match column.parts.iter().find(|(run, _)| *run == number) {
            Some((_, values)) => cast_or_null(values, &data_type),
            None => new_null_array(&data_type, *len),
        });
    }
    match parts.is_empty() {
        true => Ok(new_null_array(&data_type, 0)),
        false => concatenated(&parts),
    }
}

fn concatenated(parts: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())
}

/// `values` in the type of before, if they fit.
fn fitted(values: &ArrayRef, before: &DataType) -> ArrayRef {
    match lossless(values, before) {
        Some(values) if before != &DataType::Null => values,
        _ => Arc::clone(values),
    }
}

/// The type that all values have, or fit into: that of before, that of one of them, text.
fn common_type(parts: &[ArrayRef], before: &DataType) -> DataType {
    let known = |data_type: &DataType| data_type != &DataType::Null;
    let own = parts.iter().rev().map(|part| part.data_type().clone());
    let mut candidates = std::iter::once(before.clone()).chain(own).filter(known);
    let fits_all = |data_type: &DataType| parts.iter().all(|part| lossless(part, data_type).is_some());
    match candidates.find(fits_all) {
        Some(data_type) => data_type,
        None if parts.iter().any(|part| known(part.data_type())) => DataType::Utf8,
        None => before.clone(),
    }
}

fn lossless(values: &ArrayRef, data_type: &DataType) -> Option<ArrayRef> {
    if values.data_type() == data_type {
        return Some(Arc::clone(values));
    }
    let cast = cast(values, data_type).ok()?;
    let is_whole = cast.logical_null_count() == values.logical_null_count()
        // 0.5 as a whole number is no null, and yet another value
        && cast_back(&cast, values.data_type()).is_none_or(|back| back.as_ref() == values.as_ref());
    is_whole.then_some(cast)
}

fn cast_back(values: &ArrayRef, data_type: &DataType) -> Option<ArrayRef> {
    values.data_type().is_numeric().then(|| cast(values, data_type).ok()).flatten()
}

fn cast_or_null(values: &ArrayRef, data_type: &DataType) -> ArrayRef {
    match cast(values, data_type) {
        Ok(values) => values,
        Err(_) => new_null_array(data_type, values.len()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray, StructArray};
    use arrow::datatypes::Fields;
    use arrow::util::pretty::pretty_format_batches;
    use volley_api::RowIndex;

    use super::*;

    fn run(rows: Vec<u32>, array: ArrayRef) -> Run {
        let field = Field::new("value", array.data_type().clone(), true);
        Run { rows: RowIndex::Selected(rows.into()), column: Column::new(Arc::new(field), array) }
    }

    fn structs(fields: Vec<(&str, ArrayRef)>) -> ArrayRef {
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) =
            fields.into_iter().map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array)).unzip();
        Arc::new(StructArray::new(Fields::from(fields), arrays, None))
    }

    fn shown(table: &RecordBatch) -> Vec<String> {
        let text = pretty_format_batches(std::slice::from_ref(table)).unwrap().to_string();
        text.lines().filter(|line| line.starts_with("| ")).map(|line| line.split_whitespace().collect()).collect()
    }

    #[test]
    fn values_of_several_schemas_give_the_columns_of_all() {
        let keys = [run(vec![0, 1, 2, 3], Arc::new(StringArray::from(vec!["a", "b", "c", "d"])))];
        let old = structs(vec![
            ("n", Arc::new(Int64Array::from(vec![1, 3]))),
            ("gone", Arc::new(Int64Array::from(vec![7, 8]))),
        ]);
        let new = structs(vec![
            ("n", Arc::new(Float64Array::from(vec![0.5]))),
            ("_key", Arc::new(Int64Array::from(vec![9]))),
        ]);
        let values = [run(vec![0, 2], old), run(vec![1], new)];
        let table = table_of(&keys, &values, 4, &first_columns(&["x".to_owned()])).unwrap();
        assert_eq!(shown(&table), ["|_key|x|n|gone|", "|a||1.0|7|", "|c||3.0|8|", "|b||0.5||"]);
        // what there was stays, in its type
        let values = [run(vec![0], structs(vec![("n", Arc::new(Int64Array::from(vec![2])))]))];
        let keys = [run(vec![0], Arc::new(StringArray::from(vec!["a"])))];
        let later = table_of(&keys, &values, 1, &table.schema()).unwrap();
        assert_eq!((later.schema(), shown(&later)[1].as_str()), (table.schema(), "|a||2.0||"));
        let none = table_of(&[], &[], 0, &table.schema()).unwrap();
        assert_eq!((none.schema(), none.num_rows()), (table.schema(), 0));
    }

    #[test]
    fn values_that_are_no_structs_are_the_column_value_and_keys_may_be_of_any_type() {
        let keys =
            [run(vec![0], Arc::new(Int64Array::from(vec![1]))), run(vec![1], Arc::new(StringArray::from(vec!["x"])))];
        let values = [
            run(vec![0], Arc::new(StringArray::from(vec!["one"]))),
            run(vec![1], Arc::new(arrow::array::NullArray::new(1))),
        ];
        let table = table_of(&keys, &values, 2, &first_columns(&[])).unwrap();
        assert_eq!(shown(&table), ["|_key|value|", "|1|one|", "|x||"]);
    }

    #[test]
    fn a_row_without_its_key_is_left_out() {
        let keys = [run(vec![1], Arc::new(Int64Array::from(vec![5])))];
        let values = [run(vec![0, 1], Arc::new(StringArray::from(vec!["zero", "one"])))];
        let table = table_of(&keys, &values, 2, &first_columns(&[])).unwrap();
        assert_eq!(shown(&table), ["|_key|value|", "|5|one|"]);
    }
}
