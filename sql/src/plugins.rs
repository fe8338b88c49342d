//! The plug-ins of this crate.

use std::sync::Arc;

use volley_api::{Plugin, PluginFactory};

use crate::sql::{CLASS, Sql};

/// The transformation `Sql`.
pub fn plugins() -> Vec<Plugin> {
    vec![Plugin {
        class: CLASS,
        aliases: &["volley.Sql"],
        version: env!("CARGO_PKG_VERSION"),
        documentation: "Transforms records with a SQL query that works row by row: SELECT … FROM records WHERE …",
        config_def: Sql::config_def(),
        factory: PluginFactory::Transformation(Arc::new(|config| Ok(Box::new(Sql::new(config)?)))),
    }]
}
