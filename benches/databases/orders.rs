//! The table that the databases bench moves: 12 columns, about 170 bytes of JSON a row.

use anyhow::Result;

use crate::testbed::Database;

/// Of rows in Avro.
pub(crate) const AVRO_SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},
    {"name":"buyer","type":"string"},{"name":"country","type":"string"},{"name":"amount","type":"double"},
    {"name":"ok","type":"boolean"},{"name":"items","type":"int"},{"name":"retries","type":"int"},
    {"name":"created","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"session","type":"string"},
    {"name":"agent","type":"string"},{"name":"voucher","type":["null","string"]},{"name":"note","type":"string"}]}"#;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Long,
    Int,
    Short,
    Double,
    Boolean,
    Text,
    OptionalText,
    Timestamp,
}

/// The columns, in their order.
pub(crate) const COLUMNS: [(&str, Kind); 12] = [
    ("id", Kind::Long),
    ("buyer", Kind::Text),
    ("country", Kind::Text),
    ("amount", Kind::Double),
    ("ok", Kind::Boolean),
    ("items", Kind::Int),
    ("retries", Kind::Short),
    ("created", Kind::Timestamp),
    ("session", Kind::Text),
    ("agent", Kind::Text),
    ("voucher", Kind::OptionalText),
    ("note", Kind::Text),
];

/// Creates a table of this name, with rows of these numbers.
pub(crate) fn create(database: &Database, table: &str, rows: u64) -> Result<()> {
    database.sql(&format!(
        "DROP TABLE IF EXISTS {table};
         CREATE TABLE {table} (
            id bigint PRIMARY KEY, buyer text NOT NULL, country text NOT NULL, amount double precision NOT NULL,
            ok boolean NOT NULL, items integer NOT NULL, retries smallint NOT NULL, created timestamptz NOT NULL,
            session text NOT NULL, agent text NOT NULL, voucher text, note text NOT NULL);
         INSERT INTO {table} SELECT n, 'b-' || n * 7919 % 1000003,
            (ARRAY['DE','FR','IT','ES','PL','NL','SE','AT'])[1 + n % 8], (n * 104729 % 9000000 + 100) / 100.0,
            n % 4 <> 0, n % 9 + 1, n % 4, to_timestamp(1700000000 + n * 0.125), md5(n::text),
            (ARRAY['Firefox/131.0','Chrome/129.04','Safari/17.602','OkHttp/4.1200'])[1 + n % 4],
            CASE WHEN n % 3 = 0 THEN 'SUMMER' || n % 100 END, 'left with the neighbor no ' || n % 90
            FROM generate_series(1::bigint, {rows}) n;
         ANALYZE {table}"
    ));
    Ok(())
}
