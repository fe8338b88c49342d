//! SQL for sinks: a query over all records of a bounded run, whose result is written in place of the records; columns that are
//! computed for each record.

use std::path::PathBuf;

use arrow::array::RecordBatch;

use crate::{Records, Result, TopicPartition, Transformation};

/// What a query may use.
#[derive(Clone, Debug)]
pub struct QuerySettings {
    /// Bytes of memory for sorting, grouping and joining. What needs more goes to disk.
    pub memory_bytes: usize,
    /// Directory on local disk for the records and for what does not fit into memory; nothing is left there. `None`: the
    /// system's directory for temporary files.
    pub directory: Option<PathBuf>,
}

/// Makes queries out of texts.
pub trait QueryEngine: Send + Sync {
    /// Columns that are computed for each record by itself, always alike: a transformation whose values are structs of them.
    /// `select_list`: the columns, as behind SELECT.
    ///
    /// # Errors
    /// `Config` for a text that is no such list.
    fn columns(&self, select_list: &str) -> Result<Box<dyn Transformation>>;

    /// The tables that a query reads, each once. Nothing but the text is looked at.
    ///
    /// # Errors
    /// `Config` for a text that is no query.
    fn tables(&self, query: &str) -> Result<Vec<String>>;

    /// A query without records.
    ///
    /// # Errors
    /// `Config` for a text that is no query, or a directory that cannot be used.
    fn open(&self, query: &str, settings: QuerySettings) -> Result<Box<dyn BoundedQuery>>;
}

/// A query, and the records that it is over. Each topic is a table; if there is one topic only, it is the table `records`,
/// too.
pub trait BoundedQuery: Send {
    /// Adds records of a consumed batch.
    ///
    /// # Errors
    /// `Fatal` if there is no room to keep them.
    fn add(&mut self, records: &Records) -> Result<()>;

    /// Forgets the records that were consumed from a partition.
    fn forget(&mut self, partition: &TopicPartition);

    /// The query over the records that are there now, for any thread. `topics`: all that were read, for those without
    /// records.
    ///
    /// # Errors
    /// Those of reading the records back.
    fn ready(&mut self, topics: &[String]) -> Result<Box<dyn ReadyQuery>>;
}

/// A query that can be executed.
pub trait ReadyQuery: Send {
    /// Executes the query, which may take long. It ends early once `is_cancelled`, with any error.
    ///
    /// # Errors
    /// `Config` if the query does not fit the records; `Data` if it fails for a value; `Fatal` if memory or disk do not
    /// suffice.
    fn execute(self: Box<Self>, is_cancelled: &(dyn Fn() -> bool + Sync)) -> Result<Box<dyn QueryResult>>;
}

/// The rows of a result, all there, in order.
pub trait QueryResult: Send {
    /// Number of rows.
    fn rows(&self) -> u64;

    /// The next rows; `None` behind the last. All have the same columns, with types of Connect's data model.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>>;
}
