//! Every type and its extremes, from a table through a topic into a table of the same database, or of another, compared in
//! SQL.

use crate::jdbc_sink_worker::{Target, write};
use crate::jdbc_worker::Source;
use crate::testbed::{Kafka, MariaDb, Postgres};

/// Copies a table of the database with this URL into a table of the same name, through a topic.
fn copy(kafka: &Kafka, from: &str, table: &str, rows: usize, to: &Target, keys: &[(&str, &str)]) {
    let settings = [
        ("mode", "bulk"),
        ("poll.interval.ms", "3600000"),
        ("table.whitelist", table),
        ("timestamp.granularity", "micros_long"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
    ];
    let mut source = Source::started(kafka, from, &settings);
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
    copy(kafka, &from.url(), "things", 4, &target, &[("timestamp.fields.list", "stamp,stamped")]);
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
    copy(kafka, &from.url(), "things", 3, &target, &[("timestamp.fields.list", "stamp,stamped")]);
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

#[test]
fn types_of_mariadb_come_to_postgresql_with_their_extremes() {
    let kafka = Kafka::shared();
    let from = MariaDb::shared().database("origin");
    let to = Postgres::shared().database("copy");
    from.sql(
        "SET time_zone = '+00:00';
         CREATE TABLE things (id INT PRIMARY KEY, tiny TINYINT, utiny TINYINT UNSIGNED, flag TINYINT(1), small SMALLINT,
            usmall SMALLINT UNSIGNED, medium MEDIUMINT, umedium MEDIUMINT UNSIGNED, i INT, ui INT UNSIGNED, big BIGINT,
            ubig BIGINT UNSIGNED, f FLOAT, d DOUBLE, price DECIMAL(10,2), huge DECIMAL(65,30), bit1 BIT(1), bits BIT(20),
            code CHAR(5), name VARCHAR(20), latin VARCHAR(20) CHARACTER SET latin1, long_text LONGTEXT, fixed BINARY(4),
            raw VARBINARY(10), large LONGBLOB, day DATE, born YEAR, at TIME(3), stamp DATETIME(6), whole DATETIME,
            stamped TIMESTAMP(6) NULL, doc JSON, u UUID, address INET6, feeling ENUM('sad', 'happy'), tags SET('a', 'b'));
         INSERT INTO things VALUES
            (1, -128, 0, -1, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, -3.4028234663852886e38,
             -1.7976931348623157e308, -99999999.99,
             -99999999999999999999999999999999999.999999999999999999999999999999, b'0', b'0', '', '', '', '', '', '', '',
             '1000-01-01', 1901, '00:00:00', '1000-01-01 00:00:00.000001', '1000-01-01', '1970-01-01 00:00:01', '{}',
             '00000000-0000-0000-0000-000000000000', '::', 'sad', ''),
            (2, 127, 255, 1, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807,
             18446744073709551615, 3.4028234663852886e38, 1.7976931348623157e308, 99999999.99,
             99999999999999999999999999999999999.999999999999999999999999999999, b'1', b'11111111111111111111', 'abcde',
             'né € \\\\ '' \"', 'éß', REPEAT('ä€', 40000), x'00ff00ff', x'00ff', REPEAT(x'ff00', 40000), '9999-12-31',
             2155, '23:59:59.999', '9999-12-31 23:59:59.999999', '2026-03-29 02:30:00', '2038-01-19 03:14:07.999999',
             '{\"a\": [1, null, \"x\"]}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2001:db8::ff', 'happy', 'a,b');
         INSERT INTO things (id) VALUES (3)",
    );
    to.sql(
        "CREATE TYPE mood AS ENUM ('sad', 'happy');
         CREATE TABLE copied (id int PRIMARY KEY, tiny smallint, utiny smallint, flag smallint, small smallint, usmall int,
            medium int, umedium int, i int, ui bigint, big bigint, ubig numeric(20), f real, d double precision,
            price numeric(10,2), huge numeric(65,30), bit1 smallint, bits bytea, code varchar(5), name varchar(20),
            latin text, long_text text, fixed bytea, raw bytea, large bytea, day date, born date, at time, stamp timestamp,
            whole timestamp, stamped timestamptz, doc jsonb, u uuid, address inet, feeling mood, tags text)",
    );
    let (url, target) = (from.url(), Target::Postgres(to));
    copy(kafka, &url, "things", 3, &target, &[("timestamp.fields.list", "stamp,whole,stamped")]);
    let exact = "id, tiny, utiny, flag, small, usmall, medium, umedium, i, ui, big, ubig, price, huge";
    let texts = "code, name, latin, day, u, feeling, tags";
    let theirs = Target::Maria(from).sql(&format!(
        "SET time_zone = '+00:00';
         SELECT {exact}, bit1 + 0, LPAD(LOWER(HEX(bits)), 6, '0'), f > 3.4e38, f < -3.4e38, d = 1.7976931348623157e308,
            d = -1.7976931348623157e308, {texts}, MD5(long_text), LOWER(HEX(fixed)), LOWER(HEX(raw)), MD5(large), born, at,
            stamp, whole, UNIX_TIMESTAMP(stamped), doc, address
         FROM things ORDER BY id"
    ));
    let ours = target.sql(&format!(
        "SELECT {exact}, bit1, encode(bits, 'hex'), (f > 3.4e38::real)::int, (f < -3.4e38::real)::int,
            (d = 1.7976931348623157e308)::int, (d = -1.7976931348623157e308)::int, {texts}, md5(long_text),
            encode(fixed, 'hex'), encode(raw, 'hex'), md5(large), extract(year FROM born)::int,
            to_char(at, 'HH24:MI:SS.MS'), to_char(stamp, 'YYYY-MM-DD HH24:MI:SS.US'),
            to_char(whole, 'YYYY-MM-DD HH24:MI:SS'), round(extract(epoch FROM stamped), 6), doc, host(address)
         FROM copied ORDER BY id"
    ));
    // the client of MariaDB writes two backslashes for one
    assert_eq!(ours, theirs.replace("\\\\", "\\"));
}
