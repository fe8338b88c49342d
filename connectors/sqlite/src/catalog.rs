//! What SQLite says of its tables.

use rusqlite::Connection;
use volley_api::Result;
use volley_jdbc::{TableColumn, TableId, TableSearch, Timestamp};

use crate::sqlite_error::sqlite_error;

/// The tables and views, but those of SQLite itself.
const TABLES: &str = "SELECT upper(type), name FROM sqlite_master \
    WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";

/// The columns of a table: name, whether it may be null, whether it is counted up, place in the primary key. One that is an INTEGER PRIMARY KEY
/// is the number of the row, which SQLite gives by itself, unless the table has no such numbers.
const COLUMNS: &str = "SELECT name, \"notnull\" = 0 AND NOT is_number, is_number, nullif(pk, 0) FROM ( \
    SELECT cid, name, \"notnull\", pk, pk = 1 AND upper(type) = 'INTEGER' \
        AND (SELECT count(*) FROM pragma_table_xinfo(?1) WHERE pk > 0) = 1 \
        AND NOT EXISTS (SELECT 1 FROM pragma_table_list(?1) WHERE wr) AS is_number \
    FROM pragma_table_xinfo(?1) WHERE hidden <> 1) ORDER BY cid";

/// Milliseconds since 1970.
const NOW: &str =
    "SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER)";

/// The tables of some kinds. SQLite has neither catalogs nor schemas, as its Java driver tells.
pub(crate) fn tables(file: &Connection, search: &TableSearch) -> Result<Vec<TableId>> {
    let failed = |error| sqlite_error("could not ask for the tables", error);
    let mut statement = file.prepare(TABLES).map_err(failed)?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
    let found: Vec<(String, String)> = found.collect::<rusqlite::Result<_>>().map_err(failed)?;
    let is_wanted = |kind: &str| search.types.iter().any(|name| name.eq_ignore_ascii_case(kind));
    Ok(found.iter().filter(|(kind, _)| is_wanted(kind)).map(|(_, name)| TableId::new(None, None, name)).collect())
}

/// The columns of a table.
pub(crate) fn columns(file: &Connection, table: &str) -> Result<Vec<TableColumn>> {
    let failed = |error| sqlite_error("could not ask for the columns of a table", error);
    let mut statement = file.prepare(COLUMNS).map_err(failed)?;
    let columns = statement.query_map([table], |row| {
        Ok(TableColumn {
            name: row.get(0)?,
            is_nullable: row.get(1)?,
            is_autoincrement: row.get(2)?,
            primary_key_place: row.get(3)?,
            // who reads a file in parallel reads one disk, and keeps writers out for as long
            key_kind: None,
        })
    });
    columns.map_err(failed)?.collect::<rusqlite::Result<_>>().map_err(failed)
}

/// The time by the clock of this machine.
pub(crate) fn current_time(file: &Connection) -> Result<Timestamp> {
    let millis = file.query_row(NOW, [], |row| row.get(0));
    Ok(Timestamp::from_millis(millis.map_err(|error| sqlite_error("could not ask for the time", error))?))
}
