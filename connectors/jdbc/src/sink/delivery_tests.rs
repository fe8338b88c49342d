//! What a delivery tells a database, told to one in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type};
use chrono_tz::Tz;
use volley_api::{Error, Result};

use super::delivery::{DeliverySettings, Job, deliver};
use super::record_plan::{Planned, PlannedColumn};
use super::table_shapes::{ShapeSettings, TableShapes};
use crate::database::{TableId, TableWrite, TargetColumn, TargetTable, WriteKind, Writer};

/// A value that the table does not take.
const BAD: i64 = 13;

/// A table of numbers by their keys, in memory.
#[derive(Default)]
struct MemoryTable {
    columns: Option<Vec<&'static str>>,
    /// Of all columns.
    type_name: &'static str,
    rows: BTreeMap<i64, i64>,
    /// What a roll-back goes back to: that of the transaction, that of the savepoint.
    before: [BTreeMap<i64, i64>; 2],
    statements: Vec<String>,
    /// Whether a value, other than 0, must be a key of the table: at the end of a transaction, unless it is checked at once.
    refers: bool,
    checks_at_once: bool,
}

impl MemoryTable {
    fn check(&self) -> Result<()> {
        match self.refers && self.rows.values().any(|value| *value != 0 && !self.rows.contains_key(value)) {
            true => Err(Error::data("there is no such key")),
            false => Ok(()),
        }
    }
}

impl Writer for MemoryTable {
    fn target(&mut self, table: &TableId, _quote: Option<char>) -> Result<Option<TargetTable>> {
        let type_name = self.type_name.to_owned();
        let column = |name: &&str| TargetColumn {
            name: (*name).to_owned(),
            type_name: type_name.clone(),
            ..TargetColumn::default()
        };
        let columns = self.columns.as_ref().map(|columns| columns.iter().map(column).collect());
        Ok(columns.map(|columns| TargetTable { table: table.clone(), columns }))
    }

    fn execute(&mut self, sql: &str) -> Result<u64> {
        self.statements.push(sql.to_owned());
        match sql {
            "BEGIN" => (self.before[0], self.checks_at_once) = (self.rows.clone(), false),
            "COMMIT" => self.check()?,
            "SAVEPOINT volley" => self.before[1] = self.rows.clone(),
            "ROLLBACK" => self.rows = self.before[0].clone(),
            "ROLLBACK TO SAVEPOINT volley" => self.rows = self.before[1].clone(),
            sql if sql.starts_with("CREATE TABLE") => self.columns = Some(vec!["k", "v"]),
            _ => {}
        }
        Ok(1)
    }

