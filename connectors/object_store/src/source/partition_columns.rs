//! The key `partition.columns`: values of directories as fields of the records in them.
//!
//! Spark, Hive and others write `country=CH/day=2026-11-30/part-0.parquet`, and leave both columns out of the file. The values are
//! texts: a directory has no types. A column that the file has stays as it is, as the sink leaves them in its files.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use volley_api::schema::has_schema;
use volley_api::{Column, Error, Result};

use super::config::PARTITION_COLUMNS;
use crate::layout::unescaped;

/// Stands in the list for all columns.
const ALL: &str = "*";
/// The value of a null, and of the empty text, as Hive writes it.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";
/// The value of a null, as the sink writes it.
const SINK_NULL: &str = "null";

/// Which columns are taken from directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PartitionColumns {
    /// Those of every directory that is a name and a value.
    All,
    /// These; may be none.
    Named(Vec<Arc<str>>),
}

/// The columns that the path of a file has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PathColumns(Vec<PathColumn>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct PathColumn {
    name: Arc<str>,
    value: PathValue,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PathValue {
    Text(String),
    Null,
    /// There is no such directory.
    Missing,
}

impl PartitionColumns {
    /// From a list that has been checked.
    pub(super) fn new(names: &[String]) -> Self {
        match names.iter().any(|name| name == ALL) {
            true => Self::All,
            false => Self::Named(names.iter().map(|name| Arc::from(name.as_str())).collect()),
        }
    }

    /// The columns of the file at `path`. Of directories with the same name, the innermost counts. `is_of_sink`: whether the file
    /// is named as the sink names them.
    pub(super) fn of_path(&self, path: &str, is_of_sink: bool) -> PathColumns {
        let mut found: Vec<PathColumn> = Vec::new();
        for directory in path.split('/').rev().skip(1) {
            let Some((name, value)) = directory.split_once('=').filter(|(name, _)| !name.is_empty()) else { continue };
            let name = unescaped(name);
            if found.iter().any(|column| *column.name == *name) {
                continue;
            }
            let value = match value {
                HIVE_NULL => PathValue::Null,
                // a text that is `null` stands in the file too
                SINK_NULL if is_of_sink => PathValue::Null,
                text => PathValue::Text(unescaped(text).into_owned()),
            };
            found.push(PathColumn { name: name.into(), value });
        }
        found.reverse();
        PathColumns(match self {
            Self::All => found,
            Self::Named(names) => names.iter().map(|name| named(name, &found)).collect(),
        })
    }
}

fn named(name: &Arc<str>, found: &[PathColumn]) -> PathColumn {
    let found = found.iter().find(|column| column.name == *name).cloned();
    found.unwrap_or_else(|| PathColumn { name: Arc::clone(name), value: PathValue::Missing })
}

impl PathColumns {
    /// The values with these columns as their last fields, but those that they have already.
    ///
    /// # Errors
    /// `Config` if the values can have no fields, or if neither file nor path have a column that is named.
    pub(super) fn add_to(&self, value: Column) -> Result<Column> {
        if self.0.is_empty() {
            return Ok(value);
        }
        let Some(structs) = value.array.as_struct_opt() else {
            // values without a schema may be anything, row by row
            let is_certain = has_schema(&value.field);
            return if is_certain { Err(no_fields(value.field.data_type())) } else { Ok(value) };
        };
        let rows = structs.len();
        let mut fields: Vec<_> = structs.fields().iter().cloned().collect();
        let mut arrays = structs.columns().to_vec();
        for PathColumn { name, value: of_path } in &self.0 {
            let text = match of_path {
                _ if has_field(structs.fields(), name) => continue,
                PathValue::Text(text) => Some(text.as_str()),
                PathValue::Null => None,
                PathValue::Missing if !has_schema(&value.field) => continue,
                PathValue::Missing => return Err(missing(name)),
            };
            fields.push(Arc::new(Field::new(name.as_ref(), DataType::Utf8, true)));
            arrays.push(Arc::new(std::iter::repeat_n(text, rows).collect::<StringArray>()) as ArrayRef);
        }
        let fields = Fields::from(fields);
        let structs = StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), rows)?;
        let field = value.field.as_ref().clone().with_data_type(DataType::Struct(fields));
        Ok(Column::new(Arc::new(field), Arc::new(structs)))
    }
}

/// Whether there is a field of this name, or at this path: the sink names the directories of `address.city` so.
fn has_field(fields: &Fields, name: &str) -> bool {
    if fields.find(name).is_some() {
        return true;
    }
    let Some((outer, inner)) = name.split_once('.') else { return false };
    match fields.find(outer).map(|(_, field)| field.data_type()) {
        Some(DataType::Struct(fields)) => has_field(fields, inner),
        _ => false,
    }
}

fn no_fields(data_type: &DataType) -> Error {
    Error::config(format!(
        "its values are of type {data_type} and can have no fields of directories; leave the file out by `path`, or leave out \
         `{PARTITION_COLUMNS}`"
    ))
}

