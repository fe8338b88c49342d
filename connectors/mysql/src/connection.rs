//! A connection, on a runtime of its own: it makes progress while somebody waits for it, and reads nothing ahead.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{BinaryProtocol, Column, Conn, Error as Failure, Params, QueryResult, Statement, Value};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use volley_api::{Error, Result};
use volley_jdbc::{
    Catalog, Connection, Fetched, Isolation, OpenTransactions, Query, ResultColumn, TableColumn, TableId, TableSearch,
    Timestamp,
};

use crate::catalog::{
    BEFORE_OPEN, COLUMNS, ESTIMATED_ROWS, NOW, OPEN_STATEMENTS, OPEN_TRANSACTIONS, TABLES, key_kind, kinds,
};
use crate::column_plan::{ColumnPlan, compares_points_in_time};
use crate::literal::{depends_on_columns, in_utc};
use crate::open_connection::{Opened, Origin, open};
use crate::parameters::{Server, TypeSettings};
use crate::rows::RowDecoder;
use crate::server_error::server_error;

/// Most bytes of a row that is read: the protocol has no room for more.
const ROW_BYTES: usize = 1 << 30;
/// How long the server may take for what takes moments.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How long the server may take to end what it does for us.
const KILL_LIMIT: Duration = Duration::from_secs(2);

/// The server makes its list of transactions anew when nobody has read it for a tenth of a second.
const LIST_AGE: Duration = Duration::from_millis(120);
/// How often a list that is not old is asked for.
const LIST_ATTEMPTS: usize = 5;

const LISTING: &str = "could not ask for the transactions that are under way (`late.commits`)";
const REFUSED: &str = "the server refuses the query";

/// A connection to MySQL or MariaDB.
#[derive(Debug)]
pub(crate) struct MySqlConnection {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    /// `None` also while a query begins, which has it.
    connection: Option<Conn>,
    origin: Origin,
    types: TypeSettings,
    only_current: bool,
    result: Option<OpenResult>,
}

/// A result that is under way.
struct OpenResult {
    /// `None` once the server has begun to answer: it does with its first rows, or at the end.
    beginning: Option<Beginning>,
    plans: Vec<ColumnPlan>,
    decoder: RowDecoder,
    /// Whether all rows have come.
    is_at_end: bool,
}

/// A query that begins: gives the connection back, with the columns of the answer.
type Beginning = Pin<Box<dyn Future<Output = (Conn, std::result::Result<Vec<Column>, Failure>)> + Send>>;

impl std::fmt::Debug for OpenResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenResult").field("is_at_end", &self.is_at_end).finish_non_exhaustive()
    }
}