    fn texts(&mut self, _sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        Ok(Vec::new())
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<()> {
        if write.columns.iter().any(|column| column.target.type_name != self.type_name) {
            return Err(Error::data("rows of another type"));
        }
        let column = |place: usize| write.rows.column(place).as_primitive::<Int64Type>();
        for row in 0..write.rows.num_rows() {
            let key = column(0).value(row);
            if write.kind == WriteKind::Delete {
                self.rows.remove(&key);
                continue;
            }
            let value = column(1).value(row);
            // half of it is there when it fails
            if value == BAD {
                return Err(Error::data("an unlucky number"));
            }
            self.rows.insert(key, value);
        }
        if self.checks_at_once { self.check() } else { Ok(()) }
    }

    fn check_at_once(&mut self) -> Result<()> {
        self.checks_at_once = true;
        Ok(())
    }

    fn column_type(&self, _field: &Field, _is_key: bool) -> String {
        "NUMBER".to_owned()
    }
}

/// Records of key and value; without a value they remove.
fn job(records: &[(i64, Option<i64>)]) -> Job {
    let column = |name: &str, values: Vec<i64>, is_key: bool| {
        let array: ArrayRef = Arc::new(Int64Array::from(values));
        PlannedColumn { field: Field::new(name, DataType::Int64, !is_key), array, is_key }
    };
    let keys = column("k", records.iter().map(|(key, _)| *key).collect(), true);
    let values = column("v", records.iter().map(|(_, value)| value.unwrap_or_default()).collect(), false);
    let removes: Vec<bool> = records.iter().map(|(_, value)| value.is_none()).collect();
    let is_removal = removes.iter().all(|removes| *removes);
    let columns = if is_removal { vec![keys] } else { vec![keys, values] };
    Job {
        table: TableId::new(None, None, "t"),
        planned: Planned { columns, removes, rejected: BTreeMap::new() },
        inputs: (100..100 + records.len()).collect(),
        truncates: false,
    }
}

fn delivered(table: &mut MemoryTable, records: &[(i64, Option<i64>)], tolerates_bad_records: bool) -> Vec<usize> {
    let mut shapes = TableShapes::new(ShapeSettings { creates: true, evolves: false, quote: None, zone: Tz::UTC });
    let settings = DeliverySettings { mode: WriteKind::Upsert, zone: Tz::UTC, tolerates_bad_records };
    let rejected = deliver(table, &mut shapes, &[job(records)], &settings, None).unwrap();
    rejected.into_keys().collect()
}

fn with_columns() -> MemoryTable {
    MemoryTable { columns: Some(vec!["k", "v"]), ..MemoryTable::default() }
}

#[test]
fn good_batches_have_no_savepoints() {
    let mut table = with_columns();
    assert!(delivered(&mut table, &[(1, Some(5)), (2, Some(6)), (1, None)], true).is_empty());
    assert_eq!(table.statements, ["BEGIN", "COMMIT"]);
    assert_eq!(table.rows, BTreeMap::from([(2, 6)]));
}

#[test]
fn of_a_key_whose_last_record_is_bad_the_one_before_counts() {
    let mut table = with_columns();
    let records = [(1, Some(5)), (2, Some(6)), (1, Some(BAD)), (3, None), (3, Some(BAD)), (4, Some(7))];
    table.rows.insert(3, 9);
    assert_eq!(delivered(&mut table, &records, true), [102, 104]);
    assert_eq!(table.rows, BTreeMap::from([(1, 5), (2, 6), (4, 7)]));
    assert_eq!(table.statements.last().unwrap(), "COMMIT");
}

#[test]
fn without_tolerance_the_first_bad_record_takes_everything_back() {
    let mut table = with_columns();
    assert_eq!(delivered(&mut table, &[(1, Some(5)), (2, Some(BAD)), (3, Some(BAD))], false), [101]);
    assert!(table.rows.is_empty());
    assert_eq!(table.statements.last().unwrap(), "ROLLBACK");
}

#[test]
fn where_the_types_of_a_table_have_changed_no_record_is_bad() {
    let mut table = with_columns();
    let mut shapes = TableShapes::new(ShapeSettings { creates: false, evolves: false, quote: None, zone: Tz::UTC });
    let settings = DeliverySettings { mode: WriteKind::Insert, zone: Tz::UTC, tolerates_bad_records: true };
    for (key, type_name) in [(1, ""), (2, "text"), (3, "text"), (4, "integer")] {
        table.type_name = type_name;
        let jobs = [job(&[(key, Some(5)), (10 * key, Some(BAD))])];
        let rejected = deliver(&mut table, &mut shapes, &jobs, &settings, None).unwrap();
        assert_eq!(rejected.into_keys().collect::<Vec<_>>(), [101], "{type_name}");
        assert!(table.rows.contains_key(&key));
    }
}

#[test]
fn where_there_is_no_table_nothing_is_removed_and_none_is_created() {
    let mut table = MemoryTable::default();
    assert!(delivered(&mut table, &[(1, None)], true).is_empty());
    assert_eq!(table.statements, ["BEGIN", "COMMIT"]);
    delivered(&mut table, &[(1, Some(5))], true);
    assert_eq!(table.statements[2], "CREATE TABLE t (k NUMBER NOT NULL, v NUMBER, PRIMARY KEY (k))");
    assert_eq!(table.rows, BTreeMap::from([(1, 5)]));
}

#[test]
fn what_only_the_commit_refuses_is_found_too_and_records_may_refer_to_later_ones() {
    let records = [(1, Some(4)), (2, Some(9)), (3, Some(1)), (4, Some(0)), (5, Some(8)), (6, Some(5)), (2, Some(BAD))];
    let mut table = MemoryTable { refers: true, ..with_columns() };
    // 2 has no other value, and who refers to one that is not there is none for others either
    assert_eq!(delivered(&mut table, &records, true), [101, 104, 105, 106]);
    assert_eq!(table.rows, BTreeMap::from([(1, 4), (3, 1), (4, 0)]));
    assert_eq!(table.statements.last().unwrap(), "COMMIT");
    let mut strict = MemoryTable { refers: true, ..with_columns() };
    assert_eq!(delivered(&mut strict, &records[..6], false), [101, 104, 105]);
    assert!(strict.rows.is_empty());
    let mut good = MemoryTable { refers: true, ..with_columns() };
    assert!(delivered(&mut good, &[(1, Some(2)), (2, Some(1))], true).is_empty());
    assert_eq!(good.statements, ["BEGIN", "COMMIT"]);
}
