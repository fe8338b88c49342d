//! A connection: the thread that has the file, and how it is told what to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use volley_api::{Error, Result};
use volley_jdbc::{
    Catalog, Connection, Fetched, OpenTransactions, Query, ResultColumn, TableColumn, TableId, TableSearch, Timestamp,
};

use crate::catalog;
use crate::file_thread::{Command, open, serve};
use crate::parameters::File;

/// Each command has one answer.
const ONE: usize = 1;

/// An open file.
#[derive(Debug)]
pub(crate) struct SqliteConnection {
    /// `None` only while it is dropped.
    commands: Option<SyncSender<Command>>,
    thread: Option<JoinHandle<()>>,
    is_ended: Arc<AtomicBool>,
    /// Rows that were asked for and have not come yet.
    awaited: Option<Receiver<Result<Fetched>>>,
}

impl SqliteConnection {
    /// Opens a file.
    pub(crate) fn open(file: File) -> Result<Self> {
        let is_ended = Arc::new(AtomicBool::new(false));
        let connection = open(&file, &is_ended)?;
        let (commands, received) = sync_channel(ONE);
        let thread = std::thread::Builder::new()
            .name("volley-sqlite".to_owned())
            .spawn(move || serve(&connection, &file, &received))
            .map_err(|error| Error::fatal("could not start a thread for SQLite").with_source(error))?;
        Ok(Self { commands: Some(commands), thread: Some(thread), is_ended, awaited: None })
    }

    fn tell(&self, command: Command) -> Result<()> {
        let told = self.commands.as_ref().is_some_and(|commands| commands.send(command).is_ok());
        if told { Ok(()) } else { Err(gone()) }
    }

    /// Waits for what the thread says of the file.
    fn ask<T: Send + 'static>(
        &mut self,
        question: impl FnOnce(&rusqlite::Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.awaited = None;
        let (answer, answered) = sync_channel(ONE);
        self.tell(Command::Do(Box::new(move |file| {
            // who asked may be gone
            let _ = answer.send(question(file));
        })))?;
        answered.recv().map_err(|_| gone())?
    }
}

impl Catalog for SqliteConnection {
    fn tables(&mut self, search: &TableSearch) -> Result<Vec<TableId>> {
        let search = search.clone();
        self.ask(move |file| catalog::tables(file, &search))
    }

    fn columns(&mut self, table: &TableId) -> Result<Vec<TableColumn>> {
        let table = table.table.clone();
        self.ask(move |file| catalog::columns(file, &table))
    }
}

impl Connection for SqliteConnection {
    fn current_time(&mut self) -> Result<Timestamp> {
        self.ask(catalog::current_time)
    }

    /// None: who writes has the file alone until the end of the transaction, so that what comes later is later.
    fn open_transactions(&mut self) -> Result<OpenTransactions> {
        Ok(OpenTransactions { at: self.current_time()?, names: Vec::new(), renamed: Vec::new() })
    }

    fn query(&mut self, query: &Query) -> Result<Vec<ResultColumn>> {
        self.awaited = None;
        let (answer, answered) = sync_channel(ONE);
        self.tell(Command::Begin(query.clone(), answer))?;
        answered.recv().map_err(|_| gone())?
    }

    fn next(&mut self, within: Duration) -> Result<Fetched> {
        let awaited = match self.awaited.take() {
            Some(awaited) => awaited,
            None => {
                let (answer, answered) = sync_channel(ONE);
                self.tell(Command::Next(answer))?;
                answered
            }
        };
        match awaited.recv_timeout(within) {
            Ok(fetched) => fetched,
            Err(RecvTimeoutError::Timeout) => {
                self.awaited = Some(awaited);
                Ok(Fetched::Waiting)
            }
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
        }
    }
}

impl Drop for SqliteConnection {
    fn drop(&mut self) {
        self.is_ended.store(true, Ordering::Relaxed);
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // one that has panicked has said so
            let _ = thread.join();
        }
    }
}

