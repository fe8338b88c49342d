//! Full SQL over all records of a bounded run: groups, joins, sorts.
//!
//! ```text
//!  put ─► staged_records ─► spill_file        (as records come)
//!                              │
//!  query_text ─► execution ◄── staged_table   (at the end of the run)
//!                    └──► spill_file ─► result, row after row
//! ```
//!
//! Nothing but the text is known of a query before there are records. All records of a topic are one table, whatever schemas
//! they have (`table_columns`).

mod execution;
mod query_text;
mod spill_file;
mod staged_records;
mod staged_table;
mod table_columns;

use std::sync::Arc;

use volley_api::{
    BoundedQuery, Error, QueryEngine, QuerySettings, ReadyQuery, Records, Result, TopicPartition, Transformation,
};

use self::execution::StagedQuery;
use self::query_text::QueryText;
use self::staged_records::StagedRecords;
use crate::query::{Refusal, RowwiseQuery, UserFunctions};
use crate::row_columns::row_columns;

/// Queries of DataFusion's SQL, which is much as PostgreSQL's. Names are case sensitive.
#[derive(Clone, Copy, Debug)]
pub struct SqlQueries;

impl QueryEngine for SqlQueries {
    fn columns(&self, select_list: &str) -> Result<Box<dyn Transformation>> {
        row_columns(select_list)
    }

    fn tables(&self, query: &str) -> Result<Vec<String>> {
        Ok(parsed(query)?.tables.into_iter().collect())
    }

    fn open(&self, query: &str, settings: QuerySettings) -> Result<Box<dyn BoundedQuery>> {
        let text = parsed(query)?;
        let records = StagedRecords::new(settings.directory.as_deref(), &text)?;
        Ok(Box::new(Staging { text, settings, records }))
    }
}

/// Whether a query over the table `records` can be executed record by record, as a transformation.
///
/// # Errors
/// What is wrong with it, if it can be executed in no way.
pub fn works_row_by_row(query: &str) -> std::result::Result<bool, Refusal> {
    let rowwise = RowwiseQuery::parse_with(query, &UserFunctions::default())
        .and_then(|query| query.check_tables(std::iter::empty()));
    match rowwise {
        Ok(()) => Ok(true),
        Err(_) => QueryText::parse(query).map(|_| false),
    }
}

fn parsed(query: &str) -> Result<QueryText> {
    QueryText::parse(query).map_err(|refusal| Error::config(refusal.to_string()))
}

struct Staging {
    text: QueryText,
    settings: QuerySettings,
    records: StagedRecords,
}

impl BoundedQuery for Staging {
    fn add(&mut self, records: &Records) -> Result<()> {
        self.records.add(records)
    }

    fn forget(&mut self, partition: &TopicPartition) {
        self.records.forget(partition);
    }

    fn ready(&mut self, topics: &[String]) -> Result<Box<dyn ReadyQuery>> {
        let tables = self.records.tables();
        let empty = topics.iter().map(|topic| Arc::from(topic.as_str())).filter(|topic| !tables.contains_key(topic));
        Ok(Box::new(StagedQuery {
            text: self.text.clone(),
            settings: self.settings.clone(),
            empty: empty.collect(),
            left_out: self.records.left_out().clone(),
            reader: self.records.reader(),
            tables,
        }))
    }
}

#[cfg(test)]
mod tests;
