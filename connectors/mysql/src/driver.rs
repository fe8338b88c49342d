//! The driver.

use chrono_tz::Tz;
use volley_api::Result;
use volley_jdbc::{Connection, ConnectionSettings, Driver, KeyKind, Timestamp, Writer};

use crate::connection::MySqlConnection;
use crate::literal::{key_literal, timestamp_literal};
use crate::parameters::Server;
use crate::write::MySqlWriter;

/// MySQL and MariaDB.
#[derive(Clone, Copy, Debug, Default)]
pub struct MySql;

impl Driver for MySql {
    fn subprotocols(&self) -> &'static [&'static str] {
        &["mysql", "mariadb"]
    }

    fn check(&self, settings: &ConnectionSettings) -> Result<Vec<String>> {
        Server::from_settings(settings).map(|server| server.unknown)
    }

    fn connect(&self, settings: &ConnectionSettings) -> Result<Box<dyn Connection>> {
        Ok(Box::new(MySqlConnection::open(Server::from_settings(settings)?)?))
    }

    fn connect_writer(&self, settings: &ConnectionSettings) -> Result<Box<dyn Writer>> {
        Ok(Box::new(MySqlWriter::open(&Server::from_settings(settings)?)?))
    }

    fn timestamp_literal(&self, at: Timestamp, zone: Tz) -> String {
        timestamp_literal(at, zone)
    }

    fn key_text(&self, kind: KeyKind, column: &str) -> String {
        match kind {
            KeyKind::Bytes => format!("LOWER(HEX({column}))"),
            KeyKind::Number | KeyKind::Text => format!("CAST({column} AS CHAR)"),
        }
    }

    fn key_literal(&self, kind: KeyKind, text: &str) -> String {
        key_literal(kind, text)
    }

    /// All keys are looked at, and few sorted.
    fn sample(&self, percent: f64) -> (String, String) {
        (String::new(), format!("RAND() < {:.8}", percent / 100.0))
    }

    fn quote(&self) -> char {
        '`'
    }
}
