//! Values under another schema: missing fields get their default or null, further ones are dropped, numbers are widened.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, Scalar, StructArray, UInt32Array, new_null_array};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{cast, is_not_null, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::error::ArrowError;
use volley_api::schema::{NAME, PARAMETER_PREFIX};
use volley_api::{Column, Error, Result};

use super::default_value::default_value;
use super::mismatch::Mismatch;

/// Parameter with the name of the enum that a text stands for.
const ENUM: &str = "io.confluent.connect.avro.Enum";
/// Words of parameters that describe, and decide nothing.
const DESCRIPTIONS: [&str; 3] = [".doc", "aliases", "namespace"];

/// Why there are no values.
enum Failure {
    Mismatch(Mismatch),
    Error(Error),
}

impl From<Mismatch> for Failure {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(mismatch)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Self {
        Self::Error(error.into())
    }
}

type Projected<T> = std::result::Result<T, Failure>;

/// The values of `column`, none of which is null, under the schema `into`; or why they do not go there.
///
/// # Errors
/// None caused by values or schemas.
pub(crate) fn project(column: &Column, into: &FieldRef) -> Result<std::result::Result<Column, Mismatch>> {
    // whether the value itself may be null makes no difference where none is
    let from = Field::clone(&column.field).with_nullable(into.is_nullable());
    match project_array(&column.array, &from, into) {
        Ok(array) => Ok(Ok(Column::new(Arc::clone(into), array))),
        Err(Failure::Mismatch(mismatch)) => Ok(Err(mismatch)),
        Err(Failure::Error(error)) => Err(error),
    }
}

fn project_array(array: &ArrayRef, from: &Field, into: &FieldRef) -> Projected<ArrayRef> {
    same_name(from, into)?;
    let projected = project_type(array, from, into)?;
    if into.is_nullable() || !from.is_nullable() {
        return Ok(projected);
    }
    match default_value(into)? {
        Some(default) if projected.null_count() > 0 => {
            Ok(zip(&is_not_null(&projected)?, &projected, &Scalar::new(default))?)
        }
        Some(_) => Ok(projected),
        None => {
            Err(Mismatch::new("it may be null in the record, and in the file it is required and has no default").into())
        }
    }
}

fn project_type(array: &ArrayRef, from: &Field, into: &FieldRef) -> Projected<ArrayRef> {
    Ok(match (array.data_type(), into.data_type()) {
        (one, other) if one == other => Arc::clone(array),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let structs = array.as_struct();
            let columns = project_fields(structs, fields)?;
            let nulls = structs.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, structs.len())?)
        }
        (DataType::List(from), DataType::List(item)) => {
            let lists = array.as_list::<i32>();
            let values = project_array(lists.values(), from, item)?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls)?)
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let maps = array.as_map();
            let pairs = project_entries(maps.entries(), entries)?;
            let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
            Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, nulls, *sorted)?)
        }
        (one, other) if is_widened(one, other) => cast(array, other)?,
        (one, other) => {
            let reason = format!("it is {} in the record and {} in the file", called(one, from), called(other, into));
            return Err(Mismatch::new(reason).into());
        }
    })
}

fn project_fields(structs: &StructArray, into: &Fields) -> Projected<Vec<ArrayRef>> {
    let mut columns = Vec::with_capacity(into.len());
    for field in into {
        let column = match structs.fields().find(field.name()) {
            Some((position, from)) => project_array(structs.column(position), from, field),
            None => missing(field, structs.len()),
        };
        columns.push(column.map_err(|failure| match failure {
            Failure::Mismatch(mismatch) => Failure::Mismatch(mismatch.within(field.name())),
            failure @ Failure::Error(_) => failure,
        })?);
    }
    Ok(columns)
}

/// Keys and values by their place: converters have various names for them.
fn project_entries(entries: &StructArray, into: &Field) -> Projected<StructArray> {
    let DataType::Struct(fields) = into.data_type() else {
        return Err(Error::fatal("a map whose entries are no structs").into());
    };
    let mut columns = Vec::with_capacity(fields.len());
    for (position, field) in fields.iter().enumerate().take(entries.num_columns()) {
        columns.push(project_array(entries.column(position), &entries.fields()[position], field)?);
    }
    Ok(StructArray::try_new(fields.clone(), columns, entries.nulls().cloned())?)
}

