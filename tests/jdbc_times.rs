//! Times that say what is new: each type of each system, with clocks of different zones. Every row comes once, and those that
//! are later.

use std::sync::Arc;

use volley_jdbc::Driver;

use crate::jdbc_drivers;
use crate::jdbc_task::{Connector, Row, sorted_ids};
use crate::testbed::Postgres;

const ZONES: [&str; 4] = ["UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata"];

/// The rows of some more polls, when there should be none.
fn more(connector: &mut Connector) -> Vec<Row> {
    (0..12).flat_map(|_| connector.poll(0).unwrap().unwrap()).collect()
}

/// A table `t` with a column `at`.
struct Times<'a> {
    driver: Arc<dyn Driver>,
    url: String,
    keys: &'a [(&'a str, &'a str)],
    what: &'a str,
}

impl Times<'_> {
    /// Reads it in each zone, with rows of six days and then of one more, which `sql` writes; with 0 it removes them.
    fn assert_each_row_once(&self, sql: &dyn Fn(i64)) {
        for zone in ZONES {
            (1..=6).for_each(sql);
            let base = [
                ("mode", "timestamp"),
                ("timestamp.column.name", "at"),
                ("table.whitelist", "t"),
                ("db.timezone", zone),
            ];
            let mut connector = Connector::new(Arc::clone(&self.driver), &self.url, &[&base, self.keys].concat());
            connector.start(1);
            let mut rows = connector.rows(6);
            rows.extend(more(&mut connector));
            assert_eq!(sorted_ids(&rows), [1, 2, 3, 4, 5, 6], "{} in {zone}", self.what);
            connector.start(1);
            assert_eq!(sorted_ids(&more(&mut connector)), [0; 0], "{} in {zone}, after a restart", self.what);
            sql(7);
            let mut rows = connector.rows(1);
            rows.extend(more(&mut connector));
            assert_eq!(sorted_ids(&rows), [7], "{} in {zone}, a later row", self.what);
            sql(0);
        }
    }
}

#[test]
fn each_type_of_time_is_compared_as_what_it_is_in_any_zone_on_postgresql() {
    for what in ["date", "timestamp", "timestamp(0)", "timestamptz", "timestamptz(0)"] {
        let database = Postgres::shared().database("times");
        database.sql(&format!("CREATE TABLE t (id int, at {what} NOT NULL)"));
        let times = Times { driver: Arc::new(volley_postgres::Postgres), url: database.url(), keys: &[], what };
        times.assert_each_row_once(&|id| {
            database.sql(&match id {
                0 => "DELETE FROM t".to_owned(),
                id => format!("INSERT INTO t VALUES ({id}, '2026-03-{} 10:00:00.25')", 24 + id),
            });
        });
    }
}

#[test]
fn each_type_of_time_is_compared_as_what_it_is_in_any_zone_on_mariadb() {
    for what in ["DATE", "DATETIME", "DATETIME(6)", "TIMESTAMP", "TIMESTAMP(6)"] {
        let database = jdbc_drivers::Database::maria("times");
        // columns whose names are parts of one another, with the other kind of times
        let other = if what.starts_with("TIMESTAMP") { "DATETIME" } else { "TIMESTAMP" };
        database.sql(&format!("CREATE TABLE t (id INT, at {what} NOT NULL, a {other} NULL, was_at_all {other} NULL)"));
        for quotes in ["always", "never"] {
            let keys = [("quote.sql.identifiers", quotes)];
            let times = Times { driver: database.driver(), url: database.url(), keys: &keys, what };
            times.assert_each_row_once(&|id| {
                database.sql(&match id {
                    0 => "DELETE FROM t".to_owned(),
                    id => format!("INSERT INTO t (id, at) VALUES ({id}, '2026-03-{} 10:00:00.25')", 24 + id),
                });
            });
        }
    }
}

#[test]
fn each_form_of_time_is_compared_as_what_it_is_in_any_zone_on_sqlite() {
    for (declared, value) in [
        ("DATE", "strftime('%Y-%m-%d', seconds, 'unixepoch')"),
        ("DATE", "seconds * 1000"),
        // a day that has a time, in each way that a day may be written, and where only some have one
        ("DATE", "strftime('%Y-%m-%d %H:%M:%S', seconds + 36000, 'unixepoch')"),
        ("DATE", "seconds * 1000 + 36000123"),
        ("DATE", "julianday(seconds, 'unixepoch') + 0.25"),
        ("DATE", "strftime(iif(seconds / 86400 % 2, '%Y-%m-%d', '%Y-%m-%d %H:%M'), seconds + 36000, 'unixepoch')"),
        (
            "TIMESTAMP",
            "strftime(iif(seconds / 86400 % 2, '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%f'), seconds + 1.5, 'unixepoch')",
        ),
        ("TIMESTAMP", "strftime('%Y-%m-%d %H:%M:%S', seconds, 'unixepoch')"),
        ("TIMESTAMP", "strftime('%Y-%m-%dT%H:%M:%SZ', seconds, 'unixepoch')"),
        ("TIMESTAMP", "seconds * 1000 + 36000000"),
        ("TIMESTAMP", "julianday(seconds, 'unixepoch') + 0.25"),
    ] {
        let database = jdbc_drivers::Database::sqlite();
        database.sql(&format!("CREATE TABLE t (id INTEGER, at {declared} NOT NULL)"));
        let what = format!("{declared} as {value}");
        let times = Times { driver: database.driver(), url: database.url(), keys: &[], what: &what };
        times.assert_each_row_once(&|id| {
            // midnight of a day in March 2026
            let seconds = 1_772_323_200 + id * 86_400;
            database.sql(&match id {
                0 => "DELETE FROM t".to_owned(),
                id => format!("INSERT INTO t SELECT {id}, {value} FROM (SELECT {seconds} AS seconds)"),
            });
        });
    }
}
