//! A connection to a database.

use std::time::Duration;

use arrow::record_batch::RecordBatch;
use volley_api::Result;

use super::{OpenTransactions, ResultColumn, TableColumn, TableId, Timestamp};

/// Which tables are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableSearch {
    /// Catalog, as a pattern of SQL's LIKE; `None`: any.
    pub catalog: Option<String>,
    /// Schema, as a pattern of SQL's LIKE; `None`: any.
    pub schema: Option<String>,
    /// JDBC's names of kinds of tables: `TABLE`, `VIEW`, `MATERIALIZED VIEW`, …
    pub types: Vec<String>,
}

/// How far a query sees what other transactions do meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// As the database does it by default.
    #[default]
    Default,
    /// READ UNCOMMITTED
    ReadUncommitted,
    /// READ COMMITTED
    ReadCommitted,
    /// REPEATABLE READ
    RepeatableRead,
    /// SERIALIZABLE
    Serializable,
}

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// One statement of SQL that answers rows. Its literals are the driver's own.
    pub text: String,
    /// Most rows of a batch; at least 1.
    pub batch_rows: usize,
    /// A batch ends with the row that reaches this many bytes.
    pub batch_bytes: usize,
    /// The isolation of its transaction.
    pub isolation: Isolation,
}

/// What there is of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetched {
    /// The next rows, at least one.
    Rows(RecordBatch),
    /// Nothing yet.
    Waiting,
    /// There are no more rows.
    End,
}

/// What the database says of itself.
pub trait Catalog {
    /// The tables of a search, in the order of their names.
    fn tables(&mut self, search: &TableSearch) -> Result<Vec<TableId>>;

    /// The columns of a table, in their order; none if there is no such table.
    fn columns(&mut self, table: &TableId) -> Result<Vec<TableColumn>>;

    /// About how many rows a table has; `None` if nobody knows without counting them.
    fn estimated_rows(&mut self, _table: &TableId) -> Result<Option<u64>> {
        Ok(None)
    }
}

/// A connection. It has at most one result at a time: [`Connection::query`] begins it, [`Connection::next`] reads it,
/// and whatever is asked next ends it. Memory is bounded by a batch, whatever the size of the result. Dropping the
/// connection ends what it does in the database too.
///
/// # Errors
/// `Retriable` if the connection is lost, or if the same may succeed later; the connection is dropped then. `Config`
/// where a name, a permission or the text of a query is wrong. `Data` for a value that has no place in its column's
/// Arrow type; it names the column.
pub trait Connection: Catalog + Send {
    /// The time by the database's clock.
    fn current_time(&mut self) -> Result<Timestamp>;

    /// The transactions that are under way.
    ///
    /// # Errors
    /// `Config` also where the database or the user cannot tell.
    fn open_transactions(&mut self) -> Result<OpenTransactions>;

    /// Begins a query; the columns of its result.
    fn query(&mut self, query: &Query) -> Result<Vec<ResultColumn>>;

    /// The next rows of the result, whose columns have the types that `query` has told; waits for them about as long
    /// as `within`.
    fn next(&mut self, within: Duration) -> Result<Fetched>;
}