impl MySqlConnection {
    /// Connects.
    pub(crate) fn open(mut server: Server) -> Result<Self> {
        // the server sends rows that are larger than what it takes itself
        server.options = server.options.max_allowed_packet(Some(ROW_BYTES));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::fatal("could not start a runtime for MySQL").with_source(error))?;
        let Opened { connection, origin } = runtime.block_on(open(&server))?;
        let Server { types, only_current, .. } = server;
        let (runtime, connection) = (Some(runtime), Some(connection));
        Ok(Self { runtime, connection, origin, types, only_current, result: None })
    }

    fn parts(&mut self) -> Result<(&Runtime, &mut Conn)> {
        match (&self.runtime, &mut self.connection) {
            (Some(runtime), Some(connection)) => Ok((runtime, connection)),
            _ => Err(closed()),
        }
    }

    /// The rows of a question that takes moments.
    fn ask(&mut self, doing: &str, question: &str, parameters: Vec<Value>) -> Result<Vec<mysql_async::Row>> {
        self.end_result()?;
        let parameters = if parameters.is_empty() { Params::Empty } else { Params::Positional(parameters) };
        let (runtime, connection) = self.parts()?;
        wait(runtime, doing, connection.exec(question, parameters))
    }

    /// The transactions of others, by whether they keep their names; `None` if the list is old.
    fn fresh_transactions(&mut self) -> Result<Option<(Vec<String>, Vec<String>)>> {
        let (mut names, mut renamed, mut is_fresh) = (Vec::new(), Vec::new(), false);
        let own = self.connection.as_ref().map(|connection| format!("{} ", connection.id())).unwrap_or_default();
        for row in self.ask(LISTING, OPEN_TRANSACTIONS, Vec::new())? {
            let (name, is_renamed, is_own): (String, bool, bool) = (value(&row, 0)?, value(&row, 1)?, value(&row, 2)?);
            is_fresh |= is_own;
            if is_renamed {
                renamed.push(name);
            } else if !name.starts_with(&own) {
                names.push(name);
            }
        }
        Ok(is_fresh.then_some((names, renamed)))
    }

    /// Executes what takes moments and answers nothing.
    fn tell(&mut self, statement: &str) -> Result<()> {
        self.end_result()?;
        let (runtime, connection) = self.parts()?;
        wait(runtime, LISTING, connection.query_drop(statement))
    }

    /// The time that a question answers, in microseconds.
    fn time(&mut self, question: &str) -> Result<Timestamp> {
        let rows = self.ask("could not ask for the time", question, Vec::new())?;
        let row = rows.first().ok_or_else(|| Error::fatal("the server does not tell its time"))?;
        Ok(Timestamp::from_micros(value(row, 0)?))
    }

    /// Ends the result that is under way: in the server, too, which would send all its rows first.
    fn end_result(&mut self) -> Result<()> {
        let Some(mut result) = self.result.take().filter(|result| !result.is_at_end) else { return Ok(()) };
        self.kill(true);
        let late = || Error::retriable("the server has not ended a result");
        if let (Some(beginning), Some(runtime)) = (result.beginning.take(), &self.runtime) {
            let begun = runtime.block_on(async { timeout(ANSWER_LIMIT, beginning).await });
            self.connection = Some(begun.map_err(|_| late())?.0);
        }
        let (runtime, connection) = self.parts()?;
        let ended = async {
            // that it was killed is said by what was running, or by what comes next
            passing_over_refusal(QueryResult::<BinaryProtocol>::new(&mut *connection).drop_result().await)?;
            passing_over_refusal(connection.query_drop("DO 0").await)
        };
        match runtime.block_on(async { timeout(ANSWER_LIMIT, ended).await }) {
            Ok(ended) => ended.map_err(|error| server_error("could not end a result", error)),
            Err(_) => Err(late()),
        }
    }

    /// Ends this connection in the server, or only its query.
    fn kill(&self, only_query: bool) {
        let Some(runtime) = &self.runtime else { return };
        let killed = self.origin.kill(only_query);
        match runtime.block_on(async { timeout(KILL_LIMIT, killed).await }) {
            Ok(Ok(())) => {}
            // it ends when it has something to send
            Ok(Err(error)) => tracing::debug!(%error, "a query could not be ended in the server"),
            Err(_) => tracing::debug!("the server has not ended a query in time"),
        }
    }
}

fn passing_over_refusal(outcome: std::result::Result<(), Failure>) -> std::result::Result<(), Failure> {
    match outcome {
        Err(Failure::Server(_)) => Ok(()),
        outcome => outcome,
    }
}

/// Waits for what takes moments.
fn wait<T>(runtime: &Runtime, doing: &str, future: impl Future<Output = std::result::Result<T, Failure>>) -> Result<T> {
    match runtime.block_on(async { timeout(ANSWER_LIMIT, future).await }) {
        Ok(answer) => answer.map_err(|error| server_error(doing, error)),
        Err(_) => Err(Error::retriable(format!("{doing}: the server has not answered in {ANSWER_LIMIT:?}"))),
    }
}