fn gone() -> Error {
    Error::retriable("the thread that reads the file has ended")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Int64Type;
    use volley_api::ErrorKind;
    use volley_jdbc::{ConnectionSettings, Driver, Isolation, JdbcUrl, Parameters};

    use super::*;
    use crate::Sqlite;

    const SOON: Duration = Duration::from_secs(60);

    struct Database {
        directory: tempfile::TempDir,
        writer: rusqlite::Connection,
    }

    impl Database {
        fn new(sql: &str) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let writer = rusqlite::Connection::open(directory.path().join("shop.db")).unwrap();
            writer.execute_batch(sql).unwrap();
            Self { directory, writer }
        }

        fn connect(&self, parameters: &str) -> Result<Box<dyn Connection>> {
            let path = self.directory.path().join("shop.db");
            Sqlite.connect(&ConnectionSettings {
                url: JdbcUrl::parse(&format!("jdbc:sqlite:{}{parameters}", path.display())).unwrap(),
                user: None,
                password: None,
                properties: Parameters::default(),
            })
        }
    }

    fn query(text: &str) -> Query {
        Query { text: text.to_owned(), batch_rows: 1_000, batch_bytes: 1 << 20, isolation: Isolation::Default }
    }

    fn rows(connection: &mut dyn Connection, text: &str) -> Result<usize> {
        connection.query(&query(text))?;
        let mut count = 0;
        loop {
            match connection.next(SOON)? {
                Fetched::Rows(rows) => count += rows.num_rows(),
                Fetched::Waiting => panic!("no rows in {SOON:?}"),
                Fetched::End => return Ok(count),
            }
        }
    }

    #[test]
    fn the_catalog_has_tables_views_and_what_is_counted_up() {
        let database = Database::new(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT NOT NULL, doubled AS (id * 2));
             CREATE TABLE pairs (a INTEGER, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
             CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT);
             CREATE VIEW names AS SELECT name FROM orders",
        );
        let mut connection = database.connect("").unwrap();
        let mut tables = |types: &[&str]| {
            let types = types.iter().map(|name| (*name).to_owned()).collect();
            let found = connection.tables(&TableSearch { types, ..TableSearch::default() }).unwrap();
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(tables(&["TABLE"]), ["counted", "orders", "pairs"]);
        assert_eq!(tables(&["view"]), ["names"]);
        let mut columns = |table: &str| {
            let found = connection.columns(&TableId::new(None, None, table)).unwrap().into_iter();
            found.map(|column| (column.name, column.is_nullable, column.is_autoincrement)).collect::<Vec<_>>()
        };
        let column = |name: &str, is_nullable, is_autoincrement| (name.to_owned(), is_nullable, is_autoincrement);
        let expected = [column("id", false, true), column("name", false, false), column("doubled", true, false)];
        assert_eq!(columns("orders"), expected);
        assert_eq!(columns("pairs"), [column("a", false, false), column("b", false, false)]);
        assert!(columns("nothing").is_empty());
    }

    #[test]
    fn a_result_comes_in_batches_and_something_else_ends_it() {
        let database = Database::new(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
             INSERT INTO orders SELECT i, 'a' FROM n",
        );
        let mut connection = database.connect("").unwrap();
        let columns = connection.query(&query("SELECT *, count(*) OVER () FROM orders")).unwrap();
        let nullable: Vec<_> = columns.iter().map(|column| column.field.is_nullable()).collect();
        assert_eq!(nullable, [true, false, true]);
        let Fetched::Rows(first) = connection.next(SOON).unwrap() else { panic!("rows") };
        assert_eq!((first.num_rows(), first.column(0).as_primitive::<Int64Type>().value(999)), (1_000, 1_000));
        assert_eq!(first.column(2).as_string::<i32>().value(0), "2500");
        assert!(connection.current_time().unwrap().millis() > 1_700_000_000_000);
        assert_eq!(connection.next(SOON).unwrap(), Fetched::End);
        assert_eq!(rows(&mut *connection, "SELECT * FROM orders").unwrap(), 2_500);
        // the lock is gone with the result
        database.writer.execute_batch("DROP TABLE orders").unwrap();
        let error = connection.query(&query("SELECT * FROM orders")).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains("orders"), "{error}");
        let error = connection.query(&query("DELETE FROM sqlite_master")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }

    #[test]
    fn a_batch_ends_with_the_row_that_reaches_its_bytes() {
        let database =
            Database::new("CREATE TABLE t (a TEXT); INSERT INTO t VALUES (hex(zeroblob(500))), ('b'), ('c')");
        let mut connection = database.connect("").unwrap();
        connection.query(&Query { batch_bytes: 1_000, ..query("SELECT a FROM t") }).unwrap();
        for expected in [1, 2] {
            let Fetched::Rows(rows) = connection.next(SOON).unwrap() else { panic!("rows") };
            assert_eq!(rows.num_rows(), expected);
        }
    }

    #[test]
    fn a_value_that_does_not_fit_names_its_column_and_not_itself() {
        let database = Database::new("CREATE TABLE t (amount INTEGER); INSERT INTO t VALUES (1), ('secret')");
        let mut connection = database.connect("").unwrap();
        let error = rows(&mut *connection, "SELECT * FROM t").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains("`amount`") && !error.to_string().contains("secret"), "{error}");
        assert_eq!(rows(&mut *connection, "SELECT amount || '' AS amount FROM t").unwrap(), 2);
    }

    #[test]
    fn a_file_that_is_locked_may_be_read_later_and_one_that_is_none_never() {
        let database = Database::new("CREATE TABLE t (a)");
        let mut connection = database.connect("?busy_timeout=1").unwrap();
        database.writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
        assert!(connection.query(&query("SELECT * FROM t")).unwrap_err().is_retriable());
        assert!(database.connect("?busy_timeout=1").map(drop).unwrap_err().is_retriable());
        database.writer.execute_batch("COMMIT").unwrap();
        assert_eq!(rows(&mut *connection, "SELECT * FROM t").unwrap(), 0);
        std::fs::write(database.directory.path().join("text"), "no database, but long enough to be looked at").unwrap();
        let url = format!("jdbc:sqlite:{}/", database.directory.path().display());
        for (name, said) in [("text", "not a database"), ("none.db", "no file")] {
            let url = JdbcUrl::parse(&format!("{url}{name}")).unwrap();
            let settings = ConnectionSettings { url, user: None, password: None, properties: Parameters::default() };
            let error = Sqlite.connect(&settings).err().unwrap();
            assert!(error.kind() == ErrorKind::Config && error.to_string().contains(said), "{error}");
        }
        assert!(!database.directory.path().join("none.db").exists());
    }

    #[test]
    fn dropping_a_connection_ends_what_it_does() {
        let database = Database::new("CREATE TABLE t (a)");
        let mut connection = database.connect("").unwrap();
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0";
        connection.query(&query(endless)).unwrap();
        assert_eq!(connection.next(Duration::from_millis(10)).unwrap(), Fetched::Waiting);
        let began = Instant::now();
        drop(connection);
        assert!(began.elapsed() < SOON);
    }

    #[test]
    fn times_are_compared_in_the_form_that_the_column_has() {
        let database = Database::new(
            "CREATE TABLE texts (at TIMESTAMP);
             INSERT INTO texts VALUES ('2026-01-01 00:00:00'), ('2026-01-01 00:00:01');
             CREATE TABLE iso (at DATETIME); INSERT INTO iso VALUES ('2026-01-01T00:00:00Z'), ('2026-01-01T00:00:01Z');
             CREATE TABLE millis (at TIMESTAMP); INSERT INTO millis VALUES (1767225600000), (1767225601000);
             CREATE TABLE days (at DATE); INSERT INTO days VALUES ('2026-01-01'), ('2026-01-02');
             CREATE TABLE empty (at TIMESTAMP)",
        );
        let mut connection = database.connect("").unwrap();
        let first = Sqlite.timestamp_literal(Timestamp::from_millis(1_767_225_600_000), chrono_tz::Tz::UTC);
        let mut counts = |table: &str| {
            ["=", ">"].map(|is| {
                let text = format!("SELECT * FROM \"{table}\" WHERE \"at\" {is} {first} ORDER BY \"at\"");
                rows(&mut *connection, &text).unwrap()
            })
        };
        for table in ["texts", "iso", "millis", "days"] {
            assert_eq!(counts(table), [1, 1], "{table}");
        }
        assert_eq!(counts("empty"), [0, 0]);
        let mut seconds = database.connect("?date_class=INTEGER&date_precision=SECONDS").unwrap();
        database.writer.execute_batch("CREATE TABLE s (at TIMESTAMP); INSERT INTO s VALUES (1767225601)").unwrap();
        assert_eq!(rows(&mut *seconds, &format!("SELECT * FROM s WHERE at > {first}")).unwrap(), 1);
        let columns = seconds.query(&query("SELECT at FROM s")).unwrap();
        let Fetched::Rows(found) = seconds.next(SOON).unwrap() else { panic!("rows") };
        assert_eq!(found.schema().field(0).data_type(), columns[0].field.data_type());
        assert!(found.column(0).is_valid(0));
    }
}
