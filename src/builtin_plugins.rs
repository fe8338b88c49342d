//! Everything that this program knows to do.

#[cfg(any(feature = "jdbc", feature = "object-store"))]
use std::sync::Arc;

use volley_api::Plugin;

/// With this environment variable set to `1`, the probes of Kafka's integration tests are offered too.
const PROBES: &str = "VOLLEY_PROBES";

/// The plug-ins of all crates; probes only where `VOLLEY_PROBES=1`.
pub fn builtin_plugins() -> Vec<Plugin> {
    let mut plugins = connectors();
    plugins.extend(volley_converters::plugins());
    plugins.extend(volley_transforms::plugins());
    plugins.extend(volley_sql::plugins());
    plugins.extend(volley_worker::config_providers::plugins());
    if std::env::var_os(PROBES).is_some_and(|value| value == "1") {
        plugins.extend(volley_local_connectors::probe_plugins());
    }
    plugins
}

/// The connectors of all crates. One that brings a driver is there if its feature is.
fn connectors() -> Vec<Plugin> {
    [
        volley_local_connectors::plugins(),
        #[cfg(feature = "object-store")]
        volley_object_store::plugins(Arc::new(volley_sql::SqlQueries)),
        #[cfg(feature = "jdbc")]
        volley_jdbc::plugins(&[
            Arc::new(volley_mysql::MySql),
            Arc::new(volley_postgres::Postgres),
            Arc::new(volley_sqlite::Sqlite),
        ]),
    ]
    .into_iter()
    .flatten()
    .collect()
}
