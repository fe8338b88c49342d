//! Stores that refuse the sink or are out of its reach, played by a small HTTP server.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use volley_api::{ConfigMap, ErrorKind, PluginFactory, SinkContext};

use super::config::SinkConfig;
use super::connector::sink_plugin;
use super::query::test_engine::TestEngine;
use super::sink::ObjectStoreSinkTask;
use super::test_records::store_config;

/// A server that gives every request this answer. Ends with the process.
fn server_that_answers(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 16 * 1024];
            let _ = stream.read(&mut request);
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    format!("http://{address}")
}

fn s3_config(endpoint: &str) -> ConfigMap {
    let mut config = store_config(&[
        ("store.s3.endpoint", endpoint),
        ("store.s3.region", "us-east-1"),
        ("store.s3.access.key.id", "key"),
        ("store.s3.secret.access.key", "hunter2"),
        ("retry.timeout.ms", "0"),
    ]);
    config.insert("store.url".into(), "s3://bucket/prefix".into());
    config
}

#[test]
fn wrong_credentials_and_a_missing_bucket_are_told_at_validation_and_at_start() {
    let answers = [
        (
            "404 Not Found",
            "<Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>",
            "does not exist",
        ),
        ("403 Forbidden", "<Error><Code>SignatureDoesNotMatch</Code></Error>", "refuses the credentials"),
        ("403 Forbidden", "<Error><Code>InvalidAccessKeyId</Code></Error>", "refuses the credentials"),
    ];
    let PluginFactory::Sink { connector, .. } = sink_plugin(Arc::<TestEngine>::default()).factory else {
        panic!("not a sink")
    };
    for (status, body, expected) in answers {
        let config = s3_config(&server_that_answers(status, body));
        let issues = connector.validate(&config);
        assert!(issues.len() == 1 && issues[0].key == "store.url", "{issues:?}");
        assert!(issues[0].message.contains(expected) && !issues[0].message.contains("hunter2"), "{issues:?}");
        let error =
            ObjectStoreSinkTask::start(SinkContext::new("c", 0), SinkConfig::parse(&config).unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_store_out_of_reach_is_no_mistake_of_the_configuration() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = s3_config(&format!("http://{unused}"));
    let PluginFactory::Sink { connector, .. } = sink_plugin(Arc::<TestEngine>::default()).factory else {
        panic!("not a sink")
    };
    assert_eq!(connector.validate(&config), []);
    let error = ObjectStoreSinkTask::start(SinkContext::new("c", 0), SinkConfig::parse(&config).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fatal);
    assert!(error.to_string().contains("s3://bucket/prefix"), "{error}");
}
