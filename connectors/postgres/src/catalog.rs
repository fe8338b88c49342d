//! What PostgreSQL says of its tables.

use volley_jdbc::{KeyKind, TableSearch};

/// The tables of some kinds in some schemas: database, schema, table.
pub(crate) const TABLES: &str = "SELECT current_database()::text, n.nspname::text, c.relname::text \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE ($1::text IS NULL OR current_database() LIKE $1) AND ($2::text IS NULL OR n.nspname LIKE $2) \
    AND (CASE WHEN n.nspname = 'pg_catalog' OR n.nspname = 'information_schema' THEN 'S' \
              WHEN n.nspname LIKE 'pg\\_temp\\_%' THEN 'T' \
              WHEN n.nspname LIKE 'pg\\_%' THEN '-' ELSE '' END || c.relkind::text) = ANY($3::text[]) \
    ORDER BY 2, 3";

/// The columns of a table: name, whether it may be null, whether it is counted up, place in the primary key, what it is as a
/// key ([`key_kind`]). A number of any scale has several texts for one value.
pub(crate) const COLUMNS: &str = "SELECT a.attname::text, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)), \
    a.attidentity <> '' OR coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false), \
    (SELECT k.place FROM (SELECT pg_catalog.array_position(i.indkey::int2[], a.attnum) AS place, i.indnkeyatts \
        FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary) k WHERE k.place < k.indnkeyatts), \
    CASE WHEN b.typname IN ('int2', 'int4', 'int8', 'oid') \
            OR (b.typname = 'numeric' AND greatest(a.atttypmod, t.typtypmod) > 0) THEN 'number' \
        WHEN b.typtype = 'e' OR b.typname IN ('numeric', 'text', 'varchar', 'bpchar', 'name', 'citext', 'uuid', 'inet', \
            'date', 'timestamp', 'timestamptz') THEN 'text' \
        WHEN b.typname = 'bytea' THEN 'bytes' END \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE a.attrelid = pg_catalog.to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// About how many rows a table has, with its partitions, by its statistics and its size. Nothing for what has no size.
pub(crate) const ESTIMATED_ROWS: &str = "SELECT sum(CASE WHEN p.reltuples >= 0 AND p.relpages > 0 \
        THEN p.reltuples::float8 / p.relpages * (pg_catalog.pg_relation_size(p.oid) / 8192) \
        ELSE pg_catalog.pg_relation_size(p.oid) / 100 END)::int8 \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_class p \
        ON p.oid = c.oid OR p.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid)) \
    WHERE c.oid = pg_catalog.to_regclass($1::text) AND c.relkind IN ('r', 'p', 'm') AND p.relkind IN ('r', 'm')";

/// What a column is as a key.
pub(crate) fn key_kind(name: Option<&str>) -> Option<KeyKind> {
    match name? {
        "number" => Some(KeyKind::Number),
        "bytes" => Some(KeyKind::Bytes),
        _ => Some(KeyKind::Text),
    }
}

/// A table by its name in SQL: number, schema, name.
pub(crate) const TARGET: &str = "SELECT c.oid, n.nspname::text, c.relname::text FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1::text)";

/// The columns of a table that is written to: name, type without a length (of a domain, what it is made of), type in full,
/// whether it may be null, whether it has a value of its own, whether it is part of the primary key, whether it is an array.
pub(crate) const TARGET_COLUMNS: &str = "SELECT a.attname::text, \
    pg_catalog.format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END, -1), \
    pg_catalog.format_type(a.atttypid, a.atttypmod), NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)), \
    a.atthasdef OR a.attidentity <> '', \
    EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary \
        AND a.attnum = ANY(i.indkey)), \
    pg_catalog.format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END, -1) LIKE '%[]' \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum";

/// How many of `known`, a list of pairs of a name and a type without a length, are columns of a table.
pub(crate) fn same_columns(table: &str, known: &str) -> String {
    format!(
        "SELECT count(*) FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
         WHERE a.attrelid = pg_catalog.to_regclass({table}) AND a.attnum > 0 AND NOT a.attisdropped \
         AND (a.attname::text, \
             pg_catalog.format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END, -1)) \
             IN ({known})"
    )
}

/// Those columns of tables that cannot be null: number of the table, number of the column.
pub(crate) const REQUIRED: &str = "SELECT a.attrelid, a.attnum FROM pg_catalog.pg_attribute a \
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    WHERE a.attrelid = ANY($1::oid[]) AND (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull))";

/// Microseconds since 1970.
pub(crate) const NOW: &str = "SELECT round(extract(epoch FROM current_timestamp) * 1000000)::bigint";

/// What a statement of ours begins with that only reads, so that nobody waits for it.
pub(crate) const READS: &str = "/* volley reads */ ";

/// The transactions that are under way in this database: whether the server is a standby, microseconds since 1970 before
/// which a transaction that is not here had ended, virtual transactions, prepared ones. A session tells the time that
/// its transactions begin with some moments before it has a virtual transaction: a second is long for that. Everybody
/// may see locks. Autovacuum has no user.
pub(crate) const OPEN_TRANSACTIONS: &str = "SELECT pg_catalog.pg_is_in_recovery(), \
    round(extract(epoch FROM clock_timestamp() - interval '1 second') * 1000000)::bigint, \
    ARRAY(SELECT l.virtualxid FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
        WHERE l.locktype = 'virtualxid' AND l.granted AND l.pid <> pg_backend_pid() \
        AND a.datname = current_database() AND a.usesysid IS NOT NULL \
        AND NOT coalesce(a.state = 'active' AND a.query LIKE '/* volley reads */ %', false)), \
    ARRAY(SELECT 'prepared ' || p.transaction::text FROM pg_catalog.pg_prepared_xacts p \
        WHERE p.database = current_database())";

/// The kinds of a search, as [`TABLES`] knows them.
pub(crate) fn kinds(search: &TableSearch) -> Vec<&'static str> {
    let kinds = search.types.iter().filter_map(|name| match name.to_ascii_uppercase().as_str() {
        "TABLE" => Some("r"),
        "PARTITIONED TABLE" => Some("p"),
        "VIEW" => Some("v"),
        "MATERIALIZED VIEW" => Some("m"),
        "FOREIGN TABLE" => Some("f"),
        "SYSTEM TABLE" => Some("Sr"),
        "SYSTEM VIEW" => Some("Sv"),
        "TEMPORARY TABLE" => Some("Tr"),
        "TEMPORARY VIEW" => Some("Tv"),
        _ => {
            tracing::warn!("PostgreSQL has no kind of tables `{name}` (`table.types`)");
            None
        }
    });
    kinds.collect()
}
