//! Values onto the columns of a file: fields found by name, missing ones null, numbers widened. Nothing is copied where
//! the types agree.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, RecordBatchOptions, StringArray, StructArray,
    new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields, SchemaRef};
use arrow::util::display::array_value_to_string;
use volley_api::{Column, Error, Result};

use super::agreement::find;

/// The text that stands for a struct without fields.
const EMPTY_STRUCT: &str = "{}";

/// What the values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShapeKind {
    /// Structs with at least one column.
    Struct,
    /// Anything else that has a column.
    Single,
    /// Values of which nothing is left, such as structs without fields: each becomes text.
    Empty,
}

/// Rows of `schema` for these values, none of which is null.
pub(crate) fn project_columns(value: &Column, kind: ShapeKind, schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = value.len();
    let columns = match kind {
        ShapeKind::Struct => {
            let structs = value.array.as_struct_opt().ok_or_else(|| not_as_declared(value))?;
            project_fields(structs, schema.fields(), rows)?
        }
        ShapeKind::Single => alone(schema.fields(), &value.array, rows)?,
        ShapeKind::Empty => alone(schema.fields(), &(Arc::new(texts_of_nothing(value)?) as ArrayRef), rows)?,
    };
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// A value with a single column, in a file that may have others: those of structs that came before.
fn alone(fields: &Fields, array: &ArrayRef, rows: usize) -> Result<Vec<ArrayRef>> {
    let column = |(_, field): (usize, &arrow::datatypes::FieldRef)| match field.name() == "value" {
        true => project(array, field.data_type()),
        false => Ok(new_null_array(field.data_type(), rows)),
    };
    fields.iter().enumerate().map(column).collect()
}

/// Values that have no column: structs without fields, lists of nothing but nulls.
fn texts_of_nothing(value: &Column) -> Result<StringArray> {
    if let DataType::Struct(_) = value.array.data_type() {
        return Ok(StringArray::from_iter_values(std::iter::repeat_n(EMPTY_STRUCT, value.len())));
    }
    // row by row, since such values are too rare to be worth more
    let texts = (0..value.len()).map(|row| array_value_to_string(&value.array, row));
    Ok(StringArray::from(texts.collect::<std::result::Result<Vec<_>, _>>()?))
}

fn project_fields(structs: &StructArray, into: &Fields, rows: usize) -> Result<Vec<ArrayRef>> {
    let column = |(hint, field): (usize, &arrow::datatypes::FieldRef)| match find(structs.fields(), field.name(), hint)
    {
        Some(position) => project(structs.column(position), field.data_type()),
        None => Ok(new_null_array(field.data_type(), rows)),
    };
    into.iter().enumerate().map(column).collect()
}

fn project(array: &ArrayRef, into: &DataType) -> Result<ArrayRef> {
    if array.data_type() == into {
        return Ok(Arc::clone(array));
    }
    match (array.data_type(), into) {
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let structs = array.as_struct();
            let columns = project_fields(structs, fields, structs.len())?;
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, structs.nulls().cloned())?))
        }
        (DataType::List(_), DataType::List(item)) => {
            let lists = array.as_list::<i32>();
            let values = project(lists.values(), item.data_type())?;
            let nulls = lists.nulls().cloned();
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), lists.offsets().clone(), values, nulls)?))
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let maps = array.as_map();
            let projected = project(&(Arc::new(maps.entries().clone()) as ArrayRef), entries.data_type())?;
            let projected = projected.as_struct().clone();
            let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
            Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, projected, nulls, *sorted)?))
        }
        _ => Ok(cast(array, into)?),
    }
}

fn not_as_declared(value: &Column) -> Error {
    Error::fatal(format!("a value of type {} came under a field of another type", value.array.data_type()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, Int64Array, NullArray};
    use arrow::datatypes::{Field, Int64Type};

    use super::*;
    use crate::format::columns::agreement::Agreement;
    use crate::format::columns::shape::{Shape, schema};

    fn column(array: ArrayRef) -> Column {
        Column::new(Arc::new(Field::new("value", array.data_type().clone(), true)), array)
    }

    fn structs(columns: Vec<(&str, ArrayRef)>) -> Column {
        let columns = columns
            .into_iter()
            .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array))
            .collect::<Vec<_>>();
        column(Arc::new(StructArray::from(columns)))
    }

    #[test]
    fn rows_of_an_older_schema_fit_a_wider_file() {
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(7)]), None]);
        let old = structs(vec![("a", Arc::new(Int32Array::from(vec![1, 2]))), ("n", Arc::new(NullArray::new(2)))]);
        let new = structs(vec![("l", Arc::new(lists)), ("a", Arc::new(Int64Array::from(vec![3, 4])))]);
        let (old_shape, new_shape) = (Shape::of(&old.field), Shape::of(&new.field));
        let wide = schema(&Agreement::Strict.merge(old_shape.fields(), new_shape.fields()).unwrap());
        let rows = old_shape.rows(&old, &wide).unwrap();
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[1, 2]);
        assert_eq!(rows.column(1).null_count(), 2);
        let rows = new_shape.rows(&new, &wide).unwrap();
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[3, 4]);
        assert_eq!(rows.column(1).as_list::<i32>().value(0).as_primitive::<Int64Type>().values(), &[7]);
    }

    #[test]
    fn values_of_which_nothing_is_left_are_still_rows() {
        let empty = structs(vec![("n", Arc::new(NullArray::new(3)))]);
        let shape = Shape::of(&empty.field);
        let rows = shape.rows(&empty, &schema(shape.fields())).unwrap();
        assert_eq!(rows.num_rows(), 3);
        assert_eq!(rows.column(0).as_string::<i32>().value(2), "{}");
    }
}
