//! What the server says of its tables.

use volley_jdbc::{KeyKind, TableSearch};

/// The tables of some kinds in some databases: database, table. Parameters: pattern of the database, whether only the
/// current one counts where there is no pattern, the kinds with commas around.
pub(crate) const TABLES: &str = "SELECT table_schema, table_name FROM ( \
    SELECT table_schema, table_name, CASE \
        WHEN table_schema IN ('information_schema', 'mysql', 'performance_schema', 'sys') THEN \
            CASE WHEN table_type LIKE '%VIEW' THEN 'SYSTEM VIEW' ELSE 'SYSTEM TABLE' END \
        WHEN table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') THEN 'TABLE' ELSE table_type END AS kind \
    FROM information_schema.tables) AS found \
    WHERE CASE WHEN ? IS NOT NULL THEN table_schema LIKE ? WHEN ? THEN table_schema = DATABASE() ELSE TRUE END \
    AND LOCATE(CONCAT(',', kind, ','), ?) > 0 ORDER BY table_schema, table_name";

/// The columns of a table: name, whether it may be null, whether it is counted up, place in the primary key, its type.
/// Parameters: database (null: the current one), table.
pub(crate) const COLUMNS: &str = "SELECT c.column_name, c.is_nullable = 'YES', c.extra LIKE '%auto_increment%', \
    (SELECT MIN(s.seq_in_index) FROM information_schema.statistics AS s WHERE s.table_schema = c.table_schema \
        AND s.table_name = c.table_name AND s.index_name = 'PRIMARY' AND s.column_name = c.column_name), \
    c.data_type \
    FROM information_schema.columns AS c WHERE c.table_schema = COALESCE(?, DATABASE()) AND c.table_name = ? \
    ORDER BY c.ordinal_position";

/// About how many rows a table has. Parameters: database (null: the current one), table.
pub(crate) const ESTIMATED_ROWS: &str = "SELECT CAST(table_rows AS SIGNED) FROM information_schema.tables \
    WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?";

/// What a column of a type is as a key. Those of an enumeration are ordered by their places and compared as texts; beside
/// those of points in time, nobody would know which literals have a zone.
pub(crate) fn key_kind(data_type: &str) -> Option<KeyKind> {
    Some(match data_type.to_ascii_lowercase().as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" => KeyKind::Number,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "uuid" | "inet4" | "inet6" | "date" => {
            KeyKind::Text
        }
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => KeyKind::Bytes,
        _ => return None,
    })
}

/// The columns of a table that is written to: database, table, name, type without a length, type in full, whether it may be
/// null, whether it has a value of its own, whether it is part of the primary key. Those that are computed are not among
/// them. Parameters: database (null: the current one), table.
pub(crate) const TARGET_COLUMNS: &str = "SELECT table_schema, table_name, column_name, data_type, column_type, \
    is_nullable = 'YES', column_default IS NOT NULL OR extra LIKE '%auto_increment%', column_key = 'PRI' \
    FROM information_schema.columns WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? \
    AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position";

/// Microseconds since 1970, where the session is in UTC.
pub(crate) const NOW: &str = "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)";

/// Microseconds since 1970 before which a transaction or a statement that is in neither of the next two had ended. A
/// statement has the time at which it began, and is looked for once it has run for a second; the list of transactions
/// is up to a second old.
pub(crate) const BEFORE_OPEN: &str = "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) - 3000000";

/// The transactions of InnoDB that are under way and may write: name, whether its session is gone, whether it is our
/// own, begun just now. The server makes the list anew only when nobody has read it for a tenth of a second: one
/// without our own transaction is old. It has times of the operating system's zone.
pub(crate) const OPEN_TRANSACTIONS: &str = "SELECT CASE WHEN trx_mysql_thread_id = 0 \
        THEN CONCAT('prepared ', trx_id) ELSE CONCAT(trx_mysql_thread_id, ' ', trx_started) END, \
    trx_mysql_thread_id = 0, trx_mysql_thread_id = CONNECTION_ID() AND \
        ABS(TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM'))) <= 1 \
    FROM information_schema.innodb_trx WHERE trx_autocommit_non_locking = 0";

/// Other sessions that have executed a statement for a second or more. It may have no transaction yet, because it waits
/// for a table.
pub(crate) const OPEN_STATEMENTS: &str = "SELECT CONCAT('session ', id) FROM information_schema.processlist \
    WHERE id <> CONNECTION_ID() AND command IN ('Query', 'Execute') AND time >= 1 \
    AND COALESCE(LTRIM(info), '') NOT LIKE 'SELECT%'";

/// The kinds of a search, as [`TABLES`] knows them.
pub(crate) fn kinds(search: &TableSearch) -> String {
    let kinds: Vec<_> = search.types.iter().map(|kind| kind.to_ascii_uppercase()).collect();
    format!(",{},", kinds.join(","))
}
