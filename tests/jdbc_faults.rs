//! `JdbcSourceConnector` where the database goes against it: sessions that are ended, permissions that are withdrawn,
//! tables that are made again, locks. No row is lost, and the message names the cause.

use std::sync::Arc;
use std::time::{Duration, Instant};

use volley_api::{Error, ErrorKind};

use crate::jdbc_drivers::Database;
use crate::jdbc_task::{Connector, Row, await_error, sorted_ids};
use crate::testbed::{self, MariaDb, Postgres};

const SOON: Duration = Duration::from_secs(60);
const INCREMENTING: [(&str, &str); 2] = [("mode", "incrementing"), ("incrementing.column.name", "id")];

fn connector(url: &str, keys: &[(&str, &str)]) -> Connector {
    let mut connector = Connector::new(Arc::new(volley_postgres::Postgres), url, &[&INCREMENTING, keys].concat());
    connector.start(1);
    connector
}

fn assert_says(error: &Error, kind: ErrorKind, parts: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
}

#[test]
fn a_session_that_an_administrator_ends_in_the_middle_of_a_table_loses_no_row() {
    let database = Postgres::shared().database("ended");
    database.sql(
        "CREATE TABLE t (id int PRIMARY KEY, name text);
         INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 30000) i",
    );
    let mut connector = connector(&database.url(), &[("batch.max.rows", "1000")]);
    let mut rows = connector.rows(1);
    database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let deadline = Instant::now() + SOON;
    let error = loop {
        // what had arrived may come first
        match connector.tasks[0].poll(Duration::from_millis(50)) {
            Err(error) => break error,
            Ok(volley_api::Polled::Batches(batches)) => {
                rows.extend(batches.iter().flat_map(|batch| crate::jdbc_task::rows_of(&batch.records)));
            }
            Ok(_) => assert!(Instant::now() < deadline, "no error within {SOON:?}"),
        }
    };
    assert_says(&error, ErrorKind::Retriable, &["public.t", "administrator"]);
    rows.extend(connector.rows(30_000 - rows.len()));
    assert_eq!(sorted_ids(&rows), (1..=30_000).collect::<Vec<_>>());
}

#[test]
fn a_session_of_mariadb_that_is_killed_in_the_middle_of_a_table_loses_no_row() {
    let database = Database::maria("ended");
    database.sql(
        "CREATE TABLE t (id INT PRIMARY KEY, name TEXT); INSERT INTO t SELECT seq, REPEAT('x', 1000) FROM seq_1_to_30000",
    );
    let Database::Maria(maria) = &database else { panic!("MariaDB") };
    let config = [&INCREMENTING[..], &[("batch.max.rows", "1000")]].concat();
    let mut connector = Connector::new(database.driver(), &database.url(), &config);
    connector.start(1);
    let mut rows = connector.rows(1);
    let sessions = format!(
        "SELECT GROUP_CONCAT(CONCAT('KILL ', id) SEPARATOR ';') FROM information_schema.processlist
         WHERE db = '{}' AND id <> CONNECTION_ID()",
        maria.name
    );
    maria.sql(&maria.sql(&sessions));
    rows.extend(connector.rows(30_000 - rows.len()));
    assert_eq!(sorted_ids(&rows), (1..=30_000).collect::<Vec<_>>());
}

#[test]
fn a_permission_that_is_withdrawn_fails_the_task_and_is_named() {
    let database = Postgres::shared().database("withdrawn");
    let role = format!("reader_of_{}", database.name);
    database.sql(&format!(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
         CREATE ROLE {role} LOGIN; GRANT SELECT ON t TO {role}"
    ));
    let mut connector = connector(&database.url(), &[("connection.user", &role)]);
    assert_eq!(sorted_ids(&connector.rows(1)), [1]);
    database.sql(&format!("INSERT INTO t VALUES (2); REVOKE SELECT ON t FROM {role}"));
    assert_says(&await_error(&mut connector), ErrorKind::Config, &["public.t", "permission denied"]);
    database.sql(&format!("GRANT SELECT ON t TO {role}"));
    connector.start(1);
    assert_eq!(sorted_ids(&connector.rows(1)), [2]);
}

