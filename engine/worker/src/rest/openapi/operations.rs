//! All operations.

use super::operation::ParameterKind::{AnyOf, Boolean, OneOf, Text};
use super::operation::Shape::{ListOf, Names, Object, Of, PlainText};
use super::operation::{Operation, Parameter, Shape};

const CONNECTORS: &str = "Connectors";
const TASKS: &str = "Tasks";
const OFFSETS: &str = "Offsets";
const PLUGINS: &str = "Plug-ins";
const LOGGERS: &str = "Loggers";
const WORKER: &str = "Worker";
const INTERNAL: &str = "Between workers";

const FORWARD: Parameter = Parameter {
    name: "forward",
    description: "Whether a worker that is not the one to do it asks the one that is. For workers; false turns it off.",
    kind: Boolean(true),
};

const EXPAND: Parameter = Parameter {
    name: "expand",
    description: "Shows more than the names: an object with status, info or both of each connector. Repeated for both.",
    kind: AnyOf(&["status", "info"]),
};

const RESTART: &[Parameter] = &[
    Parameter { name: "includeTasks", description: "Restarts tasks too.", kind: Boolean(false) },
    Parameter { name: "onlyFailed", description: "Restarts only what is FAILED.", kind: Boolean(false) },
    FORWARD,
];

const CONNECTORS_ONLY: Parameter =
    Parameter { name: "connectorsOnly", description: "Whether only connectors are listed.", kind: Boolean(true) };

const VERSION: Parameter =
    Parameter { name: "version", description: "A version, or a range of versions as Maven writes it.", kind: Text };

const SCOPE: Parameter = Parameter {
    name: "scope",
    description: "This worker only, or all workers of the group.",
    kind: OneOf(&["worker", "cluster"]),
};

const NO_CONTENT: &[(u16, &str, Option<Shape>)] = &[(204, "Done.", None)];
const ACCEPTED: &[(u16, &str, Option<Shape>)] = &[(202, "It is known; it takes effect soon.", None)];

const fn get(path: &'static str, id: &'static str, tag: &'static str, summary: &'static str) -> Operation {
    Operation { method: "get", path, id, tag, summary, query: &[], body: None, answers: &[], errors: &[] }
}

const fn change(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
) -> Operation {
    Operation { method, query: &[FORWARD], answers: NO_CONTENT, errors: &[404, 409], ..get(path, id, tag, summary) }
}

