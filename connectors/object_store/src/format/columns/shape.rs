//! Which columns a file has for values of some type: what Parquet can hold of it.
//!
//! A struct's fields are the columns; any other value is one column `value`. What carries no value (the Null type, a
//! struct without fields) is left out at every depth, and a type that Parquet has no form for becomes text. So do mixed
//! values: a string as it is, anything else as its JSON. Debezium's semantic types are what they mean. Connect's metadata is not
//! kept.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::compute::can_cast_types;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef};
use volley_api::schema::has_schema;
use volley_api::{Column, Result, Semantics, as_meant, meant_field};

use super::agreement::{Agreement, has_plain_key};
use super::mixed_values::{as_texts, has_mixed};
use super::project::{ShapeKind, project_columns};

/// Name of the only column of values that are not structs.
const VALUE: &str = "value";

/// How the values of one field become columns.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    source: FieldRef,
    kind: ShapeKind,
    fields: Fields,
    has_mixed: bool,
    /// Whether values mean other types than they have.
    is_meant_otherwise: bool,
}

impl Shape {
    /// The shape of values of `field`.
    pub(crate) fn of(field: &FieldRef) -> Self {
        let meant = meant_field(field, Semantics::TimesAndDecimals);
        let meant_type = meant.as_ref().unwrap_or(field).data_type();
        let (kind, fields) = match (meant_type, file_type(meant_type)) {
            (_, Some(DataType::Struct(fields))) => (ShapeKind::Struct, fields),
            (_, Some(other)) => (ShapeKind::Single, Fields::from(vec![Field::new(VALUE, other, true)])),
            (_, None) => (ShapeKind::Empty, Fields::from(vec![Field::new(VALUE, DataType::Utf8, true)])),
        };
        let is_meant_otherwise = meant.is_some();
        Self { source: Arc::clone(field), kind, fields, has_mixed: has_mixed(field), is_meant_otherwise }
    }

    /// Whether it is the shape of `field`.
    pub(crate) fn is_of(&self, field: &FieldRef) -> bool {
        Arc::ptr_eq(&self.source, field) || self.source == *field
    }

    /// The columns.
    pub(crate) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// How columns agree for such values.
    pub(crate) fn agreement(&self) -> Agreement {
        if has_schema(&self.source) { Agreement::Strict } else { Agreement::AsText }
    }

    /// The values as rows of a file with `schema`, which MUST [hold](Agreement::holds) the columns of this shape.
    pub(crate) fn rows(&self, value: &Column, schema: &SchemaRef) -> Result<arrow::array::RecordBatch> {
        let value =
            if self.is_meant_otherwise { as_meant(value, Semantics::TimesAndDecimals)? } else { Cow::Borrowed(value) };
        let value = if self.has_mixed { Cow::Owned(as_texts(&value)?) } else { value };
        project_columns(&value, self.kind, schema)
    }
}

/// A schema of these columns.
pub(crate) fn schema(fields: &Fields) -> SchemaRef {
    Arc::new(Schema::new(fields.clone()))
}

/// The type in which Parquet holds values of `data_type`; `None`: there is nothing to hold.
fn file_type(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Null => None,
        DataType::Struct(fields) => {
            let kept: Vec<_> = fields.iter().filter_map(file_field).collect();
            (!kept.is_empty()).then(|| DataType::Struct(Fields::from(kept)))
        }
        DataType::List(item) => file_field(item).map(DataType::List),
        DataType::LargeList(item) => file_field(item).map(DataType::LargeList),
        DataType::FixedSizeList(item, length) => file_field(item).map(|item| DataType::FixedSizeList(item, *length)),
        DataType::Map(entries, sorted) => {
            file_field(entries).filter(has_plain_key).map(|entries| DataType::Map(entries, *sorted))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => Some(DataType::Utf8),
        DataType::ListView(_) | DataType::LargeListView(_) | DataType::Union(..) | DataType::RunEndEncoded(..) => {
            can_cast_types(data_type, &DataType::Utf8).then_some(DataType::Utf8)
        }
        other => Some(other.clone()),
    }
}

fn file_field(field: &FieldRef) -> Option<FieldRef> {
    file_type(field.data_type()).map(|data_type| Arc::new(Field::new(field.name(), data_type, field.is_nullable())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(list: &[(&str, DataType)]) -> Fields {
        list.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect()
    }

    fn structure(list: &[(&str, DataType)]) -> DataType {
        DataType::Struct(fields(list))
    }

    fn list_of(item: DataType) -> DataType {
        DataType::List(Arc::new(Field::new("item", item, true)))
    }

    fn shape(data_type: DataType) -> Shape {
        Shape::of(&Arc::new(Field::new("value", data_type, true)))
    }

    #[test]
    fn what_parquet_cannot_hold_is_left_out_at_every_depth() {
        let empty = structure(&[]);
        let value = structure(&[
            ("a", DataType::Int64),
            ("n", DataType::Null),
            ("e", empty.clone()),
            ("l", list_of(DataType::Null)),
            ("s", structure(&[("x", DataType::Null), ("y", DataType::Utf8)])),
            ("gone", structure(&[("x", list_of(empty.clone()))])),
            ("i", DataType::Interval(IntervalUnit::MonthDayNano)),
        ]);
        let expected =
            fields(&[("a", DataType::Int64), ("s", structure(&[("y", DataType::Utf8)])), ("i", DataType::Utf8)]);
        assert_eq!(shape(value).fields(), &expected);
        assert_eq!(shape(empty).fields(), &fields(&[("value", DataType::Utf8)]));
        assert_eq!(shape(DataType::Float64).fields(), &fields(&[("value", DataType::Float64)]));
    }
}
