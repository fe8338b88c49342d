//! Writes into a file. SQLite has one writer at a time: others wait for it as long as `busy_timeout` says.

use arrow::datatypes::{DataType, Field};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OpenFlags, params_from_iter};
use volley_api::{Error, Result};
use volley_jdbc::{Cell, TableId, TableWrite, TargetColumn, TargetTable, WriteColumn, WriteKind, Writer, quoted};

use crate::parameters::{File, TimeClass};
use crate::sqlite_error::write_error;
use crate::time_form::TimeForm;

const DAY_MICROS: i64 = 86_400_000_000;

/// Name, declared type, whether it may be null, whether it has a value of its own, place in the primary key, whether it
/// is computed.
const COLUMNS: &str = "SELECT name, type, \"notnull\" = 0, dflt_value IS NOT NULL OR (pk = 1 AND upper(type) = 'INTEGER'), \
    pk > 0 FROM pragma_table_xinfo(?1, ?2) WHERE hidden = 0 ORDER BY cid";
const NAME: &str = "SELECT name FROM pragma_table_list WHERE schema = ?2 AND name = ?1 COLLATE NOCASE \
    ORDER BY name = ?1 DESC LIMIT 1";
/// The schema of the file.
const MAIN: &str = "main";

/// A file that is written to.
#[derive(Debug)]
pub(crate) struct SqliteWriter {
    connection: Connection,
    times: TimeForm,
}

impl SqliteWriter {
    /// Opens the file, which comes to be if it is not there.
    pub(crate) fn open(file: &File) -> Result<Self> {
        let doing = format!("could not open {}", file.path.display());
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&file.path, flags).map_err(|error| write_error(&doing, error))?;
        connection
            .busy_timeout(file.busy_timeout)
            // reads the file for the first time
            .and_then(|()| connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(())))
            .map_err(|error| write_error(&doing, error))?;
        for (name, value) in &file.pragmas {
            let set = format!("PRAGMA {name} = {value}");
            connection.execute_batch(&set).map_err(|error| write_error(&doing, error))?;
        }
        Ok(Self { connection, times: TimeForm::of_class(file.class.unwrap_or(TimeClass::Integer), file.unit) })
    }

    /// A value as SQLite has it.
    fn value<'a>(&self, cell: &Cell<'a>, write: &TableWrite<'_>) -> std::result::Result<ToSqlOutput<'a>, String> {
        let owned = |value| Ok(ToSqlOutput::Owned(value));
        match cell {
            Cell::Null => owned(Value::Null),
            Cell::Boolean(truth) => owned(Value::Integer(i64::from(*truth))),
            Cell::Integer(number) => owned(Value::Integer(*number)),
            Cell::Float(number) => owned(Value::Real(f64::from(*number))),
            Cell::Double(number) if number.is_nan() => Err("NaN, which SQLite does not know".to_owned()),
            Cell::Double(number) => owned(Value::Real(*number)),
            Cell::Decimal(number) => owned(Value::Text(number.clone())),
            Cell::Text(text) => Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
            Cell::Bytes(bytes) => Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
            Cell::Date(days) => {
                let micros = i64::from(*days).checked_mul(DAY_MICROS);
                owned(self.times.value(micros.ok_or_else(|| "a date that is too far away".to_owned())?))
            }
            Cell::Time(micros) => owned(self.times.value(*micros)),
            Cell::Instant(_) | Cell::Local(_) => {
                let micros = cell.instant(write.zone).ok_or_else(|| "a point in time that is none".to_owned())?;
                owned(self.times.value(micros))
            }
        }
    }
}

impl Writer for SqliteWriter {
    fn target(&mut self, table: &TableId, _quote: Option<char>) -> Result<Option<TargetTable>> {
        let failed = |error| write_error("could not ask for the columns of a table", error);
        let schema = table.schema.as_deref().unwrap_or(MAIN);
        let mut named = self.connection.prepare(NAME).map_err(failed)?;
        let mut names = named.query([&table.table, schema]).map_err(failed)?;
        let Some(row) = names.next().map_err(failed)? else { return Ok(None) };
        let name: String = row.get(0).map_err(failed)?;
        let mut statement = self.connection.prepare(COLUMNS).map_err(failed)?;
        let columns = statement
            .query_map([&name, schema], |row| {
                let declared: String = row.get(1)?;
                Ok(TargetColumn {
                    name: row.get(0)?,
                    type_name: declared.clone(),
                    declared,
                    is_nullable: row.get(2)?,
                    has_default: row.get(3)?,
                    is_key: row.get(4)?,
                    is_array: false,
                })
            })
            .map_err(failed)?;
        let columns = columns.collect::<rusqlite::Result<_>>().map_err(failed)?;
        Ok(Some(TargetTable { table: TableId::new(None, table.schema.as_deref(), &name), columns }))
    }

