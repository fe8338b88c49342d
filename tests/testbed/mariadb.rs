//! A MariaDB of Debian's package, with a database for each test.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::certificate::make_certificate;
use super::server_process::{ServerProcess, data_directory, free_port, is_root};
use super::sql_session::SqlSession;
use super::wait_until;

const READY: Duration = Duration::from_secs(90);
const USER: &str = "volley";
/// The database that is always there.
const FIRST_DATABASE: &str = "mysql";
/// Of the server: sessions that rely on a zone have to set it.
const ZONE: &str = "+05:00";
/// It writes what happens to rows, and says that it is a MySQL, of a version as old as what it understands.
const AS_MYSQL: [&str; 4] = ["--log-bin=binlog", "--binlog-format=ROW", "--server-id=1", "--version=5.7.10"];

pub(crate) struct MariaDb {
    process: Option<ServerProcess>,
    directory: PathBuf,
    port: u16,
    has_tls: bool,
    options: &'static [&'static str],
    databases: AtomicU32,
}

/// A database of one test, also of MySQL.
pub(crate) struct MariaDatabase {
    pub(crate) name: String,
    port: u16,
}

impl MariaDb {
    /// The server that all tests share; each test makes databases of its own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<MariaDb> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of one's own, which may be stopped.
    pub(crate) fn start() -> Self {
        Self::start_as(false, &[])
    }

    /// A server of one's own for those who follow the changes of a MySQL.
    pub(crate) fn start_as_mysql() -> Self {
        Self::start_as(false, &AS_MYSQL)
    }

    /// One that offers TLS, with a certificate for 127.0.0.1.
    pub(crate) fn start_with_tls() -> Self {
        Self::start_as(true, &[])
    }

    /// Its certificate's file.
    pub(crate) fn certificate(&self) -> String {
        self.directory.join("server.crt").display().to_string()
    }

    fn start_as(has_tls: bool, options: &'static [&'static str]) -> Self {
        let directory = data_directory("mariadb");
        let (data, temporary) = (directory.join("data"), directory.join("tmp"));
        for directory in [&data, &temporary] {
            fs::create_dir(directory).unwrap();
            if is_root() {
                assert!(Command::new("chown").arg("mysql:").arg(directory).status().unwrap().success());
            }
        }
        let mut install = Command::new("mysql_install_db");
        install.env("TMPDIR", &temporary);
        install.arg("--no-defaults").arg(format!("--datadir={}", data.display())).args(as_server());
        let outcome = install.args(["--auth-root-authentication-method=normal", "--skip-test-db"]).output();
        let outcome = outcome.expect("MariaDB is missing: run tests/testbed/install.sh, or `make test`");
        assert!(outcome.status.success(), "mysql_install_db failed: {}", String::from_utf8_lossy(&outcome.stdout));
        if has_tls {
            make_certificate(&directory, "mysql");
        }
        let (port, databases) = (free_port(), AtomicU32::new(0));
        let mut server = Self { process: None, directory, port, has_tls, options, databases };
        server.restart();
        let user = format!("{USER}@'127.0.0.1'");
        server.run(&format!("CREATE USER {user}; GRANT ALL ON *.* TO {user}")).unwrap();
        server
    }

    /// Ends it at once, as a crash would; what is committed stays.
    pub(crate) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill_and_keep_data();
        }
    }

    /// Starts it, on the same port.
    pub(crate) fn restart(&mut self) {
        let data = self.directory.join("data");
        let mut command: Vec<String> = [
            "mariadbd".to_owned(),
            "--no-defaults".to_owned(),
            format!("--datadir={}", data.display()),
            // a server that starts removes what others have in a directory that they share
            format!("--tmpdir={}", self.directory.join("tmp").display()),
            format!("--socket={}", data.join("s.sock").display()),
            format!("--pid-file={}", data.join("pid").display()),
            format!("--port={}", self.port),
            "--bind-address=127.0.0.1".to_owned(),
            "--skip-name-resolve".to_owned(),
            "--character-set-server=utf8mb4".to_owned(),
            format!("--default-time-zone={ZONE}"),
            "--innodb-buffer-pool-size=64M".to_owned(),
            "--innodb-flush-log-at-trx-commit=2".to_owned(),
        ]
        .into();
        command.extend(as_server().chain(self.options.iter().copied()).map(str::to_owned));
        if self.has_tls {
            command.push(format!("--ssl-cert={}", self.certificate()));
            command.push(format!("--ssl-key={}", self.directory.join("data/server.key").display()));
        }
        let process = ServerProcess::start(&self.directory, &command);
        wait_until(READY, "MariaDB answers", || {
            assert!(process.is_running(), "MariaDB ended:\n{}", process.log_tail());
            self.run("SELECT 1").ok()
        });
        self.process = Some(process);
    }

    /// A new database.
    pub(crate) fn database(&self, stem: &str) -> MariaDatabase {
        let name = format!("{stem}_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run(&format!("CREATE DATABASE {name}")).unwrap();
        MariaDatabase { name, port: self.port }
    }

    fn run(&self, text: &str) -> Result<String, String> {
        client(self.port, FIRST_DATABASE, text)
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        if self.process.is_none() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

impl MariaDatabase {
    /// One that is there.
    pub(super) fn of(name: &str, port: u16) -> Self {
        Self { name: name.to_owned(), port }
    }

    /// Executes SQL; the values that it answers, or what the client has against it.
    pub(super) fn try_sql(&self, text: &str) -> Result<String, String> {
        client(self.port, &self.name, text)
    }

    /// Its URL, as MySQL's driver has it, without a user. Of the tables of the server, only its own are looked for.
    pub(crate) fn url(&self) -> String {
        format!("jdbc:mysql://127.0.0.1:{}/{}?nullDatabaseMeansCurrent=true", self.port, self.name)
    }

    /// The user, who has no password.
    pub(crate) fn user(&self) -> &'static str {
        USER
    }

    /// The server's port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A session that stays open.
    pub(crate) fn session(&self) -> SqlSession {
        let mut client = client_of(self.port, &self.name);
        client.arg("--unbuffered");
        SqlSession::start(client, |text| format!("SELECT '{text}';"))
    }

    /// Executes SQL; the values that it answers, a line for each row.
    pub(crate) fn sql(&self, text: &str) -> String {
        self.try_sql(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }
}

/// The client of a database.
fn client_of(port: u16, database: &str) -> Command {
    let port = port.to_string();
    let mut command = Command::new("mariadb");
    command.args(["--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-u", "root", "-P", &port, "-D", database]);
    command.args(["--default-character-set=utf8mb4", "--batch", "--skip-column-names"]);
    command
}

fn client(port: u16, database: &str, text: &str) -> Result<String, String> {
    let outcome = client_of(port, database).args(["-e", text]).output().unwrap();
    match outcome.status.success() {
        true => Ok(String::from_utf8_lossy(&outcome.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&outcome.stderr).into_owned()),
    }
}

/// As the user that the server wants: it does not run as root.
fn as_server() -> impl Iterator<Item = &'static str> {
    is_root().then_some("--user=mysql").into_iter()
}
