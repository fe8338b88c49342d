//! The client against a real registry: Apicurio's, Confluent's or another one with that interface.
//!
//! ```text
//! VOLLEY_TEST_REGISTRY=http://127.0.0.1:8080/apis/ccompat/v7 cargo test -p volley-registry -- --ignored
//! ```
//!
//! With `VOLLEY_TEST_REGISTRY_JUDGES=true` it must also refuse schemas: its compatibility level must be BACKWARD then.

use std::env;

use volley_api::{ConfigMap, ErrorKind};
use volley_registry::{Reference, RegistryClient, RegistryConfig, Schema, SchemaKind, Uuid};

fn url() -> String {
    env::var("VOLLEY_TEST_REGISTRY").expect("VOLLEY_TEST_REGISTRY is the URL of a registry")
}

fn client(url: &str) -> RegistryClient {
    let properties = [("schema.registry.url", url), ("max.retries", "0")];
    let properties: ConfigMap = properties.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let config = RegistryConfig::parse(&properties).expect("VOLLEY_TEST_REGISTRY is a URL");
    RegistryClient::new(&config).expect("the system lets clients start")
}

/// A subject that nobody has used.
fn subject(name: &str) -> String {
    format!("{name} {}/é-value", Uuid::new_v4())
}

fn record(field: &str) -> Schema {
    let text = format!(r#"{{"type":"record","name":"R","namespace":"x","fields":[{{"name":"a","type":"{field}"}}]}}"#);
    Schema::new(SchemaKind::Avro, text)
}

/// A schema that needs the first version of `subject` under this name.
fn needing(kind: SchemaKind, text: &str, name: &str, subject: &str) -> Schema {
    let reference = Reference { name: name.to_owned(), subject: subject.to_owned(), version: 1 };
    Schema { references: vec![reference], ..Schema::new(kind, text) }
}

#[test]
#[ignore = "needs a registry at VOLLEY_TEST_REGISTRY"]
fn what_is_registered_is_found_by_everyone() {
    let (writer, reader, subject) = (client(&url()), client(&url()), subject("found"));
    let schema = record("long");
    let registered = writer.register(&subject, &schema).unwrap();
    println!("registered: {registered:?}");
    assert_eq!(client(&url()).register(&subject, &schema).unwrap().id, registered.id);
    assert_eq!(reader.schema_by_id(registered.id).unwrap().kind, SchemaKind::Avro);
    let found = reader.lookup(&subject, &schema).unwrap();
    assert_eq!((found.id, found.version), (registered.id, Some(1)));
    for found in [reader.latest(&subject).unwrap(), client(&url()).version(&subject, 1).unwrap()] {
        println!("found: {found:?}");
        assert_eq!((found.id, found.version), (registered.id, Some(1)));
    }
    match registered.guid.or(found.guid) {
        Some(guid) => assert_eq!(*reader.schema_by_guid(guid).unwrap(), *reader.schema_by_id(registered.id).unwrap()),
        None => println!("it has no GUIDs"),
    }
}

#[test]
#[ignore = "needs a registry at VOLLEY_TEST_REGISTRY"]
fn what_a_schema_needs_comes_with_it() {
    let proto = "syntax = \"proto3\"; package x; message A { string a = 1; }";
    let importing = "syntax = \"proto3\"; package x; import \"a.proto\"; message B { A a = 1; }";
    let json = r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","title":"A"}"#;
    let pointing = r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"$ref":"a.json"}}}"#;
    let outer = r#"{"type":"record","name":"O","namespace":"x","fields":[{"name":"r","type":"x.R"}]}"#;
    for (inner, text, name) in [
        (record("int"), outer, "x.R"),
        (Schema::new(SchemaKind::Protobuf, proto), importing, "a.proto"),
        (Schema::new(SchemaKind::Json, json), pointing, "a.json"),
    ] {
        let (client, needed, subject) = (client(&url()), subject("needed"), subject("needing"));
        client.register(&needed, &inner).unwrap();
        let schema = needing(inner.kind, text, name, &needed);
        let id = client.register(&subject, &schema).unwrap().id;
        let read = client.schema_by_id(id).unwrap();
        assert_eq!((read.kind, &read.references), (schema.kind, &schema.references));
        let references = client.references(&read).unwrap();
        assert_eq!(references.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), [name]);
        assert_eq!(references[0].schema.kind, inner.kind);
    }
}

#[test]
#[ignore = "needs a registry at VOLLEY_TEST_REGISTRY"]
fn what_is_missing_is_the_datas_fault() {
    let (client, known) = (client(&url()), subject("known"));
    client.register(&known, &record("string")).unwrap();
    let unknown = subject("unknown");
    for outcome in [
        client.schema_by_id(i32::MAX).map(drop),
        client.schema_by_guid(Uuid::from_u128(7)).map(drop),
        client.latest(&unknown).map(drop),
        client.version(&unknown, 1).map(drop),
        client.version(&known, 99).map(drop),
        client.lookup(&unknown, &record("string")).map(drop),
        client.lookup(&known, &record("bytes")).map(drop),
    ] {
        let error = outcome.unwrap_err();
        println!("{error}");
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
}

#[test]
#[ignore = "needs a registry at VOLLEY_TEST_REGISTRY"]
fn a_url_without_a_registry_is_the_configurations_fault() {
    let error = client(&format!("{}/nothing/here", url())).latest("a").unwrap_err();
    println!("{error}");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}

#[test]
#[ignore = "needs a registry at VOLLEY_TEST_REGISTRY"]
fn schemas_are_judged() {
    if env::var("VOLLEY_TEST_REGISTRY_JUDGES").is_err() {
        println!("not asked for");
        return;
    }
    let (client, subject) = (client(&url()), subject("judged"));
    client.register(&subject, &record("long")).unwrap();
    for schema in [record("string"), Schema::new(SchemaKind::Avro, r#"{"type":"nope"}"#)] {
        let error = client.register(&subject, &schema).unwrap_err();
        println!("{error}");
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
}