/// A value of an answer of the server's catalog.
fn value<T: mysql_async::prelude::FromValue>(row: &mysql_async::Row, place: usize) -> Result<T> {
    match row.get_opt(place) {
        Some(Ok(value)) => Ok(value),
        _ => Err(Error::fatal("the server has answered something else than what it was asked for")),
    }
}

fn closed() -> Error {
    Error::fatal("the connection to MySQL is closed")
}

impl Catalog for MySqlConnection {
    fn tables(&mut self, search: &TableSearch) -> Result<Vec<TableId>> {
        let pattern = search.catalog.clone();
        let parameters = vec![pattern.clone().into(), pattern.into(), self.only_current.into(), kinds(search).into()];
        let rows = self.ask("could not ask for the tables", TABLES, parameters)?;
        rows.iter()
            .map(|row| Ok(TableId::new(Some(&value::<String>(row, 0)?), None, &value::<String>(row, 1)?)))
            .collect()
    }

    fn columns(&mut self, table: &TableId) -> Result<Vec<TableColumn>> {
        // of a name with two parts the first is the database
        let database = table.catalog.clone().or_else(|| table.schema.clone());
        let parameters = vec![database.into(), table.table.clone().into()];
        let rows = self.ask("could not ask for the columns of a table", COLUMNS, parameters)?;
        let column = |row| {
            Ok(TableColumn {
                name: value(row, 0)?,
                is_nullable: value(row, 1)?,
                is_autoincrement: value(row, 2)?,
                primary_key_place: value(row, 3)?,
                key_kind: key_kind(&value::<String>(row, 4)?),
            })
        };
        rows.iter().map(column).collect()
    }

    fn estimated_rows(&mut self, table: &TableId) -> Result<Option<u64>> {
        let database = table.catalog.clone().or_else(|| table.schema.clone());
        let parameters = vec![database.into(), table.table.clone().into()];
        let rows = self.ask("could not ask for the size of a table", ESTIMATED_ROWS, parameters)?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(value::<Option<i64>>(row, 0)?.and_then(|rows| u64::try_from(rows).ok()))
    }
}

impl Connection for MySqlConnection {
    fn current_time(&mut self) -> Result<Timestamp> {
        self.time(NOW)
    }

    fn open_transactions(&mut self) -> Result<OpenTransactions> {
        let at = self.time(BEFORE_OPEN)?;
        self.tell("START TRANSACTION WITH CONSISTENT SNAPSHOT")?;
        let mut found = None;
        for _ in 0..LIST_ATTEMPTS {
            found = self.fresh_transactions()?;
            if found.is_some() {
                break;
            }
            std::thread::sleep(LIST_AGE);
        }
        self.tell("COMMIT")?;
        // nothing is known of now
        let Some((mut names, renamed)) = found else {
            let at = Timestamp::from_millis(0);
            return Ok(OpenTransactions { at, names: Vec::new(), renamed: Vec::new() });
        };
        for row in self.ask(LISTING, OPEN_STATEMENTS, Vec::new())? {
            names.push(value(&row, 0)?);
        }
        Ok(OpenTransactions { at, names, renamed })
    }

    fn query(&mut self, query: &Query) -> Result<Vec<ResultColumn>> {
        self.end_result()?;
        let types = self.types;
        let (runtime, connection) = self.parts()?;
        if let Some(level) = isolation(query.isolation) {
            let set = connection.query_drop(format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}"));
            wait(runtime, "could not set the isolation", set)?;
        }
        let mut statement = wait(runtime, REFUSED, connection.prep(&query.text))?;
        if depends_on_columns(&query.text) && compares_points_in_time(&query.text, &statement.columns()) {
            statement = wait(runtime, REFUSED, connection.prep(in_utc(&query.text)))?;
        }
        if statement.num_params() > 0 {
            return Err(Error::config(
                "there is a question mark in the query that stands for a value: write the value",
            ));
        }
        if statement.columns().is_empty() {
            return Err(Error::config("the query answers no rows: it must be a SELECT"));
        }
        let plans: Vec<_> = statement.columns().iter().map(|column| ColumnPlan::new(column, &types)).collect();
        let decoder = RowDecoder::new(&plans, types.zero_dates, query.batch_rows, query.batch_bytes);
        let columns = plans.iter().map(|plan| plan.column.clone()).collect();
        let connection = self.connection.take().ok_or_else(closed)?;
        let beginning = Some(begin(connection, statement));
        self.result = Some(OpenResult { beginning, plans, decoder, is_at_end: false });
        Ok(columns)
    }

