//! `/connector-plugins`

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use volley_api::PluginKind;

use crate::error::HerderError;
use crate::plugins::{Plugins, VersionRange, searched};
use crate::rest::error::RestResult;
use crate::rest::json::json_body::JsonBody;
use crate::rest::resources::query::QueryParams;
use crate::rest::state::RestState;
use crate::validation::{ConfigInfos, ConfigKeyInfo, no_such_version, plugin_definitions, validation_failure};

/// `GET /connector-plugins`
pub(crate) async fn list(State(state): State<RestState>, query: QueryParams) -> RestResult<Json<Vec<Value>>> {
    let connectors_only = query.flag("connectorsOnly", true);
    let shown = searched(state.herder.plugins(), move |plugins| shown(plugins, connectors_only)).await;
    Ok(Json(shown.map_err(HerderError::from)?))
}

fn shown(plugins: &Plugins, connectors_only: bool) -> Vec<Value> {
    let shown = plugins.all().iter().filter(|plugin| match plugin.kind() {
        PluginKind::Sink | PluginKind::Source => true,
        PluginKind::ConfigProvider => false,
        _ => !connectors_only,
    });
    shown
        .map(|plugin| json!({ "class": plugin.class, "type": plugin.kind().to_string(), "version": plugin.version }))
        .collect()
}

/// `GET /connector-plugins/{plugin}/config` (KIP-769), with `?version=` (KIP-891)
pub(crate) async fn definitions(
    State(state): State<RestState>,
    Path(name): Path<String>,
    query: QueryParams,
) -> RestResult<Json<Vec<ConfigKeyInfo>>> {
    let wanted = name.clone();
    let plugin = searched(state.herder.plugins(), move |plugins| plugins.find_any(&wanted).cloned()).await;
    let plugin = plugin.map_err(HerderError::from)?;
    let plugin = plugin.ok_or_else(|| HerderError::NotFound(format!("Unknown plugin {name}.")))?;
    if plugin.kind() == PluginKind::ConfigProvider {
        return Err(HerderError::BadRequest(format!(
            "Invalid plugin class {name}. Valid types are sink, source, converter, header_converter, transformation, \
             predicate."
        ))
        .into());
    }
    let plugins = state.herder.plugins();
    if let Some(spec) = query.first("version") {
        let malformed = |_| HerderError::BadRequest(format!("Invalid version specification: {}", spec.trim()));
        let range = VersionRange::parse(spec.trim()).map_err(malformed)?;
        let Some(plugin) = plugins.of_version(&plugin, &range) else {
            return Err(HerderError::BadRequest(no_such_version(plugins, &plugin.class, &range)).into());
        };
        return Ok(Json(plugin_definitions(plugins, plugin)));
    }
    Ok(Json(plugin_definitions(plugins, &plugin)))
}

/// `PUT /connector-plugins/{type}/config/validate`
pub(crate) async fn validate(
    State(state): State<RestState>,
    Path(class): Path<String>,
    body: JsonBody,
) -> RestResult<Json<ConfigInfos>> {
    let config = body.into_config("connectorConfig").await?;
    if let Some(included) = config.values.get("connector.class")
        && !without_suffix(included).ends_with(without_suffix(&class))
    {
        return Err(HerderError::BadRequest(format!(
            "Included connector type {included} does not match request type {class}"
        ))
        .into());
    }
    Ok(Json(state.herder.validate(&config).await.map_err(validation_failure)?))
}

fn without_suffix(class: &str) -> &str {
    class.strip_suffix("Connector").unwrap_or(class)
}
