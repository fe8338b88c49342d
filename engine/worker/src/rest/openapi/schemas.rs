//! The schemas of bodies.

use serde_json::{Value, json};

/// All schemas, by name.
pub(super) fn schemas() -> Value {
    let mut all = json!({});
    for part in [worker(), connectors(), states(), plugins(), loggers()] {
        if let (Value::Object(all), Value::Object(part)) = (&mut all, part) {
            all.extend(part);
        }
    }
    all
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

fn nullable(mut schema: Value) -> Value {
    schema["nullable"] = true.into();
    schema
}

fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn map(values: Value) -> Value {
    json!({ "type": "object", "additionalProperties": values })
}

fn object(required: &[&str], properties: Value) -> Value {
    match required.is_empty() {
        true => json!({ "type": "object", "properties": properties }),
        false => json!({ "type": "object", "required": required, "properties": properties }),
    }
}

fn worker() -> Value {
    json!({
        "ErrorMessage": object(
            &["error_code", "message"],
            json!({ "error_code": { "type": "integer" }, "message": nullable(text()) }),
        ),
        "Message": object(&["message"], json!({ "message": text() })),
        "ServerInfo": object(
            &["version", "commit", "kafka_cluster_id"],
            json!({ "version": text(), "commit": text(), "kafka_cluster_id": text() }),
        ),
        "WorkerStatus": object(
            &["status", "message"],
            json!({ "status": one_of(&["healthy", "starting", "unhealthy"]), "message": text() }),
        ),
    })
}

fn connectors() -> Value {
    let kind = one_of(&["source", "sink", "unknown"]);
    let any = json!({ "type": "object", "nullable": true });
    json!({
        "Config": map(text()),
        "ConfigPatch": map(nullable(text())),
        "CreateConnectorRequest": object(
            &["name", "config"],
            json!({
                "name": text(),
                "config": of("Config"),
                "initial_state": nullable(one_of(&["RUNNING", "PAUSED", "STOPPED"])),
            }),
        ),
        "Connectors": { "oneOf": [list(text()), map(of("ExpandedConnector"))] },
        "ExpandedConnector": object(&[], json!({ "status": of("ConnectorStateInfo"), "info": of("ConnectorInfo") })),
        "ConnectorInfo": object(
            &["name", "config", "tasks", "type"],
            json!({ "name": text(), "config": of("Config"), "tasks": list(of("TaskId")), "type": kind }),
        ),
        "TaskId": object(&["connector", "task"], json!({ "connector": text(), "task": { "type": "integer" } })),
        "TaskInfo": object(&["id", "config"], json!({ "id": of("TaskId"), "config": of("Config") })),
        "ActiveTopics": map(object(&["topics"], json!({ "topics": list(text()) }))),
        "ConnectorOffsets": object(&["offsets"], json!({ "offsets": list(of("ConnectorOffset")) })),
        "ConnectorOffset": object(&["partition", "offset"], json!({ "partition": any, "offset": any })),
    })
}

fn states() -> Value {
    let task_states = ["UNASSIGNED", "RUNNING", "PAUSED", "FAILED", "RESTARTING"];
    let connector_states = [&task_states[..], &["STOPPED"]].concat();
    let version = nullable(text());
    json!({
        "ConnectorStateInfo": object(
            &["name", "connector", "tasks", "type"],
            json!({
                "name": text(),
                "connector": of("ConnectorState"),
                "tasks": list(of("TaskState")),
                "type": one_of(&["source", "sink", "unknown"]),
                "completion": { "type": "object", "description": "Of a bounded connector that is done. Volley's own." },
            }),
        ),
        "ConnectorState": object(
            &["state", "worker_id"],
            json!({ "state": one_of(&connector_states), "worker_id": text(), "trace": text(), "version": version }),
        ),
        "TaskState": object(
            &["id", "state", "worker_id"],
            json!({
                "id": { "type": "integer" },
                "state": one_of(&task_states),
                "worker_id": text(),
                "trace": text(),
                "version": version,
            }),
        ),
    })
}

fn plugins() -> Value {
    let kinds = ["sink", "source", "transformation", "predicate", "converter", "header_converter"];
    let types = ["BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"];
    json!({
        "PluginInfo": object(
            &["class", "type"],
            json!({ "class": text(), "type": one_of(&kinds), "version": nullable(text()) }),
        ),
        "ConfigInfos": object(
            &["name", "error_count", "groups", "configs"],
            json!({
                "name": text(),
                "error_count": { "type": "integer" },
                "groups": list(text()),
                "configs": list(of("ConfigInfo")),
            }),
        ),
        "ConfigInfo": object(
            &[],
            json!({ "definition": of("ConfigKeyInfo"), "value": of("ConfigValueInfo") }),
        ),
        "ConfigKeyInfo": {
            "type": "object",
            "nullable": true,
            "properties": {
                "name": text(),
                "type": one_of(&types),
                "required": { "type": "boolean" },
                "default_value": nullable(text()),
                "importance": one_of(&["HIGH", "MEDIUM", "LOW"]),
                "documentation": text(),
                "group": nullable(text()),
                "order_in_group": { "type": "integer" },
                "width": one_of(&["NONE", "SHORT", "MEDIUM", "LONG"]),
                "display_name": text(),
                "dependents": list(text()),
            },
        },
        "ConfigValueInfo": {
            "type": "object",
            "nullable": true,
            "properties": {
                "name": text(),
                "value": nullable(text()),
                "recommended_values": list(text()),
                "errors": list(text()),
                "visible": { "type": "boolean" },
            },
        },
    })
}

fn loggers() -> Value {
    let levels = ["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"];
    json!({
        "Loggers": map(of("LoggerLevel")),
        "LoggerLevel": object(
            &["level", "last_modified"],
            json!({
                "level": one_of(&levels),
                "last_modified": { "type": "integer", "format": "int64", "nullable": true },
            }),
        ),
        "LevelRequest": object(&["level"], json!({ "level": one_of(&levels) })),
    })
}
