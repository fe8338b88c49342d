//! The drivers of MariaDB and SQLite on real databases: types, catalogs, errors, encryption.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Int64Type, UInt64Type};
use arrow::util::display::array_value_to_string;
use volley_api::testing::{config_map, resumes_from_every_offset};
use volley_api::{ErrorKind, PluginFactory, Polled, Result, SourceTask};
use volley_jdbc::{Connection, ConnectionSettings, Driver, Fetched, Isolation, JdbcUrl, Parameters, Query};

use crate::testbed::{MariaDatabase, MariaDb, MySql, wait_until};

const SOON: Duration = Duration::from_secs(90);

/// A database of one test.
pub(crate) enum Database {
    Maria(MariaDatabase),
    MySql(MariaDatabase),
    Sqlite { directory: tempfile::TempDir },
}

impl Database {
    pub(crate) fn maria(stem: &str) -> Self {
        Self::Maria(MariaDb::shared().database(stem))
    }

    /// One of MySQL, where that is installed.
    pub(crate) fn mysql(stem: &str) -> Option<Self> {
        MySql::shared().map(|server| Self::MySql(server.database(stem)))
    }

    pub(crate) fn sqlite() -> Self {
        Self::Sqlite { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Maria(database) | Self::MySql(database) => database.url(),
            Self::Sqlite { directory } => format!("jdbc:sqlite:{}", directory.path().join("shop.db").display()),
        }
    }

    /// What a table's name begins with in source partitions.
    pub(crate) fn prefix(&self) -> String {
        match self {
            Self::Maria(database) | Self::MySql(database) => format!("{}.", database.name),
            Self::Sqlite { .. } => String::new(),
        }
    }

    pub(crate) fn sql(&self, text: &str) {
        match self {
            Self::Maria(database) | Self::MySql(database) => {
                database.sql(text);
            }
            Self::Sqlite { directory } => {
                let file = rusqlite::Connection::open(directory.path().join("shop.db")).unwrap();
                file.busy_timeout(SOON).unwrap();
                file.execute_batch(text).unwrap();
            }
        }
    }

    pub(crate) fn driver(&self) -> Arc<dyn Driver> {
        match self {
            Self::Maria(_) | Self::MySql(_) => Arc::new(volley_mysql::MySql),
            Self::Sqlite { .. } => Arc::new(volley_sqlite::Sqlite),
        }
    }

    fn connect(&self, parameters: &str) -> Result<Box<dyn Connection>> {
        let url = format!("{}{parameters}", self.url());
        self.driver().connect(&settings(&url, "volley"))
    }
}

fn settings(url: &str, user: &str) -> ConnectionSettings {
    ConnectionSettings {
        url: JdbcUrl::parse(url).unwrap(),
        user: Some(user.to_owned()),
        password: None,
        properties: Parameters::default(),
    }
}

fn query(text: &str) -> Query {
    Query { text: text.to_owned(), batch_rows: 1_000, batch_bytes: 1 << 20, isolation: Isolation::Default }
}

/// The values of a result, each row's in order.
fn values(connection: &mut dyn Connection, text: &str) -> Result<Vec<Vec<String>>> {
    let columns = connection.query(&query(text))?;
    let mut found = Vec::new();
    loop {
        match connection.next(SOON)? {
            Fetched::End => return Ok(found),
            Fetched::Waiting => panic!("no rows of {text} in {SOON:?}"),
            Fetched::Rows(rows) => {
                for (column, array) in columns.iter().zip(rows.columns()) {
                    assert_eq!(column.field.data_type(), array.data_type(), "{}", column.field.name());
                }
                found.extend((0..rows.num_rows()).map(|row| {
                    let shown = |array: &ArrayRef| match array.is_null(row) {
                        true => "NULL".to_owned(),
                        false => array_value_to_string(array, row).unwrap(),
                    };
                    rows.columns().iter().map(shown).collect::<Vec<_>>()
                }));
            }
        }
    }
}

