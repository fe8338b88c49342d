//! The members and elements of columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, FieldRef};
use volley_api::{Column, Result};

use crate::columns::{as_connect, child_values};

/// The member of this name of each object, null where there is none; `None` if there can be none.
pub(super) fn member(column: &Column, name: &str) -> Result<Option<Column>> {
    match column.field.data_type() {
        DataType::Struct(fields) => {
            let Some((place, field)) = fields.find(name) else { return Ok(None) };
            let structs = column.array.as_struct();
            Ok(Some(typed(field, child_values(structs, structs.column(place))?)?))
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { return Ok(None) };
            let maps = column.array.as_map();
            if fields[0].data_type() != &DataType::Utf8 {
                return Ok(None);
            }
            let keys = maps.keys().as_string::<i32>();
            let entry_of = |row: usize| {
                let mut entries = maps.value_offsets()[row]..maps.value_offsets()[row + 1];
                entries.rfind(|entry| keys.value(*entry as usize) == name).map(|entry| entry as u32)
            };
            let of_row = |row| if maps.is_null(row) { None } else { entry_of(row) };
            let rows: UInt32Array = (0..maps.len()).map(of_row).collect();
            Ok(Some(typed(&fields[1], take(maps.values(), &rows, None)?)?))
        }
        _ => Ok(None),
    }
}

/// All members of objects, each as a column; for a map, those of any row that has them.
pub(super) fn members(column: &Column) -> Result<Vec<Column>> {
    match column.field.data_type() {
        DataType::Struct(fields) => {
            let structs = column.array.as_struct();
            let members = fields.iter().zip(structs.columns());
            members.map(|(field, values)| typed(field, child_values(structs, values)?)).collect()
        }
        DataType::Map(..) => {
            let maps = column.array.as_map();
            let mut names: Vec<&str> = match maps.keys().data_type() {
                DataType::Utf8 => maps.keys().as_string::<i32>().iter().flatten().collect(),
                _ => Vec::new(),
            };
            names.sort_unstable();
            names.dedup();
            let members = names.into_iter().map(|name| member(column, name));
            members.filter_map(Result::transpose).collect()
        }
        _ => Ok(Vec::new()),
    }
}

/// The element at this place of each list, null where it has none; `None` if the column has no lists.
pub(super) fn element(column: &Column, index: i64) -> Result<Option<Column>> {
    let Some(items) = elements(column)? else { return Ok(None) };
    let lists = column.array.as_list::<i32>();
    let of_row = |row: usize| {
        let (start, end) = (lists.value_offsets()[row], lists.value_offsets()[row + 1]);
        let place = if index < 0 { i64::from(end) + index } else { i64::from(start) + index };
        let is_there = lists.is_valid(row) && (i64::from(start)..i64::from(end)).contains(&place);
        if is_there { u32::try_from(place).ok() } else { None }
    };
    let rows: UInt32Array = (0..lists.len()).map(of_row).collect();
    Ok(Some(Column::new(Arc::clone(&items.field), take(&items.array, &rows, None)?)))
}

/// The elements of all lists, one after the other; `None` if the column has no lists.
pub(super) fn elements(column: &Column) -> Result<Option<Column>> {
    match column.field.data_type() {
        DataType::List(item) => Ok(Some(typed(item, Arc::clone(column.array.as_list::<i32>().values()))?)),
        _ => Ok(None),
    }
}

fn typed(field: &FieldRef, values: ArrayRef) -> Result<Column> {
    as_connect(&Column::new(Arc::clone(field), values))
}
