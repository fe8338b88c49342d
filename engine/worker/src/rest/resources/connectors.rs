//! `/connectors` and its sub-resources, except for tasks and offsets.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::error::HerderError;
use crate::herder::{ConnectorInfo, ConnectorStateInfo, Created, patched};
use crate::json_config::GivenConfig;
use crate::rest::error::{RestError, RestResult};
use crate::rest::json::json_body::{JsonBody, string_map};
use crate::rest::resources::create_request::CreateRequest;
use crate::rest::resources::forwarding::{Forwarding, Outcome};
use crate::rest::resources::location::BaseUrl;
use crate::rest::resources::query::QueryParams;
use crate::rest::state::RestState;
use crate::secret_mask::{has_hidden, restore_secrets};
use crate::storage::{RestartRequest, TargetState};

/// `GET /connectors`
pub(crate) async fn list(State(state): State<RestState>, query: QueryParams) -> RestResult<Response> {
    let names = state.herder.connectors().await?;
    let expansions: Vec<&str> = query.all("expand").collect();
    if expansions.is_empty() {
        return Ok(Json(names).into_response());
    }
    let mut expanded = Expansions(Vec::with_capacity(names.len()));
    for name in names {
        let mut entry = Expanded::default();
        if expansions.contains(&"status") {
            // A connector that was deleted meanwhile, or has no status yet, is left out.
            let Ok(status) = state.herder.connector_status(&name).await else { continue };
            entry.status = Some(status);
        }
        if expansions.contains(&"info") {
            let Ok(info) = state.shown_connector(&name).await else { continue };
            entry.info = Some(info);
        }
        expanded.0.push((name, entry));
    }
    Ok(Json(expanded).into_response())
}

/// The expansions of `GET /connectors?expand=…` for each connector.
#[derive(Debug)]
struct Expansions(Vec<(String, Expanded)>);

impl Serialize for Expansions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, entry)| (name, entry)))
    }
}

#[derive(Debug, Default, Serialize)]
struct Expanded {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<ConnectorStateInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<ConnectorInfo>,
}

/// `POST /connectors`
pub(crate) async fn create(
    State(state): State<RestState>,
    base: BaseUrl,
    forwarding: Forwarding,
    body: JsonBody,
) -> RestResult<Response> {
    let CreateRequest { name, config, initial_state } = CreateRequest::parse(&body).await?;
    let config = restored(&state, &name, named(config, &name)?).await?;
    let mut forwarded = json!({ "name": name, "config": to_json(&config) });
    if let Some(initial_state) = initial_state {
        forwarded["initial_state"] = json!(initial_state.request_name());
    }
    let outcome = state.herder.put_connector(&name, config, initial_state, false).await;
    let answered = forwarding.complete(&state, outcome, Some(forwarded.to_string().into())).await?;
    Ok(answer(&state, &base, &name, answered))
}

/// The configuration with the name from the request.
fn named(mut config: GivenConfig, name: &str) -> RestResult<GivenConfig> {
    match config.values.get("name") {
        Some(own) if own != name => Err(HerderError::BadRequest(format!(
            "Connector name configuration ({own}) doesn't match connector name in the URL ({name})"
        ))
        .into()),
        _ => {
            config.nulls.retain(|key| key != "name");
            config.values.insert("name".into(), name.to_owned());
            Ok(config)
        }
    }
}

fn to_json(config: &GivenConfig) -> Value {
    let values = config.values.iter().map(|(key, value)| (key.clone(), Value::String(value.clone())));
    let nulls = config.nulls.iter().map(|key| (key.clone(), Value::Null));
    Value::Object(values.chain(nulls).collect())
}

fn answer(state: &RestState, base: &BaseUrl, name: &str, answered: Outcome<Created>) -> Response {
    let (is_new, info) = match answered {
        Outcome::Local(created) => (created.is_new, json!(state.shown(created.info))),
        Outcome::Forwarded(relayed) => {
            (relayed.status == StatusCode::CREATED.as_u16(), state.shown_relayed(relayed.body))
        }
    };
    match is_new {
        true => (StatusCode::CREATED, [(header::LOCATION, base.connector(name))], Json(info)).into_response(),
        false => Json(info).into_response(),
    }
}

/// Restores secrets in a configuration: where the user sent back `[hidden]`, it becomes the stored secret. This worker
/// does it before forwarding, since the leader may be a worker that takes the word for the secret.
async fn restored(state: &RestState, name: &str, mut given: GivenConfig) -> RestResult<GivenConfig> {
    if has_hidden(&given.values) {
        let stored = state.herder.stored_config(name).await?;
        restore_secrets(&mut given.values, stored.as_ref(), state.herder.plugins())?;
    }
    Ok(given)
}

