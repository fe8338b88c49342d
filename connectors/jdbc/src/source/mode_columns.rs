//! The columns that the mode and the keys of a table or query need.

use volley_api::{Error, Result};

use super::config::KeyColumns;
use super::config::Reading;
use super::config::config_keys::{
    INCREMENTING, INCREMENTING_MAPPING, KEY_COLUMNS, TIMESTAMP_MAPPING, VALIDATE_NON_NULL,
};
use crate::database::{Connection, TableColumn, TableId};

/// The columns that say what is new, and those of the keys.
#[derive(Clone, Debug)]
pub(super) struct ModeColumns {
    pub(super) incrementing: Option<String>,
    pub(super) timestamps: Vec<String>,
    pub(super) keys: Vec<String>,
}

impl ModeColumns {
    /// Those of a table (`None`: of a query), checked against it.
    ///
    /// # Errors
    /// `Config` for columns that are not there, or may be null where they must not.
    pub(super) fn find(
        reading: &Reading,
        table: Option<&TableId>,
        validates_non_null: bool,
        connection: &mut dyn Connection,
    ) -> Result<Self> {
        let timestamps = match reading.mode.is_timestamp {
            true => reading.timestamps.columns(table, TIMESTAMP_MAPPING)?,
            false => Vec::new(),
        };
        let mut incrementing = match reading.mode.is_incrementing {
            true => reading.incrementing.columns(table, INCREMENTING_MAPPING)?.into_iter().next(),
            false => None,
        };
        let mut keys = match &reading.keys {
            KeyColumns::Named(names) => names.clone(),
            KeyColumns::None | KeyColumns::PrimaryKey => Vec::new(),
        };
        let needs_catalog = !reading.mode.is_bulk() || reading.keys == KeyColumns::PrimaryKey;
        if let Some(table) = table.filter(|_| needs_catalog) {
            let found = connection.columns(table)?;
            if reading.mode.is_incrementing && incrementing.is_none() {
                incrementing = Some(counted_column(&found, table)?);
            }
            if validates_non_null {
                check_not_null(&found, incrementing.as_deref(), &timestamps, table)?;
            }
            if reading.keys == KeyColumns::PrimaryKey {
                keys = primary_key(&found);
                if keys.is_empty() {
                    tracing::warn!(%table, "the table has no primary key: its records have no keys (`{KEY_COLUMNS}`)");
                }
            }
        }
        Ok(Self { incrementing, timestamps, keys })
    }
}

/// The columns of the primary key, in its order.
pub(super) fn primary_key(columns: &[TableColumn]) -> Vec<String> {
    let mut keys: Vec<_> =
        columns.iter().filter_map(|column| Some((column.primary_key_place?, column.name.clone()))).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, name)| name).collect()
}

/// The column that the database counts up.
fn counted_column(columns: &[TableColumn], table: &TableId) -> Result<String> {
    let mut counted = columns.iter().filter(|column| column.is_autoincrement);
    match (counted.next(), counted.next()) {
        (Some(column), None) => Ok(column.name.clone()),
        (found, _) => {
            let how_many = if found.is_some() { "several columns" } else { "no column" };
            Err(Error::config(format!(
                "table {table} has {how_many} that the database counts up: name the one with the number of each row \
                by `{INCREMENTING}`"
            )))
        }
    }
}

fn check_not_null(
    columns: &[TableColumn],
    incrementing: Option<&str>,
    timestamps: &[String],
    table: &TableId,
) -> Result<()> {
    let is_nullable = |name: &str| columns.iter().any(|column| column.name == name && column.is_nullable);
    let advice =
        format!("rows where it is null would never be read; set `{VALIDATE_NON_NULL}` to false if that is meant");
    if let Some(name) = incrementing.filter(|name| is_nullable(name)) {
        return Err(Error::config(format!("column `{name}` of table {table} may be null: {advice}")));
    }
    if !timestamps.is_empty() && timestamps.iter().all(|name| is_nullable(name)) {
        let names = timestamps.join("`, `");
        return Err(Error::config(format!("column `{names}` of table {table} may be null: {advice}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TableId {
        TableId::new(Some("shop"), Some("public"), "orders")
    }

    #[test]
    fn columns_that_may_be_null_are_refused_and_the_counted_one_is_found() {
        let column = |name: &str, is_nullable, is_autoincrement| TableColumn {
            name: name.to_owned(),
            is_nullable,
            is_autoincrement,
            primary_key_place: None,
            key_kind: None,
        };
        let columns = [column("id", false, true), column("a", true, false), column("b", false, false)];
        assert_eq!(counted_column(&columns, &table()).unwrap(), "id");
        assert!(counted_column(&columns[1..], &table()).unwrap_err().to_string().contains("no column"));
        let check = |number, times: &[&str]| {
            check_not_null(&columns, number, &times.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), &table())
        };
        assert!(check(Some("id"), &[]).is_ok());
        assert!(check(Some("a"), &[]).is_err());
        assert!(check(None, &["a"]).is_err());
        assert!(check(None, &["a", "b"]).is_ok(), "one that is never null is enough");
    }
}
