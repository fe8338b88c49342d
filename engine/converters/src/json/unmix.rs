//! Splits rows with mixed columns by the types of their values, and combines them again.
//!
//! ```text
//!  status (mixed): "paid" 5 "cancelled" null  ─ MixedRows::split ─►  rows 0, 2, 3: VARCHAR   row 1: BIGINT
//!                                             ◄─── same_type ─────
//! ```
//! So a query, for example, gets texts as texts and numbers as numbers, whatever other rows contain.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, NullArray, StringArray, StructArray, UInt32Array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use rustc_hash::FxHashMap;
use volley_api::schema::{EXTENSION_NAME, is_mixed};
use volley_api::{Column, Result};

use super::columns::untyped_element;
use super::inferred::{Inference, Messages};
use super::syntax::{Cursor, Kind, MAX_EXACT_INTEGER, Number, read_number};

/// The set of the types of a row's values at one mixed place of the schema, one bit for each.
type Holds = u8;

const TEXT: Holds = 1;
const BOOLEAN: Holds = 2;
/// Numbers that fit a double.
const NUMBER: Holds = 4;
/// Integers of 64 bits that do not fit a double.
const WIDE_INTEGER: Holds = 8;
/// All other numbers.
const BEYOND: Holds = 16;
const OBJECT: Holds = 32;
const ARRAY: Holds = 64;

/// Maximum number of passes: decoded values may be mixed within.
const MAX_ROUNDS: usize = 8;

/// Maximum number of groups that a group of rows with nulls is compared with, to be merged.
const COMPARED_GROUPS: usize = 64;

/// Splits rows with mixed columns. The types that it has learnt for a column can only become wider.
#[derive(Debug, Default)]
pub struct MixedRows {
    inferences: FxHashMap<(String, Holds), Inference>,
}

/// Rows with the same types at each mixed place.
#[derive(Debug)]
struct Group {
    holds: Vec<Holds>,
    rows: Vec<u32>,
}

impl MixedRows {
    /// Starts without any types.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether values of `field` have mixed places that [`split`](Self::split) would handle.
    pub fn are_in(field: &Field, is_wanted: impl Fn(&str) -> bool) -> bool {
        match field.data_type() {
            DataType::Struct(children) => children.iter().any(|child| holds_mixed(child) && is_wanted(child.name())),
            _ => holds_mixed(field),
        }
    }

