//! `JdbcSinkConnector` where its database refuses for a while: locks, sessions that are ended, permissions, full disks, tables
//! that are made again, too many sessions. The message names the cause, what passes is tried again, and no record is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use arrow::array::ArrayRef;
use volley_api::ErrorKind;

use crate::jdbc_sink_task::{EXACTLY_ONCE, TOLERANT, TOPIC, Task, UPSERT, orders};
use crate::jdbc_sink_worker::Target;
use crate::testbed::{MariaDb, Postgres, SmallDisk, wait_until};

const SOON: Duration = Duration::from_secs(90);

fn created(target: &Target) {
    target.sql(&format!("CREATE TABLE {TOPIC} (id BIGINT, name VARCHAR(2000))"));
}

fn batch(first: i64) -> ArrayRef {
    orders((first..first + 10).map(|id| (id, "x")))
}

fn count(target: &Target) -> String {
    target.sql(&format!("SELECT count(*), count(DISTINCT id) FROM {TOPIC}"))
}

#[test]
fn a_lock_that_is_held_longer_than_the_database_waits_is_named_and_waited_for() {
    let postgres = |parameter: &'static str, says| {
        (Target::Postgres(Postgres::shared().database("held")), format!("?options=-c%20{parameter}=300"), says)
    };
    let cases = [
        postgres("lock_timeout", "lock timeout"),
        postgres("statement_timeout", "statement timeout"),
        (
            Target::Maria(MariaDb::shared().database("held")),
            "&sessionVariables=lock_wait_timeout=1".to_owned(),
            "Lock wait timeout",
        ),
        (Target::Sqlite(tempfile::tempdir().unwrap()), "?busy_timeout=1".to_owned(), "locked"),
    ];
    for (target, parameters, says) in cases {
        created(&target);
        let mut task = Task::start(&format!("{}{parameters}", target.url()), &[EXACTLY_ONCE]);
        task.put_in_the_end(0, &batch(0));
        let Target::Sqlite(directory) = &target else {
            let (mut other, lock, free) = match &target {
                Target::Postgres(database) => {
                    (database.session(), format!("BEGIN; LOCK TABLE {TOPIC} IN EXCLUSIVE MODE;"), "COMMIT;")
                }
                Target::Maria(database) => {
                    (database.session(), format!("LOCK TABLES {TOPIC} WRITE;"), "UNLOCK TABLES;")
                }
                _ => unreachable!(),
            };
            other.sql(&lock);
            task.fail(10, &batch(10), ErrorKind::Retriable, &[says, TOPIC]);
            task.fail(10, &batch(10), ErrorKind::Retriable, &[says]);
            other.sql(free);
            task.put_in_the_end(10, &batch(10));
            assert_eq!(count(&target), "20|20", "{} {says}", target.name());
            continue;
        };
        let other = rusqlite::Connection::open(directory.path().join("shop.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        task.fail(10, &batch(10), ErrorKind::Retriable, &[says]);
        other.execute_batch("COMMIT").unwrap();
        task.put_in_the_end(10, &batch(10));
        assert_eq!(count(&target), "20|20");
    }
}

#[test]
fn retries_end_where_max_retries_says_and_the_last_failure_is_named() {
    let database = Postgres::shared().database("given_up");
    let mut other = database.session();
    let url = format!("{}?options=-c%20lock_timeout=50", database.url());
    let target = Target::Postgres(database);
    created(&target);
    let mut task = Task::start(&url, &[("max.retries", "2")]);
    other.sql(&format!("BEGIN; LOCK TABLE {TOPIC};"));
    for _ in 0..2 {
        task.fail(0, &batch(0), ErrorKind::Retriable, &["lock timeout"]);
    }
    task.fail(0, &batch(0), ErrorKind::Fatal, &["gave up after 2 retries (`max.retries`)", "lock timeout", TOPIC]);
    other.sql("COMMIT;");
    task.put_in_the_end(0, &batch(0));
    assert_eq!(count(&target), "10|10");
}

#[test]
fn a_session_that_is_ended_in_the_middle_of_a_batch_loses_nothing_and_writes_nothing_twice() {
    let targets =
        [Target::Postgres(Postgres::shared().database("ended")), Target::Maria(MariaDb::shared().database("ended"))];
    for target in targets {
        created(&target);
        let mut task = Task::start(&target.url(), &[EXACTLY_ONCE]);
        task.put_in_the_end(0, &batch(0));
        let (mut other, lock, free) = match &target {
            Target::Postgres(database) => {
                (database.session(), format!("BEGIN; LOCK TABLE {TOPIC} IN EXCLUSIVE MODE;"), "COMMIT;")
            }
            Target::Maria(database) => (database.session(), format!("LOCK TABLES {TOPIC} WRITE;"), "UNLOCK TABLES;"),
            _ => unreachable!(),
        };
        other.sql(&lock);
        let end = || match &target {
            Target::Postgres(database) => {
                let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'COPY%'";
                (database.sql(kill) == "t").then_some(())
            }
            Target::Maria(database) => {
                let kill = database.sql(&format!(
                    "SELECT CONCAT('KILL ', id) FROM information_schema.processlist
                     WHERE db = '{}' AND state LIKE 'Waiting for table%'",
                    database.name
                ));
                kill.starts_with("KILL").then(|| drop(database.sql(&kill)))
            }
            _ => unreachable!(),
        };
        thread::scope(|scope| {
            let put = scope.spawn(|| task.fail(10, &batch(10), ErrorKind::Retriable, &[TOPIC]));
            wait_until(SOON, "the batch waits, and its session is ended", end);
            put.join().unwrap();
        });
        other.sql(free);
        task.put_in_the_end(10, &batch(10));
        assert_eq!(count(&target), "20|20", "{}", target.name());
    }
}

#[test]
fn a_permission_that_is_withdrawn_is_named_and_once_it_is_back_nothing_is_missing() {
    let postgres = Postgres::shared().database("revoked");
    let maria = MariaDb::shared().database("revoked");
    let (role, user) = (format!("writer_of_{}", postgres.name), format!("w_{}", maria.name));
    let at = format!("{user}@'127.0.0.1'");
    let cases = [
        (
            role.clone(),
            format!("CREATE ROLE {role} LOGIN; GRANT CREATE ON SCHEMA public TO {role}"),
            format!("GRANT INSERT, SELECT ON {TOPIC} TO {role}"),
            format!("REVOKE INSERT ON {TOPIC} FROM {role}"),
            ["permission denied", "42501"],
            Target::Postgres(postgres),
        ),
        (
            user.clone(),
            format!("CREATE USER {at}; GRANT SELECT, INSERT, UPDATE, CREATE ON {}.volley_offsets TO {at}", maria.name),
            format!("GRANT INSERT, SELECT ON {}.{TOPIC} TO {at}", maria.name),
            format!("REVOKE INSERT ON {}.{TOPIC} FROM {at}", maria.name),
            ["INSERT command denied", "1142"],
            Target::Maria(maria),
        ),
    ];
    for (user, create, grant, revoke, says, target) in cases {
        created(&target);
        target.sql(&create);
        target.sql(&grant);
        let start = || Task::start(&target.url(), &[EXACTLY_ONCE, TOLERANT, ("connection.user", &user)]);
        let mut task = start();
        task.put_in_the_end(0, &batch(0));
        target.sql(&revoke);
        task.fail(10, &batch(10), ErrorKind::Config, &[&says[..], &[TOPIC]].concat());
        target.sql(&grant);
        start().put_in_the_end(10, &batch(10));
        assert_eq!(count(&target), "20|20", "{}", target.name());
    }
}

#[test]
fn a_database_that_takes_no_more_sessions_is_tried_again_until_it_does() {
    let postgres = Postgres::shared().database("crowded");
    let maria = MariaDb::shared().database("crowded");
    let (role, user) = (format!("guest_of_{}", postgres.name), format!("g_{}", maria.name));
    let at = format!("{user}@'127.0.0.1'");
    postgres.sql(&format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 1"));
    maria.sql(&format!("CREATE USER {at} WITH MAX_USER_CONNECTIONS 1; GRANT ALL ON {}.* TO {at}", maria.name));
    let cases = [
        (role.clone(), Some(role), "too many connections", Target::Postgres(postgres)),
        (user, None, "max_user_connections", Target::Maria(maria)),
    ];
    for (user, role, says, target) in cases {
        created(&target);
        if let Some(role) = role {
            target.sql(&format!("GRANT ALL ON {TOPIC} TO {role}"));
        }
        let mut holder = Task::start(&target.url(), &[("connection.user", &user)]);
        holder.put_in_the_end(0, &batch(0));
        let keys = [("connection.user", user.as_str()), ("connection.attempts", "2"), ("max.retries", "1")];
        let mut task = Task::start(&target.url(), &keys);
        for _ in 0..3 {
            task.fail(10, &batch(10), ErrorKind::Retriable, &[says, "could not connect"]);
        }
        task.fail(10, &batch(10), ErrorKind::Fatal, &["gave up after 1 retries", says]);
        drop(holder);
        let mut task = Task::start(&target.url(), &[("connection.user", &user)]);
        task.put_in_the_end(10, &batch(10));
        assert_eq!(count(&target), "20|20", "{}", target.name());
    }
}

/// About 2 MB.
fn large(first: i64) -> ArrayRef {
    let name = "n".repeat(1_000);
    orders((first..first + 2_000).map(|id| (id, name.as_str())))
}

#[test]
fn a_disk_that_is_full_is_named_and_once_there_is_room_nothing_is_missing() {
    let disk = || SmallDisk::mount(1_024);
    let (of_postgres, of_sqlite) = match (disk(), disk()) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(reason), _) | (_, Err(reason)) => {
            return println!("passed over, since no file system can be mounted here: {reason}");
        }
    };
    // one that nobody else uses: some of its files are on the disk
    let server = Postgres::start();
    let database = server.database("full");
    let space = of_postgres.path().join("space");
    fs::create_dir(&space).unwrap();
    fs::set_permissions(of_postgres.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // the server runs as this user, where the tests run as root
    let _ = Command::new("chown").arg("postgres:").arg(&space).status();
    database.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", space.display()));
    database.sql(&format!("CREATE TABLE {TOPIC} (id BIGINT, name VARCHAR(2000)) TABLESPACE small"));
    let sqlite = format!("jdbc:sqlite:{}", of_sqlite.path().join("shop.db").display());
    let cases =
        [(&of_postgres, database.url(), "No space left on device"), (&of_sqlite, sqlite, "database or disk is full")];
    for (disk, url, says) in cases {
        let mut task = Task::start(&url, &[EXACTLY_ONCE, TOLERANT, ("auto.create", "true")]);
        task.put_in_the_end(0, &batch(0));
        for _ in 0..2 {
            task.fail(10, &large(10), ErrorKind::Retriable, &[says]);
        }
        disk.resize(64 * 1_024);
        assert!(task.put_in_the_end(10, &large(10)).is_empty());
    }
    assert_eq!(count(&Target::Postgres(database)), "2010|2010");
    let file = rusqlite::Connection::open(of_sqlite.path().join("shop.db")).unwrap();
    let count: i64 = file.query_row("SELECT count(*) FROM orders", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2_010);
}

/// InnoDB that finds no room to take back what it has written ends the whole server.
#[test]
fn a_disk_that_is_full_may_end_mariadb_and_once_it_runs_with_more_room_nothing_is_missing() {
    let disk = match SmallDisk::mount(2_048) {
        Ok(disk) => disk,
        Err(reason) => return println!("passed over, since no file system can be mounted here: {reason}"),
    };
    fs::set_permissions(disk.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let mut server = MariaDb::start();
    let target = Target::Maria(server.database("full"));
    target.sql(&format!(
        "CREATE TABLE {TOPIC} (id BIGINT PRIMARY KEY, name VARCHAR(2000)) ENGINE = InnoDB DATA DIRECTORY = '{}'",
        disk.path().display()
    ));
    let mut task = Task::start(&target.url(), &[EXACTLY_ONCE, TOLERANT]);
    task.put_in_the_end(0, &batch(0));
    let error = task.put(10, &large(10)).expect_err("there is no room");
    assert!(error.is_retriable(), "{error}");
    disk.resize(64 * 1_024);
    server.kill();
    server.restart();
    assert!(task.put_in_the_end(10, &large(10)).is_empty());
    assert_eq!(count(&target), "2010|2010");
}

/// A table that has a limit of its own stands for a disk whose server goes on.
#[test]
fn a_table_of_mariadb_that_is_full_is_named_and_once_there_is_room_nothing_is_missing() {
    let target = Target::Maria(MariaDb::shared().database("full"));
    target.sql(&format!(
        "SET SESSION max_heap_table_size = 65536;
         CREATE TABLE {TOPIC} (id BIGINT PRIMARY KEY, name VARCHAR(2000)) ENGINE = MEMORY"
    ));
    let mut task = Task::start(&target.url(), &[&UPSERT[..], &[TOLERANT]].concat());
    for _ in 0..2 {
        task.fail(0, &large(0), ErrorKind::Retriable, &["is full", TOPIC]);
    }
    target.sql(&format!("SET SESSION max_heap_table_size = 1 << 26; ALTER TABLE {TOPIC} ENGINE = MEMORY"));
    assert!(task.put_in_the_end(0, &large(0)).is_empty());
    assert_eq!(count(&target), "2000|2000");
}

#[test]
fn a_table_that_is_made_again_with_other_columns_gets_every_row_as_its_new_types_want_it() {
    for target in Target::all("anew") {
        created(&target);
        // no bad record has to be found, though the old types are wrong for the table
        let mut task = Task::start(&target.url(), &[EXACTLY_ONCE, TOLERANT, ("auto.evolve", "true")]);
        task.put_in_the_end(0, &batch(0));
        for (place, columns) in
            ["id INT, name TEXT", "name TEXT, id DOUBLE PRECISION", "id DECIMAL(9,0)"].iter().enumerate()
        {
            let first = 10 * (place as i64 + 1);
            target.sql(&format!("DROP TABLE {TOPIC}; CREATE TABLE {TOPIC} ({columns})"));
            assert!(task.put_in_the_end(first, &batch(first)).is_empty(), "{} {columns}", target.name());
            let rows = target.sql(&format!("SELECT count(*), min(id), max(id), min(name) FROM {TOPIC}"));
            assert_eq!(rows, format!("10|{first}|{}|x", first + 9), "{} {columns}", target.name());
        }
        // one that has no place for a field is named
        let mut strict = Task::start(&target.url(), &[EXACTLY_ONCE, TOLERANT]);
        strict.put_in_the_end(40, &batch(40));
        target.sql(&format!("DROP TABLE {TOPIC}; CREATE TABLE {TOPIC} (id BIGINT)"));
        strict.fail(50, &batch(50), ErrorKind::Config, &[TOPIC, "no column name"]);
        target.sql(&format!("ALTER TABLE {TOPIC} ADD COLUMN name VARCHAR(9)"));
        strict.put_in_the_end(50, &batch(50));
        assert_eq!(count(&target), "10|10");
        target.sql(&format!("DROP TABLE {TOPIC}"));
        strict.fail(60, &batch(60), ErrorKind::Config, &[TOPIC, "is missing"]);
    }
}
