//! `/connectors/{name}/offsets` (KIP-875)

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};

use super::error::{RestError, RestResult};
use super::json_body::{JsonBody, check_members};
use super::state::RestState;
use crate::herder::{ConnectorOffset, ConnectorOffsets, HerderError};

const OFFSETS: &str = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffsets";
const OFFSET: &str = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffset";

/// `GET /connectors/{name}/offsets`
pub(super) async fn list(
    State(state): State<RestState>,
    Path(name): Path<String>,
) -> RestResult<Json<ConnectorOffsets>> {
    Ok(Json(state.herder.offsets(&name).await?))
}

/// `PATCH /connectors/{name}/offsets`
pub(super) async fn alter(
    State(state): State<RestState>,
    Path(name): Path<String>,
    body: JsonBody,
) -> RestResult<Json<Value>> {
    let mut members = body.into_object(OFFSETS)?;
    check_members(&members, &["offsets"], OFFSETS)?;
    let offsets = match members.remove("offsets") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(entries)) => entries.into_iter().map(parse_entry).collect::<RestResult<_>>()?,
        Some(_) => {
            return Err(RestError::body(format!("Cannot deserialize value of type `java.util.ArrayList<{OFFSET}>`")));
        }
    };
    if offsets.is_empty() {
        let message = "Partitions / offsets need to be provided for an alter offsets request";
        return Err(HerderError::BadRequest(message.into()).into());
    }
    let message = state.herder.alter_offsets(&name, offsets).await?;
    Ok(Json(json!({ "message": message })))
}

/// `DELETE /connectors/{name}/offsets`
pub(super) async fn reset(State(state): State<RestState>, Path(name): Path<String>) -> RestResult<Json<Value>> {
    let message = state.herder.reset_offsets(&name).await?;
    Ok(Json(json!({ "message": message })))
}

fn parse_entry(entry: Value) -> RestResult<ConnectorOffset> {
    let mut members = JsonBody(entry).into_object(OFFSET)?;
    check_members(&members, &["partition", "offset"], OFFSET)?;
    let mut object = |member: &str| -> RestResult<Option<Map<String, Value>>> {
        match members.remove(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => {
                let class = "java.util.LinkedHashMap<java.lang.String,java.lang.Object>";
                Err(RestError::body(format!("Cannot deserialize value of type `{class}` for member \"{member}\"")))
            }
        }
    };
    Ok(ConnectorOffset { partition: object("partition")?, offset: object("offset")? })
}
