//! The document.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::operations::OPERATIONS;
use super::schemas::schemas;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi().to_string());

/// `GET /openapi.json`
pub(in crate::rest) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// The document as JSON.
pub(super) fn openapi() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = operation.to_json();
    }
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Kafka Connect REST API, by Volley",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The REST API of Kafka Connect 4.3, and what Volley adds under /volley. Where \
                            rest.extension.classes asks for users, requests need basic authentication.",
            "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": { "basic": { "type": "http", "scheme": "basic" } },
        },
        "security": [{}, { "basic": [] }],
    })
}
