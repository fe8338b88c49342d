//! `volley.exactly.once` of the JDBC sink where a commit is in doubt, and where two tasks think that a partition is theirs: each
//! record is there once.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use volley_api::ErrorKind;

use crate::commit_proxy::{CommitProxy, Cut};
use crate::jdbc_sink_task::{EXACTLY_ONCE, TOLERANT, TOPIC, Task, UPSERT, orders};
use crate::jdbc_sink_worker::Target;
use crate::testbed::{MariaDb, Postgres, wait_until};

const SOON: Duration = Duration::from_secs(90);

/// How many rows there are, and how many different ones.
fn count(target: &Target) -> String {
    target.sql(&format!("SELECT count(*), count(DISTINCT id) FROM {TOPIC}"))
}

/// The number of sessions that wait for a lock.
fn waiting(target: &Target) -> usize {
    if let Target::Postgres(_) = target {
        let text =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        return target.sql(text).parse().unwrap();
    }
    // not information_schema.innodb_trx, which stays as it is while it is asked ten times a second
    let locked = locked_threads(&target.sql("SHOW ENGINE INNODB STATUS").replace("\\n", "\n"));
    let sessions = target.sql("SELECT id, state FROM information_schema.processlist WHERE db = DATABASE()");
    let sessions = sessions.lines().filter_map(|line| line.split_once('|'));
    sessions.filter(|(id, state)| state.starts_with("Waiting for table") || locked.contains(*id)).count()
}

/// The threads of the transactions that wait for a lock of InnoDB.
fn locked_threads(status: &str) -> HashSet<String> {
    let transactions =
        status.split("---TRANSACTION").skip(1).filter(|transaction| transaction.contains("\nLOCK WAIT "));
    let threads = transactions.filter_map(|transaction| transaction.split_once(" thread id ")?.1.split(',').next());
    threads.map(str::to_owned).collect()
}

fn await_waiting(target: &Target, sessions: usize) {
    wait_until(SOON, &format!("{sessions} sessions wait"), || (waiting(target) == sessions).then_some(()));
}

#[test]
fn a_commit_whose_answer_is_lost_writes_nothing_twice_and_one_that_never_came_loses_nothing() {
    let targets = [
        (Target::Postgres(Postgres::shared().database("doubt")), "sslmode=disable"),
        (Target::Maria(MariaDb::shared().database("doubt")), "sslMode=DISABLED"),
    ];
    for (target, parameter) in targets {
        target.sql(&format!("CREATE TABLE {TOPIC} (id BIGINT, name VARCHAR(9))"));
        let port = match &target {
            Target::Postgres(database) => database.port(),
            Target::Maria(database) => database.port(),
            _ => unreachable!(),
        };
        let proxy = CommitProxy::before(port);
        let url = target.url().replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
        let url = format!("{url}{}{parameter}", if url.contains('?') { '&' } else { '?' });
        let mut task = Task::start(&url, &[EXACTLY_ONCE]);
        let batch = |first: i64| orders((first..first + 100).map(|id| (id, "x")));
        assert!(task.put(0, &batch(0)).unwrap().is_empty());
        for (place, cut) in [Cut::AfterCommit, Cut::BeforeCommit, Cut::AfterCommit].into_iter().enumerate() {
            let first = 100 * (place as i64 + 1);
            proxy.cut(cut);
            task.fail(first, &batch(first), ErrorKind::Retriable, &[]);
            let there = first + if cut == Cut::AfterCommit { 100 } else { 0 };
            wait_until(SOON, "the server has seen the end of it", || {
                (count(&target) == format!("{there}|{there}")).then_some(())
            });
            task.put_in_the_end(first, &batch(first));
            assert_eq!(count(&target), format!("{0}|{0}", first + 100), "{} {cut:?}", target.name());
        }
        assert_eq!(proxy.struck(), 3);
    }
}

