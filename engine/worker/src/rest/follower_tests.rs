//! REST on a worker that is not the leader, or whose herder does not answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use volley_api::testing::config_map;

use super::router::router;
use super::state::Timeouts;
use super::tests::{Answer, send, test_state};
use crate::herder::{Herder, StandaloneHerder};
use crate::json_config::GivenConfig;
use crate::rest::front::settings::RestSettings;
use crate::spawned_task::SpawnedTask;
use crate::testing::{Follower, Gate, test_herder};

/// A request as the other worker received it.
#[derive(Clone, Debug)]
struct Seen {
    line: String,
    headers: axum::http::HeaderMap,
    body: Value,
}

/// Another worker that gives the same answer to every request.
struct Leader {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _serving: SpawnedTask<std::io::Result<()>>,
}

impl Leader {
    async fn answering(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let requests = Arc::clone(&seen);
        let resources = Router::new().fallback(move |request: Request| async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let line = format!("{} {}", parts.method, parts.uri);
            requests.lock().push(Seen { line, headers: parts.headers, body });
            answer()
        });
        let serving = SpawnedTask::start_here("a peer", async move { axum::serve(listener, resources).await });
        Self { url, seen, _serving: serving }
    }

    fn last(&self) -> Seen {
        self.seen.lock().last().unwrap().clone()
    }
}

fn json_answer(status: u16, body: Value) -> impl Fn() -> Response + Clone + Send + Sync + 'static {
    move || (StatusCode::from_u16(status).unwrap(), axum::Json(body.clone())).into_response()
}

struct Worker {
    follower: Arc<Follower>,
    herder: Arc<StandaloneHerder>,
    router: Router,
}

impl Worker {
    fn following(leader: Option<&str>) -> Self {
        Self::with(leader, RestSettings::default())
    }

    fn hiding_secrets(leader: &str) -> Self {
        Self::with(Some(leader), RestSettings { hides_secrets: true, ..RestSettings::default() })
    }

    fn with(leader: Option<&str>, settings: RestSettings) -> Self {
        let herder = test_herder();
        let follower = Follower::new(Arc::clone(&herder), leader.map(str::to_owned));
        let mut state = test_state(Arc::clone(&follower) as Arc<dyn Herder>);
        state.timeouts = Timeouts { request: Duration::from_secs(5), health: Duration::from_millis(20) };
        state.settings = Arc::new(settings);
        Self { follower, herder, router: router(state, true) }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let headers =
            [("content-type", "application/json"), ("authorization", "Basic x"), ("x-other", "y"), ("host", "h:1")];
        send(&self.router, method, path, body.map(|body| body.to_string()), &headers).await
    }
}

