//! `/connectors` and what stands under a connector, but for its tasks and offsets.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::error::{RestError, RestResult};
use super::json_body::{JsonBody, check_members};
use super::location::connector_location;
use super::query::QueryParams;
use super::state::RestState;
use crate::herder::{ConnectorInfo, ConnectorStateInfo, Created, HerderError};
use crate::json_config::GivenConfig;
use crate::storage::{RestartRequest, TargetState};

const CREATE_REQUEST: &str = "org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest";

/// `GET /connectors`
pub(super) async fn list(State(state): State<RestState>, query: QueryParams) -> RestResult<Response> {
    let names = state.herder.connectors().await?;
    let expansions: Vec<&str> = query.all("expand").collect();
    if expansions.is_empty() {
        return Ok(Json(names).into_response());
    }
    let mut expanded = Map::new();
    for name in names {
        let mut entry = Map::new();
        if expansions.contains(&"status") {
            // One that is gone meanwhile, or has no status yet, is left out.
            let Ok(status) = state.herder.connector_status(&name).await else { continue };
            entry.insert("status".into(), json!(status));
        }
        if expansions.contains(&"info") {
            let Ok(info) = state.herder.connector_info(&name).await else { continue };
            entry.insert("info".into(), json!(info));
        }
        expanded.insert(name, Value::Object(entry));
    }
    Ok(Json(expanded).into_response())
}

/// `POST /connectors`
pub(super) async fn create(State(state): State<RestState>, headers: HeaderMap, body: JsonBody) -> RestResult<Response> {
    let mut members = body.into_object(CREATE_REQUEST)?;
    check_members(&members, &["name", "config", "initial_state"], CREATE_REQUEST)?;
    let name = match members.get("name") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(name)) => name.trim().to_owned(),
        Some(other) if !other.is_array() && !other.is_object() => other.to_string(),
        Some(_) => {
            return Err(RestError::body("Cannot deserialize value of type `java.lang.String` for member \"name\""));
        }
    };
    let initial_state = initial_state(members.get("initial_state"))?;
    let config = match members.remove("config") {
        Some(Value::Object(config)) => GivenConfig::from_json(config).map_err(RestError::body)?,
        None | Some(Value::Null) => {
            return Err(RestError::body(
                "Cannot invoke \"java.util.Map.containsKey(Object)\" because \"config\" is null",
            ));
        }
        Some(_) => {
            let message =
                "Cannot deserialize value of type `java.util.LinkedHashMap<java.lang.String,java.lang.String>`";
            return Err(RestError::body(format!("{message} for member \"config\"")));
        }
    };
    let config = named(config, &name)?;
    let created = state.herder.put_connector(&name, config, initial_state, false).await?;
    Ok(answer(&state, &headers, created))
}

fn initial_state(member: Option<&Value>) -> RestResult<Option<TargetState>> {
    let unknown = |text: &str| {
        RestError::body(format!(
            "Cannot construct instance of `{CREATE_REQUEST}$InitialState`, problem: No enum constant \
             {CREATE_REQUEST}.InitialState.{text}"
        ))
    };
    match member {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            TargetState::from_request(text).map(Some).ok_or_else(|| unknown(&text.to_uppercase()))
        }
        Some(other) => Err(unknown(&other.to_string())),
    }
}

/// The configuration with the name that the request gave.
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

fn answer(state: &RestState, headers: &HeaderMap, created: Created) -> Response {
    if !created.is_new {
        return Json(created.info).into_response();
    }
    let location = connector_location(headers, &state.herder.worker_id(), &created.info.name);
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(created.info)).into_response()
}

/// `GET /connectors/{name}`
pub(super) async fn info(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<ConnectorInfo>> {
    Ok(Json(state.herder.connector_info(&name).await?))
}

/// `GET /connectors/{name}/config`
pub(super) async fn config(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<Value>> {
    let config = state.herder.connector_info(&name).await?.config;
    Ok(Json(Value::Object(config.into_iter().map(|(key, value)| (key, Value::String(value))).collect())))
}

/// `PUT /connectors/{name}/config`
pub(super) async fn put_config(
    State(state): State<RestState>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> RestResult<Response> {
    let config = named(body.into_config()?, &name)?;
    let created = state.herder.put_connector(&name, config, None, true).await?;
    Ok(answer(&state, &headers, created))
}

/// `PATCH /connectors/{name}/config` (KIP-477)
pub(super) async fn patch_config(
    State(state): State<RestState>,
    Path(name): Path<String>,
    body: JsonBody,
) -> RestResult<Json<ConnectorInfo>> {
    Ok(Json(state.herder.patch_connector(&name, body.into_config()?).await?))
}

/// `DELETE /connectors/{name}`
pub(super) async fn delete(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<StatusCode> {
    state.herder.delete_connector(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /connectors/{name}/status`
pub(super) async fn status(
    State(state): State<RestState>,
    Path(name): Path<String>,
) -> RestResult<Json<ConnectorStateInfo>> {
    Ok(Json(state.herder.connector_status(&name).await?))
}

/// `PUT /connectors/{name}/pause`
pub(super) async fn pause(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<StatusCode> {
    state.herder.set_target_state(&name, TargetState::Paused).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `PUT /connectors/{name}/resume`
pub(super) async fn resume(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<StatusCode> {
    state.herder.set_target_state(&name, TargetState::Started).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `PUT /connectors/{name}/stop` (KIP-875)
pub(super) async fn stop(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<StatusCode> {
    state.herder.set_target_state(&name, TargetState::Stopped).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /connectors/{name}/restart` (KIP-745)
pub(super) async fn restart(
    State(state): State<RestState>,
    Path(name): Path<String>,
    query: QueryParams,
) -> RestResult<Response> {
    let (only_failed, include_tasks) = (query.flag("onlyFailed", false), query.flag("includeTasks", false));
    if !only_failed && !include_tasks {
        state.herder.restart_connector(&name).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let request = RestartRequest { connector: name, only_failed, include_tasks };
    Ok((StatusCode::ACCEPTED, Json(state.herder.restart(request).await?)).into_response())
}

/// `GET /connectors/{name}/topics` (KIP-558)
pub(super) async fn topics(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<Value>> {
    let topics = state.herder.active_topics(&name).await?;
    Ok(Json(json!({ name: { "topics": topics } })))
}

/// `PUT /connectors/{name}/topics/reset` (KIP-558)
pub(super) async fn reset_topics(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<StatusCode> {
    state.herder.reset_active_topics(&name).await?;
    Ok(StatusCode::ACCEPTED)
}