#[test]
fn a_session_that_is_ended_in_the_middle_of_its_commit_loses_nothing_and_writes_nothing_twice() {
    // a constraint that is looked at when the transaction commits waits for a lock
    let postgres = Postgres::shared().database("committing");
    postgres.sql(&format!(
        "CREATE TABLE {TOPIC} (id BIGINT, name TEXT);
         CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON {TOPIC} DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION wait()"
    ));
    let mut other = postgres.session();
    other.sql("SELECT pg_advisory_lock(7);");
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND query = 'COMMIT' AND wait_event_type = 'Lock'";
    let target = Target::Postgres(postgres);
    let mut task = Task::start(&target.url(), &[EXACTLY_ONCE]);
    let batch = orders([(1, "a"), (2, "b")]);
    thread::scope(|scope| {
        let put = scope.spawn(|| task.fail(0, &batch, ErrorKind::Retriable, &["administrator"]));
        wait_until(SOON, "the commit waits, and its session is ended", || (target.sql(kill) == "t").then_some(()));
        put.join().unwrap();
    });
    other.sql("SELECT pg_advisory_unlock(7);");
    assert_eq!(count(&target), "0|0");
    task.put_in_the_end(0, &batch);
    assert_eq!(count(&target), "2|2");

    // nobody else's commits may wait
    let server = MariaDb::start();
    let maria = server.database("committing");
    maria.sql(&format!("CREATE TABLE {TOPIC} (id BIGINT, name TEXT)"));
    let mut other = maria.session();
    let kill = format!(
        "SELECT GROUP_CONCAT(CONCAT('KILL ', id) SEPARATOR ';') FROM information_schema.processlist
         WHERE db = '{}' AND info = 'COMMIT' AND state LIKE 'Waiting%'",
        maria.name
    );
    let mut task = Task::start(&maria.url(), &[EXACTLY_ONCE]);
    task.put_in_the_end(0, &orders([(0, "z")]));
    other.sql("BACKUP STAGE START; BACKUP STAGE FLUSH; BACKUP STAGE BLOCK_DDL; BACKUP STAGE BLOCK_COMMIT;");
    thread::scope(|scope| {
        let put = scope.spawn(|| task.fail(1, &batch, ErrorKind::Retriable, &[]));
        wait_until(SOON, "the commit waits, and its session is ended", || {
            let kill = maria.sql(&kill);
            kill.starts_with("KILL").then(|| maria.sql(&kill))
        });
        put.join().unwrap();
    });
    other.sql("BACKUP STAGE END;");
    let target = Target::Maria(maria);
    assert_eq!(count(&target), "1|1");
    task.put_in_the_end(1, &batch);
    assert_eq!(count(&target), "3|3");
}

/// A batch whose record with number 3 a constraint refuses.
fn with_bad_record() -> arrow::array::ArrayRef {
    orders((0..5).map(|id| (id, "x")))
}

#[test]
fn a_rejected_record_that_is_good_after_a_crash_is_written_once_however_often_it_comes() {
    for target in Target::all("mended") {
        target.sql(&format!("CREATE TABLE {TOPIC} (id BIGINT, name VARCHAR(9))"));
        let refuse = match &target {
            Target::Sqlite(_) => format!(
                "CREATE TRIGGER bad BEFORE INSERT ON {TOPIC} WHEN new.id = 3 BEGIN SELECT RAISE(ABORT, 'bad'); END"
            ),
            _ => format!("ALTER TABLE {TOPIC} ADD CONSTRAINT bad CHECK (id <> 3)"),
        };
        target.sql(&refuse);
        let start = || Task::start(&target.url(), &[EXACTLY_ONCE, TOLERANT]);
        // its dead letter is not in Kafka when the worker is killed
        assert_eq!(start().put_in_the_end(0, &with_bad_record()), [3]);
        assert_eq!(start().put_in_the_end(0, &with_bad_record()), [3], "{}", target.name());
        assert_eq!(count(&target), "4|4", "{}", target.name());
        let mend =
            if let Target::Sqlite(_) = target { "DROP TRIGGER bad" } else { "ALTER TABLE orders DROP CONSTRAINT bad" };
        target.sql(mend);
        for _ in 0..3 {
            assert!(start().put_in_the_end(0, &with_bad_record()).is_empty());
            assert_eq!(count(&target), "5|5", "{}", target.name());
        }
        let stored = "SELECT next_offset, LENGTH(rejected) FROM volley_offsets";
        assert_eq!(target.sql(stored), "5|0", "{}", target.name());
    }
}