    fn execute(&mut self, sql: &str) -> Result<u64> {
        self.connection.execute_batch(sql).map_err(|error| write_error("SQLite refuses a statement", error))?;
        Ok(self.connection.changes())
    }

    fn texts(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        let failed = |error| write_error("SQLite refuses a query", error);
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns)
                .map(|place| {
                    Ok(match row.get_ref(place)? {
                        ValueRef::Null => None,
                        ValueRef::Integer(number) => Some(number.to_string()),
                        ValueRef::Real(number) => Some(number.to_string()),
                        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                            Some(String::from_utf8_lossy(bytes).into_owned())
                        }
                    })
                })
                .collect()
        });
        rows.map_err(failed)?.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<()> {
        let failed = |error| write_error("SQLite refuses a row", error);
        let (sql, places) = statement(write);
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        // row by row: SQLite binds one value at a time
        for row in 0..write.rows.num_rows() {
            let values = places.iter().map(|place| {
                let cell = Cell::of(write.rows.column(*place), row);
                cell.and_then(|cell| self.value(&cell, write)).map_err(|what| {
                    let WriteColumn { target, .. } = &write.columns[*place];
                    Error::data(format!("column {} of type {} takes no {what}", target.name, target.type_name))
                })
            });
            let values = values.collect::<Result<Vec<_>>>()?;
            statement.execute(params_from_iter(values)).map_err(failed)?;
        }
        Ok(())
    }

    fn column_type(&self, field: &Field, _is_key: bool) -> String {
        match field.data_type() {
            DataType::Boolean | DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => "INTEGER",
            DataType::Float32 | DataType::Float64 => "REAL",
            DataType::Decimal128(..)
            | DataType::Decimal256(..)
            | DataType::Date32
            | DataType::Time64(_)
            | DataType::Timestamp(..) => "NUMERIC",
            DataType::Binary => "BLOB",
            _ => "TEXT",
        }
        .to_owned()
    }

    /// Takes the lock at once: a transaction that reads first could not wait for it.
    fn begin(&mut self) -> Result<()> {
        self.execute("BEGIN IMMEDIATE").map(drop)
    }
}

/// The statement for one row, and the places of the columns that it binds.
fn statement(write: &TableWrite<'_>) -> (String, Vec<usize>) {
    let quote = Some('"');
    let table = write.table.in_sql(quote);
    let equal = |(_, column): (usize, &WriteColumn)| format!("{} = ?", quoted(&column.target.name, quote));
    let places = |columns: &mut dyn Iterator<Item = (usize, &WriteColumn)>| -> Vec<usize> {
        columns.map(|(place, _)| place).collect()
    };
    let condition = write.keys().map(equal).collect::<Vec<_>>().join(" AND ");
    match write.kind {
        WriteKind::Insert | WriteKind::Upsert => {
            let names: Vec<_> = write.columns.iter().map(|column| quoted(&column.target.name, quote)).collect();
            let marks = vec!["?"; names.len()].join(", ");
            // as Java does it: columns that the record does not have begin anew
            let or_replace = if write.kind == WriteKind::Upsert { " OR REPLACE" } else { "" };
            let sql = format!("INSERT{or_replace} INTO {table} ({}) VALUES ({marks})", names.join(", "));
            (sql, (0..names.len()).collect())
        }
        WriteKind::Update => {
            let set = write.others().map(equal).collect::<Vec<_>>();
            if set.is_empty() {
                // nothing but keys: there is nothing to change
                let places = places(&mut write.keys());
                return (format!("DELETE FROM {table} WHERE 1 = 0 AND {condition}"), places);
            }
            let places = [places(&mut write.others()), places(&mut write.keys())].concat();
            (format!("UPDATE {table} SET {} WHERE {condition}", set.join(", ")), places)
        }
        WriteKind::Delete => (format!("DELETE FROM {table} WHERE {condition}"), places(&mut write.keys())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time_form::TimeUnit;

    #[test]
    fn a_date_that_has_no_place_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        let writer = SqliteWriter { connection, times: TimeForm::of_class(TimeClass::Integer, TimeUnit::Millis) };
        let rows = arrow::record_batch::RecordBatch::new_empty(arrow::datatypes::Schema::empty().into());
        let table = TableId::new(None, None, "t");
        let write =
            TableWrite { table: &table, columns: &[], kind: WriteKind::Insert, rows: &rows, zone: chrono_tz::Tz::UTC };
        for days in [i32::MAX, i32::MIN] {
            assert!(writer.value(&Cell::Date(days), &write).is_err());
        }
        let tomorrow = writer.value(&Cell::Date(1), &write).unwrap();
        assert_eq!(tomorrow, ToSqlOutput::Owned(Value::Integer(86_400_000)));
    }
}
