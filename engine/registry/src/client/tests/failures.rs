//! Laws of what registries refuse.

use volley_api::{Error, ErrorKind};

use super::{client, client_of, int};
use crate::RegistryClient;
use crate::http::stub_server::{StubReply, StubServer};

fn error_of(status: u16, body: &str, ask: impl FnOnce(&RegistryClient) -> Error) -> Error {
    let server = StubServer::answering(StubReply::status(status, body));
    let error = ask(&client_of(&server));
    assert_eq!(server.count(), 1, "{error}");
    assert!(error.to_string().contains(&server.url("")) || error.to_string().contains("type THRIFT"), "{error}");
    error
}

fn by_id(client: &RegistryClient) -> Error {
    client.schema_by_id(7).unwrap_err()
}

fn register(client: &RegistryClient) -> Error {
    client.register("s", &int()).unwrap_err()
}

#[test]
fn what_is_missing_is_the_datas_fault_and_named() {
    let ask = |body: &str, ask: fn(&RegistryClient) -> Error| {
        let error = error_of(404, body, ask);
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        error.to_string()
    };
    let text = ask(r#"{"error_code": 40403, "message": "Schema 7 not found"}"#, by_id);
    assert!(text.contains("id 7 (Schema 7 not found; error code: 40403)"), "{text}");
    let text = ask(r#"{"error_code": 40401, "message": "Subject 's' not found."}"#, |c| c.latest("s").unwrap_err());
    assert!(text.contains("version latest of subject s"), "{text}");
    let text = ask(r#"{"error_code": 40402}"#, |client| client.version("s", 9).unwrap_err());
    assert!(text.contains("version 9 of subject s (error code: 40402)"), "{text}");
    let text = ask(r#"{"error_code": 40403}"#, |client| client.lookup("s", &int()).unwrap_err());
    assert!(text.contains("subject s") && text.contains("`auto.register.schemas=true`"), "{text}");
    let guid = crate::Uuid::nil();
    ask(r#"{"error_code": 404, "message": "HTTP 404 Not Found"}"#, |c| {
        c.schema_by_guid(crate::Uuid::nil()).unwrap_err()
    });
    assert!(ask("", |c| c.schema_by_guid(crate::Uuid::nil()).unwrap_err()).contains(&guid.to_string()));
}

#[test]
fn a_schema_that_is_refused_is_the_datas_fault_with_the_registrys_words() {
    for (status, body, words) in [
        (409, r#"{"error_code": 409, "message": "a field\nis gone"}"#, "(a field is gone; error code: 409)"),
        (422, r#"{"error_code": 42201, "message": "no Avro"}"#, "(no Avro; error code: 42201)"),
        (400, r#"{"message": "bad"}"#, "(bad)"),
    ] {
        let error = error_of(status, body, register);
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains(words), "{error}");
        let class = "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException";
        assert_eq!(error.exception(), class);
    }
}

#[test]
fn a_client_that_is_refused_is_told_what_to_set() {
    let server = StubServer::answering(StubReply::status(401, r#"{"message": "not a:hush1, YTpodXNoMQ== nor hush1"}"#));
    let advice = |user: &str, pairs: &[(&str, &str)]| {
        let error = client(&[&server.url(user)], pairs).schema_by_id(7).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    };
    let user_info = [("basic.auth.credentials.source", "USER_INFO"), ("basic.auth.user.info", "a:hush1")];
    let token = [("bearer.auth.credentials.source", "STATIC_TOKEN"), ("bearer.auth.token", "hush1")];
    assert!(advice("", &[]).contains("set `basic.auth.credentials.source=USER_INFO`"));
    for (text, key) in
        [(advice("a:hush1", &[]), "`schema.registry.url`"), (advice("", &user_info), "`basic.auth.user.info`")]
    {
        assert!(text.contains(key) && text.contains("[hidden], [hidden] nor [hidden]"), "{text}");
        assert!(!text.contains("hush") && !text.contains("YTpo"), "{text}");
    }
    let text = advice("", &token);
    assert!(text.contains("`bearer.auth.token`") && !text.contains("hush"), "{text}");
    assert_eq!(error_of(403, "", by_id).kind(), ErrorKind::Config);
}

#[test]
fn what_is_no_registry_is_the_configurations_fault() {
    for (status, body) in [
        (200, "<html>"),
        (200, ""),
        (200, "[]"),
        (200, r#"{"schema": 7}"#),
        (404, ""),
        (404, r#"{"error_code": 404, "message": "HTTP 404 Not Found"}"#),
        (301, ""),
        (405, "x"),
    ] {
        let error = error_of(status, body, by_id);
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("`schema.registry.url`"), "{error}");
    }
    assert_eq!(error_of(200, r#"{"version": 1}"#, register).kind(), ErrorKind::Config);
}

#[test]
fn a_schema_of_another_kind_is_the_datas_fault() {
    let error = error_of(200, r#"{"schema": "s", "schemaType": "THRIFT"}"#, by_id);
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("id 7") && error.to_string().contains("THRIFT"), "{error}");
}
