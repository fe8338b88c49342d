//! REST as clients of Kafka Connect see it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::router::router;
use super::state::{RestState, Timeouts};
use crate::cluster_id::ClusterId;
use crate::herder::{Herder, StandaloneHerder};
use crate::loggers::Loggers;
use crate::rest::server::listener::Scheme;
use crate::testing::{eventually, test_herder};

pub(super) struct Client {
    herder: Arc<StandaloneHerder>,
    router: Router,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(super) fn message(&self) -> String {
        let body = self.json();
        assert_eq!(body["error_code"], self.status, "{}", self.text);
        body["message"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn content_type(&self) -> Option<&str> {
        self.headers.get("content-type").map(|value| value.to_str().unwrap())
    }
}

/// All resources, with default settings.
pub(super) fn test_router(herder: Arc<dyn Herder>) -> Router {
    router(test_state(herder), true)
}

pub(super) fn test_state(herder: Arc<dyn Herder>) -> RestState {
    RestState {
        herder,
        peers: Arc::default(),
        scheme: Scheme::Http,
        loggers: Arc::new(Loggers::new(None)),
        cluster_id: ClusterId::known("cluster"),
        settings: Arc::default(),
        timeouts: Timeouts::default(),
    }
}

/// Sends a request to a router.
pub(super) async fn send(
    router: &Router,
    method: &str,
    path: &str,
    body: Option<String>,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.map_or_else(Body::empty, Body::from)).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Answer { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

impl Client {
    fn new() -> Self {
        let herder = test_herder();
        let router = test_router(Arc::clone(&herder) as Arc<dyn Herder>);
        Self { herder, router }
    }

    async fn send(&self, method: &str, path: &str, body: Option<String>, headers: &[(&str, &str)]) -> Answer {
        send(&self.router, method, path, body, headers).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[]).await
    }

    async fn call(&self, method: &str, path: &str) -> Answer {
        self.send(method, path, None, &[]).await
    }

    async fn json(&self, method: &str, path: &str, body: Value) -> Answer {
        self.text(method, path, &body.to_string()).await
    }

    async fn text(&self, method: &str, path: &str, body: &str) -> Answer {
        let headers = [("content-type", "application/json"), ("host", "h:1")];
        self.send(method, path, Some(body.to_owned()), &headers).await
    }

    async fn create(&self, name: &str) -> Answer {
        self.json("POST", "/connectors", json!({ "name": name, "config": { "connector.class": "FakeSource" } })).await
    }

    async fn is_running(&self, name: &str) {
        eventually(&format!("{name} runs"), || async {
            let status = self.get(&format!("/connectors/{name}/status")).await.json();
            status["connector"]["state"] == "RUNNING" && status["tasks"][0]["state"] == "RUNNING"
        })
        .await;
    }
}

#[tokio::test]
async fn root_and_health() {
    let client = Client::new();
    let root = client.get("/").await.json();
    assert_eq!(root["version"], "4.3.0");
    assert_eq!(root["kafka_cluster_id"], "cluster");
    let starting = client.get("/health").await;
    assert_eq!((starting.status, starting.json()["status"].as_str()), (503, Some("starting")));
    client.herder.mark_ready();
    let healthy = client.get("/health/").await;
    assert_eq!((healthy.status, healthy.json()["status"].as_str()), (200, Some("healthy")));
}

#[tokio::test]
async fn a_connector_s_life() {
    let client = Client::new();
    let created = client.create("my orders").await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.headers["location"], "http://h:1/connectors/my%20orders");
    assert_eq!(
        created.json(),
        json!({
            "name": "my orders",
            "config": { "connector.class": "FakeSource", "name": "my orders" },
            "tasks": [{ "connector": "my orders", "task": 0 }],
            "type": "source",
        })
    );
    assert_eq!(client.create("my orders").await.message(), "Connector my orders already exists");
    assert_eq!(client.get("/connectors").await.json(), json!(["my orders"]));
    client.is_running("my%20orders").await;

    let status = client.get("/connectors/my%20orders/status").await.json();
    let running = json!({ "state": "RUNNING", "worker_id": "worker:8083", "version": "1.0" });
    assert_eq!(status["connector"], running);
    assert_eq!(status["type"], "source");
    let expanded = client.get("/connectors?expand=status&expand=info").await.json();
    assert_eq!(expanded["my orders"]["status"], status);
    assert_eq!(expanded["my orders"]["info"]["config"]["name"], "my orders");
    assert_eq!(client.get("/connectors?expand=status,info").await.json(), json!({ "my orders": {} }));

    let tasks = client.get("/connectors/my%20orders/tasks").await.json();
    assert_eq!(tasks[0]["id"], json!({ "connector": "my orders", "task": 0 }));
    assert_eq!(tasks[0]["config"]["task.class"], "org.example.FakeSourceTask");

    for (method, action, expected) in
        [("PUT", "pause", 202), ("PUT", "resume", 202), ("POST", "restart", 204), ("PUT", "stop", 204)]
    {
        let answer = client.call(method, &format!("/connectors/my%20orders/{action}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (expected, ""), "{action}");
    }
    assert_eq!(client.call("DELETE", "/connectors/my%20orders").await.status, 204);
    assert_eq!(client.get("/connectors/my%20orders").await.message(), "Connector my orders not found");
    assert_eq!(client.get("/connectors/my%20orders/status").await.message(), "No status found for connector my orders");
}

#[tokio::test]
async fn configurations_are_replaced_and_patched() {
    let client = Client::new();
    let config = json!({ "connector.class": "FakeSource", "tasks.max": 2, "size": 1 });
    let created = client.json("PUT", "/connectors/a/config", config.clone()).await;
    assert_eq!((created.status, created.headers["location"].to_str().unwrap()), (201, "http://h:1/connectors/a"));
    assert_eq!(client.json("PUT", "/connectors/a/config", config).await.status, 200);
    let patched = client.json("PATCH", "/connectors/a/config", json!({ "size": null, "tasks.max": "3" })).await;
    assert_eq!(patched.status, 200);
    let expected = json!({ "connector.class": "FakeSource", "tasks.max": "3", "name": "a" });
    assert_eq!(client.get("/connectors/a/config").await.json(), expected);
    assert_eq!(client.json("PATCH", "/connectors/a/config", json!({ "tasks.max": "x" })).await.status, 400);
    assert_eq!(client.json("PATCH", "/connectors/b/config", json!({})).await.status, 404);
    let wrong = client.json("PUT", "/connectors/a/config", json!({ "name": "b" })).await;
    assert_eq!(wrong.message(), "Connector name configuration (b) doesn't match connector name in the URL (a)");
    assert_eq!(wrong.status, 400);
    assert_eq!(client.json("PATCH", "/connectors/a/config", json!({ "name": null })).await.status, 400);
}

#[tokio::test]
async fn bad_bodies_are_500_and_bad_content_types_415() {
    let client = Client::new();
    let cases = [
        ("{\"name\": ", ""),
        ("[]", "Cannot deserialize value"),
        ("\"x\"", "Cannot construct instance"),
        ("", "null"),
        ("{\"name\":\"a\",\"config\":{},\"more\":1}", "Unrecognized field \"more\""),
        ("{\"name\":\"a\"}", "is null"),
        ("{\"name\":\"a\",\"config\":null}", "is null"),
        ("{\"name\":\"a\",\"config\":{\"x\":[]}}", "Cannot deserialize value"),
        ("{\"name\":\"a\",\"config\":{},\"initial_state\":\"DANCING\"}", "No enum constant"),
        ("{\"name\":\"a\",\"config\":{}} x", ""),
    ];
    for (body, text) in cases {
        let answer = client.text("POST", "/connectors", body).await;
        assert_eq!(answer.status, 500, "{body}: {}", answer.text);
        assert!(answer.message().contains(text), "{body}: {}", answer.text);
    }
    let answer = client.text("POST", "/connectors", "{\"name\":\"a\",\"config\":{}}").await;
    assert_eq!(answer.status, 400);
    assert!(answer.message().contains("contains no connector type"));
    for class in ["Nope", "FakeSource ", " FakeSource"] {
        let unknown = json!({ "name": "a", "config": { "connector.class": class } });
        let answer = client.json("POST", "/connectors", unknown).await;
        assert_eq!(answer.status, 400);
        let expected = format!("Failed to find any class that implements Connector and which name matches {class}, ");
        assert!(answer.message().starts_with(&expected), "{}", answer.text);
    }

    let headers = [("content-type", "application/merge-patch+json")];
    let answer = client.send("PATCH", "/connectors/a/config", Some("{}".into()), &headers).await;
    assert_eq!((answer.status, answer.content_type()), (415, None));
    assert_eq!(answer.message(), "HTTP 415 Unsupported Media Type");
    let answer = client.send("POST", "/connectors", Some("{}".into()), &[]).await;
    assert_eq!((answer.status, answer.content_type()), (415, Some("application/json")));
}

#[tokio::test]
async fn unknown_paths_and_methods() {
    let client = Client::new();
    let answer = client.get("/nope").await;
    assert_eq!((answer.status, answer.content_type()), (404, None));
    assert_eq!(answer.text, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}");
    let answer = client.call("DELETE", "/connectors").await;
    assert_eq!((answer.status, answer.content_type()), (405, None));
    assert_eq!(answer.message(), "HTTP 405 Method Not Allowed");
    let answer = client.call("OPTIONS", "/connectors/a/config").await;
    assert_eq!((answer.status, answer.content_type()), (200, Some("text/plain")));
    assert_eq!(
        (answer.headers["allow"].to_str().unwrap(), answer.text.as_str()),
        ("HEAD,GET,OPTIONS,PUT,PATCH", "HEAD, GET, OPTIONS, PUT, PATCH")
    );
    let answer = client.send("GET", "/", None, &[("accept", "text/html")]).await;
    assert_eq!((answer.status, answer.message().as_str()), (406, "HTTP 406 Not Acceptable"));
    assert_eq!(client.send("GET", "/", None, &[("accept", "text/html, */*;q=0.1")]).await.status, 200);
    assert_eq!(client.call("HEAD", "/connectors").await.status, 200);
    let answer = client.get("/connectors/a%2Fb").await;
    assert_eq!(answer.status, 400);
    assert!(answer.content_type().unwrap().starts_with("text/html"));
    assert_eq!(client.get("/connectors/a/tasks/x/status").await.message(), "HTTP 404 Not Found");
    assert_eq!(client.get("/connectors/a;b=c").await.message(), "Connector a not found");
    assert_eq!(client.get("/connectors/a/tasks/0/status").await.message(), "No status found for task a-0");
    assert_eq!(client.call("PUT", "/connectors/a/pause").await.message(), "Unknown connector a");
}

#[tokio::test]
async fn restarts_with_parameters_tell_what_they_do() {
    let client = Client::new();
    client.create("a").await;
    client.is_running("a").await;
    let answer = client.call("POST", "/connectors/a/restart?includeTasks=true").await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json()["tasks"][0]["state"], "RESTARTING");
    client.is_running("a").await;
    assert_eq!(client.call("POST", "/connectors/a/restart?includeTasks=perhaps").await.status, 204);
    assert_eq!(client.call("POST", "/connectors/b/restart").await.message(), "Unknown connector: b");
    assert_eq!(client.call("POST", "/connectors/a/tasks/0/restart").await.status, 204);
    assert_eq!(client.call("POST", "/connectors/a/tasks/7/restart").await.message(), "Unknown task: a-7");
}

#[tokio::test]
async fn plugins_are_listed_and_described() {
    let client = Client::new();
    let connectors = client.get("/connector-plugins").await.json();
    assert_eq!(
        connectors,
        json!([
            { "class": "org.example.FakeSinkConnector", "type": "sink", "version": "1.0" },
            { "class": "org.example.FakeSourceConnector", "type": "source", "version": "1.0" },
        ])
    );
    let all = client.get("/connector-plugins?connectorsOnly=false").await.json();
    assert_eq!(all.as_array().unwrap().len(), 8);
    let keys = client.get("/connector-plugins/FakeSource/config").await.json();
    assert_eq!(keys[0]["name"], "fail.in");
    assert!(keys.as_array().unwrap().iter().any(|key| key["name"] == "tasks.max"));
    let members: Vec<&String> = keys[0].as_object().unwrap().keys().collect();
    let expected = [
        "name",
        "type",
        "required",
        "default_value",
        "importance",
        "documentation",
        "group",
        "order_in_group",
        "width",
        "display_name",
        "dependents",
    ];
    assert_eq!(members, expected);
    assert_eq!(client.get("/connector-plugins/Nope/config").await.message(), "Unknown plugin Nope.");
    for range in ["1.0", "%5B0.9,2)", "%20(,1.0%5D"] {
        assert_eq!(client.get(&format!("/connector-plugins/FakeSource/config?version={range}")).await.status, 200);
    }
    let other = client.get("/connector-plugins/FakeSource/config?version=9.9").await;
    let expected = "Plugin org.example.FakeSourceConnector not found that matches the version range [9.9,9.9], available \
                    versions: [1.0]";
    assert_eq!((other.status, other.message().as_str()), (400, expected));
    let malformed = client.get("/connector-plugins/FakeSource/config?version=%5B1").await;
    assert_eq!((malformed.status, malformed.message().as_str()), (400, "Invalid version specification: [1"));
    assert_eq!(client.get("/connector-plugins/FileConfigProvider/config").await.status, 400);
}

#[tokio::test]
async fn configurations_are_validated() {
    let client = Client::new();
    let validate = |class: &'static str, body: Value| {
        let path = format!("/connector-plugins/{class}/config/validate");
        let client = &client;
        async move { client.json("PUT", &path, body).await }
    };
    let config = json!({ "connector.class": "org.example.FakeSinkConnector", "name": "a", "password": "hunter2" });
    let answer = validate("FakeSink", config).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["error_count"], 2);
    assert!(!answer.text.contains("hunter2"));
    let answer = validate("FakeSource", json!({ "connector.class": "FakeSink" })).await;
    assert_eq!(answer.message(), "Included connector type FakeSink does not match request type FakeSource");
    let answer = validate("FakeSource", json!({})).await;
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.message(),
        "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: Connector config {} contains no connector type"
    );
}

