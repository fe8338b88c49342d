//! The treatment of secrets by each endpoint of REST.

use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};

use super::router::router;
use super::tests::{Answer, send, test_state};
use crate::herder::{Herder, StandaloneHerder};
use crate::rest::front::settings::RestSettings;
use crate::testing::test_herder;

const SECRET: &str = "hunter2";
const JAAS: &str = "consumer.override.sasl.jaas.config";

fn worker(hides_secrets: bool) -> (Arc<StandaloneHerder>, Router) {
    let herder = test_herder();
    let mut state = test_state(Arc::clone(&herder) as Arc<dyn Herder>);
    state.settings = Arc::new(RestSettings { hides_secrets, ..RestSettings::default() });
    (herder, router(state, true))
}

async fn answer(router: &Router, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let headers = [("content-type", "application/json"), ("host", "h:1")];
    send(router, method, path, body.map(Value::to_string), &headers).await
}

async fn ask(router: &Router, method: &str, path: &str, body: Option<&Value>) -> Value {
    let answer = answer(router, method, path, body).await;
    assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text);
    answer.json()
}

fn config() -> Value {
    json!({ "name": "a", "connector.class": "FakeSource", "password": SECRET, JAAS: SECRET,
        "transforms.t.credentials.source": "USER_INFO" })
}

/// The configuration in every answer that contains one.
async fn shown_everywhere(router: &Router) -> Vec<(&'static str, Value)> {
    let body = json!({ "name": "a", "config": config() });
    let patch = json!({ "password": SECRET });
    vec![
        ("POST", ask(router, "POST", "/connectors", Some(&body)).await["config"].take()),
        ("PUT", ask(router, "PUT", "/connectors/a/config", Some(&config())).await["config"].take()),
        ("PATCH", ask(router, "PATCH", "/connectors/a/config", Some(&patch)).await["config"].take()),
        ("GET", ask(router, "GET", "/connectors/a", None).await["config"].take()),
        ("config", ask(router, "GET", "/connectors/a/config", None).await),
        ("expand", ask(router, "GET", "/connectors?expand=info", None).await["a"]["info"]["config"].take()),
        ("tasks", ask(router, "GET", "/connectors/a/tasks", None).await[0]["config"].take()),
    ]
}

#[tokio::test]
async fn configurations_are_shown_as_they_were_sent() {
    for (answer, shown) in shown_everywhere(&worker(false).1).await {
        for (key, value) in config().as_object().unwrap() {
            assert_eq!(&shown[key], value, "{answer}: {key}");
        }
    }
}

#[tokio::test]
async fn a_worker_that_hides_secrets_hides_them_in_every_answer_and_nothing_else() {
    for (answer, shown) in shown_everywhere(&worker(true).1).await {
        for key in ["password", JAAS] {
            assert_eq!(shown[key], "[hidden]", "{answer}");
        }
        assert_eq!(shown["transforms.t.credentials.source"], "USER_INFO", "{answer}");
        assert_eq!(shown["connector.class"], "FakeSource", "{answer}");
    }
}

#[tokio::test]
async fn a_validation_never_shows_a_secret() {
    for hides_secrets in [false, true] {
        let target = "/connector-plugins/FakeSource/config/validate";
        let infos = ask(&worker(hides_secrets).1, "PUT", target, Some(&config())).await;
        assert!(!infos.to_string().contains(SECRET), "{infos}");
    }
}

#[tokio::test]
async fn sending_back_what_is_shown_changes_nothing() {
    for hides_secrets in [false, true] {
        let (herder, router) = worker(hides_secrets);
        ask(&router, "PUT", "/connectors/a/config", Some(&config())).await;
        let stored = herder.stored_config("a").await.unwrap();
        let shown = ask(&router, "GET", "/connectors/a/config", None).await;
        assert_eq!(ask(&router, "PUT", "/connectors/a/config", Some(&shown)).await["config"], shown);
        assert_eq!(ask(&router, "PATCH", "/connectors/a/config", Some(&shown)).await["config"], shown);
        assert_eq!(herder.stored_config("a").await.unwrap(), stored);
    }
}

#[tokio::test]
async fn what_hides_secrets_makes_no_connector_that_has_none_stored() {
    let (herder, router) = worker(true);
    ask(&router, "PUT", "/connectors/a/config", Some(&config())).await;
    let shown = ask(&router, "GET", "/connectors/a/config", None).await;
    let mut other = shown.clone();
    other["name"] = json!("b");
    let created = json!({ "name": "b", "config": other });
    for (method, path, body) in [("POST", "/connectors", &created), ("PUT", "/connectors/b/config", &other)] {
        let answer = answer(&router, method, path, Some(body)).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(answer.message().contains("`password`"), "{}", answer.text);
    }
    let mut back = shown.clone();
    back["connector.class"] = json!("org.example.FakeSourceConnector");
    ask(&router, "PUT", "/connectors/a/config", Some(&back)).await;
    assert_eq!(herder.stored_config("a").await.unwrap().unwrap()["password"], SECRET);

    ask(&router, "DELETE", "/connectors/a", None).await;
    assert_eq!(answer(&router, "PUT", "/connectors/a/config", Some(&shown)).await.status, 400);
}
