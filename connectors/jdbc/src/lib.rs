//! Databases in and out, as Java's JDBC connectors do it; what all database systems have in common.
//!
//! A crate for each system implements [`Driver`] and [`Connection`]. The program gives a list of drivers to
//! [`plugins`], and the URL of a connector says which one it uses.
//!
//! ```text
//!  connection.url ─ url ─► ConnectionSettings ─► Driver ─► Connection ─ rows ─► types ─► records
//!                                                       └─► Writer ◄─ rows ◄─ sink ◄─ records
//! ```

mod database;
mod sink;
mod source;
mod types;
mod url;

use std::sync::Arc;

use volley_api::Plugin;

pub use database::{
    Catalog, Cell, Connection, Driver, Fetched, Isolation, KeyKind, Number, OpenTransactions, Query, ResultColumn,
    TableColumn, TableId, TableSearch, TableWrite, TargetColumn, TargetTable, Timestamp, WriteColumn, WriteKind,
    Writer, find_driver, quoted, shown_at, shown_in,
};
pub use url::{ConnectionSettings, Host, JdbcUrl, NetworkAddress, Parameters};

/// Every connector of this crate, for the databases of these drivers.
pub fn plugins(drivers: &[Arc<dyn Driver>]) -> Vec<Plugin> {
    let mut plugins = source::source_plugins(drivers);
    plugins.extend(sink::sink_plugins(drivers));
    plugins
}
