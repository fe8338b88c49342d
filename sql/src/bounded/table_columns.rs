//! The columns of a topic whose records have different schemas, and their values in these columns.
//!
//! The columns of all schemas are there. Where their types differ, it is one that all values fit into: a wider number, a
//! struct with the fields of both; text, where nothing else is left.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, RecordBatch, RecordBatchOptions, StringBuilder, StructArray, new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use arrow::json::writer::{EncoderOptions, make_encoder};
use datafusion::logical_expr::binary::binary_numeric_coercion;
use volley_api::schema::timestamp_type;
use volley_api::{Error, Result};

/// A schema with the columns of both, those of `known` first.
pub(super) fn common_schema(known: &SchemaRef, other: &SchemaRef) -> SchemaRef {
    if known.fields() == other.fields() {
        return Arc::clone(known);
    }
    Arc::new(Schema::new(common_fields(known.fields(), other.fields())))
}

/// `batch` with the columns of `schema`, a [`common_schema`] of its own.
pub(super) fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| match batch.schema().index_of(field.name()) {
        Ok(place) => fitted_array(batch.column(place), field.data_type()),
        Err(_) => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

fn common_fields(known: &Fields, others: &Fields) -> Fields {
    let mut fields: Vec<FieldRef> = known.iter().map(Arc::clone).collect();
    for other in others {
        match fields.iter_mut().find(|field| field.name() == other.name()) {
            Some(field) => *field = common_field(field, other),
            None => fields.push(nullable(other)),
        }
    }
    // what others do not have is null there
    for field in &mut fields {
        if others.find(field.name()).is_none() {
            *field = nullable(field);
        }
    }
    fields.into()
}

fn nullable(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_nullable(true))
}

fn common_field(known: &FieldRef, other: &FieldRef) -> FieldRef {
    let data_type = common_type(known.data_type(), other.data_type());
    let field = Field::new(known.name(), data_type, known.is_nullable() || other.is_nullable());
    match known.metadata() == other.metadata() {
        true => Arc::new(field.with_metadata(known.metadata().clone())),
        false => Arc::new(field),
    }
}

fn common_type(known: &DataType, other: &DataType) -> DataType {
    match (known, other) {
        (known, other) if known == other => known.clone(),
        (DataType::Null, other) => other.clone(),
        (known, DataType::Null) => known.clone(),
        (DataType::Struct(known), DataType::Struct(other)) => DataType::Struct(common_fields(known, other)),
        (DataType::List(known), DataType::List(other)) => DataType::List(common_field(known, other)),
        (DataType::Timestamp(..) | DataType::Date32, DataType::Timestamp(..) | DataType::Date32) => timestamp_type(),
        (DataType::Time32(_), DataType::Time32(_)) => DataType::Time32(TimeUnit::Millisecond),
        (known, other) if known.is_numeric() && other.is_numeric() => {
            binary_numeric_coercion(known, other).unwrap_or(DataType::Utf8)
        }
        _ => DataType::Utf8,
    }
}

fn fitted_array(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    match (array.data_type(), to) {
        (DataType::Null, to) => Ok(new_null_array(to, array.len())),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let structs = array.as_struct();
            let columns = fields.iter().map(|field| match structs.column_by_name(field.name()) {
                Some(column) => fitted_array(column, field.data_type()),
                None => Ok(new_null_array(field.data_type(), structs.len())),
            });
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let nulls = structs.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, structs.len())?))
        }
        (DataType::List(_), DataType::List(item)) => {
            let lists = array.as_list::<i32>();
            let values = fitted_array(lists.values(), item.data_type())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls)?))
        }
        (from, DataType::Utf8) if from.is_nested() => json_texts(array),
        _ => Ok(cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() })?),
    }
}

/// Structs, lists and maps as JSON.
fn json_texts(array: &ArrayRef) -> Result<ArrayRef> {
    let field = Arc::new(Field::new("value", array.data_type().clone(), true));
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let mut encoder = make_encoder(&field, array.as_ref(), &options)?;
    let (mut texts, mut text) = (StringBuilder::with_capacity(array.len(), 0), Vec::new());
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        encoder.encode(row, &mut text);
        let text = std::str::from_utf8(&text);
        texts.append_value(text.map_err(|error| Error::data("a value has no JSON text").with_source(error))?);
    }
    Ok(Arc::new(texts.finish()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int32Array, Int64Array, StringArray};
    use arrow::util::pretty::pretty_format_batches;

    use super::*;

    fn table(batches: &[RecordBatch]) -> Vec<String> {
        let schemas = batches.iter().map(RecordBatch::schema);
        let schema = schemas.reduce(|known, other| common_schema(&known, &other)).unwrap();
        let fitted: Vec<RecordBatch> = batches.iter().map(|batch| fitted(batch, &schema).unwrap()).collect();
        let text = pretty_format_batches(&fitted).unwrap().to_string();
        text.lines().filter(|line| line.starts_with("| ")).map(|line| line.split_whitespace().collect()).collect()
    }

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
    }

    fn structs(columns: Vec<(&str, ArrayRef)>) -> ArrayRef {
        Arc::new(StructArray::from(batch(columns)))
    }

    #[test]
    fn the_columns_of_all_schemas_are_there_and_numbers_get_wider() {
        let first =
            batch(vec![("n", Arc::new(Int32Array::from(vec![1]))), ("gone", Arc::new(Int32Array::from(vec![2])))]);
        let second =
            batch(vec![("new", Arc::new(StringArray::from(vec!["x"]))), ("n", Arc::new(Int64Array::from(vec![3])))]);
        let third = batch(vec![("n", Arc::new(Float64Array::from(vec![0.5])))]);
        assert_eq!(table(&[first, second, third]), ["|n|gone|new|", "|1.0|2||", "|3.0||x|", "|0.5|||"]);
    }

    #[test]
    fn structs_get_the_fields_of_both_also_in_lists() {
        let first = batch(vec![("s", structs(vec![("a", Arc::new(Int64Array::from(vec![1])))]))]);
        let second = batch(vec![("s", structs(vec![("b", Arc::new(StringArray::from(vec!["x"])))]))]);
        assert_eq!(table(&[first, second]), ["|s|", "|{a:1,b:}|", "|{a:,b:x}|"]);
    }

    #[test]
    fn values_of_kinds_that_nothing_unites_are_text() {
        let number = batch(vec![("v", Arc::new(Int64Array::from(vec![7])))]);
        let text = batch(vec![("v", Arc::new(StringArray::from(vec!["seven"])))]);
        let nested = batch(vec![("v", structs(vec![("a", Arc::new(Int64Array::from(vec![1])))]))]);
        let null = batch(vec![("v", new_null_array(&DataType::Null, 1))]);
        assert_eq!(table(&[null, number, text, nested]), ["|v|", "||", "|7|", "|seven|", "|{\"a\":1}|"]);
    }
}
