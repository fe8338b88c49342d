//! The driver.

use chrono_tz::Tz;
use volley_api::Result;
use volley_jdbc::{Connection, ConnectionSettings, Driver, Timestamp, Writer};

use crate::connection::SqliteConnection;
use crate::parameters::File;
use crate::time_form::time_call;
use crate::writer::SqliteWriter;

/// SQLite.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sqlite;

impl Driver for Sqlite {
    fn subprotocols(&self) -> &'static [&'static str] {
        &["sqlite"]
    }

    fn check(&self, settings: &ConnectionSettings) -> Result<Vec<String>> {
        File::from_settings(settings).map(|file| file.unknown)
    }

    fn connect(&self, settings: &ConnectionSettings) -> Result<Box<dyn Connection>> {
        Ok(Box::new(SqliteConnection::open(File::from_settings(settings)?)?))
    }

    fn connect_writer(&self, settings: &ConnectionSettings) -> Result<Box<dyn Writer>> {
        Ok(Box::new(SqliteWriter::open(&File::from_settings(settings)?)?))
    }

    fn creates_databases(&self) -> bool {
        true
    }

    fn timestamp_literal(&self, at: Timestamp, zone: Tz) -> String {
        time_call(at, zone)
    }
}
