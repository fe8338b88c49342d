//! The real host on a real JVM, with Kafka's connectors of files. Passed over where `VOLLEY_JAVA_HOST_DIR` does not name the
//! directory that `make java-host` makes, and `VOLLEY_JAVA_TEST_PLUGINS` a plug-in path with `connect-file` on it.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, BinaryArray};
use serde_json::json;
use volley_api::{
    Column, ConfigMap, ConnectorContext, OffsetRange, Offsets, Origin, OwnChain, Plugin, PluginFactory, Polled,
    RawBatch, SinkBatch, SinkContext, SourceBatch, SourceContext, SourceOffset, SourcePartition, Stage, Support,
    TimestampType, TopicPartition, Value,
};
use volley_jvm::{JavaPlugins, JavaSettings};

const SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const SINK: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";
const STRINGS: &str = "org.apache.kafka.connect.storage.StringConverter";

/// The plug-ins, and a directory for files; `None` where there is no host.
fn java() -> Option<(JavaPlugins, tempfile::TempDir)> {
    let directory = |variable| std::env::var_os(variable).map(PathBuf::from);
    let (host_dir, plugins) = directory("VOLLEY_JAVA_HOST_DIR").zip(directory("VOLLEY_JAVA_TEST_PLUGINS"))?;
    let files = tempfile::tempdir().unwrap();
    let settings = JavaSettings {
        plugin_path: vec![plugins],
        discovery: "hybrid_warn".to_owned(),
        home: None,
        host_dir,
        heap: "128m".to_owned(),
        options: Vec::new(),
        worker_file: None,
        cache_dir: Some(files.path().join("cache")),
    };
    Some((JavaPlugins::new(settings), files))
}

