//! Transactions that take their number or time first and commit last: with `late.commits=wait` or a lookback none of
//! their rows is lost, whatever the order, and across restarts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use volley_jdbc::Driver;

use crate::jdbc_task::{Connector, Row, sorted_ids};
use crate::testbed::{Database, MariaDatabase, MariaDb, Postgres, SqlSession};

const MODES: [&str; 3] = ["incrementing", "timestamp", "timestamp+incrementing"];
/// Longer than what a database takes to be sure of its clock, in whole seconds of a column.
const SETTLED: Duration = Duration::from_millis(4_600);

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A transaction begins and inserts a row.
    Insert(usize),
    /// It commits.
    Commit(usize),
    /// The connector starts anew from its offsets.
    Restart,
    /// Time passes, while it is polled.
    TimePasses,
    /// It is polled until so many rows have come.
    Rows(usize),
}

use Step::{Commit, Insert, Restart, Rows, TimePasses};

enum Server {
    Postgres(Database),
    Maria(MariaDatabase),
}

impl Server {
    fn postgres() -> Self {
        let database = Postgres::shared().database("late");
        database.sql("CREATE TABLE t (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), name text)");
        Self::Postgres(database)
    }

    fn maria() -> Self {
        let database = MariaDb::shared().database("late");
        database.sql(
            "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, at TIMESTAMP(6) NOT NULL DEFAULT NOW(6),
             name TEXT) ENGINE = InnoDB",
        );
        Self::Maria(database)
    }

    fn session(&self) -> SqlSession {
        match self {
            Self::Postgres(database) => database.session(),
            Self::Maria(database) => database.session(),
        }
    }

    fn connector(&self, mode: &str, keys: &[(&str, &str)]) -> Connector {
        let (driver, url): (Arc<dyn Driver>, String) = match self {
            Self::Postgres(database) => (Arc::new(volley_postgres::Postgres), database.url()),
            Self::Maria(database) => (Arc::new(volley_mysql::MySql), database.url()),
        };
        let base = [
            ("mode", mode),
            ("incrementing.column.name", "id"),
            ("timestamp.column.name", "at"),
            ("table.whitelist", "t"),
            ("poll.interval.ms", "20"),
        ];
        Connector::new(driver, &url, &[&base, keys].concat())
    }
}

/// The rows that come while the steps are taken, and until all are there or `patience` is over.
fn rows_of(server: &Server, mode: &str, keys: &[(&str, &str)], steps: &[Step], patience: Duration) -> Vec<Row> {
    let mut connector = server.connector(mode, keys);
    connector.start(1);
    let mut sessions: Vec<SqlSession> = Vec::new();
    let mut rows = Vec::new();
    for step in steps {
        match *step {
            Insert(which) => {
                while sessions.len() <= which {
                    sessions.push(server.session());
                }
                sessions[which].sql(&format!("BEGIN; INSERT INTO t (name) VALUES ('{which}');"));
            }
            Commit(which) => {
                sessions[which].sql("COMMIT;");
            }
            Restart => connector.start(1),
            TimePasses => rows.extend(poll_for(&mut connector, SETTLED)),
            Rows(count) => rows.extend(connector.rows(count - rows.len())),
        }
        rows.extend(poll_for(&mut connector, Duration::from_millis(60)));
    }
    let wanted = steps.iter().filter(|step| matches!(step, Commit(_))).count();
    let deadline = Instant::now() + patience;
    while rows.len() < wanted && Instant::now() < deadline {
        rows.extend(connector.poll(0).unwrap().unwrap());
    }
    // what comes twice would come now
    connector.start(1);
    rows.extend(poll_for(&mut connector, Duration::from_millis(100)));
    rows
}

fn poll_for(connector: &mut Connector, time: Duration) -> Vec<Row> {
    let (mut rows, deadline) = (Vec::new(), Instant::now() + time);
    while Instant::now() < deadline {
        rows.extend(connector.poll(0).unwrap().unwrap());
    }
    rows
}

/// The orders in which `transactions` transactions insert and commit, `count` of them, with restarts in between.
fn schedules(transactions: usize, count: usize) -> Vec<Vec<Step>> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    let mut schedule = move || {
        let (mut steps, mut open, mut next) = (Vec::new(), Vec::new(), 0);
        while next < transactions || !open.is_empty() {
            if next < transactions && (open.is_empty() || random(2) == 0) {
                steps.push(Insert(next));
                open.push(next);
                next += 1;
            } else {
                steps.push(Commit(open.remove(random(open.len()))));
            }
            if random(3) == 0 {
                steps.push(Restart);
            }
        }
        steps
    };
    (0..count).map(|_| schedule()).collect()
}

