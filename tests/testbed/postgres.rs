//! A PostgreSQL of Debian's package, with a database for each test.

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
const FIRST_DATABASE: &str = "postgres";

pub(crate) struct Postgres {
    process: Option<ServerProcess>,
    directory: PathBuf,
    port: u16,
    has_tls: bool,
    databases: AtomicU32,
}

/// A database of one test.
pub(crate) struct Database {
    pub(crate) name: String,
    port: u16,
}

impl Postgres {
    /// The server that all tests share; each test makes databases of its own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of one's own, which may be stopped.
    pub(crate) fn start() -> Self {
        Self::start_as(false)
    }

    /// One that offers TLS, with a certificate for 127.0.0.1.
    pub(crate) fn start_with_tls() -> Self {
        Self::start_as(true)
    }

    /// Its certificate's file.
    pub(crate) fn certificate(&self) -> String {
        self.directory.join("server.crt").display().to_string()
    }

    fn start_as(has_tls: bool) -> Self {
        let directory = data_directory("postgres");
        let data = directory.join("data");
        fs::create_dir(&data).unwrap();
        if is_root() {
            assert!(Command::new("chown").arg("postgres:").arg(&data).status().unwrap().success());
        }
        let mut initdb =
            as_server(&["initdb", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"]);
        initdb.push(data.display().to_string());
        let outcome = Command::new(&initdb[0]).args(&initdb[1..]).current_dir("/").output().unwrap();
        assert!(outcome.status.success(), "initdb failed: {}", String::from_utf8_lossy(&outcome.stderr));
        if has_tls {
            make_certificate(&directory, "postgres");
        }
        let mut server = Self { process: None, directory, port: free_port(), has_tls, databases: AtomicU32::new(0) };
        server.restart();
        server
    }

    /// Ends it at once, as a crash would, with all that it has started; what is committed stays.
    pub(crate) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal("QUIT");
            wait_until(READY, "PostgreSQL has ended", || (!process.is_running()).then_some(()));
            process.kill_and_keep_data();
        }
    }

    /// Starts it, on the same port.
    pub(crate) fn restart(&mut self) {
        let (data, port) = (self.directory.join("data").display().to_string(), self.port.to_string());
        let mut command = as_server(&["postgres", "-D", &data, "-p", &port, "-h", "127.0.0.1", "-k", ""]);
        let settings = [
            "fsync=off",
            "wal_level=logical",
            "max_connections=100",
            "shared_buffers=64MB",
            "dynamic_shared_memory_type=mmap",
            "timezone=UTC",
        ];
        if self.has_tls {
            let file = |setting: &str, name: &str| format!("{setting}={}", self.directory.join(name).display());
            let files =
                [file("ssl_cert_file", "server.crt"), file("ssl_key_file", "data/server.key"), "ssl=on".to_owned()];
            command.extend(files.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
        }
        command.extend(settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]));
        let process = ServerProcess::start(&self.directory, &command);
        wait_until(READY, "PostgreSQL answers", || {
            assert!(process.is_running(), "PostgreSQL ended:\n{}", process.log_tail());
            psql(self.port, FIRST_DATABASE, "SELECT 1").ok()
        });
        self.process = Some(process);
    }

    /// A new database.
    pub(crate) fn database(&self, stem: &str) -> Database {
        let name = format!("{stem}_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        psql(self.port, FIRST_DATABASE, &format!("CREATE DATABASE {name}")).unwrap();
        Database { name, port: self.port }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.process.is_none() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

impl Database {
    /// The same database.
    pub(crate) fn again(&self) -> Self {
        Self { name: self.name.clone(), port: self.port }
    }

    /// Its URL, as JDBC has it, without a user.
    pub(crate) fn url(&self) -> String {
        format!("jdbc:postgresql://127.0.0.1:{}/{}", self.port, self.name)
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
        SqlSession::start(client(self.port, &self.name), |text| format!("\\echo {text}"))
    }

    /// Executes SQL; the values that it answers, a line for each row.
    pub(crate) fn sql(&self, text: &str) -> String {
        psql(self.port, &self.name, text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }
}

/// The client of a database.
fn client(port: u16, database: &str) -> Command {
    let port = port.to_string();
    let mut command = Command::new(program("psql"));
    command.args(["-h", "127.0.0.1", "-U", USER, "-p", &port, "-d", database]);
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
    command
}

fn psql(port: u16, database: &str, text: &str) -> Result<String, String> {
    let outcome = client(port, database).args(["-c", text]).output().unwrap();
    match outcome.status.success() {
        true => Ok(String::from_utf8_lossy(&outcome.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&outcome.stderr).into_owned()),
    }
}

/// A command of the server's, by the user that it wants: it does not run as root.
fn as_server(command: &[&str]) -> Vec<String> {
    let change = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];
    let change = if is_root() { &change[..] } else { &[] };
    let program = [program(command[0])];
    change
        .iter()
        .map(|word| (*word).to_owned())
        .chain(program)
        .chain(command[1..].iter().map(|word| (*word).to_owned()))
        .collect()
}

/// A program of the newest version that is installed.
fn program(name: &str) -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        Some((path.file_name()?.to_str()?.parse::<u32>().ok()?, path))
    });
    let (_, path) = versions.max().expect("PostgreSQL is missing: run tests/testbed/install.sh, or `make test`");
    path.join("bin").join(name).display().to_string()
}