fn config(entries: &[(&str, &str)]) -> ConfigMap {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn find(java: &JavaPlugins, class: &str) -> Plugin {
    let plugins = java.plugins().unwrap();
    plugins.into_iter().find(|plugin| plugin.class == class).expect("the scan finds it")
}

fn own_chain(connector_config: &ConfigMap) -> OwnChain {
    OwnChain {
        connector_config: connector_config.clone(),
        worker_config: config(&[("key.converter", STRINGS), ("value.converter", STRINGS)]),
        max_poll_records: 500,
        exactly_once: false,
    }
}

fn texts(column: &Column) -> Vec<Option<String>> {
    let bytes = column.array.as_any().downcast_ref::<BinaryArray>().unwrap();
    bytes.iter().map(|bytes| Some(String::from_utf8(bytes?.to_vec()).unwrap())).collect()
}

/// The configurations of tasks, from a connector that is started and stopped for them.
fn task_configs(plugin: &Plugin, config: &ConfigMap) -> Vec<ConfigMap> {
    let connector = plugin.factory.connector().unwrap();
    assert!(connector.has_own_chain());
    let mut running = connector.start(ConnectorContext::new("c"), config).unwrap();
    let configs = running.task_configs(2).unwrap();
    running.stop();
    configs
}

#[test]
fn classes_are_found_with_their_keys_and_say_what_is_wrong_with_a_configuration() {
    let Some((java, _files)) = java() else { return };
    let source = find(&java, SOURCE);
    let insert_field = find(&java, "org.apache.kafka.connect.transforms.InsertField$Value");
    assert!(insert_field.config_def.find("static.field").is_some());
    let connector = source.factory.connector().unwrap();
    assert!(connector.config_def().find("file").is_some());
    let answer = connector.config_values(&config(&[("name", "c"), ("connector.class", SOURCE)])).unwrap().unwrap();
    let topic = answer.values.iter().find(|value| value.name == "topic").unwrap();
    assert!(topic.errors[0].contains("topic"), "{topic:?}");
    assert!(answer.keys.find("topic").unwrap().is_required());
    let file = config(&[("name", "c"), ("connector.class", SOURCE), ("file", "/x"), ("topic", "t")]);
    assert_eq!(connector.exactly_once_support(&file).unwrap(), Some(Support::Supported));
    let offset = |position| {
        let partition = SourcePartition::from_iter([("filename".to_owned(), json!("/x"))]);
        [(partition, Some(SourceOffset::from_iter([("position".to_owned(), json!(position))])))]
    };
    assert!(connector.alter_offsets(&file, &offset(5)).unwrap());
    assert!(connector.alter_offsets(&file, &offset(-5)).is_err());
}

#[test]
fn a_file_is_read_through_a_transformation_from_the_stored_offset_on() {
    let Some((java, files)) = java() else { return };
    let file = files.path().join("in.txt");
    std::fs::write(&file, "skipped\none\ntwo\n").unwrap();
    let config = config(&[
        ("name", "c"),
        ("connector.class", SOURCE),
        ("file", file.to_str().unwrap()),
        ("topic", "t"),
        ("tasks.max", "1"),
        ("transforms", "h"),
        ("transforms.h.type", "org.apache.kafka.connect.transforms.InsertHeader"),
        ("transforms.h.header", "from"),
        ("transforms.h.value.literal", "file"),
    ]);
    let plugin = find(&java, SOURCE);
    let configs = task_configs(&plugin, &config);
    assert_eq!(configs[0]["task.class"], "org.apache.kafka.connect.file.FileStreamSourceTask");
    let PluginFactory::Source { task, .. } = &plugin.factory else { panic!("a source") };
    let stored = |partition: &SourcePartition| {
        assert!(partition.contains_key("filename"));
        Ok(Some(SourceOffset::from_iter([("position".to_owned(), json!(8))])))
    };
    let context = SourceContext::new("c", 0).with_own_chain(own_chain(&config)).with_offsets(Arc::new(stored));
    let mut task = task(context, &configs[0]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut polled: Vec<SourceBatch> = Vec::new();
    while polled.iter().map(|batch| batch.records.len()).sum::<usize>() < 2 {
        assert!(Instant::now() < deadline, "{polled:?}");
        if let Polled::Batches(batches) = task.poll(Duration::from_secs(1)).unwrap() {
            polled.extend(batches);
        }
    }
    let values: Vec<_> = polled.iter().flat_map(|batch| texts(&batch.records.value)).collect();
    assert_eq!(values, [Some("one".to_owned()), Some("two".to_owned())]);
    let last = polled.last().unwrap();
    assert_eq!((&*last.records.topic, last.offset["position"].as_i64()), ("t", Some(16)));
    let header = &last.records.headers.as_ref().unwrap()[0][0];
    assert_eq!((&*header.name, &header.value), ("from", &Value::Bytes(b"file".to_vec())));
    task.commit(&[]).unwrap();
    task.stop();
}

fn batch(first: i64, values: &[&str]) -> SinkBatch {
    let offsets: Vec<i64> = (first..).take(values.len()).collect();
    let origin = Origin {
        partition: TopicPartition::new("t", 0),
        range: OffsetRange { first, end: first + values.len() as i64 },
        timestamps: vec![-1; values.len()].into(),
        offsets: offsets.into(),
        timestamp_type: TimestampType::CreateTime,
    };
    let raw = RawBatch {
        origin: Arc::new(origin),
        keys: BinaryArray::from_iter(values.iter().map(|_| None::<&[u8]>)),
        values: BinaryArray::from_iter_values(values),
        headers: None,
    };
    SinkBatch { raw: Arc::new(raw), records: Vec::new() }
}

#[test]
fn a_file_is_written_and_a_message_that_cannot_be_converted_is_rejected() {
    let Some((java, files)) = java() else { return };
    let file = files.path().join("out.txt");
    let config = config(&[
        ("name", "c"),
        ("connector.class", SINK),
        ("file", file.to_str().unwrap()),
        ("topics", "t"),
        ("tasks.max", "1"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
        ("errors.tolerance", "all"),
    ]);
    let plugin = find(&java, SINK);
    let configs = task_configs(&plugin, &config);
    let PluginFactory::Sink { task, .. } = &plugin.factory else { panic!("a sink") };
    let context = SinkContext::new("c", 0).with_own_chain(own_chain(&config));
    let mut task = task(context, &configs[0]).unwrap();
    let at = |offset| Offsets::from([(TopicPartition::new("t", 0), offset)]);
    task.open(&at(0)).unwrap();
    let rejected = task.put(&batch(0, &["1", "no JSON", "\"two\""])).unwrap();
    assert_eq!((rejected.len(), rejected[0].row, rejected[0].stage), (1, 1, Stage::ValueConverter));
    assert_eq!(rejected[0].error.exception(), "org.apache.kafka.connect.errors.DataException");
    assert!(rejected[0].error.trace().contains("\n\tat org.apache.kafka.connect.json.JsonConverter"));
    assert_eq!(task.pre_commit(&at(3)).unwrap(), at(3));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "1\ntwo\n");
    task.close(&[TopicPartition::new("t", 0)]).unwrap();
    task.stop();
}
