//! A connection, on a runtime of its own: it makes progress while somebody waits for it, and reads nothing ahead.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, CopyOutStream};
use volley_api::{Error, Result};
use volley_jdbc::{
    Catalog, Connection, Fetched, Isolation, OpenTransactions, Query, ResultColumn, TableColumn, TableId, TableSearch,
    Timestamp,
};

use crate::catalog::{COLUMNS, ESTIMATED_ROWS, NOW, OPEN_TRANSACTIONS, READS, REQUIRED, TABLES, key_kind, kinds};
use crate::column_plan::{ColumnPlan, copy_statement, id_of};
use crate::copy::CopyDecoder;
use crate::open_connection::{Address, Opened, open};
use crate::parameters::Server;
use crate::server_error::server_error;

/// How long the server may take for what takes moments.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How long the server may take to end what it does for us.
const CANCEL_LIMIT: Duration = Duration::from_secs(2);

/// A connection to PostgreSQL.
#[derive(Debug)]
pub(crate) struct PostgresConnection {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    address: Address,
    result: Option<OpenCopy>,
}

/// A COPY that is under way.
struct OpenCopy {
    rows: Pin<Box<CopyOutStream>>,
    decoder: CopyDecoder,
    /// Whether all rows have come.
    is_at_end: bool,
}

impl std::fmt::Debug for OpenCopy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenCopy").field("is_at_end", &self.is_at_end).finish_non_exhaustive()
    }
}

impl PostgresConnection {
    /// Connects.
    pub(crate) fn open(server: &Server) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::fatal("could not start a runtime for PostgreSQL").with_source(error))?;
        let Opened { client, address } = runtime.block_on(open(server))?;
        Ok(Self { runtime: Some(runtime), client, address, result: None })
    }

    /// Waits for what takes moments.
    fn wait<T>(
        &self,
        doing: &str,
        future: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let answer = self.runtime()?.block_on(async { timeout(ANSWER_LIMIT, future).await });
        match answer {
            Ok(answer) => answer.map_err(|error| server_error(doing, error)),
            Err(_) => Err(Error::retriable(format!(
                "{doing}: PostgreSQL at {} has not answered in {ANSWER_LIMIT:?}",
                self.address
            ))),
        }
    }

    fn runtime(&self) -> Result<&Runtime> {
        self.runtime.as_ref().ok_or_else(|| Error::fatal("the connection to PostgreSQL is closed"))
    }

    /// The columns of a query and how they are read.
    fn plans(&self, text: &str) -> Result<Vec<ColumnPlan>> {
        let doing = "PostgreSQL refuses the query";
        let statement = self.wait(doing, self.client.prepare(text))?;
        if statement.columns().is_empty() {
            return Err(Error::config("the query answers no rows: it must be a SELECT"));
        }
        let mut tables: Vec<u32> = statement.columns().iter().filter_map(|column| Some(id_of(column)?.0)).collect();
        tables.sort_unstable();
        tables.dedup();
        let rows = self.wait("could not ask for the columns of a table", self.client.query(REQUIRED, &[&tables]))?;
        let required: HashSet<(u32, i16)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok(statement.columns().iter().map(|column| ColumnPlan::new(column, &required)).collect())
    }
}

impl Catalog for PostgresConnection {
    fn tables(&mut self, search: &TableSearch) -> Result<Vec<TableId>> {
        let kinds = kinds(search);
        let wanted: [&(dyn ToSql + Sync); 3] = [&search.catalog, &search.schema, &kinds];
        let asked = self.client.query(TABLES, &wanted);
        let rows = self.wait("could not ask for the tables", asked)?;
        let tables = rows.iter().map(|row| TableId::new(Some(row.get(0)), Some(row.get(1)), row.get(2)));
        Ok(tables.collect())
    }

    fn columns(&mut self, table: &TableId) -> Result<Vec<TableColumn>> {
        let name = table.without_catalog().in_sql(Some('"'));
        let rows = self.wait("could not ask for the columns of a table", self.client.query(COLUMNS, &[&name]))?;
        let columns = rows.iter().map(|row| TableColumn {
            name: row.get(0),
            is_nullable: row.get(1),
            is_autoincrement: row.get(2),
            primary_key_place: row.get(3),
            key_kind: key_kind(row.get(4)),
        });
        Ok(columns.collect())
    }

