//! A connection that writes, on a runtime of its own.

use std::future::Future;
use std::time::Duration;

use arrow::datatypes::Field;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error as Failure, Params, Row, Value};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use volley_api::{Error, Result};
use volley_jdbc::{Cell, TableId, TableWrite, TargetColumn, TargetTable, WriteColumn, Writer, quoted};

use super::column_types::{column_type, wider_type};
use super::statements::RowStatement;
use super::values::{parameter, size};
use crate::catalog::TARGET_COLUMNS;
use crate::open_connection::{Opened, Origin, open};
use crate::parameters::Server;
use crate::server_error::write_error;

/// How long the server may take for what takes moments.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How long the server may take to write some rows; locks of others count.
const WRITE_LIMIT: Duration = Duration::from_secs(300);
/// How long the server may take to end what it does for us.
const KILL_LIMIT: Duration = Duration::from_secs(2);
/// Most marks of a statement: the protocol counts them in 16 bits.
const MARKS: usize = 60_000;
/// What a packet has at most beside its rows.
const PACKET_BYTES: usize = 1_024;
/// Most rows of a statement: more make it no faster.
const ROWS: usize = 1_000;
const REFUSED: &str = "the server refuses a statement";

/// What is set, so that nothing is cut off without a word; and what is to be known.
const STRICT: &str = "SET SESSION sql_mode = CONCAT_WS(',', NULLIF(@@SESSION.sql_mode, ''), 'STRICT_ALL_TABLES')";
const FACTS: &str = "SELECT @@max_allowed_packet, @@SESSION.sql_mode LIKE '%NO_BACKSLASH_ESCAPES%'";

/// A connection to MySQL or MariaDB that writes.
#[derive(Debug)]
pub(crate) struct MySqlWriter {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    connection: Option<Conn>,
    origin: Origin,
    /// `max_allowed_packet`
    packet_bytes: usize,
    escapes_backslashes: bool,
    /// Whether the server has been told something that it has not answered.
    is_waiting: bool,
}

impl MySqlWriter {
    /// Connects.
    pub(crate) fn open(server: &Server) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::fatal("could not start a runtime for MySQL").with_source(error))?;
        let Opened { connection, origin } = runtime.block_on(open(server))?;
        let mut writer = Self {
            runtime: Some(runtime),
            connection: Some(connection),
            origin,
            packet_bytes: 0,
            escapes_backslashes: true,
            is_waiting: false,
        };
        writer.execute(STRICT)?;
        let facts: Option<(u64, bool)> =
            writer.wait(ANSWER_LIMIT, REFUSED, async |connection| connection.query_first(FACTS).await)?;
        let (packet, keeps_backslashes) = facts.ok_or_else(|| Error::fatal("the server tells nothing of itself"))?;
        writer.packet_bytes = usize::try_from(packet).unwrap_or(usize::MAX);
        writer.escapes_backslashes = !keeps_backslashes;
        Ok(writer)
    }

    /// Waits for the server.
    fn wait<T>(
        &mut self,
        limit: Duration,
        doing: &str,
        ask: impl AsyncFnOnce(&mut Conn) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        let (Some(runtime), Some(connection)) = (&self.runtime, &mut self.connection) else {
            return Err(Error::fatal("the connection to MySQL is closed"));
        };
        self.is_waiting = true;
        match runtime.block_on(answered(limit, ask(connection))) {
            None => Err(Error::retriable(format!("{doing}: the server has not answered in {limit:?}"))),
            Some(answer) => {
                self.is_waiting = false;
                answer.map_err(|error| write_error(doing, error))
            }
        }
    }

    fn send(&mut self, statement: &RowStatement, rows: usize, values: Vec<Value>) -> Result<()> {
        let sql = statement.sql(rows);
        let doing = "the server refuses the rows";
        if statement.is_single {
            let width = statement.places.len();
            return self.wait(WRITE_LIMIT, doing, async move |connection| {
                let rows = values.chunks(width).map(|row| Params::Positional(row.to_vec())).collect::<Vec<_>>();
                connection.exec_batch(sql, rows).await
            });
        }
        self.wait(WRITE_LIMIT, doing, async move |connection| {
            connection.exec_drop(sql, Params::Positional(values)).await
        })
    }
}

async fn answered<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    timeout(limit, future).await.ok()
}

impl Writer for MySqlWriter {
    fn target(&mut self, table: &TableId, _quote: Option<char>) -> Result<Option<TargetTable>> {
        // of a name with two parts the first is the database
        let database = table.catalog.clone().or_else(|| table.schema.clone());
        let wanted = Params::Positional(vec![database.into(), table.table.clone().into()]);
        let doing = "could not ask for the columns of a table";
        let rows: Vec<Row> =
            self.wait(ANSWER_LIMIT, doing, async |connection| connection.exec(TARGET_COLUMNS, wanted).await)?;
        let Some(first) = rows.first() else { return Ok(None) };
        let table = TableId::new(Some(&text(first, 0)?), None, &text(first, 1)?);
        let columns = rows.iter().map(|row| {
            Ok(TargetColumn {
                name: text(row, 2)?,
                type_name: text(row, 3)?.to_ascii_lowercase(),
                declared: text(row, 4)?,
                is_nullable: flag(row, 5)?,
                has_default: flag(row, 6)?,
                is_key: flag(row, 7)?,
                is_array: false,
            })
        });
        Ok(Some(TargetTable { table, columns: columns.collect::<Result<_>>()? }))
    }