#[tokio::test]
async fn topics_and_offsets() {
    let client = Client::new();
    assert_eq!(client.get("/connectors/a/topics").await.json(), json!({ "a": { "topics": [] } }));
    assert_eq!(client.call("PUT", "/connectors/a/topics/reset").await.status, 202);
    client.create("a").await;
    assert_eq!(client.get("/connectors/a/offsets").await.json(), json!({ "offsets": [] }));
    let empty = client.json("PATCH", "/connectors/a/offsets", json!({ "offsets": [] })).await;
    assert_eq!(empty.message(), "Partitions / offsets need to be provided for an alter offsets request");
    let body = json!({ "offsets": [{ "partition": { "p": 1 }, "offset": { "o": 2 } }] });
    assert_eq!(client.json("PATCH", "/connectors/a/offsets", body.clone()).await.status, 400);
    client.call("PUT", "/connectors/a/stop").await;
    assert_eq!(client.json("PATCH", "/connectors/a/offsets", body.clone()).await.status, 200);
    assert_eq!(client.get("/connectors/a/offsets").await.json(), body);
    assert_eq!(client.call("DELETE", "/connectors/a/offsets").await.status, 200);
}

#[tokio::test]
async fn loggers_change() {
    let client = Client::new();
    let answer = client.json("PUT", "/admin/loggers/org.x", json!({ "level": "debug" })).await;
    assert_eq!((answer.status, answer.json()), (200, json!(["org.x"])));
    assert_eq!(
        client.json("PUT", "/admin/loggers/org", json!({ "level": "TRACE" })).await.json(),
        json!(["org", "org.x"])
    );
    assert_eq!(client.json("PUT", "/admin/loggers/org", json!({ "level": "TRACE" })).await.json(), json!([]));
    assert_eq!(client.get("/admin/loggers/ROOT").await.json(), json!({ "level": "INFO", "last_modified": null }));
    assert_eq!(client.get("/admin/loggers/nope").await.message(), "Logger nope not found.");
    assert_eq!(
        client.json("PUT", "/admin/loggers/x", json!({ "level": "LOUD" })).await.message(),
        "invalid log level 'LOUD'."
    );
    let missing = client.json("PUT", "/admin/loggers/x", json!({})).await;
    assert_eq!(
        (missing.status, missing.message().as_str()),
        (400, "Desired 'level' parameter was not specified in request.")
    );
    let cluster = client.json("PUT", "/admin/loggers/x?scope=cluster", json!({ "level": "INFO" })).await;
    assert_eq!(cluster.status, StatusCode::NO_CONTENT.as_u16());
}

#[tokio::test]
async fn progress_has_totals_rates_and_tasks() {
    let client = Client::new();
    client.create("a").await;
    client.is_running("a").await;
    let progress = client.get("/volley/connectors/a/progress").await.json();
    assert_eq!(
        (progress["state"].as_str(), progress["tasks"][0]["state"].as_str()),
        (Some("RUNNING"), Some("RUNNING"))
    );
    assert_eq!(progress["total"]["rows_in"], 0);
    assert!(progress["rates"]["rows_in_per_second"].is_number());
    assert_eq!(client.get("/volley/connectors/b/progress").await.status, 404);
}
