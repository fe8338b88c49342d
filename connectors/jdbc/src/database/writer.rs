//! A connection that writes.

use std::fmt;

use arrow::datatypes::Field;
use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use volley_api::Result;

use super::TableId;

/// A table that is written to, as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetTable {
    /// Its name, in the letters of the database.
    pub table: TableId,
    /// Its columns, in their order.
    pub columns: Vec<TargetColumn>,
}

/// A column of a table that is written to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetColumn {
    /// Its name.
    pub name: String,
    /// Its type in the database's words, without a length: `int4`, `varchar`, `datetime`.
    pub type_name: String,
    /// Its type as it would stand in SQL: `numeric(10,2)`.
    pub declared: String,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// Whether the database has a value for rows that bring none.
    pub has_default: bool,
    /// Whether it is part of the primary key.
    pub is_key: bool,
    /// Whether its values are arrays.
    pub is_array: bool,
}

/// What is done with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// They are added.
    Insert,
    /// They are added; those whose keys are there take the place of what is there.
    Upsert,
    /// Those whose keys are there change the other columns; the others do nothing.
    Update,
    /// Those with these keys are removed; all columns are keys.
    Delete,
}

impl fmt::Display for WriteKind {
    /// As part of "could not … table t".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insert => "insert into",
            Self::Upsert => "upsert into",
            Self::Update => "update",
            Self::Delete => "delete from",
        })
    }
}

/// A column that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteColumn {
    /// The column of the table.
    pub target: TargetColumn,
    /// Whether it says which row it is.
    pub is_key: bool,
}

/// Rows for a table.
#[derive(Clone, Copy, Debug)]
pub struct TableWrite<'a> {
    /// The table.
    pub table: &'a TableId,
    /// The columns of `rows`, in their order.
    pub columns: &'a [WriteColumn],
    /// What is done with the rows.
    pub kind: WriteKind,
    /// The rows. No two have the same keys, unless they are inserted. The types of the columns are those of
    /// [`super::Cell`], and lists of them where the column is an array.
    pub rows: &'a RecordBatch,
    /// The time zone of columns that have a date and a time but no zone.
    pub zone: Tz,
}

impl TableWrite<'_> {
    /// The columns that say which row it is, with their places.
    pub fn keys(&self) -> impl Iterator<Item = (usize, &WriteColumn)> {
        self.columns.iter().enumerate().filter(|(_, column)| column.is_key)
    }

    /// The other columns, with their places.
    pub fn others(&self) -> impl Iterator<Item = (usize, &WriteColumn)> {
        self.columns.iter().enumerate().filter(|(_, column)| !column.is_key)
    }
}

/// A connection that writes. Dropping it takes back what is not committed.
///
/// # Errors
/// `Retriable` if the connection is lost, or if the whole transaction may succeed later; the connection is dropped
/// then. `Data` for a row that the table does not take. `Config` where a name or a permission is wrong. After any
/// error nothing counts that was done since the last savepoint.
pub trait Writer: Send {
    /// The table; `None` if there is none. `quote` is the mark around its name, if any: without, the database may
    /// read it in other letters.
    fn target(&mut self, table: &TableId, quote: Option<char>) -> Result<Option<TargetTable>>;

    /// Executes statements that answer nothing; how many rows the last one has changed.
    fn execute(&mut self, sql: &str) -> Result<u64>;

    /// The rows of a short answer, as texts.
    fn texts(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>>;

    /// Writes rows, within the transaction that is open.
    fn write(&mut self, write: &TableWrite<'_>) -> Result<()>;

    /// The type of a new column for values of a field.
    fn column_type(&self, field: &Field, is_key: bool) -> String;

    /// The statement that gives a column a type that has room for all values of a field; `None` if it has room, or if
    /// the database cannot do that.
    fn widening(&self, _table: &TableId, _column: &TargetColumn, _field: &Field) -> Option<String> {
        None
    }

    /// The mark around names in SQL.
    fn quote(&self) -> char {
        '"'
    }

    /// A text as a literal of SQL.
    fn literal(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    /// Until the transaction ends, constraints that would be checked at its end are checked with each write, as far as the
    /// database can do that.
    fn check_at_once(&mut self) -> Result<()> {
        Ok(())
    }

    /// Begins a transaction.
    fn begin(&mut self) -> Result<()> {
        self.execute("BEGIN").map(drop)
    }
}