/// A field that the record does not have.
fn missing(field: &FieldRef, rows: usize) -> Projected<ArrayRef> {
    match default_value(field)? {
        Some(default) => Ok(take(&default, &UInt32Array::from(vec![0; rows]), None)?),
        None if field.is_nullable() => Ok(new_null_array(field.data_type(), rows)),
        None => {
            Err(Mismatch::new("the record does not have it, and in the file it is required and has no default").into())
        }
    }
}

fn same_name(from: &Field, into: &Field) -> std::result::Result<(), Mismatch> {
    let (one, other) = (from.metadata().get(NAME), into.metadata().get(NAME));
    if one != other {
        let shown = |name: Option<&String>| name.map_or("no name".to_owned(), |name| format!("the name `{name}`"));
        return Err(Mismatch::new(format!(
            "its schema has {} in the record and {} in the file",
            shown(one),
            shown(other)
        )));
    }
    match first_other_parameter(from, into) {
        Some(name) => {
            Err(Mismatch::new(format!("parameter `{name}` of its schema is another in the record and in the file")))
        }
        None => Ok(()),
    }
}

/// A parameter that is not the same. An enum of the file may have further symbols.
fn first_other_parameter<'a>(from: &'a Field, into: &'a Field) -> Option<&'a str> {
    let decides = |field: &'a Field| {
        let named = field.metadata().keys().filter_map(|key| key.strip_prefix(PARAMETER_PREFIX));
        named.filter(|name| !DESCRIPTIONS.iter().any(|word| name.contains(word)))
    };
    let of = |field: &'a Field, name: &str| field.metadata().get(&format!("{PARAMETER_PREFIX}{name}"));
    let is_other = |name: &&str| of(from, name) != of(into, name);
    let is_enum = of(from, ENUM).is_some();
    let may_be_new = |name: &&str| is_enum && name.starts_with(ENUM);
    decides(from).find(is_other).or_else(|| decides(into).filter(|name| !may_be_new(name)).find(is_other))
}

/// Whether every value of `from` is one of `into`, as Connect has it: any step upward.
fn is_widened(from: &DataType, into: &DataType) -> bool {
    use DataType::{Float32, Float64, Int8, Int16, Int32, Int64};
    let ladder = [Int8, Int16, Int32, Int64, Float32, Float64];
    let step = |data_type: &DataType| ladder.iter().position(|step| step == data_type);
    matches!((step(from), step(into)), (Some(from), Some(into)) if from < into)
}