#[tokio::test]
async fn what_the_leader_has_to_do_is_sent_to_the_leader() {
    let leader = Leader::answering(json_answer(200, json!({ "message": "done" }))).await;
    let worker = Worker::following(Some(&leader.url));
    let config = json!({ "a": "b", "name": "x" });
    let offsets = json!({ "offsets": [{ "partition": { "p": 1 }, "offset": null }] });
    for (method, path, body, expected_status, expected_line, expected_body) in [
        (
            "POST",
            "/connectors",
            Some(json!({ "name": " x ", "config": { "a": "b" }, "initial_state": "paused" })),
            200,
            "POST /connectors?forward=true",
            json!({ "name": "x", "config": config, "initial_state": "PAUSED" }),
        ),
        (
            "PUT",
            "/connectors/x/config",
            Some(json!({ "a": "b" })),
            200,
            "PUT /connectors/x/config?forward=true",
            config.clone(),
        ),
        (
            "PATCH",
            "/connectors/x/config",
            Some(json!({ "a": null })),
            200,
            "PATCH /connectors/x/config?forward=true",
            json!({ "a": null }),
        ),
        ("DELETE", "/connectors/x%20y/", None, 204, "DELETE /connectors/x%20y?forward=true", Value::Null),
        ("PUT", "/connectors/x/stop", None, 204, "PUT /connectors/x/stop?forward=true", Value::Null),
        // Not resolved, since it may be the name of a connector.
        ("PUT", "/connectors/../stop", None, 204, "PUT /connectors/../stop?forward=true", Value::Null),
        ("POST", "/connectors/x/restart", None, 204, "POST /connectors/x/restart?forward=true", Value::Null),
        (
            "POST",
            "/connectors/x/restart?onlyFailed=true&includeTasks=true",
            None,
            202,
            "POST /connectors/x/restart?forward=true&onlyFailed=true&includeTasks=true",
            Value::Null,
        ),
        (
            "POST",
            "/connectors/x/tasks/3/restart",
            None,
            204,
            "POST /connectors/x/tasks/3/restart?forward=true",
            Value::Null,
        ),
        (
            "PATCH",
            "/connectors/x/offsets",
            Some(offsets.clone()),
            200,
            "PATCH /connectors/x/offsets?forward=true",
            offsets.clone(),
        ),
        ("DELETE", "/connectors/x/offsets", None, 200, "DELETE /connectors/x/offsets?forward=true", Value::Null),
        (
            "POST",
            "/connectors/x/tasks",
            Some(json!([config])),
            204,
            "POST /connectors/x/tasks?forward=true",
            json!([config]),
        ),
        ("PUT", "/connectors/x/fence", None, 204, "PUT /connectors/x/fence?forward=true", Value::Null),
    ] {
        let answer = worker.ask(method, path, body).await;
        let seen = leader.last();
        assert_eq!((answer.status, seen.line.as_str()), (expected_status, expected_line), "{}", answer.text);
        assert_eq!(seen.body, expected_body, "{method} {path}");
        assert_eq!(seen.headers["user-agent"], "kafka-connect");
        assert_eq!(seen.headers["accept"], "application/json");
        assert_eq!(seen.headers["authorization"], "Basic x");
        assert!(!seen.headers.contains_key("x-other"));
        let shown = if expected_status == 204 { Value::Null } else { json!({ "message": "done" }) };
        assert_eq!(answer.json(), shown, "{method} {path}");
    }
}

#[tokio::test]
async fn a_request_travels_two_hops_at_most() {
    let leader = Leader::answering(|| StatusCode::NO_CONTENT.into_response()).await;
    let worker = Worker::following(Some(&leader.url));
    assert_eq!(worker.ask("DELETE", "/connectors/x?forward=true", None).await.status, 204);
    assert_eq!(leader.last().line, "DELETE /connectors/x?forward=false");
    let conflict = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)";
    for path in ["/connectors/x?forward=false", "/connectors/x?forward=perhaps"] {
        let answer = worker.ask("DELETE", path, None).await;
        assert_eq!((answer.status, answer.message().as_str()), (409, conflict));
    }
    assert_eq!(leader.seen.lock().len(), 1);
    let unknown =
        "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.";
    let answer = Worker::following(None).ask("DELETE", "/connectors/x", None).await;
    assert_eq!((answer.status, answer.message().as_str()), (409, unknown));
}

