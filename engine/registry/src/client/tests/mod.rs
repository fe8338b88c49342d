//! Laws of the client, against servers that answer as they are told.

mod artifacts;
mod authorization;
mod caching;
mod failures;
mod rounds;
mod tls;

use std::sync::Arc;

use volley_api::ConfigMap;

use crate::http::stub_server::{StubReply, StubServer};
use crate::{RegistryClient, RegistryConfig, Schema, SchemaKind};

/// The settings with these URLs and without pauses.
fn config(urls: &[&str], pairs: &[(&str, &str)]) -> RegistryConfig {
    let urls = urls.join(",");
    let usual = [("schema.registry.url", urls.as_str()), ("retries.wait.ms", "0"), ("retries.max.wait.ms", "0")];
    let pairs = usual.iter().chain(pairs);
    let properties: ConfigMap = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    RegistryConfig::parse(&properties).unwrap()
}

fn client(urls: &[&str], pairs: &[(&str, &str)]) -> RegistryClient {
    RegistryClient::new(&config(urls, pairs)).unwrap()
}

/// A client of this server only.
fn client_of(server: &StubServer) -> RegistryClient {
    client(&[&server.url("")], &[])
}

/// A registry that has one schema for whatever it is asked.
fn registry() -> StubServer {
    StubServer::answering(StubReply::ok(r#"{"id": 7, "version": 2, "schema": "\"int\""}"#))
}

fn int() -> Schema {
    Schema::new(SchemaKind::Avro, "\"int\"")
}

#[test]
fn a_client_may_be_shared_by_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<RegistryClient>();
    is_shared::<RegistryConfig>();
}

#[test]
fn the_path_of_the_base_url_is_kept_and_the_normal_form_asked_for() {
    let server = registry();
    let client = client(&[&format!("{}/apis/ccompat/v7/", server.url(""))], &[("normalize.schemas", "true")]);
    client.register("a/b", &int()).unwrap();
    client.lookup("c", &int()).unwrap();
    client.latest("d").unwrap();
    let lines: Vec<_> = server.asked().into_iter().map(|request| request.line).collect();
    assert_eq!(
        lines,
        [
            "POST /apis/ccompat/v7/subjects/a%2Fb/versions?normalize=true",
            "POST /apis/ccompat/v7/subjects/c?normalize=true",
            "GET /apis/ccompat/v7/subjects/d/versions/latest"
        ]
    );
    let asked = server.asked();
    assert_eq!(asked[0].body, r#"{"schema":"\"int\""}"#);
    assert_eq!(asked[0].header("content-type"), Some("application/vnd.schemaregistry.v1+json"));
    assert_eq!(asked[2].header("content-type"), None);
    assert!(asked[2].header("accept").unwrap().starts_with("application/vnd.schemaregistry.v1+json"));
    assert_eq!(asked[2].header("authorization"), None);
}

#[test]
fn a_proxy_is_told_the_whole_url() {
    let proxy = registry();
    let port = proxy.port().to_string();
    let client = client(&["http://registry.example:8081/p"], &[("proxy.host", "127.0.0.1"), ("proxy.port", &port)]);
    client.schema_by_id(7).unwrap();
    let asked = proxy.asked();
    assert_eq!(asked[0].line, "GET http://registry.example:8081/p/schemas/ids/7");
    assert_eq!(asked[0].header("host"), Some("registry.example:8081"));
}

#[test]
fn a_client_works_and_ends_inside_a_runtime_too() {
    let server = registry();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let client = client_of(&server);
        assert_eq!(*client.schema_by_id(7).unwrap(), int());
    });
}

#[test]
fn clients_with_the_same_settings_are_one() {
    let server = registry();
    let url = server.url("");
    let shared = |pairs: &[(&str, &str)]| RegistryClient::shared(&config(&[&url], pairs)).unwrap();
    let first = shared(&[]);
    let same = shared(&[("key.subject.name.strategy", "RecordNameStrategy"), ("use.latest.version", "true")]);
    let other = shared(&[("normalize.schemas", "true")]);
    assert!(Arc::ptr_eq(&first, &same) && !Arc::ptr_eq(&first, &other));
}

#[test]
fn whoever_names_a_mock_registry_shares_it_until_it_is_forgotten() {
    let registered = client(&["mock://shared"], &[]).register("s", &int()).unwrap();
    let other = client(&["mock://shared"], &[("normalize.schemas", "true")]);
    assert_eq!(other.schema_by_id(registered.id).unwrap().text, "\"int\"");
    assert_eq!(other.latest("s").unwrap(), registered);
    assert!(client(&["mock://other"], &[]).latest("s").is_err());
    crate::forget_mock_registry("shared");
    assert!(client(&["mock://shared"], &[]).latest("s").is_err());
    assert!(other.lookup("s", &int()).is_ok());
}

#[test]
fn a_guid_is_asked_for_under_its_path() {
    let server = registry();
    let guid = crate::Uuid::from_u128(7);
    assert_eq!(*client_of(&server).schema_by_guid(guid).unwrap(), int());
    assert_eq!(server.asked()[0].line, "GET /schemas/guids/00000000-0000-0000-0000-000000000007");
}

#[test]
fn what_a_schema_needs_is_fetched_once() {
    let server = StubServer::start(|_, request| {
        let references = match request.line.split('/').nth(2) {
            Some("a") => r#"[{"name": "x.C", "subject": "c", "version": 3}]"#,
            Some("b") => {
                r#"[{"name": "x.C", "subject": "c", "version": 3}, {"name": "x.A", "subject": "a", "version": 1}]"#
            }
            _ => "[]",
        };
        StubReply::ok(format!(r#"{{"id": 1, "version": 1, "schema": "s", "references": {references}}}"#))
    });
    let client = client_of(&server);
    let reference =
        |name: &str, subject: &str| crate::Reference { name: name.to_owned(), subject: subject.to_owned(), version: 1 };
    let schema = Schema { references: vec![reference("x.A", "a"), reference("x.B", "b")], ..int() };
    let names =
        || -> Vec<String> { client.references(&schema).unwrap().into_iter().map(|resolved| resolved.name).collect() };
    assert_eq!(names(), ["x.C", "x.A", "x.B"]);
    assert_eq!(names(), ["x.C", "x.A", "x.B"]);
    let lines: Vec<_> = server.asked().into_iter().map(|request| request.line).collect();
    assert_eq!(lines, ["GET /subjects/a/versions/1", "GET /subjects/c/versions/3", "GET /subjects/b/versions/1"]);
}
