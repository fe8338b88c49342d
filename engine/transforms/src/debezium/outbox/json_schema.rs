//! The schema of a JSON text.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use serde_json::Value;
use volley_api::schema;

/// Why a text has no schema.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoSchema;

/// The schema of an object, of a name that those within go on with: `payload.address`. All is optional.
///
/// # Errors
/// An array whose items have no type in common, or none at all.
pub(super) fn json_schema(name: &str, value: &Value, keeps_nulls: bool) -> Result<Field, NoSchema> {
    let data_type = Inference { keeps_nulls }.field("", name, value)?.ok_or(NoSchema)?;
    Ok(data_type)
}

struct Inference {
    keeps_nulls: bool,
}

impl Inference {
    /// The field of a value; `None` if it is left out.
    fn field(&self, name: &str, schema_name: &str, value: &Value) -> Result<Option<Field>, NoSchema> {
        let plain = |data_type| Ok(Some(Field::new(name, data_type, true)));
        match value {
            Value::Null if self.keeps_nulls => plain(DataType::Binary),
            Value::Null => Ok(None),
            Value::Bool(_) => plain(DataType::Boolean),
            Value::Number(number) => plain(match number.as_i64() {
                Some(number) if i32::try_from(number).is_ok() => DataType::Int32,
                Some(_) => DataType::Int64,
                None => DataType::Float64,
            }),
            Value::String(_) => plain(DataType::Utf8),
            Value::Array(items) if items.is_empty() => Ok(None),
            Value::Array(items) => plain(DataType::List(Arc::new(self.item(schema_name, items)?))),
            Value::Object(members) => {
                let mut fields: Vec<FieldRef> = Vec::with_capacity(members.len());
                for (member, value) in members {
                    if member.is_empty() {
                        return Err(NoSchema);
                    }
                    let inner = format!("{schema_name}.{member}");
                    fields.extend(self.field(member, &inner, value)?.map(Arc::new));
                }
                let metadata = HashMap::from([(schema::NAME.to_owned(), schema_name.to_owned())]);
                let data_type = DataType::Struct(fields.into());
                Ok(Some(Field::new(name, data_type, true).with_metadata(metadata)))
            }
        }
    }

    /// The field of the items of an array, nulls among them aside. Objects may differ; their members come together then.
    fn item(&self, schema_name: &str, items: &[Value]) -> Result<Field, NoSchema> {
        let mut found: Option<Field> = None;
        for item in items.iter().filter(|item| !item.is_null()) {
            let field = self.field("item", schema_name, item)?.ok_or(NoSchema)?;
            found = Some(match found {
                None => field,
                Some(known) if known.data_type() == field.data_type() => known,
                Some(known) => self.merged(&known, &field)?.with_nullable(false),
            });
        }
        match found {
            Some(field) => Ok(field.with_nullable(items.iter().any(Value::is_null) || !self.differ(items))),
            None if self.keeps_nulls => Ok(Field::new("item", DataType::Binary, true)),
            None => Err(NoSchema),
        }
    }

    /// Whether the items are objects of several schemas, which makes Java require them.
    fn differ(&self, items: &[Value]) -> bool {
        let mut schemas = items.iter().filter(|item| item.is_object()).map(|item| self.field("item", "", item));
        let first = schemas.next();
        schemas.any(|schema| Some(&schema) != first.as_ref())
    }

    fn merged(&self, one: &Field, other: &Field) -> Result<Field, NoSchema> {
        let (DataType::Struct(known), DataType::Struct(added)) = (one.data_type(), other.data_type()) else {
            return match (one.data_type(), other.data_type()) {
                (same, found) if same == found => Ok(one.clone()),
                (DataType::Binary, _) if self.keeps_nulls => Ok(other.clone()),
                (_, DataType::Binary) if self.keeps_nulls => Ok(one.clone()),
                _ => Err(NoSchema),
            };
        };
        let mut fields: Vec<FieldRef> = known.iter().cloned().collect();
        for field in added {
            match fields.iter().position(|known| known.name() == field.name()) {
                Some(place) => fields[place] = Arc::new(self.merged(&fields[place], field)?),
                None => fields.push(Arc::clone(field)),
            }
        }
        Ok(one.clone().with_data_type(DataType::Struct(fields.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Result<String, NoSchema> {
        json_schema("p", &serde_json::from_str(text).unwrap(), false).map(|field| field.data_type().to_string())
    }

    #[test]
    fn members_that_say_nothing_of_their_type_are_left_out() {
        assert_eq!(schema(r#"{"a":null,"b":[],"c":1}"#), schema(r#"{"c":1}"#));
    }

    #[test]
    fn arrays_of_several_types_have_no_schema() {
        assert_eq!(schema(r#"{"a":[1,"x"]}"#), Err(NoSchema));
        assert_eq!(schema(r#"{"a":[null]}"#), Err(NoSchema));
        assert!(schema(r#"{"a":[{"b":1},{"c":2}]}"#).is_ok());
    }
}