    /// Splits a schemaless column into parts, each with its rows (ascending) and their values. No place of a part is
    /// mixed any more, except for a single value that is mixed in itself (`[1,"a"]`), or a number beyond 64 bits. Rows
    /// with a null at a mixed place belong to the largest part that they fit. Of a struct only the wanted fields are
    /// split.
    ///
    /// # Errors
    /// None caused by rows.
    pub fn split(&mut self, column: &Column, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<(UInt32Array, Column)>> {
        let mut done = Vec::new();
        let all = UInt32Array::from_iter_values(0..column.len() as u32);
        let mut open = vec![(all, column.clone(), 0)];
        while let Some((rows, column, round)) = open.pop() {
            let mut holds = Vec::new();
            let elements: Vec<u32> = (0..column.len() as u32).collect();
            find_holds(&column.field, &column.array, &elements, column.len(), Some(&is_wanted), &mut holds);
            for group in groups_of(&holds, column.len()) {
                let taken = UInt32Array::from(group.rows);
                let part = column.take(&taken)?;
                let mut typing = Typing { inferences: &mut self.inferences, holds: group.holds.iter(), again: false };
                let (field, array) = typing.typed(&part.field, &part.array, &mut String::new(), Some(&is_wanted))?;
                let (again, part) = (typing.again, Column::new(field, array));
                let rows = arrow::compute::take(&rows, &taken, None)?.as_primitive().clone();
                if again && round < MAX_ROUNDS {
                    open.push((rows, part, round + 1));
                } else {
                    done.push((rows, part));
                }
            }
        }
        done.sort_by_key(|(rows, _)| rows.values().first().copied());
        Ok(done)
    }
}

fn holds_mixed(field: &Field) -> bool {
    match field.data_type() {
        DataType::Struct(children) => children.iter().any(|child| holds_mixed(child)),
        DataType::List(element) => holds_mixed(element),
        _ => is_mixed(field),
    }
}

/// Adds for each mixed place, in schema order, the types of each row. `rows`: the row of each value of `array`.
fn find_holds(
    field: &Field,
    array: &ArrayRef,
    rows: &[u32],
    len: usize,
    is_wanted: Option<&dyn Fn(&str) -> bool>,
    holds: &mut Vec<Vec<Holds>>,
) {
    match field.data_type() {
        DataType::Struct(children) => {
            for (child, column) in children.iter().zip(array.as_struct().columns()) {
                if is_wanted.is_none_or(|is_wanted| is_wanted(child.name())) {
                    find_holds(child, column, rows, len, None, holds);
                }
            }
        }
        DataType::List(element) => {
            let lists = array.as_list::<i32>();
            let mut rows_of_elements = vec![0; lists.values().len()];
            for (list, row) in rows.iter().enumerate() {
                let (start, end) = (lists.value_offsets()[list] as usize, lists.value_offsets()[list + 1] as usize);
                rows_of_elements[start..end].fill(*row);
            }
            find_holds(element, lists.values(), &rows_of_elements, len, None, holds);
        }
        _ if is_mixed(field) => {
            let mut place = vec![0; len];
            // Each value is a JSON text of its own.
            for (json, row) in array.as_string::<i32>().iter().zip(rows) {
                place[*row as usize] |= json.map_or(0, holds_of);
            }
            holds.push(place);
        }
        _ => {}
    }
}

fn holds_of(json: &str) -> Holds {
    match Kind::of(json.as_bytes()) {
        None => 0,
        Some(Kind::Text) => TEXT,
        Some(Kind::Boolean) => BOOLEAN,
        Some(Kind::Object) => OBJECT,
        Some(Kind::Array) => ARRAY,
        Some(Kind::Number) => match read_number(&mut Cursor::new(json.trim_ascii_start().as_bytes())) {
            Ok(Number::Int(number)) if number.unsigned_abs() > MAX_EXACT_INTEGER => WIDE_INTEGER,
            Ok(Number::Int(_)) => NUMBER,
            Ok(Number::Float(number)) if number.is_finite() => NUMBER,
            _ => BEYOND,
        },
    }
}

/// Groups the rows by their types. Rows with nulls belong to the largest group that they fit.
fn groups_of(holds: &[Vec<Holds>], len: usize) -> Vec<Group> {
    let mut by_holds: FxHashMap<Vec<Holds>, Vec<u32>> = FxHashMap::default();
    let mut key = Vec::with_capacity(holds.len());
    for row in 0..len {
        key.clear();
        key.extend(holds.iter().map(|place| place[row]));
        match by_holds.get_mut(&key) {
            Some(rows) => rows.push(row as u32),
            None => drop(by_holds.insert(key.clone(), vec![row as u32])),
        }
    }
    let mut groups: Vec<Group> = by_holds.into_iter().map(|(holds, rows)| Group { holds, rows }).collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.rows.len()), group.rows.first().copied()));
    let mut kept: Vec<Group> = Vec::with_capacity(groups.len());
    for group in groups {
        match kept.iter_mut().take(COMPARED_GROUPS).find(|larger| larger.fits(&group)) {
            Some(larger) => larger.add(group),
            None => kept.push(group),
        }
    }
    kept.iter_mut().for_each(|group| group.rows.sort_unstable());
    kept
}

impl Group {
    fn fits(&self, other: &Self) -> bool {
        self.holds.iter().zip(&other.holds).all(|(one, other)| one == other || *one == 0 || *other == 0)
    }

    fn add(&mut self, other: Self) {
        self.holds.iter_mut().zip(other.holds).for_each(|(one, other)| *one |= other);
        self.rows.extend(other.rows);
    }
}

/// Converts the columns of one group of rows to their types.
struct Typing<'a> {
    inferences: &'a mut FxHashMap<(String, Holds), Inference>,
    /// The types of the rows at the mixed places that follow.
    holds: std::slice::Iter<'a, Holds>,
    /// Whether a decoded value is mixed within.
    again: bool,
}

