//! A whole worker, with REST on a real port.

use std::io::{Read, Write};
use std::net::TcpStream;

use volley_api::testing::config_map;

use crate::connector_file::CreateConnector;
use crate::testing::fake_plugins;
use crate::worker::Worker;

fn get(url: &str, path: &str) -> String {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn properties(offsets: &std::path::Path) -> volley_api::ConfigMap {
    let mut properties = config_map(&[
        ("bootstrap.servers", "127.0.0.1:1"),
        ("key.converter", "FakeConverter"),
        ("value.converter", "org.example.FakeConverter"),
        ("header.converter", "FakeHeaderConverter"),
        ("listeners", "HTTP://127.0.0.1:0"),
    ]);
    properties.insert("offset.storage.file.filename".into(), offsets.display().to_string());
    properties
}

#[test]
fn a_worker_starts_without_its_broker_serves_and_ends() {
    let directory = tempfile::tempdir().unwrap();
    let worker = Worker::start(properties(&directory.path().join("offsets")), fake_plugins(), None).unwrap();
    assert!(!worker.url().ends_with(":0"), "{}", worker.url());
    let config = config_map(&[("name", "a"), ("connector.class", "FakeSource"), ("end", "true")]);
    worker.create_connector(CreateConnector::try_from(config).unwrap()).unwrap();
    worker.mark_ready();
    assert!(get(&worker.url(), "/health").starts_with("HTTP/1.1 200"));
    assert!(get(&worker.url(), "/connectors").ends_with("[\"a\"]"));
    let done = futures::executor::block_on(worker.bounded_done()).unwrap();
    assert_eq!(done[0].0, "a");
    assert!(worker.progress("a").unwrap().completion.is_some());
    let url = worker.url();
    worker.shut_down();
    assert!(TcpStream::connect(url.strip_prefix("http://").unwrap()).is_err());
}

#[test]
fn what_is_wrong_at_the_start_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let offsets = directory.path().join("offsets");
    for (key, value) in [
        ("listeners", "nonsense"),
        ("listeners", "https://127.0.0.1:0"),
        ("value.converter", "Nope"),
        ("connector.client.config.override.policy", "Nope"),
        ("rest.advertised.listener", "ftp"),
    ] {
        let mut properties = properties(&offsets);
        properties.insert(key.into(), value.into());
        let error = Worker::start(properties, fake_plugins(), None).map(|_| ()).unwrap_err();
        let trace = error.trace();
        assert!(trace.contains(value) || trace.contains("ssl.keystore.location"), "{key}: {trace}");
    }
}