#[test]
fn of_two_tasks_that_write_only_rejected_records_again_at_once_one_is_turned_away() {
    let targets =
        [Target::Postgres(Postgres::shared().database("rivals")), Target::Maria(MariaDb::shared().database("rivals"))];
    for target in targets {
        target.sql(&format!("CREATE TABLE {TOPIC} (id BIGINT, name VARCHAR(9), CONSTRAINT bad CHECK (id <> 3))"));
        let mut tasks = [0, 1].map(|_| Task::start(&target.url(), &[EXACTLY_ONCE, TOLERANT]));
        for task in &mut tasks {
            assert_eq!(task.put_in_the_end(0, &with_bad_record()), [3], "both know that it was rejected");
        }
        target.sql(&format!("ALTER TABLE {TOPIC} DROP CONSTRAINT bad"));
        let (mut other, lock, free) = match &target {
            Target::Postgres(database) => {
                (database.session(), format!("BEGIN; LOCK TABLE {TOPIC} IN EXCLUSIVE MODE;"), "COMMIT;")
            }
            Target::Maria(database) => (database.session(), format!("LOCK TABLES {TOPIC} WRITE;"), "UNLOCK TABLES;"),
            _ => unreachable!(),
        };
        other.sql(&lock);
        let outcomes = thread::scope(|scope| {
            let puts = tasks.each_mut().map(|task| scope.spawn(move || task.put(0, &with_bad_record())));
            await_waiting(&target, 2);
            other.sql(free);
            puts.map(|put| put.join().unwrap())
        });
        let turned_away: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!(turned_away.len(), 1, "{}: {outcomes:?}", target.name());
        let text = turned_away[0].to_string();
        assert!(turned_away[0].is_retriable() && text.contains("another task has written"), "{text}");
        assert_eq!(count(&target), "5|5", "{}", target.name());
        // what they are put again is there
        tasks.iter_mut().for_each(|task| assert!(task.put_in_the_end(0, &with_bad_record()).is_empty()));
        assert_eq!(count(&target), "5|5", "{}", target.name());
    }
}

#[test]
fn a_batch_with_a_rejected_record_and_new_ones_is_written_by_one_of_two_tasks() {
    for target in Target::all("overlap") {
        target.sql(&format!("CREATE TABLE {TOPIC} (id BIGINT, name VARCHAR(9) CHECK (LENGTH(name) < 9))"));
        let rows =
            |name: &'static str, count: i64| orders((0..count).map(move |id| (id, if id == 3 { name } else { "x" })));
        let mut tasks = [0, 1].map(|_| Task::start(&target.url(), &[EXACTLY_ONCE, TOLERANT]));
        for task in &mut tasks {
            assert_eq!(task.put_in_the_end(0, &rows("much too long", 5)), [3], "{}", target.name());
        }
        // the same record, which the table takes now
        let [first, second] = &mut tasks;
        assert!(first.put_in_the_end(0, &rows("good", 5)).is_empty());
        let error = second.fail(0, &rows("good", 8), ErrorKind::Retriable, &["another task has written", "orders-0"]);
        assert!(!error.to_string().contains("much too long"));
        assert!(second.put_in_the_end(0, &rows("good", 8)).is_empty());
        assert_eq!(count(&target), "8|8", "{}", target.name());
        first.committed(8);
    }
}

fn rows(target: &Target) -> String {
    target.sql(&format!("SELECT id, name FROM {TOPIC} ORDER BY id"))
}

