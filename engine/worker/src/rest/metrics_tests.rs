//! `/metrics` as a scraper reads it.

use std::sync::Arc;

use serde_json::json;

use super::tests::{Answer, send, test_router};
use crate::herder::Herder;
use crate::testing::{eventually, test_herder};

/// Fails unless every line is a comment or a sample, and the samples of each metric follow its type.
fn assert_exposition(text: &str) {
    let mut seen = Vec::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(described) = line.strip_prefix("# TYPE ") {
            let (name, kind) = described.split_once(' ').unwrap();
            assert!(kind == "counter" || kind == "gauge", "{line}");
            assert!(!seen.contains(&name.to_owned()), "{name} stands in two places");
            seen.push(name.to_owned());
            current = name.to_owned();
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(name.split('{').next(), Some(current.as_str()), "{line}");
            assert!(value == "NaN" || value == "+Inf" || value.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(text.ends_with('\n') && !seen.is_empty());
}

#[tokio::test]
async fn metrics_count_what_runs_here_and_every_scraper_can_read_them() {
    let herder = test_herder();
    let router = test_router(Arc::clone(&herder) as Arc<dyn Herder>);
    let scrape = || async { send(&router, "GET", "/metrics", None, &[("accept", "text/plain;version=0.0.4")]).await };
    assert!(scrape().await.text.contains("kafka_connect_worker_connector_count 0\n"));
    let body = json!({ "name": "a\"b", "config": { "connector.class": "FakeSource" } }).to_string();
    let headers = [("content-type", "application/json"), ("host", "h:1")];
    assert_eq!(send(&router, "POST", "/connectors", Some(body), &headers).await.status, 201);
    let sample = "kafka_connect_connector_task_status{connector=\"a\\\"b\",task=\"0\",status=\"running\"} 1\n";
    eventually("the task is counted as running", || async { scrape().await.text.contains(sample) }).await;
    let Answer { status, headers, text } = scrape().await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    assert_exposition(&text);
    for sample in [
        "kafka_connect_worker_connector_count 1\n",
        "kafka_connect_worker_task_count 1\n",
        "kafka_connect_worker_connector_startup_success_total 1\n",
        "kafka_connect_worker_task_startup_success_total 1\n",
        "kafka_connect_connector_status{connector=\"a\\\"b\",status=\"running\"} 1\n",
        "kafka_connect_worker_connector_running_task_count{connector=\"a\\\"b\"} 1\n",
        "kafka_connect_task_error_total_record_failures{connector=\"a\\\"b\",task=\"0\"} 0\n",
        "kafka_connect_source_task_source_record_poll_total{connector=\"a\\\"b\",task=\"0\"}",
        "volley_task_plugin_polls_total{connector=\"a\\\"b\",task=\"0\"}",
        "volley_connector_plugin_starts{connector=\"a\\\"b\"} 1\n",
    ] {
        assert!(text.contains(sample), "{sample}: {text}");
    }
    assert!(!text.contains("kafka_connect_sink_task"), "a source has no metrics of a sink");
    let path = "/connectors/a%22b";
    assert_eq!(send(&router, "DELETE", path, None, &[]).await.status, 204);
    eventually("a deleted connector shows no more", || async { !scrape().await.text.contains("a\\\"b") }).await;
}

#[tokio::test]
async fn who_takes_json_only_gets_no_metrics() {
    let router = test_router(test_herder() as Arc<dyn Herder>);
    for (accept, status) in [("application/json", 406), ("*/*", 200), ("application/openmetrics-text,*/*;q=0.1", 200)] {
        assert_eq!(send(&router, "GET", "/metrics", None, &[("accept", accept)]).await.status, status, "{accept}");
    }
}