#[tokio::test]
async fn the_leader_s_refusal_is_the_answer() {
    let refusal = json_answer(409, json!({ "error_code": 40901, "message": "Connector x already exists" }));
    let leader = Leader::answering(refusal).await;
    let answer = Worker::following(Some(&leader.url)).ask("DELETE", "/connectors/x", None).await;
    assert_eq!(
        (answer.status, answer.json()),
        (409, json!({ "error_code": 40901, "message": "Connector x already exists" }))
    );

    let leader = Leader::answering(json_answer(500, json!({ "error_code": 500, "message": null }))).await;
    let answer = Worker::following(Some(&leader.url)).ask("DELETE", "/connectors/x", None).await;
    assert_eq!((answer.status, answer.json()), (500, json!({ "error_code": 500, "message": null })));

    let leader =
        Leader::answering(|| (StatusCode::UNAUTHORIZED, "User cannot access the resource.").into_response()).await;
    let answer = Worker::following(Some(&leader.url)).ask("DELETE", "/connectors/x", None).await;
    assert_eq!(answer.status, 500);
    assert!(answer.message().starts_with("IO Error trying to forward REST request: "), "{}", answer.text);

    let leader = Leader::answering(|| (StatusCode::FOUND, [("location", "http://127.0.0.1:1/")]).into_response()).await;
    let answer = Worker::following(Some(&leader.url)).ask("DELETE", "/connectors/x", None).await;
    let message = answer.message();
    assert!(message.starts_with("Unexpected status code when handling forwarded request: 302"), "{message}");
    assert!(answer.status == 500 && message.contains(&leader.url), "{message}");
}

#[tokio::test]
async fn a_leader_that_is_not_reached_is_an_io_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let answer = Worker::following(Some(&url)).ask("DELETE", "/connectors/x", None).await;
    let expected = "IO Error trying to forward REST request: java.net.ConnectException: Connection refused";
    let message = answer.message();
    assert!(answer.status == 500 && message.starts_with(expected) && message.contains(&url), "{message}");
}

#[tokio::test]
async fn created_or_replaced_is_what_the_leader_says() {
    let info = json!({ "name": "x", "config": { "connector.class": "FakeSource", "password": "hunter2" }, "tasks": [], "type": "source" });
    let created = Leader::answering(json_answer(201, info.clone())).await;
    let worker = Worker::following(Some(&created.url));
    let answer = worker.ask("PUT", "/connectors/x/config", Some(json!({}))).await;
    assert_eq!((answer.status, answer.headers["location"].to_str().unwrap()), (201, "http://h:1/connectors/x"));
    assert_eq!(answer.json(), info);
    let answer = Worker::hiding_secrets(&created.url).ask("PATCH", "/connectors/x/config", Some(json!({}))).await;
    assert_eq!(answer.json()["config"]["password"], "[hidden]");
    let replaced = Leader::answering(json_answer(200, info)).await;
    let answer = Worker::following(Some(&replaced.url)).ask("PUT", "/connectors/x/config", Some(json!({}))).await;
    assert_eq!((answer.status, answer.headers.get("location")), (200, None));
}

#[tokio::test]
async fn a_leader_gets_the_secret_where_the_user_sent_back_what_stood_for_it() {
    let leader = Leader::answering(json_answer(200, json!({}))).await;
    let worker = Worker::hiding_secrets(&leader.url);
    let config = config_map(&[("connector.class", "FakeSource"), ("name", "x"), ("password", "hunter2")]);
    worker.herder.put_connector("x", GivenConfig::from(config), None, false).await.unwrap();
    let shown = worker.ask("GET", "/connectors/x/config", None).await.json();
    assert_eq!(shown["password"], "[hidden]");
    worker.ask("PUT", "/connectors/x/config", Some(shown)).await;
    assert_eq!(leader.last().body["password"], "hunter2");
    worker.ask("PATCH", "/connectors/x/config", Some(json!({ "password": "[hidden]", "size": "[hidden]" }))).await;
    assert_eq!(leader.last().body, json!({ "password": "hunter2", "size": "[hidden]" }));
}

