//! New files.

use std::time::Duration;

use serde_json::json;
use volley_api::{ConnectorContext, Polled, SourceTask};

use super::reading::{Stored, config, next_batches, started, values_of, write};
use crate::source::source_plugin;

#[test]
fn files_that_come_later_are_read_once() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "b.json", "{\"n\":0}");
    let config = config(root.path(), &[("volley.mode", "continuous"), ("watch.interval.ms", "1")]);
    let mut task = started(&config, &Stored::new());
    let values = |batches: Vec<volley_api::SourceBatch>| batches.iter().flat_map(values_of).collect::<Vec<_>>();
    assert_eq!(values(next_batches(&mut task).unwrap()), [json!({"n": 0})]);
    for number in 1..4 {
        // also one whose name comes before those that were read
        write(root.path(), &format!("a{number}/a.json"), json!({ "n": number }).to_string());
        assert_eq!(values(next_batches(&mut task).unwrap()), [json!({ "n": number })]);
    }
    let idle = (0..50).all(|_| matches!(task.poll(Duration::ZERO).unwrap(), Polled::IdleFor(_)));
    assert!(idle, "a file was read again");
    // one that is gone later changes nothing
    std::fs::remove_file(root.path().join("b.json")).unwrap();
    write(root.path(), "c.json", "{\"n\":4}");
    assert_eq!(values(next_batches(&mut task).unwrap()), [json!({"n": 4})]);
}

#[test]
fn only_a_bounded_source_ends() {
    let root = tempfile::tempdir().unwrap();
    let plugin = source_plugin();
    let connector = plugin.factory.connector().unwrap();
    let bounded = config(root.path(), &[]);
    let watching = config(root.path(), &[("volley.mode", "continuous")]);
    assert!(connector.is_bounded(&bounded) && !connector.is_bounded(&watching));
    assert!(matches!(started(&bounded, &Stored::new()).poll(Duration::ZERO).unwrap(), Polled::Finished));
    assert!(matches!(started(&watching, &Stored::new()).poll(Duration::ZERO).unwrap(), Polled::IdleFor(_)));
    let mut running = connector.start(ConnectorContext::new("c"), &bounded).unwrap();
    assert_eq!(running.task_configs(3).unwrap().len(), 3);
}

#[test]
fn only_offsets_of_files_can_be_set() {
    use volley_api::testing::json_object;
    let plugin = source_plugin();
    let connector = plugin.factory.connector().unwrap();
    let alter = |partition: &str, offset: Option<&str>| {
        connector.alter_offsets(&Default::default(), &[(json_object(partition), offset.map(json_object))])
    };
    let file = r#"{"store":"s3://b","file":"x.json"}"#;
    assert!(alter(file, Some(r#"{"row":3}"#)).unwrap() && alter("{}", None).unwrap());
    for (partition, offset) in
        [(file, r#"{"row":"3"}"#), (r#"{"file":"x"}"#, r#"{"row":3}"#), (r#"{"store":"x"}"#, r#"{"row":3}"#)]
    {
        assert!(alter(partition, Some(offset)).is_err(), "{partition} {offset}");
    }
}
