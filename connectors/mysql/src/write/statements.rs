//! Statements for rows.

use volley_jdbc::{TableWrite, WriteColumn, WriteKind, quoted};

const QUOTE: Option<char> = Some('`');

/// A statement, how many rows it takes at a time, and which columns each of its rows has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RowStatement {
    /// What stands before the rows.
    before: String,
    /// One row.
    row: String,
    /// What stands behind them.
    behind: String,
    /// Places of the columns of a row, in the order of their marks.
    pub(super) places: Vec<usize>,
    /// Whether it takes one row only.
    pub(super) is_single: bool,
}

impl RowStatement {
    /// The statement for rows; `None` if there is nothing to do.
    pub(super) fn new(write: &TableWrite<'_>) -> Option<Self> {
        let table = write.table.in_sql(QUOTE);
        let places = |columns: &mut dyn Iterator<Item = (usize, &WriteColumn)>| -> Vec<usize> {
            columns.map(|(place, _)| place).collect()
        };
        let names = |columns: &mut dyn Iterator<Item = (usize, &WriteColumn)>| -> Vec<String> {
            columns.map(|(_, column)| quoted(&column.target.name, QUOTE)).collect()
        };
        let marks = |count: usize| format!("({})", vec!["?"; count].join(","));
        match write.kind {
            WriteKind::Insert | WriteKind::Upsert => {
                let all = names(&mut write.columns.iter().enumerate());
                let behind = match write.kind {
                    WriteKind::Insert => String::new(),
                    _ => format!(" ON DUPLICATE KEY UPDATE {}", updates(write)),
                };
                Some(Self {
                    before: format!("INSERT INTO {table} ({}) VALUES ", all.join(",")),
                    row: marks(all.len()),
                    behind,
                    places: (0..all.len()).collect(),
                    is_single: false,
                })
            }
            WriteKind::Update => {
                let equal =
                    |names: Vec<String>| names.into_iter().map(|name| format!("{name} = ?")).collect::<Vec<_>>();
                let set = equal(names(&mut write.others()));
                if set.is_empty() {
                    return None;
                }
                let condition = equal(names(&mut write.keys())).join(" AND ");
                Some(Self {
                    before: format!("UPDATE {table} SET {} WHERE {condition}", set.join(", ")),
                    row: String::new(),
                    behind: String::new(),
                    places: [places(&mut write.others()), places(&mut write.keys())].concat(),
                    is_single: true,
                })
            }
            WriteKind::Delete => {
                let keys = names(&mut write.keys());
                Some(Self {
                    before: format!("DELETE FROM {table} WHERE ({}) IN (", keys.join(",")),
                    row: marks(keys.len()),
                    behind: ")".to_owned(),
                    places: places(&mut write.keys()),
                    is_single: false,
                })
            }
        }
    }

    /// The statement for so many rows.
    pub(super) fn sql(&self, rows: usize) -> String {
        let rows = if self.is_single { 1 } else { rows };
        format!("{}{}{}", self.before, vec![self.row.as_str(); rows].join(","), self.behind)
    }
}

/// What an upsert changes; where there are only keys, one of them to itself.
fn updates(write: &TableWrite<'_>) -> String {
    let to_new = |(_, column): (usize, &WriteColumn)| {
        let name = quoted(&column.target.name, QUOTE);
        format!("{name} = VALUES({name})")
    };
    let changed: Vec<_> = write.others().map(to_new).collect();
    if changed.is_empty() { write.keys().take(1).map(to_new).collect() } else { changed.join(", ") }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;
    use arrow::record_batch::RecordBatch;
    use chrono_tz::Tz;
    use volley_jdbc::{TableId, TargetColumn};

    use super::*;

    #[test]
    fn rows_stand_in_one_statement() {
        let column = |name: &str, is_key| {
            let target = TargetColumn { name: name.to_owned(), ..TargetColumn::default() };
            WriteColumn { target, is_key }
        };
        let columns = [column("i`d", true), column("name", false)];
        let rows = RecordBatch::new_empty(Schema::empty().into());
        let table = TableId::new(Some("shop"), None, "t");
        let of = |kind, columns: &[WriteColumn]| {
            let write = TableWrite { table: &table, columns, kind, rows: &rows, zone: Tz::UTC };
            RowStatement::new(&write).map(|statement| statement.sql(2))
        };
        assert_eq!(
            of(WriteKind::Upsert, &columns).unwrap(),
            "INSERT INTO `shop`.`t` (`i``d`,`name`) VALUES (?,?),(?,?) ON DUPLICATE KEY UPDATE `name` = VALUES(`name`)"
        );
        assert!(of(WriteKind::Upsert, &columns[..1]).unwrap().ends_with("UPDATE `i``d` = VALUES(`i``d`)"));
        assert_eq!(of(WriteKind::Insert, &columns[1..]).unwrap(), "INSERT INTO `shop`.`t` (`name`) VALUES (?),(?)");
        assert_eq!(of(WriteKind::Delete, &columns[..1]).unwrap(), "DELETE FROM `shop`.`t` WHERE (`i``d`) IN ((?),(?))");
        assert_eq!(of(WriteKind::Update, &columns).unwrap(), "UPDATE `shop`.`t` SET `name` = ? WHERE `i``d` = ?");
        assert_eq!(of(WriteKind::Update, &columns[..1]), None);
    }
}
