//! Object stores: one in memory, and one that refuses.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::json;
use volley_api::testing::{config_map, resumes_from_every_offset};
use volley_api::{ConfigIssue, ConfigMap, ErrorKind};

use super::conformance::parquet;
use super::reading::{Stored, config as local_config, context, read_for, started, write};
use crate::source::config::SourceConfig;
use crate::source::source_plugin;
use crate::source::store::{FileStore, Search};
use crate::source::task::ObjectStoreSourceTask;
use crate::store::runtime;

const WAIT: Duration = Duration::from_secs(90);

fn put(store: &Arc<InMemory>, path: &str, contents: impl Into<bytes::Bytes>) {
    let (store, path, contents) = (Arc::clone(store), Path::parse(path).unwrap(), contents.into());
    runtime::wait(async move { store.put(&path, contents.into()).await }, WAIT).unwrap().unwrap().unwrap();
}

fn task(store: &Arc<InMemory>, more: &[(&str, &str)], context: volley_api::SourceContext) -> ObjectStoreSourceTask {
    let keys = [("store.url", "s3://bucket/pre fix"), ("topic", "t"), ("volley.mode", "bounded")];
    let config = SourceConfig::parse(&config_map(&[&keys, more].concat())).unwrap();
    let store: Arc<dyn ObjectStore> = Arc::clone(store) as _;
    ObjectStoreSourceTask::with_store(
        context,
        config,
        FileStore::remote("s3://bucket/pre", store, Path::from("pre"), WAIT),
    )
    .unwrap()
}

#[test]
fn objects_are_read_by_ranges_and_resumed_anywhere() {
    let store = Arc::new(InMemory::new());
    put(&store, "pre/a%2Fb c/x.parquet", parquet(0..40));
    put(&store, "pre/ü/y.json", "{\"a\":1}\n{\"a\":2}\n{\"a\":3}");
    put(&store, "prefix/other.json", "{\"a\":1}");
    put(&store, "pre/.hidden/y.json", "{\"a\":1}");
    let seen = read_for(&mut task(&store, &[], context(0, &Stored::new())), 1000);
    assert_eq!(seen.files(), ["a%2Fb c/x.parquet", "ü/y.json"]);
    assert_eq!(seen.values().len(), 43);
    resumes_from_every_offset(1000, |context| Ok(task(&store, &[("batch.max.rows", "3")], context)));
    let seen = read_for(&mut task(&store, &[("path", "ü")], context(0, &Stored::new())), 1000);
    assert_eq!(seen.values(), [1, 2, 3].map(|a| json!({ "a": a })));
}

#[test]
fn an_object_that_is_replaced_is_noticed_by_its_entity_tag() {
    let store = Arc::new(InMemory::new());
    put(&store, "pre/x.parquet", parquet(0..40));
    let mut reading = task(&store, &[("batch.max.rows", "5")], context(0, &Stored::new()));
    let begun = read_for(&mut reading, 2);
    assert!(begun.error.is_none() && (1..30).contains(&begun.values().len()), "{begun:?}");
    // as long as the other
    put(&store, "pre/x.parquet", parquet(0..40));
    let error = read_for(&mut reading, 100).error.unwrap().to_string();
    assert!(error.contains("`x.parquet`") && error.contains("replaced"), "{error}");
}

/// A server that gives every request this answer. Ends with the process.
fn server_that_answers(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 16 * 1024]);
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    format!("http://{address}")
}

fn issues(config: &ConfigMap) -> Vec<ConfigIssue> {
    source_plugin().factory.connector().unwrap().validate(config)
}

fn s3_config(endpoint: &str) -> ConfigMap {
    config_map(&[
        ("store.url", "s3://bucket/prefix"),
        ("store.s3.endpoint", endpoint),
        ("store.s3.region", "us-east-1"),
        ("store.s3.access.key.id", "key"),
        ("store.s3.secret.access.key", "hunter2"),
        ("topic", "t"),
    ])
}

#[test]
fn a_missing_bucket_and_wrong_credentials_are_mistakes_of_the_configuration_and_an_outage_is_none() {
    let answers = [
        (
            "404 Not Found",
            "<Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>",
            "does not exist",
        ),
        ("403 Forbidden", "<Error><Code>SignatureDoesNotMatch</Code></Error>", "credentials"),
    ];
    for (status, body, expected) in answers {
        let config = s3_config(&server_that_answers(status, body));
        let error = read_for(&mut started(&config, &Stored::new()), 10).error.unwrap();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains(expected), "{error:?}");
        assert!(!format!("{error:#}").contains("hunter2"));
        let [issue] = &issues(&config)[..] else { panic!("not one issue") };
        assert!(issue.key == "store.url" && issue.message.contains(expected), "{issue:?}");
    }
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = s3_config(&format!("http://{unused}"));
    assert_eq!(issues(&config), []);
    let error = read_for(&mut started(&config, &Stored::new()), 10).error.unwrap();
    assert!(error.is_retriable() && error.to_string().contains("s3://bucket/prefix"), "{error:?}");
}

#[test]
fn a_bucket_with_a_key_that_is_no_path_is_told_with_the_key() {
    let listing = "<ListBucketResult><Contents><Key>prefix/logs//x.json</Key><LastModified>2026-11-30T00:00:00Z</LastModified>\
                   <Size>1</Size><ETag>\"a\"</ETag></Contents></ListBucketResult>";
    let config = s3_config(&server_that_answers("200 OK", listing));
    let error = read_for(&mut started(&config, &Stored::new()), 10).error.unwrap();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("prefix/logs//x.json"), "{error:?}");
}

#[test]
fn a_check_of_the_configuration_tells_a_directory_that_is_not_there_and_ends_with_the_first_file() {
    let root = tempfile::tempdir().unwrap();
    let missing = root.path().join("none");
    let [issue] = &issues(&local_config(&missing, &[]))[..] else { panic!("not one issue") };
    assert!(issue.key == "store.url" && issue.message.contains("none"), "{issue:?}");
    write(root.path(), "x.json", "1");
    let [issue] = &issues(&local_config(&root.path().join("x.json"), &[]))[..] else { panic!("not one issue") };
    assert!(issue.message.contains("is no directory"), "{issue:?}");
    // a directory without files may have some later
    assert_eq!(issues(&local_config(root.path(), &[("path", "none/*.csv")])), []);
    for name in ["a/y.json", "b/z.json"] {
        write(root.path(), name, "1");
    }
    let found = |path: &str| {
        let config = SourceConfig::parse(&local_config(root.path(), &[("path", path)])).unwrap();
        FileStore::open(&config.store).unwrap().find(&Search::any(&config.pattern, WAIT)).unwrap().len()
    };
    assert_eq!([found(""), found("**/*.csv")], [1, 0]);
}
