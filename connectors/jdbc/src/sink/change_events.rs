//! Debezium's change events as rows: what is written, what is removed, and when a table is emptied.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, StructArray};
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Field, Fields};
use arrow::util::display::array_value_to_string;
use volley_api::{Column, Records, Result, Semantics, as_meant, schema};

use super::record_plan::child;

const BEFORE: &str = "before";
const AFTER: &str = "after";
const OPERATION: &str = "op";
const SOURCE: &str = "source";
/// What the schema of a change is called at its end.
const ENVELOPE: &str = "Envelope";

/// Rows of one table.
#[derive(Debug)]
pub(super) struct RowEvents {
    pub(super) records: Records,
    /// Of each row, whether it is removed.
    pub(super) removes: Vec<bool>,
    /// Whether the table is emptied; then there is one record, which stands for it.
    pub(super) truncates: bool,
    /// Fields of `source` that the name of the table needs.
    pub(super) source: BTreeMap<String, String>,
}

/// What is to be known of a change.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventSettings<'a> {
    /// Whether rows are removed; else their removals are skipped.
    pub(super) deletes: bool,
    /// Whether a record with a null value says by its key which row is removed; else it is skipped.
    pub(super) has_keys: bool,
    /// Whether tables are emptied; else that is skipped.
    pub(super) truncates: bool,
    /// The fields of `source` that the name of the table needs.
    pub(super) source_fields: &'a [String],
}

/// The rows that records are: changes, or rows as they are. Each goes to one table.
///
/// # Errors
/// `Data` for records that are neither.
pub(super) fn row_events(records: &Records, settings: &EventSettings<'_>) -> Result<Vec<RowEvents>> {
    let key = as_meant(&records.key, Semantics::TimesAndDecimals)?.into_owned();
    let value = as_meant(&records.value, Semantics::TimesAndDecimals)?.into_owned();
    let records = Records { key, value, ..records.clone() };
    let events = match envelope(&records.value) {
        None => vec![flat(records, settings)?],
        Some(structs) => changes(&records, structs, settings)?,
    };
    let kept = events.into_iter().map(|events| without_removals(events, settings.deletes));
    Ok(kept.collect::<Result<Vec<_>>>()?.into_iter().filter(|events| !events.records.is_empty()).collect())
}

/// The value as a change, if it is one.
fn envelope(value: &Column) -> Option<&StructArray> {
    let structs = value.array.as_struct_opt()?;
    let fields = structs.fields();
    let has = |name: &str| fields.find(name).is_some();
    let is_named = value.field.metadata().get(schema::NAME).is_some_and(|name| name.ends_with(ENVELOPE));
    (has(OPERATION) && has(AFTER) && (is_named || has(BEFORE) && has(SOURCE))).then_some(structs)
}

fn flat(records: Records, settings: &EventSettings<'_>) -> Result<RowEvents> {
    let is_null = |row: usize| records.value.is_null(row);
    let kept: Vec<u32> =
        (0..records.len()).filter(|row| settings.has_keys || !is_null(*row)).map(|row| row as u32).collect();
    let removes = kept.iter().map(|row| is_null(*row as usize)).collect();
    Ok(RowEvents { records: records.take(&kept.into())?, removes, truncates: false, source: BTreeMap::new() })
}

fn without_removals(events: RowEvents, deletes: bool) -> Result<RowEvents> {
    if deletes || events.truncates || !events.removes.contains(&true) {
        return Ok(events);
    }
    let kept: Vec<u32> = (0..events.removes.len()).filter(|row| !events.removes[*row]).map(|row| row as u32).collect();
    let removes = vec![false; kept.len()];
    Ok(RowEvents { records: events.records.take(&kept.into())?, removes, ..events })
}

/// What becomes of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Write,
    Remove,
    Truncate,
    Skip,
}

fn changes(records: &Records, structs: &StructArray, settings: &EventSettings<'_>) -> Result<Vec<RowEvents>> {
    let operations = operations(structs, settings);
    let sources = sources(structs, settings.source_fields, records.len())?;
    let rows = Records { value: images(records, structs, &operations)?, ..records.clone() };
    let wanted: Vec<usize> = (0..records.len()).filter(|row| operations[*row] != Operation::Skip).collect();
    // a table that is emptied stands between what comes before and behind
    let is_together = |one: &usize, other: &usize| {
        operations[*one] != Operation::Truncate
            && operations[*other] != Operation::Truncate
            && sources[*one] == sources[*other]
    };
    wanted
        .chunk_by(is_together)
        .map(|run| {
            let places: Vec<u32> = run.iter().map(|row| *row as u32).collect();
            Ok(RowEvents {
                records: rows.take(&places.into())?,
                removes: run.iter().map(|row| operations[*row] == Operation::Remove).collect(),
                truncates: operations[run[0]] == Operation::Truncate,
                source: sources[run[0]].clone(),
            })
        })
        .collect()
}

fn operations(structs: &StructArray, settings: &EventSettings<'_>) -> Vec<Operation> {
    let texts = structs.column_by_name(OPERATION).and_then(|texts| texts.as_string_opt::<i32>());
    let of = |texts: &StringArray, row: usize| match texts.value(row) {
        "d" => Operation::Remove,
        "t" if settings.truncates => Operation::Truncate,
        // messages, and what later versions may have
        "c" | "u" | "r" => Operation::Write,
        _ => Operation::Skip,
    };
    (0..structs.len())
        .map(|row| match texts {
            // the tombstone behind a removal
            _ if structs.is_null(row) && settings.has_keys => Operation::Remove,
            _ if structs.is_null(row) => Operation::Skip,
            Some(texts) if texts.is_valid(row) => of(texts, row),
            _ => Operation::Skip,
        })
        .collect()
}

