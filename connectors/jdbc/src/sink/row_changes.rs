//! What is done in a table, in which order.

use std::collections::BTreeSet;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::Field;
use volley_api::Result;

use super::last_rows::RowKeys;
use super::record_plan::Planned;
use crate::database::WriteKind;

/// Rows of which the same is done.
#[derive(Debug)]
pub(super) struct RowChange {
    pub(super) kind: WriteKind,
    /// Of each row, which record it is. They ascend.
    pub(super) records: Vec<usize>,
}

impl RowChange {
    /// The columns of these rows.
    pub(super) fn columns(&self, planned: &Planned) -> Result<Vec<(Field, ArrayRef, bool)>> {
        let columns = planned.columns.iter().filter(|column| column.is_key || self.kind != WriteKind::Delete);
        // they are distinct and ascend
        if self.records.len() == planned.removes.len() {
            let whole = columns.map(|column| (column.field.clone(), ArrayRef::clone(&column.array), column.is_key));
            return Ok(whole.collect());
        }
        let rows = UInt32Array::from_iter_values(self.records.iter().map(|row| *row as u32));
        columns.map(|column| Ok((column.field.clone(), take(&column.array, &rows, None)?, column.is_key))).collect()
    }
}

/// What is done with all records but those that are `left_out`. `mode` is what is done with those that remove nothing.
///
/// Upserts and removals that follow each other come down to the last of each key. Other kinds stay in the order of the
/// records: an update behind a removal finds no row, and an insertion behind one does.
///
/// # Errors
/// `Data` for keys that cannot be compared.
pub(super) fn row_changes(
    planned: &Planned,
    mode: WriteKind,
    left_out: &dyn Fn(usize) -> bool,
) -> Result<Vec<RowChange>> {
    let wanted: Vec<usize> = (0..planned.removes.len()).filter(|row| !left_out(*row)).collect();
    let keys: Vec<ArrayRef> =
        planned.columns.iter().filter(|column| column.is_key).map(|column| ArrayRef::clone(&column.array)).collect();
    let has_removals = wanted.iter().any(|row| planned.removes[*row]);
    if mode == WriteKind::Insert && !has_removals {
        return Ok(with_rows(vec![RowChange { kind: mode, records: wanted }]));
    }
    let keys = RowKeys::new(&keys)?;
    if mode == WriteKind::Upsert {
        let last = keys.last(wanted.into_iter());
        let (removed, written): (Vec<_>, Vec<_>) = last.into_iter().partition(|row| planned.removes[*row]);
        let removals = RowChange { kind: WriteKind::Delete, records: removed };
        return Ok(with_rows(vec![RowChange { kind: mode, records: written }, removals]));
    }
    let runs = wanted.chunk_by(|one, other| planned.removes[*one] == planned.removes[*other]);
    let changes = runs.map(|run| {
        let kind = if planned.removes[run[0]] { WriteKind::Delete } else { mode };
        let records = if kind == WriteKind::Insert { run.to_vec() } else { keys.last(run.iter().copied()) };
        RowChange { kind, records }
    });
    Ok(with_rows(changes.collect()))
}

fn with_rows(mut changes: Vec<RowChange>) -> Vec<RowChange> {
    changes.retain(|change| !change.records.is_empty());
    changes
}

/// The records of `changes` that are not among those of `done`.
pub(super) fn not_yet_done(changes: Vec<RowChange>, done: &BTreeSet<usize>) -> Vec<RowChange> {
    let left = changes.into_iter().map(|change| {
        let records = change.records.into_iter().filter(|record| !done.contains(record)).collect();
        RowChange { records, ..change }
    });
    with_rows(left.collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use arrow::datatypes::DataType;
    use proptest::prelude::*;

    use super::super::record_plan::PlannedColumn;
    use super::*;

    fn planned(records: &[(i64, bool)]) -> Planned {
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(records.iter().map(|(key, _)| *key)));
        let key = PlannedColumn { field: Field::new("k", DataType::Int64, false), array: keys, is_key: true };
        Planned {
            columns: vec![key],
            removes: records.iter().map(|(_, removes)| *removes).collect(),
            rejected: BTreeMap::new(),
        }
    }

    /// A table: of each key, the record that it has.
    fn apply(table: &mut BTreeMap<i64, usize>, kind: WriteKind, key: i64, record: usize) {
        match kind {
            WriteKind::Delete => drop(table.remove(&key)),
            _ => drop(table.insert(key, record)),
        }
    }

    proptest! {
        #[test]
        fn the_table_is_as_if_records_came_one_by_one(
            records in prop::collection::vec((0_i64..6, any::<bool>()), 0..40),
            mode in prop::sample::select(vec![WriteKind::Insert, WriteKind::Upsert]),
        ) {
            let planned = planned(&records);
            let (mut expected, mut found) = (BTreeMap::new(), BTreeMap::new());
            for (place, (key, removes)) in records.iter().enumerate() {
                apply(&mut expected, if *removes { WriteKind::Delete } else { mode }, *key, place);
            }
            for change in row_changes(&planned, mode, &|_| false).unwrap() {
                for record in change.records {
                    apply(&mut found, change.kind, records[record].0, record);
                }
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn an_update_behind_a_removal_stays_behind_it() {
        let planned = planned(&[(1, false), (1, false), (1, true), (1, false)]);
        let changes = row_changes(&planned, WriteKind::Update, &|_| false).unwrap();
        let shown: Vec<_> = changes.iter().map(|change| (change.kind, &change.records[..])).collect();
        let expected: [(WriteKind, &[usize]); 3] =
            [(WriteKind::Update, &[1]), (WriteKind::Delete, &[2]), (WriteKind::Update, &[3])];
        assert_eq!(shown, expected);
    }

    #[test]
    fn without_a_bad_record_the_one_before_it_with_its_key_counts() {
        let planned = planned(&[(1, false), (2, false), (1, false)]);
        let first = row_changes(&planned, WriteKind::Upsert, &|_| false).unwrap();
        assert_eq!(first[0].records, [1, 2]);
        let second = row_changes(&planned, WriteKind::Upsert, &|record| record == 2).unwrap();
        let left = not_yet_done(second, &BTreeSet::from([1, 2]));
        assert_eq!(left[0].records, [0]);
    }
}
