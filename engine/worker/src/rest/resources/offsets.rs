//! `/connectors/{name}/offsets` (KIP-875)

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::error::HerderError;
use crate::herder::{ConnectorOffset, ConnectorOffsets};
use crate::rest::error::{RestError, RestResult};
use crate::rest::json::json_body::{JsonBody, array, object, object_map};
use crate::rest::json::json_text::{JsonText, Read, Token};
use crate::rest::resources::forwarding::{Forwarding, Outcome};
use crate::rest::state::RestState;

const OFFSETS: &str = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffsets";
const OFFSET_LIST: &str = "java.util.ArrayList<org.apache.kafka.connect.runtime.rest.entities.ConnectorOffset>";
const OFFSET: &str = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffset";

/// `GET /connectors/{name}/offsets`
pub(crate) async fn list(
    State(state): State<RestState>,
    Path(name): Path<String>,
) -> RestResult<Json<ConnectorOffsets>> {
    Ok(Json(state.herder.offsets(&name).await?))
}

/// `PATCH /connectors/{name}/offsets`
pub(crate) async fn alter(
    State(state): State<RestState>,
    Path(name): Path<String>,
    forwarding: Forwarding,
    body: JsonBody,
) -> RestResult<Json<Value>> {
    let offsets = parse(&body).await?;
    if offsets.is_empty() {
        let message = "Partitions / offsets need to be provided for an alter offsets request";
        return Err(HerderError::BadRequest(message.into()).into());
    }
    let outcome = state.herder.alter_offsets(&name, offsets).await;
    Ok(message(forwarding.complete(&state, outcome, Some(body.into_bytes())).await?))
}

/// `DELETE /connectors/{name}/offsets`
pub(crate) async fn reset(
    State(state): State<RestState>,
    Path(name): Path<String>,
    forwarding: Forwarding,
) -> RestResult<Json<Value>> {
    let outcome = state.herder.reset_offsets(&name).await;
    Ok(message(forwarding.complete(&state, outcome, None).await?))
}

fn message(answered: Outcome<String>) -> Json<Value> {
    match answered {
        Outcome::Local(message) => Json(json!({ "message": message })),
        Outcome::Forwarded(relayed) => Json(relayed.body),
    }
}

async fn parse(body: &JsonBody) -> RestResult<Vec<ConnectorOffset>> {
    let read = body.read(OFFSETS, |text, first| {
        let mut offsets = Vec::new();
        object(OFFSETS, &["offsets"], text, first, |_, text, first| {
            offsets = if first == Token::Null { Vec::new() } else { array(OFFSET_LIST, text, first, entry)? };
            Ok(())
        })?;
        Ok(offsets)
    });
    let Some(offsets) = read.await? else {
        return Err(RestError::internal(format!("Cannot invoke \"{OFFSETS}.offsets()\" because \"offsets\" is null")));
    };
    let offsets: Option<Vec<_>> = offsets.into_iter().collect();
    offsets.ok_or_else(|| {
        RestError::internal(format!("Cannot invoke \"{OFFSET}.partition()\" because \"offset\" is null"))
    })
}

fn entry(text: &mut JsonText<'_>, first: Token) -> Read<ConnectorOffset> {
    let (mut partition, mut offset) = (None, None);
    object(OFFSET, &["partition", "offset"], text, first, |member, text, first| {
        let value = if first == Token::Null { None } else { Some(object_map(text, first)?) };
        match member {
            "partition" => partition = value,
            _ => offset = value,
        }
        Ok(())
    })?;
    Ok(ConnectorOffset { partition, offset })
}
