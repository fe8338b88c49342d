//! A field of a change event, as `add.fields` and `add.headers` name it.
//!
//! ```text
//! op              the field `op` of the event
//! table           the field `table` of `source`, as are all that neither the event nor its transaction has
//! source.ts_ms    the field `ts_ms` of `source`; if that has none, of the event
//! op:change       the field `op`, under the name `change`
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray, new_null_array};
use arrow::datatypes::{DataType, Field, Fields};
use volley_api::{Error, Result, schema};

use super::envelope::{member, null_pointer};
use crate::columns::child_values;

/// A reference, with the name that the field gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldReference {
    of: Option<String>,
    field: String,
    pub(super) name: String,
}

/// What a reference leads to: the field under its new name, optional and without its default, and its values.
pub(super) type Located = (Field, ArrayRef);

impl FieldReference {
    /// The references of a list.
    ///
    /// # Errors
    /// One that has more than one colon, or no name.
    pub(super) fn parse_all(list: &[String], prefix: &str) -> Result<Vec<Self>> {
        let named = list.iter().rposition(|item| !item.is_empty()).map_or(0, |last| last + 1);
        list[..named].iter().map(|item| Self::parse(item, prefix)).collect()
    }

    fn parse(text: &str, prefix: &str) -> Result<Self> {
        let unexpected = || {
            Error::config(format!("Unexpected field name: {text}")).with_exception("java.lang.IllegalArgumentException")
        };
        let parts = split(text, ':');
        let steps = split(parts.first().copied().unwrap_or_default(), '.');
        let (of, field) = match steps.as_slice() {
            [] => return Err(unexpected()),
            [field] => (owner(field).map(str::to_owned), *field),
            [of, field, ..] => (Some((*of).to_owned()), *field),
        };
        let name = match (parts.as_slice(), steps.as_slice()) {
            ([_], [field]) => (*field).to_owned(),
            ([_], [of, field, ..]) => format!("{of}_{field}"),
            ([_, name], _) => (*name).to_owned(),
            _ => return Err(unexpected()),
        };
        Ok(Self { of, field: field.to_owned(), name: format!("{prefix}{name}") })
    }

    /// The name that it gets.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The name that it has in events.
    pub(super) fn field(&self) -> &str {
        &self.field
    }

    /// The field in these events; `None` if they have none of that name.
    ///
    /// # Errors
    /// What all events of this schema fail with.
    pub(super) fn locate(&self, events: &StructArray) -> Result<std::result::Result<Option<Located>, Error>> {
        let Some(of) = &self.of else { return Ok(Ok(self.named(member(events, &self.field, false)?))) };
        let Some(owner) = member(events, of, false)? else {
            return Ok(Err(null_pointer(format!("the event has no field `{of}`"))));
        };
        let DataType::Struct(_) = owner.field.data_type() else {
            return Ok(Err(Error::data("Cannot look up fields on non-struct type")));
        };
        let owners = owner.array.as_struct();
        if let Some(found) = member(owners, &self.field, false)? {
            return Ok(Ok(self.named(Some(found))));
        }
        Ok(Ok(match member(events, &self.field, false)? {
            None => None,
            Some(mut found) => {
                found.array = child_values(owners, &found.array)?;
                self.named(Some(found))
            }
        }))
    }

    fn named(&self, found: Option<volley_api::Column>) -> Option<Located> {
        let found = found?;
        let mut metadata = found.field.metadata().clone();
        metadata.remove(schema::DEFAULT);
        let field = Field::new(&self.name, found.field.data_type().clone(), true).with_metadata(metadata);
        Some((field, found.array))
    }
}

/// Where a field is that is named alone.
fn owner(field: &str) -> Option<&'static str> {
    match field {
        "op" | "ts_ms" | "ts_us" | "ts_ns" => None,
        "id" | "total_order" | "data_collection_order" => Some("transaction"),
        "updateDescription" => Some("updateDescription"),
        _ => Some("source"),
    }
}

/// The parts of a text; empty ones at its end do not count.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(separator).collect();
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

/// The located field as one that can be added to a struct, with the error of the rows that have a value there, if they must
/// not: Debezium copies no more of the schema of a struct or a map than its name, so that only null fits it.
pub(super) fn addable(located: Located) -> (Located, Option<Error>) {
    let (field, values) = located;
    let bare = |data_type: DataType| {
        let nulls = new_null_array(&data_type, values.len());
        (field.clone().with_data_type(data_type), nulls)
    };
    match field.data_type() {
        DataType::Struct(fields) if !fields.is_empty() => {
            (bare(DataType::Struct(Fields::empty())), Some(Error::data("Struct schemas do not match.")))
        }
        DataType::Map(..) => {
            let error = Error::data(format!("No schema defined for key of map field: \"{}\"", field.name()));
            (bare(field.data_type().clone()), Some(error))
        }
        _ => ((field, Arc::clone(&values)), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_named_alone_is_looked_for_where_debezium_has_it() {
        let of = |text: &str| FieldReference::parse(text, "").unwrap().of;
        assert_eq!(of("op"), None);
        assert_eq!(of("table").as_deref(), Some("source"));
        assert_eq!(of("total_order").as_deref(), Some("transaction"));
        assert_eq!(of("before.x").as_deref(), Some("before"));
    }

    #[test]
    fn names_are_made_of_the_path_unless_one_is_given() {
        let name = |text: &str| FieldReference::parse(text, "__").map(|reference| reference.name);
        assert_eq!(name("op").unwrap(), "__op");
        assert_eq!(name("source.ts_ms").unwrap(), "__source_ts_ms");
        assert_eq!(name("source.ts_ms:time").unwrap(), "__time");
        assert_eq!(name("a:b:c").unwrap_err().exception(), "java.lang.IllegalArgumentException");
        assert!(name(".").is_err());
    }
}
