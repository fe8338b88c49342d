//! All lookup tables of a query.

use datafusion::prelude::SessionContext;
use volley_api::{ConfigMap, Error, Result, TransformationContext};

use super::lookup_config::LookupConfig;
use super::lookup_table::LookupTable;
use crate::query::RowwiseQuery;
use crate::reason::reason_of;

/// What has become of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refreshed {
    /// Nothing.
    Nothing,
    /// Some have other rows.
    Rows,
    /// Some have other columns, or other types of them: plans have to be made anew.
    Columns,
}

/// The tables, in memory.
#[derive(Debug)]
pub(crate) struct Lookups {
    tables: Vec<LookupTable>,
}

impl Lookups {
    /// Reads all tables of `config`, and makes them known to queries of `session`.
    ///
    /// # Errors
    /// `Config`, naming the key, if a table cannot be read.
    pub(crate) fn read(
        config: &ConfigMap,
        query: &RowwiseQuery,
        context: &TransformationContext,
        session: &SessionContext,
    ) -> Result<Self> {
        let mut tables = Vec::new();
        for config in LookupConfig::of_config(config)? {
            let table = LookupTable::read(&config, &query.columns_of_lookup(&config.name), context)?;
            register(&table, session)?;
            tables.push(table);
        }
        Ok(Self { tables })
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }

    /// The names of all their columns.
    pub(crate) fn columns(&self) -> Vec<String> {
        self.tables.iter().flat_map(LookupTable::columns).collect()
    }

    /// Takes what has changed since the last call, for the batches from now on.
    ///
    /// # Errors
    /// `Config` if a table has become too large.
    pub(crate) fn refresh(&mut self, session: &SessionContext) -> Result<Refreshed> {
        let mut most = Refreshed::Nothing;
        for table in &mut self.tables {
            let refreshed = table.refresh()?;
            if refreshed == Refreshed::Columns {
                register(table, session)?;
            }
            most = most.max(refreshed);
        }
        Ok(most)
    }
}

fn register(table: &LookupTable, session: &SessionContext) -> Result<()> {
    table.register(session).map_err(|error| {
        let reason = reason_of(&error);
        Error::config(format!("could not set up the lookup table `{}`: {reason}", table.name))
    })
}