fn called(data_type: &DataType, field: &Field) -> String {
    match (field.metadata().get(NAME), data_type) {
        (Some(name), _) => format!("a {name}"),
        (None, DataType::Struct(_)) => "a struct".to_owned(),
        (None, DataType::List(_)) => "an array".to_owned(),
        (None, DataType::Map(..)) => "a map".to_owned(),
        (None, other) => format!("{other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::{Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
    use arrow::datatypes::{Float64Type, Int64Type};
    use volley_api::schema::DEFAULT;

    use super::*;

    fn with(field: Field, entries: &[(&str, &str)]) -> Field {
        let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let metadata = field.metadata().clone().into_iter().chain(entries).collect::<HashMap<_, _>>();
        field.with_metadata(metadata)
    }

    fn optional(name: &str, data_type: DataType) -> Field {
        Field::new(name, data_type, true)
    }

    fn required(name: &str, data_type: DataType) -> Field {
        Field::new(name, data_type, false)
    }

    fn value(fields: Vec<Field>) -> FieldRef {
        Arc::new(optional("value", DataType::Struct(fields.into())))
    }

    fn column(fields: Vec<(Field, ArrayRef)>) -> Column {
        let (fields, arrays): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        let array = StructArray::new(fields.clone().into(), arrays, None);
        Column::new(value(fields), Arc::new(array))
    }

    fn mismatch(column: &Column, into: &FieldRef) -> String {
        project(column, into).unwrap().unwrap_err().to_string()
    }

    #[test]
    fn an_older_record_gets_what_is_new_and_loses_what_is_gone() {
        let lists = ListArray::from_iter_primitive::<arrow::datatypes::Int32Type, _, _>([Some(vec![Some(7)]), None]);
        let items = lists.data_type().clone();
        let old = column(vec![
            (required("id", DataType::Int32), Arc::new(Int32Array::from(vec![1, 2]))),
            (optional("gone", DataType::Utf8), Arc::new(StringArray::from(vec!["x", "y"]))),
            (optional("grade", DataType::Int64), Arc::new(Int64Array::from(vec![Some(4), None]))),
            (optional("list", items), Arc::new(lists)),
        ]);
        let wide = DataType::List(Arc::new(optional("item", DataType::Float64)));
        let new = value(vec![
            with(required("grade", DataType::Int64), &[(DEFAULT, "9")]),
            required("id", DataType::Int64),
            with(optional("country", DataType::Utf8), &[(DEFAULT, "\"DE\"")]),
            optional("note", DataType::Utf8),
            optional("list", wide),
        ]);
        let projected = project(&old, &new).unwrap().unwrap();
        assert_eq!(projected.field, new);
        let rows = RecordBatch::from(projected.array.as_struct());
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[4, 9]);
        assert_eq!(rows.column(1).as_primitive::<Int64Type>().values(), &[1, 2]);
        assert_eq!(rows.column(2).as_string::<i32>(), &StringArray::from(vec!["DE", "DE"]));
        assert_eq!(rows.column(3).null_count(), 2);
        let lists = rows.column(4).as_list::<i32>();
        assert_eq!(lists.value(0).as_primitive::<Float64Type>(), &Float64Array::from(vec![7.0]));
        assert!(lists.is_null(1));
    }

    #[test]
    fn what_does_not_fit_is_named_with_the_way_to_it() {
        let inner = column(vec![(optional("zip", DataType::Utf8), Arc::new(StringArray::from(vec!["1"])))]);
        let old = column(vec![
            (optional("id", DataType::Int64), Arc::new(Int64Array::from(vec![1]))),
            (optional("address", inner.array.data_type().clone()), inner.array),
        ]);
        let address = |field: Field| value(vec![optional("address", DataType::Struct(vec![field].into()))]);
        for (into, expected) in [
            (
                value(vec![optional("id", DataType::Int32)]),
                "field `id`: it is Int64 in the record and Int32 in the file",
            ),
            (
                value(vec![required("id", DataType::Int64)]),
                "field `id`: it may be null in the record, and in the file it is required",
            ),
            (
                value(vec![required("new", DataType::Int64)]),
                "field `new`: the record does not have it, and in the file it is required",
            ),
            (address(optional("zip", DataType::Int64)), "field `address.zip`: it is Utf8 in the record and Int64"),
            (
                address(with(optional("zip", DataType::Utf8), &[(NAME, "Zip")])),
                "field `address.zip`: its schema has no name in the record and the name `Zip`",
            ),
            (
                Arc::new(optional("value", DataType::Utf8)),
                "the value: it is a struct in the record and Utf8 in the file",
            ),
        ] {
            let said = mismatch(&old, &into);
            assert!(said.starts_with(expected), "{said}");
        }
    }

    #[test]
    fn an_enum_of_the_file_may_have_more_symbols_and_descriptions_decide_nothing() {
        let parameter = |name: &str| format!("{PARAMETER_PREFIX}{name}");
        let color = |symbols: &[&str], doc: &str| {
            let named = |symbol: &str| (parameter(&format!("{ENUM}.{symbol}")), symbol.to_owned());
            let doc = (parameter("io.confluent.connect.avro.enum.doc.Color"), doc.to_owned());
            let entries = symbols.iter().copied().map(named).chain([(parameter(ENUM), "Color".to_owned()), doc]);
            optional("color", DataType::Utf8).with_metadata(entries.collect())
        };
        let record = |field: Field| column(vec![(field, Arc::new(StringArray::from(vec!["RED"])))]);
        let file = value(vec![color(&["RED", "BLUE"], "new")]);
        assert!(project(&record(color(&["RED"], "old")), &file).unwrap().is_ok());
        let said = mismatch(&record(color(&["RED", "PINK"], "old")), &file);
        assert!(said.contains("Enum.PINK"), "{said}");
        let sized = with(optional("color", DataType::Utf8), &[(&parameter("size"), "1")]);
        assert!(mismatch(&record(sized), &value(vec![optional("color", DataType::Utf8)])).contains("`size`"));
    }
}