#[tokio::test]
async fn a_leader_gets_what_is_stored_now_and_never_the_word_for_a_secret() {
    let leader = Leader::answering(json_answer(200, json!({}))).await;
    let worker = Worker::hiding_secrets(&leader.url);
    let config = config_map(&[("connector.class", "FakeSource"), ("name", "x"), ("password", "hunter2")]);
    worker.herder.put_connector("x", GivenConfig::from(config.clone()), None, false).await.unwrap();
    let mut newer = config;
    newer.insert("password".into(), "correct horse".into());
    worker.follower.will_read("x", newer);
    let shown = worker.ask("GET", "/connectors/x/config", None).await.json();
    worker.ask("PUT", "/connectors/x/config", Some(shown.clone())).await;
    assert_eq!(leader.last().body["password"], "correct horse");
    worker.ask("POST", "/connectors", Some(json!({ "name": "x", "config": shown }))).await;
    assert_eq!(leader.last().body["config"]["password"], "correct horse");

    let (requests, unknown) =
        (leader.seen.lock().len(), json!({ "connector.class": "FakeSource", "password": "[hidden]" }));
    for (method, path, body) in [
        ("PUT", "/connectors/y/config", unknown.clone()),
        ("POST", "/connectors", json!({ "name": "y", "config": unknown })),
        ("PATCH", "/connectors/x/config", json!({ "consumer.override.sasl.jaas.config": "[hidden]" })),
    ] {
        assert_eq!(worker.ask(method, path, Some(body)).await.status, 400, "{method}");
    }
    assert_eq!(leader.seen.lock().len(), requests);
}

#[tokio::test]
async fn internal_requests_are_signed_and_checked_in_kafka_connect_s_order() {
    let leader = Leader::answering(|| StatusCode::NO_CONTENT.into_response()).await;
    let worker = Worker::following(Some(&leader.url));
    let post = |body: &'static str, mac: &'static str, algorithm: &'static str| {
        let headers = [("x-connect-authorization", mac), ("x-connect-request-signature-algorithm", algorithm)];
        let router = &worker.router;
        async move { send(router, "POST", "/connectors/x/tasks", Some(body.to_owned()), &headers).await }
    };
    for (body, mac, algorithm, status, message) in [
        ("{", "A", "HmacNope", 500, "Cannot deserialize value of type `java.util.ArrayList<java.util.Map<"),
        ("", "AAAA", "HmacSHA256", 500, "No content to map due to end-of-input\n at [Source: REDACTED"),
        ("[]", "A", "HmacNope", 400, "Algorithm HmacNope not available"),
        ("[]", "A", "HmacSHA256", 400, "Input byte[] should at least have 2 bytes for base64 bytes"),
        ("[]", "!!", "HmacSHA256", 400, "Illegal base64 character 21"),
    ] {
        let answer = post(body, mac, algorithm).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.message().starts_with(message), "{}", answer.text);
    }
    assert!(worker.follower.signatures().is_empty());
    assert_eq!(post("[{\"a\": 1}] x", "AAAA", "HmacSHA256").await.status, 204);
    let signature = worker.follower.signatures().pop().unwrap().unwrap();
    assert_eq!((&signature.body[..], signature.mac.as_slice()), (&b"[{\"a\": 1}] x"[..], &[0, 0, 0][..]));
    assert_eq!(signature.algorithm, "HmacSHA256");
    // Any content type is accepted, or none.
    assert_eq!(
        send(&worker.router, "PUT", "/connectors/x/fence", None, &[("content-type", "text/plain")]).await.status,
        204
    );
    assert_eq!(worker.follower.signatures().pop().unwrap(), None);
}

#[tokio::test]
async fn nothing_is_made_of_much_that_no_worker_has_signed() {
    let leader = Leader::answering(|| StatusCode::NO_CONTENT.into_response()).await;
    let worker = Worker::following(Some(&leader.url));
    let post = |body: String, mac: Option<&'static str>| {
        let headers =
            mac.map(|mac| [("x-connect-authorization", mac), ("x-connect-request-signature-algorithm", "HmacSHA256")]);
        let (router, headers) = (&worker.router, headers.into_iter().flatten().collect::<Vec<_>>());
        async move { send(router, "POST", "/connectors/x/tasks", Some(body), &headers).await }
    };
    let large = |begin: &str| format!("{begin}{}{{}}]", "{},".repeat(699_999));
    assert_eq!(post(large("["), None).await.status, 204);

    worker.follower.wants_signatures();
    // If the body were parsed, the error would be that of malformed JSON, as it is for a small body.
    let malformed = large("[7,");
    assert_eq!(post("[7,{},{}]".into(), None).await.status, 500);
    let unsigned = post(malformed.clone(), None).await;
    assert_eq!((unsigned.status, unsigned.message().as_str()), (413, "HTTP 413 Request Entity Too Large"));
    let forged = post(malformed.clone(), Some("AAAB")).await;
    assert_eq!((forged.status, forged.message().as_str()), (403, "Internal request contained invalid signature."));
    assert_eq!(post(malformed, Some("AAAA")).await.status, 500);
    assert_eq!(post(large("["), Some("AAAA")).await.status, 204);
    assert_eq!(leader.last().body.as_array().map(Vec::len), Some(700_000));
    assert_eq!(post("[]".into(), None).await.status, 400);
}

