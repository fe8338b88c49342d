//! Every type and its extremes, from a table through a topic into a table of the same database, or of another, compared in
//! SQL.

use crate::jdbc_sink_worker::{Target, write};
use crate::jdbc_worker::Source;
use crate::testbed::{Kafka, MariaDb, Postgres};

/// Copies a table of PostgreSQL into a table of the same name, through a topic.
fn copy(kafka: &Kafka, from: &crate::testbed::Database, table: &str, rows: usize, to: &Target, keys: &[(&str, &str)]) {
    let settings = [
        ("mode", "bulk"),
        ("poll.interval.ms", "3600000"),
        ("table.whitelist", table),
        ("timestamp.granularity", "micros_long"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
    ];
    let mut source = Source::started(kafka, &from.url(), &settings);
    source.await_messages(table, rows);
    source.stop();
    let topic = format!("{}{table}", source.prefix);
    write(kafka, to, &topic, &[&[("table.name.format", table), ("table.name.format", "copied")], keys].concat());
}

#[test]
fn every_type_of_postgresql_comes_back_with_its_extremes() {
    let kafka = Kafka::shared();
    let from = Postgres::shared().database("origin");
    let to = Postgres::shared().database("copy");
    let columns = "id int PRIMARY KEY, small smallint, big bigint, ok boolean, r real, d double precision,
        price numeric(10,2), huge numeric(50,3), free numeric, name varchar(20), code char(3), raw bytea,
        day date, at time, stamp timestamp, stamped timestamptz, doc json, docb jsonb, u uuid,
        tags text[], numbers int[], words varchar(3)[], address inet, span interval, feeling mood, period int4range";
    let types = "CREATE TYPE mood AS ENUM ('sad', 'happy');";
    from.sql(&format!("{types} CREATE TABLE things ({columns})"));
    to.sql(&format!("{types} CREATE TABLE copied ({columns})"));
    from.sql(
        "INSERT INTO things VALUES
            (1, -32768, -9223372036854775808, true, '-Infinity', 'NaN', -99999999.99,
             12345678901234567890123456789012345678901234567.891, 0.1, 'né', 'ab', '\\x00ff', '0044-03-15 BC', '00:00',
             '0001-01-01', '1970-01-01 00:00+00', '{\"a\": 1}', '{\"a\": [1, null]}',
             'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{a,NULL,\"b,c\"}', '{1,NULL,-3}', '{ab}', '10.0.0.1/8',
             '1 day 02:00', 'happy', '[1,5)'),
            (2, 32767, 9223372036854775807, false, '3.4028235e38', '-1.7976931348623157e308', 99999999.99, -0.001,
             '1e30', '', 'abc', '', '9999-12-31', '23:59:59.999', '2026-03-29 02:30:00.123456',
             '9999-12-31 23:59:59.999999+00', 'null', '\"text\"', '00000000-0000-0000-0000-000000000000', '{}', '{}', '{}',
             '::1', '-1 mon', 'sad', 'empty'),
            (3, 0, 0, null, 1e-45, 4.9e-324, 0, 0, 0, '\"''\\', '', '\\x', '2024-02-29', '12:34:56.789',
             '2024-02-29 12:00:00.000001', '2024-02-29 12:00:00.000001+14', '[]', '{}', null, null, null, null,
             null, null, null, null);
         INSERT INTO things (id) VALUES (4)",
    );
    let target = Target::Postgres(to);
    copy(kafka, &from, "things", 4, &target, &[("timestamp.fields.list", "stamp,stamped")]);
    let Target::Postgres(to) = &target else { unreachable!() };
    for row in 1..=4 {
        let (expected, found) = (
            from.sql(&format!("SELECT * FROM things WHERE id = {row}")),
            to.sql(&format!("SELECT * FROM copied WHERE id = {row}")),
        );
        assert_eq!(found, expected);
    }
}

#[test]
fn types_of_postgresql_come_to_mariadb_with_their_extremes() {
    let kafka = Kafka::shared();
    let from = Postgres::shared().database("origin");
    let to = MariaDb::shared().database("copy");
    from.sql(
        "CREATE TABLE things (id int PRIMARY KEY, small smallint, big bigint, ok boolean, d double precision,
            price numeric(10,2), huge numeric(50,3), name varchar(20), raw bytea, day date, at time, stamp timestamp,
            stamped timestamptz, docb jsonb, u uuid, numbers int[]);
         INSERT INTO things VALUES
            (1, -32768, -9223372036854775808, true, -1.7976931348623157e308, -99999999.99,
             12345678901234567890123456789012345678901234567.891, 'né \\ '' \"', '\\x00ff', '1000-01-01', '00:00',
             '1000-01-01', '1970-01-01 00:00:01+00', '{\"a\": [1, null]}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
             '{1,NULL,-3}'),
            (2, 32767, 9223372036854775807, false, 2.5, 99999999.99, -0.001, '', '', '9999-12-31', '23:59:59.999',
             '9999-12-31 23:59:59.999999', '2024-02-29 12:00:00.123456+14', '\"text\"',
             '00000000-0000-0000-0000-000000000000', '{}');
         INSERT INTO things (id) VALUES (3)",
    );
    to.sql(
        "CREATE TABLE copied (id INT PRIMARY KEY, small SMALLINT, big BIGINT, ok BOOLEAN, d DOUBLE, price DECIMAL(10,2),
            huge DECIMAL(50,3), name VARCHAR(20), raw BLOB, day DATE, at TIME(3), stamp DATETIME(6),
            stamped TIMESTAMP(6) NULL, docb JSON, u UUID, numbers JSON)",
    );
    let target = Target::Maria(to);
    copy(kafka, &from, "things", 3, &target, &[("timestamp.fields.list", "stamp,stamped")]);
    let exact = "id, small, big, price, huge, name";
    let texts = "day, at, u";
    let ours = target.sql(&format!(
        "SELECT {exact}, LOWER(HEX(raw)), {texts}, ok + 0, d = -1.7976931348623157e308, stamp, UNIX_TIMESTAMP(stamped), docb, \
         numbers FROM copied ORDER BY id"
    ));
    let theirs = from.sql(&format!(
        "SELECT {exact}, encode(raw, 'hex'), day, to_char(at, 'HH24:MI:SS.MS'), u, ok::int, \
         (d = -1.7976931348623157e308)::int, to_char(stamp, 'YYYY-MM-DD HH24:MI:SS.US'), \
         round(extract(epoch FROM stamped), 6), docb, to_json(numbers) FROM things ORDER BY id"
    ));
    // the client of MariaDB writes two backslashes for one
    assert_eq!(ours.replace("\\\\", "\\"), theirs);
}