    fn estimated_rows(&mut self, table: &TableId) -> Result<Option<u64>> {
        let name = table.without_catalog().in_sql(Some('"'));
        let row =
            self.wait("could not ask for the size of a table", self.client.query_one(ESTIMATED_ROWS, &[&name]))?;
        Ok(row.get::<_, Option<i64>>(0).and_then(|rows| u64::try_from(rows).ok()))
    }
}

impl Connection for PostgresConnection {
    fn current_time(&mut self) -> Result<Timestamp> {
        let row = self.wait("could not ask for the time", self.client.query_one(NOW, &[]))?;
        Ok(Timestamp::from_micros(row.get(0)))
    }

    fn open_transactions(&mut self) -> Result<OpenTransactions> {
        let asked = self.client.query_one(OPEN_TRANSACTIONS, &[]);
        let row = self.wait("could not ask for the transactions that are under way", asked)?;
        if row.get(0) {
            return Err(Error::config(
                "a standby does not know the transactions of its primary: connect to the primary \
                 (`targetServerType=primary`), or take `lookback.ms` or `lookback.rows`",
            ));
        }
        Ok(OpenTransactions { at: Timestamp::from_micros(row.get(1)), names: row.get(2), renamed: row.get(3) })
    }

    fn query(&mut self, query: &Query) -> Result<Vec<ResultColumn>> {
        self.result = None;
        // The transaction holds on to the tables, so that their columns are the same when the rows are read.
        let begin = format!("BEGIN{}; SET LOCAL TIME ZONE 'UTC'", isolation(query.isolation));
        self.wait("could not begin a transaction", self.client.batch_execute(&begin))?;
        let plans = self.plans(&query.text)?;
        let copy = format!("{READS}{}", copy_statement(&query.text, &plans));
        let started = self.runtime()?.block_on(self.client.copy_out(&copy));
        let rows = started.map_err(|error| server_error("PostgreSQL refuses the query", error))?;
        let decoder = CopyDecoder::new(&plans, query.batch_rows, query.batch_bytes);
        self.result = Some(OpenCopy { rows: Box::pin(rows), decoder, is_at_end: false });
        Ok(plans.into_iter().map(|plan| plan.column).collect())
    }

    fn next(&mut self, within: Duration) -> Result<Fetched> {
        let Some(result) = &mut self.result else { return Ok(Fetched::End) };
        if !result.is_at_end {
            let Some(runtime) = &self.runtime else { return Ok(Fetched::End) };
            let filled = runtime.block_on(async { timeout(within, result.fill()).await });
            match filled {
                // what has come so far
                Err(_) if result.decoder.is_empty() => return Ok(Fetched::Waiting),
                Err(_) => {}
                Ok(filled) => filled?,
            }
        }
        if !result.decoder.is_empty() {
            return result.decoder.take().map(Fetched::Rows);
        }
        self.result = None;
        self.wait("could not end a transaction", self.client.batch_execute("COMMIT"))?;
        Ok(Fetched::End)
    }
}

impl OpenCopy {
    /// Reads until there is a batch, or the end.
    ///
    /// # Cancellation
    /// Keeps what has come.
    async fn fill(&mut self) -> Result<()> {
        while !self.decoder.is_full() {
            match self.rows.next().await {
                Some(Ok(message)) => self.decoder.append(&message)?,
                Some(Err(error)) => return Err(server_error("could not read the rows", error)),
                None => {
                    self.is_at_end = true;
                    return self.decoder.check_end();
                }
            }
        }
        Ok(())
    }
}

impl Drop for PostgresConnection {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if self.result.take().is_some_and(|result| !result.is_at_end) {
            // the server would go on until it has something to send
            let (cancel, address) = (self.client.cancel_token(), &self.address);
            let cancelled = async {
                if let Ok((stream, tls)) = address.stream().await {
                    // one that cannot be cancelled ends when it has something to send
                    let _ = cancel.cancel_query_raw(stream, tls).await;
                }
            };
            let _ = runtime.block_on(async { timeout(CANCEL_LIMIT, cancelled).await });
        }
        runtime.shutdown_background();
    }
}

fn isolation(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::Default => "",
        Isolation::ReadUncommitted => " ISOLATION LEVEL READ UNCOMMITTED",
        Isolation::ReadCommitted => " ISOLATION LEVEL READ COMMITTED",
        Isolation::RepeatableRead => " ISOLATION LEVEL REPEATABLE READ",
        Isolation::Serializable => " ISOLATION LEVEL SERIALIZABLE",
    }
}
