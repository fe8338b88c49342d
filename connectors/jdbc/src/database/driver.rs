//! A database system.

use std::fmt::Debug;
use std::sync::Arc;

use chrono_tz::Tz;
use volley_api::{Error, Result};

use super::{Connection, KeyKind, Timestamp, Writer};
use crate::url::ConnectionSettings;

/// A database system: knows its URLs and its SQL, and connects. Cheap to have; nothing is opened before
/// [`Driver::connect`].
pub trait Driver: Debug + Send + Sync {
    /// What stands behind `jdbc:` in its URLs, such as `postgresql`.
    fn subprotocols(&self) -> &'static [&'static str];

    /// Checks the settings without connecting: the names of those that have no effect.
    ///
    /// # Errors
    /// `Config` if they cannot be followed; it names the setting.
    fn check(&self, settings: &ConnectionSettings) -> Result<Vec<String>>;

    /// Connects. Takes as long as the settings allow.
    ///
    /// # Errors
    /// `Retriable` if the database is out of reach, `Config` if it refuses.
    fn connect(&self, settings: &ConnectionSettings) -> Result<Box<dyn Connection>>;

    /// Connects in order to write. Takes as long as the settings allow.
    ///
    /// # Errors
    /// `Retriable` if the database is out of reach, `Config` if it refuses.
    fn connect_writer(&self, _settings: &ConnectionSettings) -> Result<Box<dyn Writer>> {
        Err(Error::config(format!("jdbc:{} can be read only", self.subprotocols().join(", jdbc:"))))
    }

    /// Whether a database that is not there yet comes to be when it is connected to in order to write.
    fn creates_databases(&self) -> bool {
        false
    }

    /// A literal of SQL that can be compared with columns of dates and times, with a time zone or without; `zone` is
    /// that of columns without.
    fn timestamp_literal(&self, at: Timestamp, zone: Tz) -> String;

    /// The expression whose value is the text of a key; `column` is its name in SQL.
    fn key_text(&self, _kind: KeyKind, column: &str) -> String {
        column.to_owned()
    }

    /// A literal of SQL for a key of this text, which the database compares as it does the values of the column.
    fn key_literal(&self, _kind: KeyKind, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    /// How SQL says that only about `percent` (less than 100) of a table's rows are looked at: what stands behind its
    /// name, and a condition. Either may be empty.
    fn sample(&self, _percent: f64) -> (String, String) {
        (String::new(), String::new())
    }

    /// The mark around names in SQL.
    fn quote(&self) -> char {
        '"'
    }
}

/// The driver for URLs of `subprotocol`.
///
/// # Errors
/// `Config` if there is none; it says what is possible.
pub fn find_driver<'a>(drivers: &'a [Arc<dyn Driver>], subprotocol: &str) -> Result<&'a Arc<dyn Driver>> {
    drivers.iter().find(|driver| driver.subprotocols().contains(&subprotocol)).ok_or_else(|| {
        let known: Vec<_> =
            drivers.iter().flat_map(|driver| driver.subprotocols()).map(|name| format!("jdbc:{name}")).collect();
        Error::config(format!(
            "there is no driver for `jdbc:{subprotocol}`: URLs of {} are possible; run a connector for Oracle, SQL \
            Server, Db2 or another database in a Java worker of the same group",
            known.join(", ")
        ))
    })
}
