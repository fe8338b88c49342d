//! Laws of what is asked once.

use super::{client, client_of, int, registry};
use crate::http::stub_server::{StubReply, StubServer};
use crate::{Schema, SchemaKind};

#[test]
fn what_never_changes_is_asked_for_once() {
    let server = registry();
    let client = client_of(&server);
    for _ in 0..3 {
        client.schema_by_id(1).unwrap();
        client.schema_by_guid(crate::Uuid::nil()).unwrap();
        client.version("s", 2).unwrap();
        client.register("s", &int()).unwrap();
        client.lookup("s", &int()).unwrap();
    }
    // The registration has told the version: nothing is looked up.
    assert_eq!(server.count(), 4);
    client.register("t", &int()).unwrap();
    client.register("s", &Schema::new(SchemaKind::Json, "\"int\"")).unwrap();
    assert_eq!(server.count(), 6);
}

#[test]
fn a_version_tells_the_schema_of_its_id() {
    let server = registry();
    let client = client_of(&server);
    assert_eq!(client.version("s", 2).unwrap().id, 7);
    assert_eq!(*client.schema_by_id(7).unwrap(), int());
    assert_eq!(server.count(), 1);
}

#[test]
fn a_version_that_a_registration_has_not_told_is_looked_up() {
    let server = StubServer::start(|_, request| match request.line.ends_with("/versions") {
        true => StubReply::ok(r#"{"id": 7}"#),
        false => StubReply::ok(r#"{"subject": "s", "id": 7, "version": 3, "schema": "\"int\""}"#),
    });
    let client = client_of(&server);
    assert_eq!(client.register("s", &int()).unwrap().version, None);
    assert_eq!(client.lookup("s", &int()).unwrap().version, Some(3));
    assert_eq!(client.register("s", &int()).unwrap().version, Some(3));
    assert_eq!(server.count(), 2);
}

#[test]
fn the_newest_is_asked_for_again_after_its_life_or_a_registration() {
    let server = registry();
    let url = server.url("");
    let for_ever = client_of(&server);
    for _ in 0..3 {
        for_ever.latest("s").unwrap();
    }
    assert_eq!(server.count(), 1);
    for_ever.register("s", &int()).unwrap();
    for_ever.latest("s").unwrap();
    assert_eq!(server.count(), 3);
    let never = client(&[&url], &[("latest.cache.ttl.sec", "0")]);
    never.latest("s").unwrap();
    never.latest("s").unwrap();
    assert_eq!(server.count(), 5);
}

#[test]
fn an_id_that_is_missing_is_not_asked_for_by_each_message() {
    let server = StubServer::answering(StubReply::status(404, r#"{"error_code": 40403}"#));
    let client = client_of(&server);
    let first = client.schema_by_id(7).unwrap_err();
    assert_eq!(client.schema_by_id(7).unwrap_err().to_string(), first.to_string());
    assert_eq!(server.count(), 1);
    client.latest("s").unwrap_err();
    client.latest("s").unwrap_err();
    assert_eq!(server.count(), 3);
}

#[test]
fn what_may_pass_is_not_remembered() {
    let server = StubServer::start(|place, _| match place {
        0 => StubReply::Hangup,
        1 => StubReply::status(401, ""),
        _ => StubReply::ok(r#"{"schema": "s"}"#),
    });
    let client = client(&[&server.url("")], &[("max.retries", "0")]);
    assert!(client.schema_by_id(7).unwrap_err().is_retriable());
    assert!(client.schema_by_id(7).is_err());
    assert_eq!(client.schema_by_id(7).unwrap().text, "s");
}

#[test]
fn no_more_schemas_of_a_subject_are_remembered_than_the_setting_says() {
    let server = registry();
    let client = client(&[&server.url("")], &[("max.schemas.per.subject", "1")]);
    let other = Schema::new(SchemaKind::Avro, "\"long\"");
    for schema in [&int(), &int(), &other, &int()] {
        client.register("s", schema).unwrap();
    }
    assert_eq!(server.count(), 3);
}
