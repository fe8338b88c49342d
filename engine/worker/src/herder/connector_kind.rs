//! Which way a connector moves data.

use volley_api::{ConnectorKind, Plugin, PluginFactory};

/// Which way a connector plug-in moves data.
pub(crate) fn connector_kind(plugin: &Plugin) -> ConnectorKind {
    match plugin.factory {
        PluginFactory::Sink { .. } => ConnectorKind::Sink,
        _ => ConnectorKind::Source,
    }
}