#[test]
fn a_task_that_is_the_victim_of_a_deadlock_is_rolled_back_and_writes_again() {
    let database = Postgres::shared().database("deadlock");
    // the victim is who waits last: the task stops with row 1 until the other waits for it
    database.sql(&format!(
        "CREATE TABLE {TOPIC} (id BIGINT PRIMARY KEY, name TEXT); INSERT INTO {TOPIC} VALUES (1, 'old'), (2, 'old');
         CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_advisory_xact_lock_shared(8); RETURN new; END';
         CREATE TRIGGER waits BEFORE UPDATE ON {TOPIC} FOR EACH ROW WHEN (new.id = 1 AND new.name = 'new')
             EXECUTE FUNCTION wait()"
    ));
    let (mut other, mut gate) = (database.session(), database.session());
    let mut task = Task::start(&format!("{}?options=-c%20deadlock_timeout=50", database.url()), &UPSERT);
    let target = Target::Postgres(database);
    let batch = orders([(1, "new"), (2, "new")]);
    gate.sql("SELECT pg_advisory_lock(8);");
    other.sql(&format!("SET deadlock_timeout = '1h'; BEGIN; UPDATE {TOPIC} SET name = 'other' WHERE id = 2;"));
    thread::scope(|scope| {
        let put = scope.spawn(|| task.fail(0, &batch, ErrorKind::Retriable, &["deadlock", TOPIC]));
        await_waiting(&target, 1);
        let update = scope.spawn(|| other.sql(&format!("UPDATE {TOPIC} SET name = 'other' WHERE id = 1; COMMIT;")));
        await_waiting(&target, 2);
        gate.sql("SELECT pg_advisory_unlock(8);");
        put.join().unwrap();
        update.join().unwrap();
    });
    task.put_in_the_end(0, &batch);
    assert_eq!(rows(&target), "1|new\n2|new");

    let database = MariaDb::shared().database("deadlock");
    database.sql(&format!(
        "CREATE TABLE {TOPIC} (id BIGINT PRIMARY KEY, name TEXT); INSERT INTO {TOPIC} VALUES (1, 'old'), (2, 'old');
         CREATE TABLE filler (id BIGINT PRIMARY KEY)"
    ));
    let mut other = database.session();
    let mut task = Task::start(&database.url(), &UPSERT);
    let target = Target::Maria(database);
    // the victim is who has changed less
    other.sql("BEGIN; INSERT INTO filler SELECT seq FROM seq_1_to_1000;");
    other.sql(&format!("UPDATE {TOPIC} SET name = 'other' WHERE id = 2;"));
    thread::scope(|scope| {
        let put = scope.spawn(|| task.fail(0, &batch, ErrorKind::Retriable, &["Deadlock", TOPIC]));
        await_waiting(&target, 1);
        other.sql(&format!("UPDATE {TOPIC} SET name = 'other' WHERE id = 1; COMMIT;"));
        put.join().unwrap();
    });
    task.put_in_the_end(0, &batch);
    assert_eq!(rows(&target), "1|new\n2|new");
}

#[test]
fn a_transaction_that_cannot_be_serialized_is_written_again() {
    let database = Postgres::shared().database("serial");
    database.sql(&format!(
        "CREATE TABLE {TOPIC} (id BIGINT PRIMARY KEY, name TEXT); INSERT INTO {TOPIC} VALUES (2, 'old')"
    ));
    let mut other = database.session();
    let url = format!("{}?options=-c%20default_transaction_isolation=serializable", database.url());
    let mut task = Task::start(&url, &UPSERT);
    let target = Target::Postgres(database);
    let batch = orders([(1, "new"), (2, "new")]);
    other.sql(&format!("BEGIN; UPDATE {TOPIC} SET name = 'other' WHERE id = 2;"));
    thread::scope(|scope| {
        let put = scope.spawn(|| task.fail(0, &batch, ErrorKind::Retriable, &["could not serialize", TOPIC]));
        await_waiting(&target, 1);
        other.sql("COMMIT;");
        put.join().unwrap();
    });
    task.put_in_the_end(0, &batch);
    assert_eq!(rows(&target), "1|new\n2|new");
}