fn assert_each_once(rows: &[Row], steps: &[Step], mode: &str) {
    let count = steps.iter().filter(|step| matches!(step, Commit(_))).count() as i64;
    assert_eq!(sorted_ids(rows), (1..=count).collect::<Vec<_>>(), "{mode}: {steps:?}: {rows:?}");
}

#[test]
fn rows_that_commit_late_are_lost_as_in_java_unless_one_asks_for_them() {
    let crossing = [Insert(0), Insert(1), Commit(1), Rows(1), Commit(0)];
    for mode in MODES {
        for server in [Server::postgres(), Server::maria()] {
            let rows = rows_of(&server, mode, &[], &crossing, Duration::from_millis(300));
            assert_eq!(sorted_ids(&rows), [2], "{mode}");
        }
    }
}

#[test]
fn with_a_lookback_rows_that_commit_late_come_once_whatever_the_order() {
    let keys = [("lookback.ms", "3600000"), ("lookback.rows", "1000")];
    for mode in MODES {
        for steps in schedules(4, 12) {
            let rows = rows_of(&Server::postgres(), mode, &keys, &steps, Duration::from_secs(60));
            assert_each_once(&rows, &steps, mode);
        }
        for steps in schedules(3, 3) {
            let rows = rows_of(&Server::maria(), mode, &keys, &steps, Duration::from_secs(60));
            assert_each_once(&rows, &steps, mode);
        }
    }
}

#[test]
fn with_wait_rows_that_commit_late_come_once_and_in_order_whatever_the_order() {
    let keys = [("late.commits", "wait")];
    // in a transaction of its own the number is taken, too, before anything is written
    let crossing = vec![Insert(0), Insert(1), Commit(1), TimePasses, Restart, Insert(2), Commit(0), Commit(2)];
    let nested = vec![Insert(0), Insert(1), TimePasses, Commit(1), TimePasses, Commit(0)];
    let apart = vec![Insert(0), Commit(0), TimePasses, Insert(1), Commit(1)];
    let steps_of_all = [vec![crossing.clone(), nested, apart], schedules(4, 3)].concat();
    let check = |server: &Server, mode: &str, steps: &[Step]| {
        let rows = rows_of(server, mode, &keys, steps, Duration::from_secs(60));
        assert_each_once(&rows, steps, mode);
        let ids: Vec<_> = rows.iter().filter_map(|row| row.id).collect();
        assert!(ids.is_sorted() || mode == "timestamp", "{mode}: {ids:?}");
    };
    // each in a database of its own, whose transactions count alone
    std::thread::scope(|scope| {
        for mode in MODES {
            for steps in &steps_of_all {
                scope.spawn(move || check(&Server::postgres(), mode, steps));
            }
        }
    });
    for mode in MODES {
        check(&Server::maria(), mode, &crossing);
    }
}

#[test]
fn a_transaction_that_has_written_nothing_yet_is_waited_for() {
    let database = Postgres::shared().database("late");
    database.sql("CREATE TABLE t (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), name text)");
    let server = Server::Postgres(database);
    let mut idle = server.session();
    idle.sql("BEGIN; SELECT 1;");
    let mut numbered = server.session();
    numbered.sql("BEGIN; SELECT nextval('t_id_seq');");
    let mut other = server.session();
    other.sql("INSERT INTO t (name) VALUES ('other');");
    for mode in MODES {
        let mut connector = server.connector(mode, &[("late.commits", "wait")]);
        connector.start(1);
        assert_eq!(poll_for(&mut connector, SETTLED), [], "{mode}");
    }
    numbered.sql("INSERT INTO t (id, name) VALUES (1, 'numbered'); COMMIT;");
    idle.sql("INSERT INTO t (name) VALUES ('idle'); COMMIT;");
    for mode in MODES {
        let mut connector = server.connector(mode, &[("late.commits", "wait"), ("volley.mode", "bounded")]);
        connector.start(1);
        assert_eq!(sorted_ids(&connector.rows_until_done()), [1, 2, 3], "{mode}");
    }
}