impl Typing<'_> {
    fn typed(
        &mut self,
        field: &FieldRef,
        array: &ArrayRef,
        path: &mut String,
        is_wanted: Option<&dyn Fn(&str) -> bool>,
    ) -> Result<(FieldRef, ArrayRef)> {
        match field.data_type() {
            DataType::Struct(children) => {
                let structs = array.as_struct();
                let (mut fields, mut columns) =
                    (Vec::with_capacity(children.len()), Vec::with_capacity(children.len()));
                for (child, column) in children.iter().zip(structs.columns()) {
                    let (child, column) = match is_wanted.is_none_or(|is_wanted| is_wanted(child.name())) {
                        true => self.within(child, column, path)?,
                        false => (Arc::clone(child), Arc::clone(column)),
                    };
                    fields.push(child);
                    columns.push(column);
                }
                let fields = Fields::from(fields);
                let nulls = structs.nulls().cloned();
                let array = StructArray::try_new_with_length(fields.clone(), columns, nulls, structs.len())?;
                Ok((with_type(field, DataType::Struct(fields)), Arc::new(array)))
            }
            DataType::List(element) => {
                let lists = array.as_list::<i32>();
                let (element, values) = self.within(element, lists.values(), path)?;
                let element = if element.data_type() == &DataType::Null { untyped_element() } else { element };
                let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
                let array = ListArray::try_new(Arc::clone(&element), offsets, values, nulls)?;
                Ok((with_type(field, DataType::List(element)), Arc::new(array)))
            }
            _ if is_mixed(field) => self.decoded(field, array, path),
            _ => Ok((Arc::clone(field), Arc::clone(array))),
        }
    }

    fn within(&mut self, field: &FieldRef, array: &ArrayRef, path: &mut String) -> Result<(FieldRef, ArrayRef)> {
        let len = path.len();
        path.push('\0');
        path.push_str(field.name());
        let typed = self.typed(field, array, path, None);
        path.truncate(len);
        typed
    }

    fn decoded(&mut self, field: &FieldRef, array: &ArrayRef, path: &str) -> Result<(FieldRef, ArrayRef)> {
        let holds = self.holds.next().copied().unwrap_or(0);
        if holds == 0 {
            return Ok((with_type(field, DataType::Null), Arc::new(NullArray::new(array.len()))));
        }
        if holds.count_ones() > 1 || holds == BEYOND {
            return Ok((Arc::clone(field), Arc::clone(array)));
        }
        let texts: &StringArray = array.as_string();
        let get = |row: usize| texts.is_valid(row).then(|| texts.value(row).as_bytes());
        let inference = self.inferences.entry((path.to_owned(), holds)).or_insert_with(|| Inference::new(&[]));
        let decoded = inference.decode(&Messages { len: texts.len(), utf8: true, get })?;
        // A text that is not JSON, whatever wrote it into the column, stays as it is.
        if !decoded.rejected.is_empty() || is_mixed(&decoded.column.field) {
            return Ok((Arc::clone(field), Arc::clone(array)));
        }
        self.again |= holds_mixed(&decoded.column.field);
        Ok((with_type(field, decoded.column.field.data_type().clone()), decoded.column.array))
    }
}