/// Columns with their types and, of each row, their values as Arrow shows them.
pub(crate) type Expected<'a> = &'a [(&'a str, &'a str, &'a [(&'a str, &'a str)])];

/// Has the rows of a table with these columns, each of them alone.
pub(crate) fn assert_types(database: &Database, parameters: &str, expected: Expected<'_>) {
    let mut connection = database.connect(parameters).unwrap();
    for (place, (declared, data_type, cases)) in expected.iter().enumerate() {
        let table = format!("t{place}_{}", parameters.len());
        database.sql(&format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY, v {declared})"));
        for (row, (literal, _)) in cases.iter().enumerate() {
            let mode =
                if matches!(database, Database::Maria(_) | Database::MySql(_)) { "SET sql_mode = ''; " } else { "" };
            database.sql(&format!("{mode}INSERT INTO {table} VALUES ({row}, {literal})"));
        }
        let columns = connection.query(&query(&format!("SELECT v FROM {table}"))).unwrap();
        assert_eq!(columns[0].field.data_type().to_string(), *data_type, "{declared}");
        let found = values(&mut *connection, &format!("SELECT v FROM {table} ORDER BY id")).unwrap();
        let found: Vec<_> = found.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(found, cases.iter().map(|(_, shown)| *shown).collect::<Vec<_>>(), "{declared}");
    }
}

#[test]
fn every_type_of_mariadb_comes_with_its_extremes_and_nulls() {
    let database = Database::maria("types");
    let nines = "9".repeat(35);
    let (wide, wide_shown) = (format!("{nines}.{}", "9".repeat(30)), format!("{nines}.{}", "9".repeat(30)));
    let null = ("NULL", "NULL");
    assert_types(
        &database,
        "",
        &[
            ("TINYINT", "Int8", &[("-128", "-128"), ("127", "127"), null]),
            ("TINYINT UNSIGNED", "Int16", &[("255", "255"), null]),
            ("TINYINT(1)", "Int8", &[("1", "1"), ("-128", "-128"), null]),
            ("SMALLINT", "Int16", &[("-32768", "-32768"), null]),
            ("SMALLINT UNSIGNED", "Int32", &[("65535", "65535"), null]),
            ("MEDIUMINT", "Int32", &[("-8388608", "-8388608"), null]),
            ("MEDIUMINT UNSIGNED", "Int64", &[("16777215", "16777215"), null]),
            ("INT", "Int32", &[("-2147483648", "-2147483648"), null]),
            ("INT UNSIGNED", "Int64", &[("4294967295", "4294967295"), null]),
            ("BIGINT", "Int64", &[("-9223372036854775808", "-9223372036854775808"), null]),
            ("BIGINT UNSIGNED", "UInt64", &[("18446744073709551615", "18446744073709551615"), null]),
            ("FLOAT", "Float32", &[("1.5", "1.5"), null]),
            ("DOUBLE", "Float64", &[("-1.7976931348623157e308", "-1.7976931348623157e308"), null]),
            ("DECIMAL(10,2)", "Decimal128(38, 2)", &[("-99999999.99", "-99999999.99"), ("0.5", "0.50"), null]),
            ("DECIMAL(38,0) UNSIGNED", "Decimal128(38, 0)", &[("12", "12"), null]),
            ("DECIMAL(65,30)", "Decimal256(76, 30)", &[(&wide, &wide_shown), null]),
            ("BIT(1)", "Int8", &[("b'1'", "1"), ("b'0'", "0"), null]),
            ("BIT(12)", "Binary", &[("b'111100000001'", "0f01"), null]),
            ("YEAR", "Date32", &[("2155", "2155-01-01"), null]),
            ("DATE", "Date32", &[("'1000-01-01'", "1000-01-01"), ("'9999-12-31'", "9999-12-31"), null]),
            ("TIME(6)", "Time64(µs)", &[("'23:59:59.999999'", "23:59:59.999999"), ("'00:00:00'", "00:00:00"), null]),
            (
                "DATETIME(6)",
                "Timestamp(µs)",
                &[
                    ("'1000-01-01 00:00:00.000001'", "1000-01-01T00:00:00.000001"),
                    ("'9999-12-31 23:59:59'", "9999-12-31T23:59:59"),
                    null,
                ],
            ),
            // the server's zone is five hours east
            (
                "TIMESTAMP(6) NULL",
                "Timestamp(µs, \"UTC\")",
                &[("'2026-01-02 03:04:05.678901'", "2026-01-01T22:04:05.678901Z"), null],
            ),
            ("CHAR(3) CHARACTER SET latin1", "Utf8", &[("'é'", "é"), null]),
            ("VARCHAR(10) CHARACTER SET utf8mb4", "Utf8", &[("'né😀'", "né😀"), ("''", ""), null]),
            ("LONGTEXT COLLATE utf8mb4_bin", "Utf8", &[("'a'", "a"), null]),
            ("JSON", "Utf8", &[("'{\"a\": 1}'", "{\"a\": 1}"), null]),
            ("ENUM('a','b')", "Utf8", &[("'b'", "b"), null]),
            ("SET('a','b')", "Utf8", &[("'b,a'", "a,b"), ("''", ""), null]),
            (
                "UUID",
                "Utf8",
                &[("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), null],
            ),
            ("INET6", "Utf8", &[("'::1'", "::1"), null]),
            ("BINARY(3)", "Binary", &[("x'00ff'", "00ff00"), null]),
            ("LONGBLOB", "Binary", &[("x'00ff'", "00ff"), ("''", ""), null]),
            (
                "POINT",
                "Binary",
                &[("ST_GeomFromText('POINT(1 2)')", "000000000101000000000000000000f03f0000000000000040"), null],
            ),
        ],
    );
    let no_bits = "&tinyInt1isBit=false&yearIsDateType=false&zeroDateTimeBehavior=CONVERT_TO_NULL";
    assert_types(
        &database,
        no_bits,
        &[
            ("TINYINT(1)", "Int8", &[("5", "5")]),
            ("YEAR", "Int16", &[("2026", "2026"), ("0", "0")]),
            ("DATE", "Date32", &[("'0000-00-00'", "NULL"), ("'2026-00-00'", "NULL")]),
            ("DATETIME", "Timestamp(µs)", &[("'0000-00-00'", "NULL")]),
        ],
    );
    let booleans = "&transformedBitIsBoolean=true&zeroDateTimeBehavior=round";
    assert_types(
        &database,
        booleans,
        &[
            ("TINYINT(1)", "Boolean", &[("5", "true"), ("0", "false")]),
            ("BIT(1)", "Boolean", &[("b'1'", "true")]),
            ("DATE", "Date32", &[("'0000-00-00'", "0001-01-01")]),
        ],
    );
}

#[test]
fn what_no_type_has_room_for_names_the_column_and_is_no_end() {
    let database = Database::maria("refused");
    database.sql(
        "SET sql_mode = ''; CREATE TABLE t (negative TIME, later TIME, never DATETIME);
         INSERT INTO t VALUES ('-00:00:01', '838:59:59', '0000-00-00')",
    );
    for (column, said) in [("negative", "negative"), ("later", "24 hours"), ("never", "zeroDateTimeBehavior")] {
        let mut connection = database.connect("").unwrap();
        let error = values(&mut *connection, &format!("SELECT {column} FROM t")).unwrap_err();
        assert!(error.kind() == ErrorKind::Data && error.to_string().contains(&format!("`{column}`")), "{error}");
        assert!(error.to_string().contains(said), "{error}");
        // the connection goes on
        let seconds = values(&mut *connection, "SELECT TIME_TO_SEC(later) AS s FROM t").unwrap();
        assert_eq!(seconds, [["3020399"]]);
    }
}

#[test]
fn the_catalog_of_mariadb_names_databases_kinds_and_what_is_counted_up() {
    let database = Database::maria("catalog");
    database.sql(
        "CREATE TABLE orders (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, note TEXT);
         CREATE VIEW notes AS SELECT note FROM orders; CREATE SEQUENCE numbers",
    );
    let mut connection = database.connect("").unwrap();
    let mut tables = |types: &[&str], catalog: Option<&str>| {
        let types = types.iter().map(|name| (*name).to_owned()).collect();
        let search = volley_jdbc::TableSearch { types, catalog: catalog.map(str::to_owned), schema: None };
        let found = connection.tables(&search).unwrap();
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let named = |table: &str| format!("{}{table}", database.prefix());
    assert_eq!(tables(&["TABLE"], None), [named("orders")]);
    assert_eq!(tables(&["TABLE", "VIEW"], None), [named("notes"), named("orders")]);
    let tail = database.prefix().trim_start_matches("catalog").trim_end_matches('.').to_owned();
    assert_eq!(tables(&["TABLE"], Some(&format!("cat%{tail}"))), [named("orders")]);
    assert!(tables(&["SYSTEM TABLE"], Some("mysql")).contains(&"mysql.proc".to_owned()));
    let found = connection.tables(&volley_jdbc::TableSearch { types: vec!["TABLE".into()], ..Default::default() });
    for table in [found.unwrap().remove(0), volley_jdbc::TableId::new(None, None, "orders")] {
        let columns = connection.columns(&table).unwrap();
        let columns: Vec<_> =
            columns.iter().map(|column| (column.name.as_str(), column.is_nullable, column.is_autoincrement)).collect();
        assert_eq!(columns, [("id", false, true), ("note", true, false)]);
    }
}

#[test]
fn a_result_that_is_given_up_ends_in_the_server() {
    let database = Database::maria("given_up");
    let endless = "SELECT seq AS n, REPEAT('x', 1000) FROM seq_1_to_100000000";
    let Database::Maria(maria) = &database else { panic!("MariaDB") };
    let running = || {
        let count = "SELECT count(*) FROM information_schema.processlist
                     WHERE info LIKE '%seq_1_to_1000%' AND info NOT LIKE '%processlist%'";
        maria.sql(count)
    };
    let mut connection = database.connect("").unwrap();
    connection.query(&query(endless)).unwrap();
    let Fetched::Rows(rows) = connection.next(SOON).unwrap() else { panic!("rows") };
    assert_eq!(rows.num_rows(), 1_000);
    assert_eq!(running(), "1");
    // something else ends it, and the connection goes on; to its own end it would take hours
    assert!(connection.current_time().unwrap().millis() > 1_700_000_000_000);
    assert_eq!(running(), "0");
    // one that has nothing to send
    connection.query(&query("SELECT SLEEP(0.1) AS s FROM seq_1_to_100000000 HAVING s > 0")).unwrap();
    assert_eq!(connection.next(Duration::from_millis(20)).unwrap(), Fetched::Waiting);
    wait_until(SOON, "the query runs", || (running() == "1").then_some(()));
    drop(connection);
    wait_until(SOON, "the query has ended", || (running() == "0").then_some(()));
}

#[test]
fn errors_of_mariadb_say_whether_to_try_again() {
    let database = Database::maria("errors");
    let Database::Maria(maria) = &database else { panic!("MariaDB") };
    database.sql("CREATE TABLE t (id INT PRIMARY KEY) ENGINE = InnoDB; INSERT INTO t VALUES (1)");
    let connect = |url: &str, user: &str| volley_mysql::MySql.connect(&settings(url, user)).map(drop).unwrap_err();
    let url = maria.url();
    for (url, user, said) in [
        (url.clone(), "nobody", "nobody"),
        (url.replace(&maria.name, "nowhere"), "volley", "nowhere"),
        (format!("{url}&sslMode=REQUIRED"), "volley", "SSL"),
    ] {
        let error = connect(&url, user);
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains(said), "{error}");
    }
    let free = crate::testbed::free_port();
    let error = connect(&format!("jdbc:mariadb://127.0.0.1:{free}/shop"), "volley");
    assert!(error.is_retriable() && error.to_string().contains(&free.to_string()), "{error}");
    let mut connection = database.connect("").unwrap();
    for (text, said) in [
        ("SELECT * FROM nothing", "nothing"),
        ("SELECT nothing FROM t", "nothing"),
        ("SELEC 1", "SELEC"),
        ("SELECT * FROM t WHERE id = ?", "question mark"),
        ("DELETE FROM t", "SELECT"),
    ] {
        let error = values(&mut *connection, text).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains(said), "{error}");
    }
    let mut impatient = database.connect("&sessionVariables=innodb_lock_wait_timeout=1").unwrap();
    let holder = values(&mut *connection, "SELECT CONNECTION_ID() AS id").unwrap().remove(0).remove(0);
    // a second connection of the same kind holds the row
    let mut locking = database.connect("&sessionVariables=autocommit=0").unwrap();
    assert_eq!(values(&mut *locking, "SELECT id FROM t FOR UPDATE").unwrap(), [["1"]]);
    let error = values(&mut *impatient, "SELECT id FROM t FOR UPDATE").unwrap_err();
    assert!(error.is_retriable(), "{error}");
    maria.sql(&format!("KILL {holder}"));
    let error = values(&mut *connection, "SELECT 1 AS one").unwrap_err();
    assert!(error.is_retriable(), "{error}");
}

#[test]
fn every_type_of_sqlite_comes_with_its_extremes_and_nulls() {
    let null = ("NULL", "NULL");
    let utc = "Timestamp(µs, \"UTC\")";
    let database = Database::sqlite();
    // a file with something in it
    database.sql("CREATE TABLE t (id INTEGER)");
    assert_types(
        &database,
        "",
        &[
            ("INTEGER", "Int64", &[("-9223372036854775808", "-9223372036854775808"), null]),
            ("TINYINT", "Int8", &[("-128", "-128"), null]),
            ("SMALLINT", "Int16", &[("32767", "32767"), null]),
            ("BOOLEAN", "Boolean", &[("1", "true"), ("FALSE", "false"), null]),
            ("REAL", "Float64", &[("-1.5e300", "-1.5e300"), null]),
            ("NUMERIC(10,2)", "Decimal128(38, 2)", &[("12.34", "12.34"), ("5", "5.00"), null]),
            ("NUMERIC", "Utf8", &[("0.1", "0.1"), ("12", "12"), null]),
            ("VARCHAR(5)", "Utf8", &[("'né, longer than five'", "né, longer than five"), ("''", ""), null]),
            ("BLOB", "Binary", &[("x'00ff'", "00ff"), ("x''", ""), null]),
            (
                "DATE",
                "Timestamp(µs)",
                &[("'0001-01-01'", "0001-01-01T00:00:00"), ("-1", "1969-12-31T23:59:59.999"), null],
            ),
            ("TIMESTAMP", utc, &[("1767323045678", "2026-01-02T03:04:05.678Z"), null]),
            ("DATETIME", utc, &[("'2026-01-02 03:04:05.678901'", "2026-01-02T03:04:05.678901Z"), null]),
            ("", "Utf8", &[("1", "1"), ("1.5", "1.5"), ("'a'", "a"), null]),
        ],
    );
}

#[test]
fn a_file_that_is_gone_or_locked_is_waited_for_or_refused() {
    let database = Database::sqlite();
    assert_eq!(database.connect("").map(drop).unwrap_err().kind(), ErrorKind::Config);
    database.sql("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    let Database::Sqlite { directory } = &database else { panic!("SQLite") };
    let writer = rusqlite::Connection::open(directory.path().join("shop.db")).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE; INSERT INTO t VALUES (1)").unwrap();
    assert!(database.connect("?busy_timeout=1").map(drop).unwrap_err().is_retriable());
    writer.execute_batch("COMMIT").unwrap();
    let mut connection = database.connect("").unwrap();
    assert_eq!(values(&mut *connection, "SELECT id FROM t").unwrap(), [["1"]]);
    assert!(fs::metadata(directory.path().join("shop.db")).unwrap().len() > 0);
}

#[test]
fn unsigned_numbers_beyond_those_with_a_sign_are_whole() {
    let database = Database::maria("unsigned");
    database.sql("CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY); INSERT INTO t VALUES (9223372036854775808), (1)");
    let mut connection = database.connect("").unwrap();
    connection.query(&query("SELECT id, CAST(id % 10 AS SIGNED) AS last FROM t ORDER BY id")).unwrap();
    let Fetched::Rows(rows) = connection.next(SOON).unwrap() else { panic!("rows") };
    assert_eq!(rows.column(0).as_primitive::<UInt64Type>().values(), &[1, 9_223_372_036_854_775_808]);
    assert_eq!(rows.column(1).as_primitive::<Int64Type>().values(), &[1, 8]);
}

/// Whether a connection by this URL is encrypted, by the server's own account.
fn is_encrypted(url: &str) -> Result<bool> {
    let mut connection = volley_mysql::MySql.connect(&settings(url, "volley"))?;
    let cipher = "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'SSL_CIPHER'";
    Ok(values(&mut *connection, cipher)? != [[""]])
}

#[test]
fn connections_to_mariadb_are_encrypted_and_the_server_checked_as_ssl_mode_says() {
    let server = MariaDb::start_with_tls();
    let url = server.database("tls").url();
    let certificate = server.certificate();
    assert!(!is_encrypted(&format!("{url}&sslMode=DISABLED")).unwrap());
    assert!(!is_encrypted(&url.replace("jdbc:mysql", "jdbc:mariadb")).unwrap(), "off in MariaDB's driver");
    assert!(is_encrypted(&url).unwrap(), "by itself where the server offers it");
    assert!(is_encrypted(&format!("{url}&sslMode=REQUIRED")).unwrap());
    for mode in ["VERIFY_CA", "VERIFY_IDENTITY"] {
        assert!(is_encrypted(&format!("{url}&sslMode={mode}&serverSslCert={certificate}")).unwrap(), "{mode}");
        let error = is_encrypted(&format!("{url}&sslMode={mode}")).unwrap_err();
        assert!(!error.is_retriable() && error.to_string().contains("certificate"), "{mode}: {error}");
    }
    // a name that is not the certificate's
    let named = url.replace("127.0.0.1", "localhost");
    assert!(is_encrypted(&format!("{named}&sslMode=VERIFY_CA&serverSslCert={certificate}")).unwrap());
    assert!(is_encrypted(&format!("{named}&sslMode=VERIFY_IDENTITY&serverSslCert={certificate}")).is_err());
    assert!(is_encrypted(&MariaDb::shared().database("no_tls").url()).is_ok_and(|is_encrypted| !is_encrypted));
}

/// A task of the plug-in.
struct Task(Box<dyn SourceTask>);

impl SourceTask for Task {
    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        self.0.poll(max_wait)
    }

    fn stop(&mut self) {
        self.0.stop();
    }
}

#[test]
fn a_task_of_each_system_goes_on_from_every_offset_that_one_has_given() {
    let (datetime, timestamp, texts) = (Database::maria("resumed"), Database::maria("resumed"), Database::sqlite());
    let numbers = "SELECT seq, TIMESTAMP'2026-01-01 00:00:00' + INTERVAL seq MICROSECOND FROM seq_1_to_200";
    for (database, declared) in [(&datetime, "DATETIME(6)"), (&timestamp, "TIMESTAMP(6)")] {
        database.sql(&format!("CREATE TABLE numbered (id INT PRIMARY KEY, at {declared} NOT NULL)"));
        database.sql(&format!("INSERT INTO numbered {numbers}"));
    }
    texts.sql(
        "CREATE TABLE numbered (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
         INSERT INTO numbered SELECT i, printf('2026-01-01 00:00:00.%03d', i) FROM n",
    );
    let drivers: [Arc<dyn Driver>; 2] = [Arc::new(volley_mysql::MySql), Arc::new(volley_sqlite::Sqlite)];
    let plugins = volley_jdbc::plugins(&drivers);
    let PluginFactory::Source { task, .. } = &plugins[0].factory else { panic!("a source") };
    for (database, tables) in [(&datetime, "`numbered`"), (&timestamp, "`numbered`"), (&texts, "\"numbered\"")] {
        for mode in ["incrementing", "timestamp", "timestamp+incrementing"] {
            let config = config_map(&[
                ("connection.url", &database.url()),
                ("connection.user", "volley"),
                ("db.timezone", "America/New_York"),
                ("mode", mode),
                ("incrementing.column.name", "id"),
                ("timestamp.column.name", "at"),
                ("batch.max.rows", "40"),
                ("topic.prefix", ""),
                ("tables", tables),
            ]);
            resumes_from_every_offset(200, |context| Ok(Task(task(context, &config)?)));
        }
    }
}
