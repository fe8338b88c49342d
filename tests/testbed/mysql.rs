//! A MySQL, where `install-mysql.sh` could install one, with a database for each test.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::mariadb::MariaDatabase;
use super::server_process::{ServerProcess, data_directory, free_port, is_root, testbed};
use super::wait_until;

const READY: Duration = Duration::from_secs(300);
const USER: &str = "volley";
/// The loader that comes with its libraries.
const LOADER: &str = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";

pub(crate) struct MySql {
    process: ServerProcess,
    port: u16,
    databases: AtomicU32,
}

impl MySql {
    /// The server that all tests share; each test makes databases of its own. `None` where MySQL is not installed.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<MySql>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&["--skip-log-bin"])).as_ref()
    }

    /// A server of one's own for those who follow its changes. `None` where MySQL is not installed.
    pub(crate) fn start_with_binlog() -> Option<Self> {
        Self::start(&["--log-bin=binlog", "--server-id=1"])
    }

    fn start(binlog: &[&str]) -> Option<Self> {
        let home = testbed().join("mysql/usr");
        if !home.join("sbin/mysqld").exists() {
            println!("passed over on MySQL, which is not installed: see tests/testbed/install-mysql.sh");
            return None;
        }
        let directory = data_directory("mysql");
        if is_root() {
            assert!(Command::new("chown").arg("mysql:").arg(&directory).status().unwrap().success());
        }
        let port = free_port();
        let command = |more: &[String]| {
            let file = |name: &str| home.join(name).display().to_string();
            let data = |name: &str| directory.join(name).display().to_string();
            let mut command = vec![file(LOADER), "--library-path".to_owned(), file("lib/x86_64-linux-gnu")];
            command.extend([file("sbin/mysqld"), "--no-defaults".to_owned(), format!("--basedir={}", home.display())]);
            command.push(format!("--datadir={}", data("data")));
            command.push(format!("--lc-messages-dir={}", file("share/mysql")));
            command.push("--secure-file-priv=".to_owned());
            // a server that starts removes what others have in a directory that they share
            command.push(format!("--tmpdir={}", directory.display()));
            command.extend(is_root().then(|| "--user=mysql".to_owned()));
            command.extend_from_slice(more);
            command
        };
        let install = command(&["--initialize-insecure".to_owned()]);
        let outcome = Command::new(&install[0]).args(&install[1..]).current_dir("/").output().unwrap();
        assert!(outcome.status.success(), "mysqld failed: {}", String::from_utf8_lossy(&outcome.stderr));
        let mut settings = vec![
            format!("--port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--socket={}", directory.join("data/s.sock").display()),
            format!("--pid-file={}", directory.join("data/pid").display()),
            "--mysqlx=OFF".to_owned(),
            "--skip-name-resolve".to_owned(),
            "--performance-schema=OFF".to_owned(),
            "--default-time-zone=+05:00".to_owned(),
            "--innodb-buffer-pool-size=64M".to_owned(),
            "--innodb-flush-log-at-trx-commit=2".to_owned(),
            "--init-file".to_owned(),
            init_file(&directory).display().to_string(),
        ];
        settings.extend(binlog.iter().map(|option| (*option).to_owned()));
        let process = ServerProcess::start(&directory, &command(&settings));
        let server = Self { process, port, databases: AtomicU32::new(0) };
        wait_until(READY, "MySQL answers", || {
            assert!(server.process.is_running(), "MySQL ended:\n{}", server.process.log_tail());
            MariaDatabase::of("mysql", port).try_sql("SELECT 1").ok()
        });
        Some(server)
    }

    /// A new database.
    pub(crate) fn database(&self, stem: &str) -> MariaDatabase {
        let name = format!("{stem}_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        MariaDatabase::of("mysql", self.port).sql(&format!("CREATE DATABASE {name}"));
        MariaDatabase::of(&name, self.port)
    }
}

/// Users, before anybody connects: root comes from 127.0.0.1, which has no name here.
fn init_file(directory: &std::path::Path) -> PathBuf {
    let path = directory.join("users.sql");
    let statements = ["root", USER].map(|user| {
        let user = format!("{user}@'127.0.0.1'");
        format!("CREATE USER {user};\nGRANT ALL ON *.* TO {user} WITH GRANT OPTION;\n")
    });
    fs::write(&path, statements.concat()).unwrap();
    path
}
