//! `/metrics` of a worker that works: what it counts is what has happened.

use std::time::Duration;

use crate::testbed::{Kafka, send, wait_until};
use crate::worker_process::Volley;

/// The metrics of a worker, scraped as Prometheus does it.
fn scrape(address: &str) -> String {
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let answer = send(address, "GET", "/metrics", &[("Accept", accept)], None).unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    answer.text()
}

/// The value of the sample of a task of connector `c`.
fn value(metrics: &str, name: &str) -> Option<f64> {
    let start = format!("{name}{{connector=\"c\",task=\"0\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(start.as_str()))?.parse().ok()
}

#[test]
fn metrics_of_a_sink_tell_what_was_read_put_committed_and_rejected() {
    const RECORDS: usize = 1000;
    let kafka = Kafka::shared();
    let (topic, dead) = (kafka.topic("metrics", 2), kafka.unique("metrics-dead"));
    kafka.produce(&topic, RECORDS, |number, _, value| {
        let text = if number == 500 { "no json".to_owned() } else { format!("{{\"n\":{number}}}") };
        value.extend_from_slice(text.as_bytes());
        (number % 2) as i32
    });
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[("offset.flush.interval.ms", "200")]);
    volley.file(
        "sink.properties",
        &[
            ("name", "c"),
            ("connector.class", "FileStreamSink"),
            ("topics", &topic),
            ("file", &volley.path("out").display().to_string()),
            ("errors.tolerance", "all"),
            ("errors.deadletterqueue.topic.name", &dead),
            ("errors.deadletterqueue.topic.replication.factor", "1"),
        ],
    );
    let mut running = volley.start(&["standalone", "worker.properties", "sink.properties"]);
    let address = running.rest();
    let metrics = wait_until(Duration::from_secs(60), "everything is put and committed", || {
        let metrics = scrape(&address);
        let is_so = |name: &str, expected: f64| value(&metrics, name) == Some(expected);
        let is_done = is_so("kafka_connect_sink_task_sink_record_send_total", (RECORDS - 1) as f64)
            && is_so("kafka_connect_sink_task_sink_record_active_count", 0.0)
            && is_so("volley_sink_task_lag_records", 0.0)
            && value(&metrics, "kafka_connect_sink_task_offset_commit_completion_total") > Some(0.0);
        is_done.then_some(metrics)
    });
    for (name, expected) in [
        ("kafka_connect_sink_task_sink_record_read_total", RECORDS as f64),
        ("kafka_connect_sink_task_partition_count", 2.0),
        ("kafka_connect_task_error_total_record_failures", 1.0),
        ("kafka_connect_task_error_total_records_skipped", 1.0),
        ("kafka_connect_task_error_total_record_errors", 0.0),
        ("kafka_connect_task_error_deadletterqueue_produce_requests", 1.0),
        ("kafka_connect_task_error_deadletterqueue_produce_failures", 0.0),
        ("volley_task_dead_letters_written_total", 1.0),
        ("kafka_connect_connector_task_offset_commit_success_percentage", 1.0),
        ("kafka_connect_connector_task_pause_ratio", 0.0),
    ] {
        assert_eq!(value(&metrics, name), Some(expected), "{name}: {metrics}");
    }
    for name in [
        "kafka_connect_sink_task_put_batch_max_time_ms",
        "kafka_connect_sink_task_sink_record_read_rate",
        "kafka_connect_connector_task_batch_size_max",
        "kafka_connect_connector_task_running_ratio",
        "kafka_connect_sink_task_offset_commit_completion_total",
        "volley_task_plugin_written_bytes_total",
    ] {
        assert!(value(&metrics, name).is_some_and(|value| value > 0.0), "{name}: {metrics}");
    }
    for (stage, expected) in [("VALUE_CONVERTER", 1), ("TASK_PUT", 0)] {
        let sample =
            format!("volley_task_rejected_records_total{{connector=\"c\",task=\"0\",stage=\"{stage}\"}} {expected}");
        assert!(metrics.lines().any(|line| line == sample), "{sample}: {metrics}");
    }
    let progress = send(&address, "GET", "/volley/connectors/c/progress", &[], None).unwrap().json();
    for counted in [&progress["total"], &progress["tasks"][0]] {
        assert_eq!(counted["rows_rejected_by_stage"], serde_json::json!({ "VALUE_CONVERTER": 1 }), "{progress}");
        assert_eq!((&counted["dead_letters_written"], &counted["dead_letters_refused"]), (&1.into(), &0.into()));
    }
    let resident = metrics.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
    let difference = resident.parse::<f64>().unwrap() / running.resident_bytes() as f64;
    assert!((0.5..2.0).contains(&difference), "resident memory is that of the process: {difference}");
}
