//! One lookup table: its rows, and where newer ones come from.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;
use volley_api::{Error, Result, TransformationContext};

use super::lookup_config::{FileSource, LookupConfig, Source};
use super::lookup_exec::{RowsSlot, SlotTable};
use super::lookups::Refreshed;
use super::refreshed_file::{ReadFile, RefreshedFile};
use super::table_file::{Content, Failure, Stamp, TableFile, open_file};
use super::topic_columns::first_columns;
use super::topic_table::TopicTable;

/// Where newer rows come from.
#[derive(Debug)]
enum Newer {
    /// From nowhere.
    Never,
    File(RefreshedFile),
    Topic(TopicTable),
}

/// A lookup table with its name in queries.
#[derive(Debug)]
pub(super) struct LookupTable {
    pub(super) name: String,
    slot: RowsSlot,
    newer: Newer,
}

impl LookupTable {
    /// Reads the table. `named`: the columns of it that the query names.
    ///
    /// # Errors
    /// `Config`, naming the key, if that cannot be done.
    pub(super) fn read(config: &LookupConfig, named: &[String], context: &TransformationContext) -> Result<Self> {
        let (rows, newer) = match &config.source {
            Source::File(source) => Self::of_file(config, source, context)?,
            Source::Topic(topic) if context.is_running() => {
                let (rows, table) = TopicTable::start(config, topic, named, context)?;
                (rows, Newer::Topic(table))
            }
            Source::Topic(_) => (RecordBatch::new_empty(first_columns(named)), Newer::Never),
        };
        Ok(Self { name: config.name.clone(), slot: RowsSlot::new(rows), newer })
    }

    fn of_file(
        config: &LookupConfig,
        source: &FileSource,
        context: &TransformationContext,
    ) -> Result<(RecordBatch, Newer)> {
        let mut file = open_file(config, source)?;
        let read = std::thread::scope(|scope| {
            // a caller within an async runtime may not wait for another one
            scope.spawn(|| first_version(&mut *file, config, source)).join()
        });
        let read = read.unwrap_or_else(|_| Err("reading it panicked".to_owned()));
        let (stamp, rows) = read.map_err(|reason| {
            let (key, shown) = (&config.key, &source.shown);
            Error::config(format!("`{key}`: could not read the lookup table `{shown}`: {reason}"))
        })?;
        let newer = match config.refresh.filter(|_| context.is_running()) {
            None => Newer::Never,
            Some(interval) => {
                let read = ReadFile { file, stamp, schema: rows.schema() };
                Newer::File(RefreshedFile::start(config, source, interval, read, context.metrics())?)
            }
        };
        Ok((rows, newer))
    }

    /// The names of its columns.
    pub(super) fn columns(&self) -> Vec<String> {
        self.slot.rows().schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Makes the table known to queries.
    pub(super) fn register(&self, session: &SessionContext) -> datafusion::error::Result<()> {
        session.deregister_table(self.name.as_str())?;
        session.register_table(self.name.as_str(), Arc::new(SlotTable::new(self.slot.clone()))).map(drop)
    }

    /// Takes the newest rows.
    ///
    /// # Errors
    /// `Config` if there are more than may be held.
    pub(super) fn refresh(&mut self) -> Result<Refreshed> {
        let newest = match &self.newer {
            Newer::Never => None,
            Newer::File(file) => file.take(),
            Newer::Topic(table) => table.take()?,
        };
        let Some(rows) = newest else { return Ok(Refreshed::Nothing) };
        if rows.schema() == self.slot.rows().schema() {
            self.slot.put(rows);
            return Ok(Refreshed::Rows);
        }
        // plans that were made for the columns of before keep their rows
        self.slot = RowsSlot::new(rows);
        Ok(Refreshed::Columns)
    }
}

fn first_version(
    file: &mut dyn TableFile,
    config: &LookupConfig,
    source: &FileSource,
) -> std::result::Result<(Option<Stamp>, RecordBatch), Failure> {
    match file.read(None)? {
        Content::Version(stamp, content) => Ok((stamp, source.format.rows(&content, config.max_bytes)?)),
        Content::Unchanged => Err("it was not given".to_owned()),
    }
}
