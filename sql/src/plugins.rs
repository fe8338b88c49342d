//! The plug-ins of this crate.

use volley_api::{Plugin, PluginFactory};

use crate::sql::{CLASS, Sql};

/// The transformation `Sql`.
pub fn plugins() -> Vec<Plugin> {
    vec![
        Plugin::new(
            CLASS,
            env!("CARGO_PKG_VERSION"),
            "Transforms records with a SQL query that works row by row: SELECT … FROM records WHERE …",
            Sql::config_def(),
            PluginFactory::transformation_of_task(Sql::of_task),
        )
        .alias("volley.Sql"),
    ]
}
