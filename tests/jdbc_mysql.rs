//! What MySQL has for itself, beside what it shares with MariaDB: logins, types. What all systems share is in `jdbc_systems.rs` and
//! in the tests of the sink, which run on MySQL where it is installed.

use std::sync::Arc;

use volley_api::{ErrorKind, Secret};
use volley_jdbc::{ConnectionSettings, Driver, JdbcUrl, Parameters};

use crate::jdbc_drivers::{Database, assert_types};
use crate::jdbc_task::{Connector, sorted_ids};
use crate::testbed::MySql;

#[test]
fn logins_of_mysql_work_with_and_without_tls_also_after_its_cache_was_emptied() {
    let Some(server) = MySql::shared() else { return };
    let database = server.database("login");
    let user = format!("u_{}", database.name);
    database.sql(&format!(
        "CREATE USER {user}@'127.0.0.1' IDENTIFIED WITH caching_sha2_password BY 'pa:ss w/ord';
         GRANT ALL ON {}.* TO {user}@'127.0.0.1'",
        database.name
    ));
    let connect = |parameters: &str, password: &str| {
        let settings = ConnectionSettings {
            url: JdbcUrl::parse(&format!("{}{parameters}", database.url())).unwrap(),
            user: Some(user.clone()),
            password: Some(Secret::new(password)),
            properties: Parameters::default(),
        };
        volley_mysql::MySql.connect(&settings).map(drop)
    };
    for parameters in ["", "&sslMode=REQUIRED", "&sslMode=DISABLED"] {
        // the whole exchange: the server has forgotten the password
        database.sql("FLUSH PRIVILEGES");
        connect(parameters, "pa:ss w/ord").unwrap();
        // the short one
        connect(parameters, "pa:ss w/ord").unwrap();
        let error = connect(parameters, "wrong").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("Access denied") && !error.to_string().contains("wrong"), "{error}");
    }
}

#[test]
fn types_of_mysql_come_with_their_extremes_and_nulls() {
    let Some(database) = Database::mysql("types") else { return };
    let null = ("NULL", "NULL");
    assert_types(
        &database,
        "",
        &[
            ("TINYINT UNSIGNED", "Int16", &[("255", "255"), null]),
            ("BIGINT UNSIGNED", "UInt64", &[("18446744073709551615", "18446744073709551615"), null]),
            ("DECIMAL(38,0)", "Decimal128(38, 0)", &[("-12", "-12"), null]),
            ("BIT(12)", "Binary", &[("b'111100000001'", "0f01"), null]),
            ("YEAR", "Date32", &[("2155", "2155-01-01"), null]),
            ("TIME(6)", "Time64(µs)", &[("'23:59:59.999999'", "23:59:59.999999"), null]),
            ("DATETIME(6)", "Timestamp(µs)", &[("'9999-12-31 23:59:59'", "9999-12-31T23:59:59"), null]),
            // the server's zone is five hours east
            (
                "TIMESTAMP(6) NULL",
                "Timestamp(µs, \"UTC\")",
                &[("'2026-01-02 03:04:05.678901'", "2026-01-01T22:04:05.678901Z"), null],
            ),
            ("VARCHAR(10) CHARACTER SET latin1", "Utf8", &[("'é'", "é"), ("''", ""), null]),
            ("LONGTEXT", "Utf8", &[("'né😀'", "né😀"), null]),
            // MySQL keeps it in a form of its own
            ("JSON", "Utf8", &[("'{\"b\":1,\"a\":[null]}'", "{\"a\": [null], \"b\": 1}"), ("'null'", "null"), null]),
            ("ENUM('a','b')", "Utf8", &[("'b'", "b"), null]),
            ("SET('a','b')", "Utf8", &[("'b,a'", "a,b"), null]),
            ("LONGBLOB", "Binary", &[("x'00ff'", "00ff"), ("''", ""), null]),
        ],
    );
}

#[test]
fn transactions_of_mysql_that_commit_late_are_waited_for() {
    let Some(server) = MySql::shared() else { return };
    let database = server.database("late");
    database.sql("CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, name TEXT)");
    let (mut early, mut late) = (database.session(), database.session());
    early.sql("BEGIN; INSERT INTO t (name) VALUES ('a');");
    late.sql("INSERT INTO t (name) VALUES ('b');");
    let keys =
        [("mode", "incrementing"), ("table.whitelist", "t"), ("late.commits", "wait"), ("volley.mode", "bounded")];
    let mut connector = Connector::new(Arc::new(volley_mysql::MySql), &database.url(), &keys);
    connector.start(1);
    // a bounded run waits for those that were open when it began
    for _ in 0..5 {
        assert_eq!(connector.poll(0).unwrap(), Some(Vec::new()));
    }
    early.sql("COMMIT;");
    assert_eq!(sorted_ids(&connector.rows_until_done()), [1, 2]);
}
