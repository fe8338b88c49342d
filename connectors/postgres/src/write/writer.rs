//! A connection that writes, on a runtime of its own.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use arrow::datatypes::Field;
use bytes::Bytes;
use futures::SinkExt;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::{Client, SimpleQueryMessage};
use volley_api::{Error, Result};
use volley_jdbc::{TableId, TableWrite, TargetColumn, TargetTable, WriteColumn, WriteKind, Writer, quoted};

use super::copy_encoder::encoded_chunks;
use super::staging::Staging;
use super::statements::{copy_into, merge_from};
use super::target_type::{TargetType, column_type, is_copied, wider_type};
use crate::catalog::{TARGET, TARGET_COLUMNS, same_columns};
use crate::open_connection::{Address, Opened, open};
use crate::parameters::Server;
use crate::server_error::server_error;

/// How long the server may take for what takes moments.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How long the server may take to write a batch; locks of others count.
const WRITE_LIMIT: Duration = Duration::from_secs(300);
/// How long the server may take to end what it does for us.
const CANCEL_LIMIT: Duration = Duration::from_secs(2);
/// Bytes of a message. The server ends a session that sends it one of 1 GiB.
const COPY_PIECE: usize = 1 << 20;
const REFUSED: &str = "PostgreSQL refuses a statement";

/// A connection to PostgreSQL that writes.
#[derive(Debug)]
pub(crate) struct PostgresWriter {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    address: Address,
    staging: Staging,
    /// Whether the server has been told something that it has not answered.
    is_waiting: bool,
}

impl PostgresWriter {
    /// Connects.
    pub(crate) fn open(server: &Server) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::fatal("could not start a runtime for PostgreSQL").with_source(error))?;
        let Opened { client, address } = runtime.block_on(open(server))?;
        let writer = Self { runtime: Some(runtime), client, address, staging: Staging::default(), is_waiting: false };
        // texts that are cast to points in time
        wait(writer.runtime.as_ref(), ANSWER_LIMIT, REFUSED, writer.client.batch_execute("SET TIME ZONE 'UTC'"))?;
        Ok(writer)
    }

    /// Sends rows as a COPY and waits for the answer.
    fn copy(&mut self, statement: &str, chunks: impl Iterator<Item = Result<Bytes>>) -> Result<()> {
        let client = &self.client;
        let copied = async {
            let mut sink = pin!(client.copy_in::<_, Bytes>(statement).await?);
            for chunk in chunks {
                let mut chunk = match chunk {
                    Ok(chunk) => chunk,
                    // the sink is dropped, which takes back what was sent
                    Err(error) => return Ok(Err(error)),
                };
                while !chunk.is_empty() {
                    sink.send(chunk.split_to(chunk.len().min(COPY_PIECE))).await?;
                }
            }
            sink.finish().await.map(|_| Ok(()))
        };
        self.is_waiting = true;
        let outcome = wait(self.runtime.as_ref(), WRITE_LIMIT, "PostgreSQL refuses the rows", copied)?;
        self.is_waiting = false;
        outcome
    }

    fn run(&mut self, sql: &str) -> Result<u64> {
        self.is_waiting = true;
        let answer = wait(self.runtime.as_ref(), WRITE_LIMIT, REFUSED, self.client.simple_query(sql));
        self.is_waiting = answer.as_ref().is_err_and(Error::is_retriable);
        let changed = answer?.into_iter().rev().find_map(|message| match message {
            SimpleQueryMessage::CommandComplete(rows) => Some(rows),
            _ => None,
        });
        Ok(changed.unwrap_or_default())
    }

    /// A binary COPY says nothing of types: eight bytes of a number are a point in time, too. Now that the transaction has
    /// rows in the table, nobody can give its columns other types any more.
    fn check_types(&mut self, write: &TableWrite<'_>) -> Result<()> {
        let known = write.columns.iter().map(|WriteColumn { target, .. }| {
            format!("({}, {})", self.literal(&target.name), self.literal(&target.type_name))
        });
        let known = known.collect::<Vec<_>>().join(", ");
        let table = self.literal(&write.table.without_catalog().in_sql(Some('"')));
        let found = self.texts(&same_columns(&table, &known))?;
        if found.first().and_then(|row| row.first()?.as_deref()?.parse().ok()) == Some(write.columns.len()) {
            return Ok(());
        }
        Err(Error::retriable("its columns have other types than a moment ago: nothing of the batch is written"))
    }

    fn write_rows(&mut self, write: &TableWrite<'_>) -> Result<()> {
        let columns = || write.columns.iter().zip(write.rows.columns());
        let types: Vec<_> = columns()
            .map(|(column, array)| {
                let direct = TargetType::direct(&column.target, array.data_type());
                direct.unwrap_or_else(|| TargetType::staged(array.data_type()))
            })
            .collect();
        let rows = encoded_chunks(write.rows, write.columns, &types, write.zone)?;
        let is_copied = write.kind == WriteKind::Insert
            && columns().all(|(column, array)| is_copied(&column.target, array.data_type()));
        if is_copied {
            self.copy(&copy_into(write), rows)?;
            return self.check_types(write);
        }
        let (staging, prepare) = self.staging.table(&types);
        let Some(merge) = merge_from(&staging, write) else { return Ok(()) };
        if let Some(prepare) = prepare {
            self.run(&prepare)?;
        }
        self.copy(&format!("COPY {staging} FROM STDIN (FORMAT binary)"), rows)?;
        self.run(&merge).map(drop)
    }
}

