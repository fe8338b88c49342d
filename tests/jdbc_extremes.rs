//! The extremes of dates, times and numbers, from a table to what the converters are given.

use std::sync::Arc;
use std::time::Duration;

use volley_api::ErrorKind;
use volley_jdbc::Driver;

use crate::jdbc_task::Connector;
use crate::testbed::{MariaDb, Postgres, wait_until};

const SOON: Duration = Duration::from_secs(60);

fn bulk(driver: Arc<dyn Driver>, url: &str, keys: &[(&str, &str)]) -> Connector {
    let base = [("mode", "bulk"), ("poll.interval.ms", "3600000"), ("timestamp.granularity", "micros_long")];
    let mut connector = Connector::new(driver, url, &[&base, keys].concat());
    connector.start(1);
    connector
}

#[test]
fn the_extremes_of_postgresql_come_exactly() {
    let cases: [(&str, &[(&str, &str)]); 12] = [
        (
            "date",
            &[
                ("4714-11-24 BC", "-2440588"),
                ("0001-12-31 BC", "-719163"),
                ("5874897-12-31", "2145042905"),
                ("infinity", "2147483647"),
                ("-infinity", "-2147483648"),
            ],
        ),
        ("time", &[("00:00", "0"), ("23:59:59.999999", "86399999"), ("23:59:60", "86400000"), ("24:00", "86400000")]),
        ("timetz", &[("24:00-15:59", "57540000"), ("00:00+15:59", "28860000")]),
        (
            "timestamp",
            &[
                ("4714-11-24 00:00:00 BC", "-210866803200000000"),
                ("2016-12-31 23:59:60", "1483228800000000"),
                ("294246-12-31 23:59:59.999999", "9223371244799999999"),
                ("infinity", "9223372036854775807"),
                ("-infinity", "-9223372036854775808"),
            ],
        ),
        (
            "timestamptz",
            &[
                ("0001-01-01 00:00:00+00 BC", "-62167219200000000"),
                ("2026-01-01 00:00:00+15:59", "1767168060000000"),
                ("infinity", "9223372036854775807"),
            ],
        ),
        ("float8", &[("NaN", "NaN"), ("Infinity", "inf"), ("-Infinity", "-inf"), ("-0", "-0.0"), ("5e-324", "5e-324")]),
        ("float4", &[("NaN", "NaN"), ("-Infinity", "-inf"), ("1e-45", "1e-45"), ("3.4028235e38", "3.4028235e38")]),
        ("bigint", &[("-9223372036854775808", "-9223372036854775808"), ("9223372036854775807", "9223372036854775807")]),
        ("numeric", &[("NaN", "NaN"), ("1e-30", "0.000000000000000000000000000001")]),
        (
            "numeric(38,0)",
            &[("-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"), ("0", "0")],
        ),
        ("text", &[("", ""), ("\u{10ffff}", "\u{10ffff}")]),
        ("bytea", &[("", ""), ("\\x00ff", "00ff")]),
    ];
    let database = Postgres::shared().database("extremes");
    for (place, (data_type, values)) in cases.into_iter().enumerate() {
        database.sql(&format!("CREATE TABLE t{place} (id serial, v {data_type})"));
        for (literal, _) in values {
            database.sql(&format!("INSERT INTO t{place} (v) VALUES ('{literal}')"));
        }
        database.sql(&format!("INSERT INTO t{place} (v) VALUES (NULL)"));
        let table = format!("t{place}");
        let mut connector = bulk(Arc::new(volley_postgres::Postgres), &database.url(), &[("table.whitelist", &table)]);
        let rows = connector.rows(values.len() + 1);
        let found: Vec<_> = rows.iter().map(|row| row.values[1].as_str()).collect();
        let expected: Vec<_> = values.iter().map(|(_, expected)| *expected).chain(["NULL"]).collect();
        assert_eq!(found, expected, "{data_type}");
    }
}

#[test]
fn what_has_no_place_in_a_type_names_its_column() {
    let database = Postgres::shared().database("refused");
    for (place, (data_type, value)) in
        [("numeric(5,2)", "NaN"), ("timestamp", "294276-12-31 23:59:59.999999"), ("int[]", "{{1},{2}}")]
            .into_iter()
            .enumerate()
    {
        database.sql(&format!("CREATE TABLE t{place} (price {data_type}); INSERT INTO t{place} VALUES ('{value}')"));
        let table = format!("t{place}");
        let mut connector = bulk(Arc::new(volley_postgres::Postgres), &database.url(), &[("table.whitelist", &table)]);
        let error = wait_until(SOON, "the task has failed", || connector.poll(0).err());
        assert!(error.kind() == ErrorKind::Data && error.to_string().contains("`price`"), "{error}");
    }
}

#[test]
fn hours_that_a_clock_skips_or_shows_twice_are_read_as_java_reads_them() {
    let values = "('2026-03-29 02:30:00'), ('2026-10-25 02:30:00'), ('2026-02-28 23:59:59'), ('2024-02-29 12:00:00')";
    let expected = ["1774747800000000", "1792888200000000", "1772319599000000", "1709204400000000"];
    let postgres = Postgres::shared().database("clock");
    postgres.sql(&format!("CREATE TABLE t (at timestamp); INSERT INTO t VALUES {values}"));
    let maria = MariaDb::shared().database("clock");
    maria.sql(&format!("CREATE TABLE t (at DATETIME); INSERT INTO t VALUES {values}"));
    let drivers: [(Arc<dyn Driver>, String); 2] =
        [(Arc::new(volley_postgres::Postgres), postgres.url()), (Arc::new(volley_mysql::MySql), maria.url())];
    for (driver, url) in drivers {
        let mut connector = bulk(driver, &url, &[("db.timezone", "Europe/Zurich")]);
        let found: Vec<_> = connector.rows(4).into_iter().map(|row| row.values[0].clone()).collect();
        assert_eq!(found, expected, "{url}");
    }
}