fn missing(name: &str) -> Error {
    Error::config(format!(
        "it has no column `{name}`, and is in no directory `{name}=…`; correct `{PARTITION_COLUMNS}`, or leave the file out by `path`"
    ))
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::buffer::NullBuffer;
    use volley_api::schema::without_schema;
    use volley_api::testing::{column, row_text};

    use super::*;

    fn all(path: &str, is_of_sink: bool) -> Vec<(String, Option<String>)> {
        let columns = PartitionColumns::All.of_path(path, is_of_sink).0;
        let value = |value| match value {
            PathValue::Text(text) => Some(text),
            _ => None,
        };
        columns.into_iter().map(|column| (column.name.to_string(), value(column.value))).collect()
    }

    fn with(names: &[&str]) -> PartitionColumns {
        PartitionColumns::new(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    /// Two structs, the second null.
    fn structs() -> Column {
        let inner = StructArray::from(vec![(
            Arc::new(Field::new("city", DataType::Int64, true)),
            Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef,
        )]);
        let fields = Fields::from(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("address", inner.data_type().clone(), true),
        ]);
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
        let nulls = NullBuffer::from(vec![true, false]);
        column(StructArray::try_new(fields, vec![ids, Arc::new(inner)], Some(nulls)).unwrap())
    }

    #[test]
    fn directories_of_a_name_and_a_value_are_columns_in_their_order() {
        let text = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let path = "lake/day=2026-11-30/country=CH/hour/=x/x=y.parquet";
        assert_eq!(all(path, false), [text("day", "2026-11-30"), text("country", "CH")]);
        let odd = "a%2Fb=100%25/n=a=b/empty=/bad=%zz%4/utf=%FF/u=%C3%BC/x";
        let expected = [
            text("a/b", "100%"),
            text("n", "a=b"),
            text("empty", ""),
            text("bad", "%zz%4"),
            text("utf", "%FF"),
            text("u", "ü"),
        ];
        assert_eq!(all(odd, false), expected);
        assert_eq!(all("a=1/b=2/a=3/x", false), [text("b", "2"), text("a", "3")]);
        assert!(all("x=1.json", false).is_empty());
    }

    #[test]
    fn what_stands_for_null_is_null() {
        let path = "a=__HIVE_DEFAULT_PARTITION__/b=null/x";
        let (a, b) = (("a".to_owned(), None), ("b".to_owned(), None));
        assert_eq!(all(path, true), [a.clone(), b]);
        assert_eq!(all(path, false), [a, ("b".to_owned(), Some("null".to_owned()))]);
    }

    #[test]
    fn fields_are_added_behind_those_that_are_there_and_take_no_place() {
        let columns =
            with(&["*"]).of_path("id=9/address.city=5/address.zip=8000/day=__HIVE_DEFAULT_PARTITION__/x", false);
        let value = columns.add_to(structs()).unwrap();
        let names: Vec<_> = value.array.as_struct().column_names();
        assert_eq!(names, ["id", "address", "address.zip", "day"]);
        let zip = Column::new(
            Arc::new(value.array.as_struct().fields()[2].as_ref().clone()),
            Arc::clone(value.array.as_struct().column(2)),
        );
        assert_eq!((row_text(&zip, 0).as_str(), value.array.is_null(1)), ("Utf8 8000", true));
        assert!(value.array.as_struct().column(3).is_null(0));
        assert_eq!(with(&[]).of_path("a=1/x", false).add_to(structs()).unwrap().field, structs().field);
    }

    #[test]
    fn a_column_that_is_nowhere_is_an_error_where_there_is_a_schema() {
        let columns = with(&["id", "country"]).of_path("day=1/x", false);
        let error = columns.add_to(structs()).unwrap_err().to_string();
        assert!(error.contains("`country`") && error.contains("partition.columns"), "{error}");
        let mut schemaless = structs();
        schemaless.field = Arc::new(without_schema(schemaless.field.as_ref().clone()));
        assert_eq!(columns.add_to(schemaless.clone()).unwrap().array.as_struct().num_columns(), 2);
        let added = with(&["*"]).of_path("day=1/x", false).add_to(schemaless).unwrap();
        assert!(!has_schema(&added.field) && added.array.as_struct().num_columns() == 3);
    }

    #[test]
    fn values_that_are_no_structs_have_no_fields() {
        let columns = with(&["*"]).of_path("day=1/x", false);
        let number = column(Int64Array::from(vec![1]));
        let error = columns.add_to(number.clone()).unwrap_err().to_string();
        assert!(error.contains("Int64") && error.contains("partition.columns"), "{error}");
        let schemaless = Column::new(Arc::new(without_schema(number.field.as_ref().clone())), number.array);
        assert_eq!(columns.add_to(schemaless).unwrap().array.len(), 1);
    }
}
