//! The keys of records: some of their columns, as a Struct.

use std::sync::Arc;

use arrow::array::{AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use volley_api::schema::NAME;
use volley_api::{Column, Error, Result};

/// What the name of a key's schema ends with, behind that of the value's: `orders.Key`, as Debezium has it.
const KEY_SUFFIX: &str = ".Key";

/// How records get their keys.
#[derive(Clone, Debug)]
pub(super) struct RecordKey {
    /// The places of the columns in the value.
    places: Vec<usize>,
    name: Option<String>,
    /// The field of the values that `field` belongs to.
    value_field: FieldRef,
    field: FieldRef,
}

impl RecordKey {
    /// Keys of these columns of values of this field; `name` is that of the value's schema.
    ///
    /// # Errors
    /// `Config` for a column that is not there.
    pub(super) fn new(value_field: &FieldRef, names: &[String], name: Option<&str>) -> Result<Self> {
        let fields = fields_of(value_field);
        let place_of = |name: &String| {
            fields.iter().position(|field| field.name() == name).ok_or_else(|| {
                let known: Vec<_> = fields.iter().map(|field| field.name().as_str()).collect();
                Error::config(format!(
                    "there is no column `{name}` among those that are delivered: {}",
                    known.join(", ")
                ))
            })
        };
        let places = names.iter().map(place_of).collect::<Result<Vec<_>>>()?;
        let name = name.map(|name| format!("{name}{KEY_SUFFIX}"));
        let field = key_field(value_field, &places, name.as_deref());
        Ok(Self { places, name, value_field: Arc::clone(value_field), field })
    }

    /// The keys of these values.
    pub(super) fn of(&mut self, values: &Column) -> Column {
        if !Arc::ptr_eq(&self.value_field, &values.field) {
            // its columns are the same, but one may be null by now
            self.value_field = Arc::clone(&values.field);
            self.field = key_field(&self.value_field, &self.places, self.name.as_deref());
        }
        let (rows, fields) = (values.array.as_struct(), fields_of(&self.field));
        let arrays = self.places.iter().map(|place| Arc::clone(rows.column(*place))).collect();
        Column::new(Arc::clone(&self.field), Arc::new(StructArray::new(fields, arrays, None)))
    }
}

fn fields_of(field: &Field) -> Fields {
    match field.data_type() {
        DataType::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    }
}

fn key_field(value_field: &FieldRef, places: &[usize], name: Option<&str>) -> FieldRef {
    let fields = fields_of(value_field);
    let fields: Fields = places.iter().map(|place| Arc::clone(&fields[*place])).collect();
    let metadata = name.map(|name| (NAME.to_owned(), name.to_owned())).into_iter().collect();
    Arc::new(Field::new("key", DataType::Struct(fields), false).with_metadata(metadata))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int32Array, StringArray};

    use super::*;

    fn values(numbers: Vec<Option<i32>>, is_nullable: bool) -> Column {
        let texts: StringArray = numbers.iter().map(|_| Some("a")).collect();
        let fields: Fields =
            vec![Field::new("note", DataType::Utf8, false), Field::new("id", DataType::Int32, is_nullable)].into();
        let arrays: Vec<ArrayRef> = vec![Arc::new(texts), Arc::new(Int32Array::from(numbers))];
        let field = Field::new("value", DataType::Struct(fields.clone()), false);
        Column::new(Arc::new(field), Arc::new(StructArray::new(fields, arrays, None)))
    }

    #[test]
    fn a_key_has_the_columns_in_the_order_that_is_asked_for() {
        let rows = values(vec![Some(1), Some(2)], false);
        let mut key = RecordKey::new(&rows.field, &["id".to_owned(), "note".to_owned()], Some("orders")).unwrap();
        let keys = key.of(&rows);
        assert_eq!(keys.field.metadata()[NAME], "orders.Key");
        let names: Vec<_> = fields_of(&keys.field).iter().map(|field| field.name().clone()).collect();
        assert_eq!((names, keys.len()), (vec!["id".to_owned(), "note".to_owned()], 2));
        assert!(!keys.field.is_nullable());
        // the same schema for the next rows, until a column may be null
        assert!(Arc::ptr_eq(
            &key.of(&Column::new(Arc::clone(&rows.field), Arc::clone(&rows.array))).field,
            &keys.field
        ));
        assert!(fields_of(&key.of(&values(vec![None], true)).field)[0].is_nullable());
    }

    #[test]
    fn a_column_that_is_not_there_is_named() {
        let error = RecordKey::new(&values(vec![], false).field, &["none".to_owned()], None).unwrap_err();
        assert!(error.to_string().contains("`none`") && error.to_string().contains("note, id"), "{error}");
    }
}