/// All operations, those of a path together.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        answers: &[(200, "Versions.", Some(Of("ServerInfo")))],
        ..get("/", "getServerInfo", WORKER, "Versions, and the cluster that the worker works for")
    },
    Operation {
        answers: &[
            (200, "Ready for requests.", Some(Of("WorkerStatus"))),
            (503, "Still starting.", Some(Of("WorkerStatus"))),
            (500, "It was ready, and does not answer now.", Some(Of("WorkerStatus"))),
        ],
        ..get("/health", "getHealth", WORKER, "Whether the worker is ready for requests")
    },
    Operation {
        answers: &[(200, "An OpenAPI document.", Some(Object))],
        ..get("/openapi.json", "getOpenApi", WORKER, "This document")
    },
    Operation {
        query: &[EXPAND],
        answers: &[(200, "Names, or with `expand` an object with an entry for each.", Some(Of("Connectors")))],
        ..get("/connectors", "listConnectors", CONNECTORS, "All connectors")
    },
    Operation {
        body: Some(Of("CreateConnectorRequest")),
        answers: &[(201, "Created.", Some(Of("ConnectorInfo")))],
        errors: &[400, 409, 415],
        ..change("post", "/connectors", "createConnector", CONNECTORS, "Create a connector")
    },
    Operation {
        answers: &[(200, "The connector.", Some(Of("ConnectorInfo")))],
        errors: &[404, 409],
        ..get("/connectors/{name}", "getConnector", CONNECTORS, "A connector, its configuration and its tasks")
    },
    change("delete", "/connectors/{name}", "deleteConnector", CONNECTORS, "Delete a connector; its offsets stay"),
    Operation {
        answers: &[(
            200,
            "The configuration; secrets as [hidden] where volley.rest.secrets says so.",
            Some(Of("Config")),
        )],
        errors: &[404, 409],
        ..get("/connectors/{name}/config", "getConnectorConfig", CONNECTORS, "The configuration of a connector")
    },
    Operation {
        body: Some(Of("Config")),
        answers: &[(200, "Replaced.", Some(Of("ConnectorInfo"))), (201, "Created.", Some(Of("ConnectorInfo")))],
        errors: &[400, 409, 415],
        ..change(
            "put",
            "/connectors/{name}/config",
            "putConnectorConfig",
            CONNECTORS,
            "Create a connector, or replace its configuration",
        )
    },
    Operation {
        body: Some(Of("ConfigPatch")),
        answers: &[(200, "Changed.", Some(Of("ConnectorInfo")))],
        errors: &[400, 404, 409, 415],
        ..change(
            "patch",
            "/connectors/{name}/config",
            "patchConnectorConfig",
            CONNECTORS,
            "Change keys of a configuration; null removes one",
        )
    },
    Operation {
        answers: &[(200, "The states.", Some(Of("ConnectorStateInfo")))],
        errors: &[404],
        ..get("/connectors/{name}/status", "getConnectorStatus", CONNECTORS, "States of a connector and its tasks")
    },
    Operation {
        query: &[],
        answers: ACCEPTED,
        errors: &[404],
        ..change("put", "/connectors/{name}/pause", "pauseConnector", CONNECTORS, "Pause a connector and its tasks")
    },
    Operation {
        query: &[],
        answers: ACCEPTED,
        errors: &[404],
        ..change(
            "put",
            "/connectors/{name}/resume",
            "resumeConnector",
            CONNECTORS,
            "Resume a paused or stopped connector",
        )
    },
    change(
        "put",
        "/connectors/{name}/stop",
        "stopConnector",
        CONNECTORS,
        "Stop a connector: its tasks are given up, its configuration stays",
    ),
    Operation {
        query: RESTART,
        answers: &[
            (204, "The connector's own instance has started again.", None),
            (202, "With a parameter: what is being restarted is RESTARTING.", Some(Of("ConnectorStateInfo"))),
        ],
        ..change(
            "post",
            "/connectors/{name}/restart",
            "restartConnector",
            CONNECTORS,
            "Restart a connector, with its tasks or without",
        )
    },
    Operation {
        answers: &[(200, "The topics, under the connector's name.", Some(Of("ActiveTopics")))],
        errors: &[403],
        ..get("/connectors/{name}/topics", "getConnectorTopics", CONNECTORS, "Topics that a connector has used")
    },
    Operation {
        query: &[],
        answers: ACCEPTED,
        errors: &[403],
        ..change(
            "put",
            "/connectors/{name}/topics/reset",
            "resetConnectorTopics",
            CONNECTORS,
            "Forget the topics that a connector has used",
        )
    },
    Operation {
        answers: &[(200, "The tasks.", Some(ListOf("TaskInfo")))],
        errors: &[404, 409],
        ..get("/connectors/{name}/tasks", "getTasks", TASKS, "Tasks of a connector and their configurations")
    },
    Operation {
        body: Some(ListOf("Config")),
        errors: &[400, 403, 404, 409, 503],
        ..change(
            "post",
            "/connectors/{name}/tasks",
            "putTaskConfigs",
            INTERNAL,
            "Task configurations that a connector made, to the leader; signed",
        )
    },
    Operation {
        errors: &[400, 403, 404, 409, 503],
        ..change(
            "put",
            "/connectors/{name}/fence",
            "fenceZombies",
            INTERNAL,
            "Fence the producers of an exactly-once source, to the leader; signed",
        )
    },
    Operation {
        answers: &[(200, "The state.", Some(Of("TaskState")))],
        errors: &[404],
        ..get("/connectors/{name}/tasks/{task}/status", "getTaskStatus", TASKS, "State of a task")
    },
    change("post", "/connectors/{name}/tasks/{task}/restart", "restartTask", TASKS, "Restart a task"),
    Operation {
        answers: &[(200, "The offsets.", Some(Of("ConnectorOffsets")))],
        errors: &[404],
        ..get("/connectors/{name}/offsets", "getOffsets", OFFSETS, "Offsets of a connector")
    },
    Operation {
        body: Some(Of("ConnectorOffsets")),
        answers: &[(200, "Changed.", Some(Of("Message")))],
        errors: &[400, 404, 409, 415],
        ..change(
            "patch",
            "/connectors/{name}/offsets",
            "alterOffsets",
            OFFSETS,
            "Change offsets of a stopped connector; null forgets one",
        )
    },
    Operation {
        answers: &[(200, "Forgotten.", Some(Of("Message")))],
        errors: &[400, 404, 409],
        ..change(
            "delete",
            "/connectors/{name}/offsets",
            "resetOffsets",
            OFFSETS,
            "Forget all offsets of a stopped connector",
        )
    },
    Operation {
        query: &[CONNECTORS_ONLY],
        answers: &[(200, "The plug-ins.", Some(ListOf("PluginInfo")))],
        ..get("/connector-plugins", "listPlugins", PLUGINS, "Plug-ins of this worker")
    },
    Operation {
        query: &[VERSION],
        answers: &[(200, "The keys.", Some(ListOf("ConfigKeyInfo")))],
        errors: &[400, 404],
        ..get("/connector-plugins/{plugin}/config", "getPluginConfig", PLUGINS, "Configuration keys of a plug-in")
    },
    Operation {
        query: &[],
        body: Some(Of("Config")),
        answers: &[(200, "What is wrong with each key, if anything.", Some(Of("ConfigInfos")))],
        errors: &[400, 415],
        ..change(
            "put",
            "/connector-plugins/{plugin}/config/validate",
            "validateConfig",
            PLUGINS,
            "Validate a connector's configuration",
        )
    },
    Operation {
        answers: &[(
            200,
            "Counters and rates of the tasks, wherever in the group they run, rejected records by stage, who did not say what \
             his tasks have done, and the completion. Volley's own.",
            Some(Object),
        )],
        errors: &[404],
        ..get("/volley/connectors/{name}/progress", "getProgress", CONNECTORS, "What a connector has done so far")
    },
    Operation {
        answers: &[(200, "Metrics of this worker, in Prometheus' text format 0.0.4. Volley's own.", Some(PlainText))],
        ..get("/metrics", "getMetrics", WORKER, "Metrics of the worker and its tasks")
    },
    Operation {
        answers: &[(200, "Loggers, by name.", Some(Of("Loggers")))],
        ..get("/admin/loggers", "listLoggers", LOGGERS, "Loggers that have a level of their own")
    },
    Operation {
        answers: &[(200, "The level.", Some(Of("LoggerLevel")))],
        errors: &[404],
        ..get("/admin/loggers/{logger}", "getLogger", LOGGERS, "Level of a logger")
    },
    Operation {
        query: &[SCOPE],
        body: Some(Of("LevelRequest")),
        answers: &[
            (200, "Loggers of this worker whose level has changed.", Some(Names)),
            (204, "With scope=cluster: all workers are told.", None),
        ],
        errors: &[400, 404, 415],
        ..change(
            "put",
            "/admin/loggers/{logger}",
            "putLogger",
            LOGGERS,
            "Give a logger, and all whose names begin with its name, a level",
        )
    },
];