/// Each row as it is afterwards, or as it was where it is removed.
fn images(records: &Records, structs: &StructArray, operations: &[Operation]) -> Result<Column> {
    let image = |name: &str| -> Result<Option<(Field, ArrayRef)>> {
        let Some((place, field)) = structs.fields().find(name) else { return Ok(None) };
        Ok(Some((field.as_ref().clone(), child(structs.column(place), structs.nulls())?)))
    };
    let Some((field, after)) = image(AFTER)? else { return Ok(Column::nulls(records.len())) };
    let array = match image(BEFORE)? {
        Some((_, before)) if has_same_fields(before.data_type(), after.data_type()) => {
            let removed: BooleanArray =
                operations.iter().map(|operation| Some(*operation == Operation::Remove)).collect();
            let before: ArrayRef = if before.data_type() == after.data_type() {
                before
            } else {
                arrow::compute::cast(&before, after.data_type())?
            };
            zip(&removed, &before, &after)?
        }
        _ => after,
    };
    Ok(Column::new(Arc::new(field.with_nullable(true)), array))
}

fn has_same_fields(one: &DataType, other: &DataType) -> bool {
    let names = |fields: &Fields| fields.iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    match (one, other) {
        (DataType::Struct(one), DataType::Struct(other)) => names(one) == names(other),
        _ => false,
    }
}

/// The fields of `source` of each row.
fn sources(structs: &StructArray, wanted: &[String], len: usize) -> Result<Vec<BTreeMap<String, String>>> {
    let mut sources = vec![BTreeMap::new(); len];
    let Some(source) = structs.column_by_name(SOURCE).and_then(|source| source.as_struct_opt()) else {
        return Ok(sources);
    };
    for name in wanted {
        let Some(values) = source.column_by_name(name) else { continue };
        for (row, fields) in sources.iter_mut().enumerate() {
            if !structs.is_null(row) && values.is_valid(row) {
                fields.insert(name.clone(), array_value_to_string(values, row)?);
            }
        }
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::buffer::NullBuffer;
    use volley_api::testing::{column, consumed};

    use super::*;

    fn row(id: Option<i64>) -> (i64, bool) {
        (id.unwrap_or_default(), id.is_some())
    }

    fn rows(ids: &[Option<i64>]) -> ArrayRef {
        let ids: Vec<_> = ids.iter().map(|id| row(*id)).collect();
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(ids.iter().map(|(id, _)| *id)));
        let nulls: NullBuffer = ids.iter().map(|(_, is_there)| *is_there).collect::<Vec<_>>().into();
        let fields = Fields::from(vec![Field::new("id", DataType::Int64, false)]);
        Arc::new(StructArray::try_new(fields, vec![numbers], Some(nulls)).unwrap())
    }

    fn events(deletes: bool, truncates: bool) -> Vec<RowEvents> {
        let (before, after) =
            (rows(&[None, Some(1), Some(2), None, None, None]), rows(&[Some(1), Some(11), None, None, Some(5), None]));
        let operations: ArrayRef = Arc::new(StringArray::from(vec!["c", "u", "d", "t", "r", "m"]));
        let tables: ArrayRef = Arc::new(StringArray::from(vec!["a", "a", "a", "a", "b", "b"]));
        let source_fields = Fields::from(vec![Field::new("table", DataType::Utf8, false)]);
        let source: ArrayRef = Arc::new(StructArray::try_new(source_fields, vec![tables], None).unwrap());
        let fields: Vec<_> = [(BEFORE, &before), (AFTER, &after), (OPERATION, &operations), (SOURCE, &source)]
            .into_iter()
            .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
            .collect();
        let value = StructArray::try_new(fields.into(), vec![before, after, operations, source], None).unwrap();
        let settings = EventSettings { deletes, has_keys: true, truncates, source_fields: &["table".to_owned()] };
        row_events(&consumed("t", 0, 0, column(value)), &settings).unwrap()
    }

    fn shown(events: &RowEvents) -> (Vec<i64>, &[bool], bool, &str) {
        let ids = events.records.value.array.as_struct().column(0).as_primitive::<arrow::datatypes::Int64Type>();
        (ids.values().to_vec(), &events.removes, events.truncates, &events.source["table"])
    }

    #[test]
    fn changes_are_rows_removals_and_emptied_tables_in_order() {
        let all = events(true, true);
        assert_eq!(all.len(), 3);
        assert_eq!(shown(&all[0]), (vec![1, 11, 2], &[false, false, true][..], false, "a"));
        assert!(all[1].truncates && all[1].records.len() == 1);
        assert_eq!(shown(&all[2]), (vec![5], &[false][..], false, "b"));
    }

    #[test]
    fn what_is_not_asked_for_is_skipped() {
        let some = events(false, false);
        assert_eq!(some.len(), 2);
        assert_eq!(shown(&some[0]), (vec![1, 11], &[false, false][..], false, "a"));
    }

    #[test]
    fn records_that_are_no_changes_are_rows() {
        let settings = EventSettings { deletes: true, has_keys: true, truncates: false, source_fields: &[] };
        let values = column(rows(&[Some(1), None]).as_struct().clone());
        let events = row_events(&consumed("t", 0, 0, values), &settings).unwrap();
        assert_eq!(events[0].removes, [false, true]);
    }
}