    fn execute(&mut self, sql: &str) -> Result<u64> {
        self.wait(WRITE_LIMIT, REFUSED, async |connection| {
            connection.query_drop(sql).await?;
            Ok(connection.affected_rows())
        })
    }

    fn texts(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        let rows: Vec<Row> = self.wait(ANSWER_LIMIT, REFUSED, async |connection| connection.query(sql).await)?;
        let value =
            |row: &Row, place| row.get_opt::<Option<String>, _>(place).and_then(std::result::Result::ok).flatten();
        let texts = |row: &Row| (0..row.len()).map(|place| value(row, place)).collect();
        Ok(rows.iter().map(texts).collect())
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<()> {
        let Some(statement) = RowStatement::new(write) else { return Ok(()) };
        let most = (MARKS / statement.places.len().max(1)).clamp(1, ROWS);
        let (mut values, mut rows, mut bytes) = (Vec::new(), 0, 0);
        // row by row, as statements have them
        for row in 0..write.rows.num_rows() {
            let added = row_values(write, &statement, row)?;
            let row_bytes: usize = added.iter().map(size).sum();
            if row_bytes + PACKET_BYTES > self.packet_bytes {
                return Err(too_large(write, &statement, &added, self.packet_bytes));
            }
            if rows == most || rows > 0 && bytes + row_bytes > self.packet_bytes / 2 {
                self.send(&statement, rows, std::mem::take(&mut values))?;
                (rows, bytes) = (0, 0);
            }
            values.extend(added);
            rows += 1;
            bytes += row_bytes;
        }
        if rows > 0 { self.send(&statement, rows, values) } else { Ok(()) }
    }

    fn column_type(&self, field: &Field, is_key: bool) -> String {
        column_type(field, is_key)
    }

    fn widening(&self, table: &TableId, column: &TargetColumn, field: &Field) -> Option<String> {
        // a column is declared anew as a whole: what it has beyond its type would be lost
        let wider = wider_type(column, field).filter(|_| !column.has_default && !column.is_key)?;
        let (table, name) = (table.in_sql(Some('`')), quoted(&column.name, Some('`')));
        let required = if column.is_nullable { "" } else { " NOT NULL" };
        Some(format!("ALTER TABLE {table} MODIFY COLUMN {name} {wider}{required}"))
    }

    fn quote(&self) -> char {
        '`'
    }

    fn literal(&self, text: &str) -> String {
        let text = text.replace('\'', "''");
        format!("'{}'", if self.escapes_backslashes { text.replace('\\', "\\\\") } else { text })
    }
}

/// The values of a row, in the order of the statement's marks.
fn row_values(write: &TableWrite<'_>, statement: &RowStatement, row: usize) -> Result<Vec<Value>> {
    let value = |place: &usize| {
        let WriteColumn { target, .. } = &write.columns[*place];
        let cell = Cell::of(write.rows.column(*place), row);
        cell.and_then(|cell| parameter(&cell, &target.type_name, write.zone))
            .map_err(|what| Error::data(format!("column {} of type {} takes no {what}", target.name, target.declared)))
    };
    statement.places.iter().map(value).collect()
}

/// The server would close the connection without reading such a row.
fn too_large(write: &TableWrite<'_>, statement: &RowStatement, values: &[Value], limit: usize) -> Error {
    let bytes: usize = values.iter().map(size).sum();
    let largest = values.iter().map(size).zip(&statement.places).max();
    let (value, name) = largest.map_or((0, ""), |(bytes, place)| (bytes, write.columns[*place].target.name.as_str()));
    Error::data(format!(
        "a row of {bytes} bytes is larger than `max_allowed_packet` of the server, which is {limit}; its largest value is \
         that of column {name}, with {value} bytes"
    ))
}

fn text(row: &Row, place: usize) -> Result<String> {
    row.get_opt(place).and_then(std::result::Result::ok).ok_or_else(strange)
}

fn flag(row: &Row, place: usize) -> Result<bool> {
    row.get_opt(place).and_then(std::result::Result::ok).ok_or_else(strange)
}

fn strange() -> Error {
    Error::fatal("the server has answered something else than what it was asked for")
}

impl Drop for MySqlWriter {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        let connection = self.connection.take();
        if self.is_waiting {
            // the server would go on, and hold its locks
            let killed = self.origin.kill(false);
            if !matches!(runtime.block_on(async { timeout(KILL_LIMIT, killed).await }), Ok(Ok(()))) {
                tracing::debug!("the server has not ended a statement in time");
            }
        } else if let Some(connection) = connection {
            // one that cannot say so is closed all the same
            let _ = runtime.block_on(async { timeout(KILL_LIMIT, connection.disconnect()).await });
        }
        runtime.shutdown_background();
    }
}
