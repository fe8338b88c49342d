//! Logs the fields that a query names and that no record has had.

use std::collections::HashSet;

use arrow::datatypes::{DataType, Field};
use strsim::osa_distance;

/// The fields that were logged already.
#[derive(Debug, Default)]
pub(crate) struct AbsentFields {
    told: HashSet<Vec<String>>,
}

impl AbsentFields {
    /// Logs each path once that does not exist in values of `value`: it may be a mistake, or an optional field.
    pub(crate) fn tell(&mut self, paths: &[Vec<String>], topic: &str, value: &Field) {
        for path in paths {
            if self.told.insert(path.clone()) {
                let field = path.join(".");
                let alike =
                    name_alike(path, value).map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default();
                tracing::warn!(
                    topic,
                    field,
                    "no record has had this field so far, so it is null{alike}; to give it a type before one has it, set \
                     value.converter=org.apache.kafka.connect.json.JsonConverter, value.converter.schemas.enable=false \
                     and value.converter.volley.schema={} VARCHAR (or its type)",
                    pinned(path)
                );
            }
        }
    }
}

/// The sibling of the last field of `path` with the most similar name, if at most one letter in four differs.
fn name_alike(path: &[String], value: &Field) -> Option<String> {
    let (name, around) = path.split_last()?;
    let mut place = value;
    for member in around {
        let DataType::Struct(fields) = place.data_type() else { return None };
        place = fields.find(member)?.1;
    }
    let DataType::Struct(fields) = place.data_type() else { return None };
    nearest(name, fields.iter().map(|field| field.name().as_str())).map(str::to_owned)
}

/// The most similar of some names, if at most one letter in four differs.
pub(crate) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = name.to_lowercase();
    let distances = names.map(|other| (osa_distance(&wanted, &other.to_lowercase()), other));
    let (distance, near) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= name.chars().count() / 4).then_some(near)
}

/// A path in the syntax of `volley.schema`: names that are not plain words are in double quotes.
fn pinned(path: &[String]) -> String {
    let is_plain = |name: &str| !name.is_empty() && name.chars().all(|char| char.is_alphanumeric() || char == '_');
    let names = path.iter().map(|name| match is_plain(name) {
        true => name.clone(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    });
    names.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Fields;

    use super::*;

    #[test]
    fn paths_are_written_as_they_are_pinned_and_names_alike_are_found_where_they_belong() {
        let path = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(pinned(&path(&["address", "zip code", "a\"b"])), r#"address."zip code"."a""b""#);
        let city = Field::new("City", DataType::Utf8, true);
        let address = Field::new("address", DataType::Struct(Fields::from(vec![city])), true);
        let value = Field::new("value", DataType::Struct(Fields::from(vec![address])), true);
        assert_eq!(name_alike(&path(&["address", "city"]), &value).as_deref(), Some("City"));
        assert_eq!(name_alike(&path(&["Address"]), &value).as_deref(), Some("address"));
        assert_eq!(name_alike(&path(&["adress"]), &value).as_deref(), Some("address"));
        assert_eq!(name_alike(&path(&["city"]), &value), None);
        assert_eq!(name_alike(&path(&["address", "City", "x"]), &value), None);
    }
}