/// Waits for the server.
fn wait<T>(
    runtime: Option<&Runtime>,
    limit: Duration,
    doing: &str,
    future: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
) -> Result<T> {
    let runtime = runtime.ok_or_else(|| Error::fatal("the connection to PostgreSQL is closed"))?;
    match runtime.block_on(async { timeout(limit, future).await }) {
        Ok(answer) => answer.map_err(|error| server_error(doing, error)),
        Err(_) => Err(Error::retriable(format!("{doing}: it has not answered in {limit:?}"))),
    }
}

impl Writer for PostgresWriter {
    fn target(&mut self, table: &TableId, quote: Option<char>) -> Result<Option<TargetTable>> {
        let name = table.without_catalog().in_sql(quote);
        let doing = "could not ask for the columns of a table";
        let found = wait(self.runtime.as_ref(), ANSWER_LIMIT, doing, self.client.query(TARGET, &[&name]))?;
        let Some(row) = found.first() else { return Ok(None) };
        let oid: u32 = row.get(0);
        let found_table = TableId::new(None, Some(row.get(1)), row.get(2));
        let rows = wait(self.runtime.as_ref(), ANSWER_LIMIT, doing, self.client.query(TARGET_COLUMNS, &[&oid]))?;
        let columns = rows.iter().map(|row| TargetColumn {
            name: row.get(0),
            type_name: row.get(1),
            declared: row.get(2),
            is_nullable: row.get(3),
            has_default: row.get(4),
            is_key: row.get(5),
            is_array: row.get(6),
        });
        Ok(Some(TargetTable { table: found_table, columns: columns.collect() }))
    }

    fn execute(&mut self, sql: &str) -> Result<u64> {
        let changed = self.run(sql);
        if sql.starts_with("ROLLBACK") {
            self.staging.taken_back();
        }
        if matches!(sql, "COMMIT" | "ROLLBACK") {
            self.staging.ended();
        }
        changed
    }

    fn texts(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        let answer = wait(self.runtime.as_ref(), ANSWER_LIMIT, REFUSED, self.client.simple_query(sql))?;
        let rows = answer.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|place| row.get(place).map(str::to_owned)).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    fn check_at_once(&mut self) -> Result<()> {
        self.execute("SET CONSTRAINTS ALL IMMEDIATE").map(drop)
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<()> {
        let written = self.write_rows(write);
        if written.is_err() {
            self.staging.taken_back();
        }
        written
    }

    fn column_type(&self, field: &Field, _is_key: bool) -> String {
        column_type(field)
    }

    fn widening(&self, table: &TableId, column: &TargetColumn, field: &Field) -> Option<String> {
        let wider = wider_type(column, field)?;
        let (table, name) = (table.in_sql(Some('"')), quoted(&column.name, Some('"')));
        Some(format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {wider}"))
    }
}

impl Drop for PostgresWriter {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if self.is_waiting {
            // the server would go on, and hold its locks
            let (cancel, address) = (self.client.cancel_token(), &self.address);
            let cancelled = async {
                if let Ok((stream, tls)) = address.stream().await {
                    // one that cannot be cancelled ends by itself
                    let _ = cancel.cancel_query_raw(stream, tls).await;
                }
            };
            let _ = runtime.block_on(async { timeout(CANCEL_LIMIT, cancelled).await });
        }
        runtime.shutdown_background();
    }
}