/// The same for a patch. The connector's classes define which keys are secrets, and a patch need not name the classes.
async fn restored_patch(state: &RestState, name: &str, mut patch: GivenConfig) -> RestResult<GivenConfig> {
    if !has_hidden(&patch.values) {
        return Ok(patch);
    }
    // If the connector does not exist, the worker that applies the patch says so.
    let Some(stored) = state.herder.stored_config(name).await? else { return Ok(patch) };
    let mut whole = patched(stored.clone().into(), patch.clone()).values;
    restore_secrets(&mut whole, Some(&stored), state.herder.plugins())?;
    for (key, value) in &mut patch.values {
        if let Some(meant) = whole.get(key) {
            value.clone_from(meant);
        }
    }
    Ok(patch)
}

/// `GET /connectors/{name}`
pub(crate) async fn info(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<ConnectorInfo>> {
    Ok(Json(state.shown_connector(&name).await?))
}

/// `GET /connectors/{name}/config`
pub(crate) async fn config(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<Value>> {
    Ok(Json(to_json(&state.shown_connector(&name).await?.config)))
}

/// `PUT /connectors/{name}/config`
pub(crate) async fn put_config(
    State(state): State<RestState>,
    Path(name): Path<String>,
    base: BaseUrl,
    forwarding: Forwarding,
    body: JsonBody,
) -> RestResult<Response> {
    let config = restored(&state, &name, named(body.into_config("connectorConfig").await?, &name)?).await?;
    let forwarded = to_json(&config).to_string().into();
    let outcome = state.herder.put_connector(&name, config, None, true).await;
    let answered = forwarding.complete(&state, outcome, Some(forwarded)).await?;
    Ok(answer(&state, &base, &name, answered))
}

/// `PATCH /connectors/{name}/config` (KIP-477)
pub(crate) async fn patch_config(
    State(state): State<RestState>,
    Path(name): Path<String>,
    forwarding: Forwarding,
    body: JsonBody,
) -> RestResult<Json<Value>> {
    let patch = match body.read("java.util.Map", string_map).await? {
        Some(patch) => patch,
        None => {
            // A missing connector is reported before a missing patch.
            state.herder.connector_info(&name).await?;
            let message =
                "Cannot invoke \"java.util.Map.forEach(java.util.function.BiConsumer)\" because \"patch\" is null";
            return Err(RestError::internal(message));
        }
    };
    let patch = restored_patch(&state, &name, patch).await?;
    let forwarded = to_json(&patch).to_string().into();
    let outcome = state.herder.patch_connector(&name, patch).await;
    Ok(Json(match forwarding.complete(&state, outcome, Some(forwarded)).await? {
        Outcome::Local(info) => json!(state.shown(info)),
        Outcome::Forwarded(relayed) => state.shown_relayed(relayed.body),
    }))
}

/// `DELETE /connectors/{name}`
pub(crate) async fn delete(
    State(state): State<RestState>,
    Path(name): Path<String>,
    forwarding: Forwarding,
) -> RestResult<StatusCode> {
    let outcome = state.herder.delete_connector(&name).await;
    forwarding.complete(&state, outcome, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /connectors/{name}/status`
pub(crate) async fn status(
    State(state): State<RestState>,
    Path(name): Path<String>,
) -> RestResult<Json<ConnectorStateInfo>> {
    Ok(Json(state.herder.connector_status(&name).await?))
}

/// `PUT /connectors/{name}/pause`
pub(crate) async fn pause(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<StatusCode> {
    state.herder.set_target_state(&name, TargetState::Paused).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `PUT /connectors/{name}/resume`
pub(crate) async fn resume(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<StatusCode> {
    state.herder.set_target_state(&name, TargetState::Started).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `PUT /connectors/{name}/stop` (KIP-875)
pub(crate) async fn stop(
    State(state): State<RestState>,
    Path(name): Path<String>,
    forwarding: Forwarding,
) -> RestResult<StatusCode> {
    let outcome = state.herder.set_target_state(&name, TargetState::Stopped).await;
    forwarding.complete(&state, outcome, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /connectors/{name}/restart` (KIP-745)
pub(crate) async fn restart(
    State(state): State<RestState>,
    Path(name): Path<String>,
    query: QueryParams,
    forwarding: Forwarding,
) -> RestResult<Response> {
    let (only_failed, include_tasks) = (query.flag("onlyFailed", false), query.flag("includeTasks", false));
    if !only_failed && !include_tasks {
        let outcome = state.herder.restart_connector(&name).await;
        forwarding.complete(&state, outcome, None).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let outcome = state.herder.restart(RestartRequest { connector: name, only_failed, include_tasks }).await;
    let states = match forwarding.complete(&state, outcome, None).await? {
        Outcome::Local(states) => json!(states),
        Outcome::Forwarded(relayed) => relayed.body,
    };
    Ok((StatusCode::ACCEPTED, Json(states)).into_response())
}

/// `GET /connectors/{name}/topics` (KIP-558)
pub(crate) async fn topics(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<Value>> {
    let topics = state.herder.active_topics(&name).await?;
    Ok(Json(json!({ name: { "topics": topics } })))
}

/// `PUT /connectors/{name}/topics/reset` (KIP-558)
pub(crate) async fn reset_topics(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<StatusCode> {
    state.herder.reset_active_topics(&name).await?;
    Ok(StatusCode::ACCEPTED)
}