    fn next(&mut self, within: Duration) -> Result<Fetched> {
        let (Some(runtime), Some(result)) = (&self.runtime, &mut self.result) else { return Ok(Fetched::End) };
        if let Some(beginning) = &mut result.beginning {
            let Ok((connection, begun)) = runtime.block_on(async { timeout(within, beginning).await }) else {
                return Ok(Fetched::Waiting);
            };
            result.beginning = None;
            self.connection = Some(connection);
            match begun {
                Ok(columns) => result.check(&columns, &self.types)?,
                Err(error) => {
                    self.result = None;
                    return Err(server_error(REFUSED, error));
                }
            }
        }
        let Some(connection) = &mut self.connection else { return Err(closed()) };
        if !result.is_at_end {
            match runtime.block_on(async { timeout(within, result.fill(connection)).await }) {
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
        Ok(Fetched::End)
    }
}

/// Begins a query that is prepared.
fn begin(mut connection: Conn, statement: Statement) -> Beginning {
    Box::pin(async move {
        let begun = connection.exec_iter(&statement, ()).await.map(|answer| answer.columns_ref().to_vec());
        (connection, begun)
    })
}

impl OpenResult {
    /// Checks that the answer has the columns that were told.
    fn check(&self, columns: &[Column], types: &TypeSettings) -> Result<()> {
        let is_same = |(column, plan): (&Column, &ColumnPlan)| {
            ColumnPlan::new(column, types).value == plan.value && column.name_str() == plan.column.field.name().as_str()
        };
        if columns.len() == self.plans.len() && columns.iter().zip(&self.plans).all(is_same) {
            return Ok(());
        }
        Err(Error::retriable("the columns have changed while the query began"))
    }

    /// Reads until there is a batch, or the end.
    ///
    /// # Cancellation
    /// Keeps what has come.
    async fn fill(&mut self, connection: &mut Conn) -> Result<()> {
        let mut rows = QueryResult::<BinaryProtocol>::new(connection);
        while !self.decoder.is_full() {
            match rows.next().await.map_err(|error| server_error("could not read the rows", error))? {
                Some(row) => self.decoder.append(&row)?,
                None => {
                    self.is_at_end = true;
                    break;
                }
            }
        }
        Ok(())
    }
}

impl Drop for MySqlConnection {
    fn drop(&mut self) {
        let is_reading = self.result.take().is_some_and(|result| !result.is_at_end);
        if is_reading {
            // the server would go on until it has something to send
            self.kill(false);
        }
        let Some(runtime) = self.runtime.take() else { return };
        let connection = self.connection.take();
        if let Some(connection) = connection.filter(|_| !is_reading) {
            // one that cannot say so is closed all the same
            let _ = runtime.block_on(async { timeout(KILL_LIMIT, connection.disconnect()).await });
        }
        runtime.shutdown_background();
    }
}

fn isolation(isolation: Isolation) -> Option<&'static str> {
    match isolation {
        Isolation::Default => None,
        Isolation::ReadUncommitted => Some("READ UNCOMMITTED"),
        Isolation::ReadCommitted => Some("READ COMMITTED"),
        Isolation::RepeatableRead => Some("REPEATABLE READ"),
        Isolation::Serializable => Some("SERIALIZABLE"),
    }
}