/// The same field with another type, which is not mixed.
fn with_type(field: &FieldRef, data_type: DataType) -> FieldRef {
    if field.data_type() == &data_type && !is_mixed(field) {
        return Arc::clone(field);
    }
    let mut metadata = field.metadata().clone();
    metadata.remove(EXTENSION_NAME);
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()).with_metadata(metadata))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use volley_api::{Converter, Side};

    use super::*;
    use crate::json::agreement::{agrees, any_event, any_object, without_untyped};
    use crate::rejections::raw_batch_of;
    use crate::{JsonConverter, same_type};

    fn column_of(messages: &[String]) -> Column {
        let plain = [("schemas.enable".to_owned(), "false".to_owned())].into_iter().collect();
        let messages: Vec<Option<&[u8]>> = messages.iter().map(|message| Some(message.as_bytes())).collect();
        let mut converter = JsonConverter::new(&plain, Side::Value).unwrap();
        converter.to_connect(&raw_batch_of(&messages), Side::Value).unwrap().runs.remove(0).column
    }

    fn split(messages: &[&str]) -> Vec<(Vec<u32>, Column)> {
        let column = column_of(&messages.iter().map(ToString::to_string).collect::<Vec<_>>());
        let parts = MixedRows::new().split(&column, |_| true).unwrap();
        parts.into_iter().map(|(rows, column)| (rows.values().to_vec(), column)).collect()
    }

    fn types(column: &Column) -> String {
        column.field.data_type().to_string()
    }

    #[test]
    fn rows_are_parted_by_what_they_hold_and_nulls_go_with_the_most() {
        let parts = split(&[
            r#"{"i":1,"status":"paid"}"#,
            r#"{"i":2,"status":5}"#,
            r#"{"i":3}"#,
            r#"{"i":4,"status":"cancelled"}"#,
            r#"{"i":5,"status":null}"#,
            r#"{"i":6,"status":0.5}"#,
        ]);
        assert_eq!(parts.iter().map(|(rows, _)| rows.clone()).collect::<Vec<_>>(), [vec![0, 2, 3, 4], vec![1, 5]]);
        assert!(types(&parts[0].1).contains("Utf8") && types(&parts[1].1).contains("Float64"), "{parts:?}");
        let statuses = Arc::clone(parts[0].1.array.as_struct().column_by_name("status").unwrap());
        let statuses: Vec<_> = statuses.as_string::<i32>().iter().collect();
        assert_eq!(statuses, [Some("paid"), None, Some("cancelled"), None]);
    }

    #[test]
    fn integers_that_a_double_does_not_hold_are_apart_from_other_numbers() {
        let parts = split(&[r#"{"a":0.5}"#, r#"{"a":9007199254740993}"#, r#"{"a":1}"#]);
        assert_eq!(parts.iter().map(|(rows, _)| rows.clone()).collect::<Vec<_>>(), [vec![0, 2], vec![1]]);
        assert!(types(&parts[1].1).contains("Int64"));
    }

    #[test]
    fn members_lists_and_what_objects_hold_within_are_parted_too() {
        let parts = split(&[
            r#"{"p":{"s":"a","t":[1,2]}}"#,
            r#"{"p":{"s":1,"t":["x"]}}"#,
            r#"{"p":{"s":"b","t":[]}}"#,
            r#"{"p":"none"}"#,
            r#"{"p":{"s":"c","t":[1,"x"]}}"#,
        ]);
        let rows: Vec<_> = parts.iter().map(|(rows, _)| rows.clone()).collect();
        assert_eq!(rows, [vec![0, 2], vec![1], vec![3], vec![4]]);
        assert!(!holds_mixed(&parts[0].1.field) && !holds_mixed(&parts[1].1.field));
        // A single value that is mixed in itself stays so.
        assert!(holds_mixed(&parts[3].1.field));
    }

    #[test]
    fn only_the_wanted_fields_are_looked_at() {
        let column = column_of(&[r#"{"a":1,"b":1}"#.to_owned(), r#"{"a":"x","b":"y"}"#.to_owned()]);
        assert!(MixedRows::are_in(&column.field, |name| name == "a"));
        assert!(!MixedRows::are_in(&column.field, |name| name == "c"));
        let parts = MixedRows::new().split(&column, |name| name == "c").unwrap();
        assert_eq!((parts.len(), &parts[0].1.field), (1, &column.field));
    }

    proptest! {
        #[test]
        fn parts_hold_the_same_values_and_together_again_they_are_what_they_were(
            values in proptest::collection::vec(prop_oneof![any_event(), any_object()], 1..12),
        ) {
            // A value without a type has no column, and is not written again.
            let values: Vec<Value> = values.into_iter().map(without_untyped).collect();
            let column = column_of(&values.iter().map(Value::to_string).collect::<Vec<_>>());
            let parts = MixedRows::new().split(&column, |_| true).unwrap();
            let mut seen: Vec<u32> = parts.iter().flat_map(|(rows, _)| rows.values().to_vec()).collect();
            for (rows, part) in &parts {
                prop_assert!(rows.values().is_sorted());
                for (index, row) in rows.values().iter().enumerate() {
                    let value = &values[*row as usize];
                    prop_assert!(agrees(&part.field, &part.array, index, value), "{value} in {:?}", part.field);
                }
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..values.len() as u32).collect::<Vec<_>>());
            let (rows, columns): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let together = same_type(columns).unwrap();
            for (rows, part) in rows.iter().zip(&together) {
                prop_assert_eq!(&part.field, &together[0].field);
                for (index, row) in rows.values().iter().enumerate() {
                    let value = &values[*row as usize];
                    prop_assert!(agrees(&part.field, &part.array, index, value), "{value} in {:?}", part.field);
                }
            }
        }
    }
}