#[tokio::test]
async fn a_request_that_takes_too_long_says_what_the_worker_does() {
    let herder = test_herder();
    let follower = Follower::new(herder, None);
    let mut state = test_state(Arc::clone(&follower) as Arc<dyn Herder>);
    state.timeouts = Timeouts { request: Duration::from_millis(20), health: Duration::from_millis(5) };
    let router = router(state, true);
    let answer = send(&router, "GET", "/connectors", None, &[]).await;
    assert_eq!((answer.status, answer.message().as_str()), (500, "Request timed out"));
    {
        let _stage = follower.stages().enter("reading to the end of the config topic");
        let message = send(&router, "GET", "/connectors", None, &[]).await.message();
        let begin =
            "Request timed out. The worker is currently reading to the end of the config topic, which began at ";
        assert!(message.starts_with(begin), "{message}");
    }
    let message = send(&router, "GET", "/connectors", None, &[]).await.message();
    assert!(message.starts_with("Request timed out. The last operation the worker completed was reading"), "{message}");
    // Resources that do not use the herder's loop are answered nevertheless.
    assert_eq!(send(&router, "GET", "/connector-plugins", None, &[]).await.status, 200);
}

#[tokio::test]
async fn a_plug_in_that_hangs_holds_up_its_own_request_only() {
    let mut state = test_state(test_herder());
    state.timeouts.request = Duration::from_millis(300);
    let router = router(state, true);
    let ask = |method: &'static str, path: &'static str, body: Value| {
        let router = router.clone();
        async move { send(&router, method, path, Some(body.to_string()), &[("content-type", "application/json")]).await }
    };
    let stuck = json!({ "connector.class": "FakeSource", "hang.in": "validate", "gate": "rest" });
    let fine = json!({ "name": "fine", "config": { "connector.class": "FakeSource" } });
    let hanging: Vec<_> = (0..20)
        .map(|_| SpawnedTask::start_here("a request", ask("PUT", "/connectors/stuck/config", stuck.clone())))
        .collect();
    assert_eq!(ask("POST", "/connectors", fine).await.status, 201);
    assert_eq!(ask("GET", "/connectors", Value::Null).await.json(), json!(["fine"]));
    for mut answer in hanging {
        assert!(answer.outcome().await.unwrap().message().starts_with("Request timed out"));
    }
    Gate::named("rest").open();
}

#[tokio::test]
async fn health_tells_starting_from_unhealthy() {
    let worker = Worker::following(None);
    let _stage = worker.follower.stages().enter("ensuring membership in the cluster");
    let answer = worker.ask("GET", "/health", None).await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (503, Some("starting")));
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    let begin =
        "Worker is still starting up. The worker is currently ensuring membership in the cluster, which began at ";
    assert!(message.starts_with(begin), "{message}");
    worker.herder.mark_ready();
    let answer = worker.ask("GET", "/health", None).await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (500, Some("unhealthy")));
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    let begin =
        "Worker was unable to handle this request and may be unable to handle other requests. The worker is currently ";
    assert!(message.starts_with(begin), "{message}");
}
