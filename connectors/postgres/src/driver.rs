//! The driver.

use chrono_tz::Tz;
use volley_api::Result;
use volley_jdbc::{Connection, ConnectionSettings, Driver, KeyKind, Timestamp, Writer};

use crate::connection::PostgresConnection;
use crate::literal::{key_literal, timestamp_literal};
use crate::parameters::Server;
use crate::write::PostgresWriter;

/// PostgreSQL.
#[derive(Clone, Copy, Debug, Default)]
pub struct Postgres;

impl Driver for Postgres {
    fn subprotocols(&self) -> &'static [&'static str] {
        &["postgresql"]
    }

    fn check(&self, settings: &ConnectionSettings) -> Result<Vec<String>> {
        Server::from_settings(settings).map(|server| server.unknown)
    }

    fn connect(&self, settings: &ConnectionSettings) -> Result<Box<dyn Connection>> {
        Ok(Box::new(PostgresConnection::open(&Server::from_settings(settings)?)?))
    }

    fn connect_writer(&self, settings: &ConnectionSettings) -> Result<Box<dyn Writer>> {
        Ok(Box::new(PostgresWriter::open(&Server::from_settings(settings)?)?))
    }

    fn timestamp_literal(&self, at: Timestamp, zone: Tz) -> String {
        timestamp_literal(at, zone)
    }

    fn key_text(&self, kind: KeyKind, column: &str) -> String {
        match kind {
            KeyKind::Bytes => format!("pg_catalog.encode({column}, 'hex')"),
            KeyKind::Number | KeyKind::Text => format!("{column}::text"),
        }
    }

    fn key_literal(&self, kind: KeyKind, text: &str) -> String {
        key_literal(kind, text)
    }

    /// Of whole pages.
    fn sample(&self, percent: f64) -> (String, String) {
        (format!(" TABLESAMPLE SYSTEM ({percent:.6})"), String::new())
    }
}