#[test]
fn a_permission_that_is_withdrawn_in_mariadb_fails_the_task_and_is_named() {
    let database = MariaDb::shared().database("withdrawn");
    let user = format!("r_{}", database.name);
    let (grant, revoke) = (
        format!("GRANT SELECT ON {}.t TO {user}@'127.0.0.1'", database.name),
        format!("REVOKE SELECT ON {}.t FROM {user}@'127.0.0.1'", database.name),
    );
    database.sql(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1); CREATE USER {user}@'127.0.0.1'; {grant};
         CREATE TABLE seen (id INT); GRANT SELECT ON {}.seen TO {user}@'127.0.0.1'",
        database.name
    ));
    let keys = [&INCREMENTING[..], &[("connection.user", &user), ("table.whitelist", "t")]].concat();
    let mut connector = Connector::new(Arc::new(volley_mysql::MySql), &database.url(), &keys);
    connector.start(1);
    assert_eq!(sorted_ids(&connector.rows(1)), [1]);
    connector.await_end(0);
    database.sql(&format!("INSERT INTO t VALUES (2); {revoke}"));
    assert_says(&await_error(&mut connector), ErrorKind::Config, &[".t", "SELECT command denied"]);
    database.sql(&grant);
    connector.start(1);
    assert_eq!(sorted_ids(&connector.rows(1)), [2]);
}

#[test]
fn a_database_that_takes_no_more_sessions_is_named_and_waited_for() {
    let database = Postgres::shared().database("crowded");
    let role = format!("reader_of_{}", database.name);
    database.sql(&format!(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE ROLE {role} LOGIN; GRANT SELECT ON t TO {role}"
    ));
    let mut connector = connector(&database.url(), &[("connection.user", &role)]);
    assert_eq!(sorted_ids(&connector.rows(1)), [1]);
    database.sql(&format!(
        "INSERT INTO t VALUES (2); ALTER ROLE {role} CONNECTION LIMIT 0;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"
    ));
    // the session that was ended comes first
    let deadline = Instant::now() + SOON;
    loop {
        let error = await_error(&mut connector);
        assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
        if error.to_string().contains("too many connections for role") {
            break;
        }
        assert!(Instant::now() < deadline, "{error}");
    }
    database.sql(&format!("ALTER ROLE {role} CONNECTION LIMIT -1"));
    assert_eq!(sorted_ids(&connector.rows(1)), [2]);
}

#[test]
fn a_table_that_is_made_again_with_other_columns_goes_on_and_one_that_is_gone_is_named() {
    let database = Postgres::shared().database("again");
    database.sql("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    let mut connector = connector(&database.url(), &[]);
    assert_eq!(connector.rows(2)[1].values, ["2", "b"]);
    connector.await_end(0);
    database.sql(
        "DROP TABLE t; CREATE TABLE t (price numeric(9,2), id bigint PRIMARY KEY);
         INSERT INTO t VALUES (0.5, 2), (1.5, 3)",
    );
    let rows: Vec<Row> = connector.rows(1);
    assert_eq!((rows.len(), &rows[0].values[..]), (1, &["1.50".to_owned(), "3".to_owned()][..]));
    connector.await_end(0);
    database.sql("ALTER TABLE t RENAME COLUMN id TO number");
    assert_says(&await_error(&mut connector), ErrorKind::Config, &["public.t", "\"id\" does not exist"]);
    database.sql("DROP TABLE t");
    assert_says(&await_error(&mut connector), ErrorKind::Config, &["public.t", "does not exist"]);
}

#[test]
fn a_lock_of_another_session_is_waited_for_and_named() {
    let database = Postgres::shared().database("locked");
    database.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    let mut other = database.session();
    let url = format!("{}?options=-c%20lock_timeout=200", database.url());
    let mut connector = connector(&url, &[]);
    assert_eq!(sorted_ids(&connector.rows(1)), [1]);
    connector.await_end(0);
    other.sql("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; INSERT INTO t VALUES (2);");
    assert_says(&await_error(&mut connector), ErrorKind::Retriable, &["public.t", "lock timeout"]);
    other.sql("COMMIT;");
    assert_eq!(sorted_ids(&connector.rows(1)), [2]);

    let maria: testbed::MariaDatabase = MariaDb::shared().database("locked");
    maria.sql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    let mut other = maria.session();
    let url = format!("{}&sessionVariables=lock_wait_timeout=1", maria.url());
    let mut connector = Connector::new(Arc::new(volley_mysql::MySql), &url, &INCREMENTING);
    connector.start(1);
    assert_eq!(sorted_ids(&connector.rows(1)), [1]);
    connector.await_end(0);
    other.sql("LOCK TABLES t WRITE; INSERT INTO t VALUES (2);");
    assert_says(&await_error(&mut connector), ErrorKind::Retriable, &["Lock wait timeout"]);
    other.sql("UNLOCK TABLES;");
    assert_eq!(sorted_ids(&connector.rows(1)), [2]);
}
