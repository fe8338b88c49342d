//! Laws of the client of Apicurio's registries.

use serde_json::{Value, json};
use volley_api::{ConfigMap, Error, ErrorKind, Result, Side};

use super::int;
use crate::http::stub_server::{StubReply, StubRequest, StubServer};
use crate::{ArtifactIds, DataEncoding, Reference, RegistryClient, RegistryConfig, SchemaId, SchemaKind};

fn client(url: &str, pairs: &[(&str, &str)]) -> RegistryClient {
    let usual = [("apicurio.registry.url", url), ("apicurio.registry.retry-backoff-ms", "0")];
    let properties: ConfigMap =
        usual.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let config =
        RegistryConfig::parse_apicurio(&properties, Side::Value, SchemaKind::Avro, DataEncoding::Binary, &[]).unwrap();
    RegistryClient::new(&config).unwrap()
}

/// A registry with one schema, which needs another one.
fn registry() -> StubServer {
    StubServer::start(|_, request| {
        let ids = json!({"globalId": 7, "contentId": 5, "version": "1"});
        StubReply::ok(match request.line.as_str() {
            line if line.ends_with("Ids/7/references") => {
                json!([{"name": "x.A", "groupId": "g", "artifactId": "a", "version": "1.0"}]).to_string()
            }
            line if line.ends_with("/references") => "[]".to_owned(),
            line if line.contains("/ids/") => "\"int\"".to_owned(),
            line if line.contains("/search/") => json!({"versions": [ids], "count": 1}).to_string(),
            line if line.contains("/v3/") && line.starts_with("POST") => json!({"version": ids}).to_string(),
            line if line.contains("/versions/1.0") => json!({"globalId": 8, "contentId": 6}).to_string(),
            _ => ids.to_string(),
        })
    })
}

fn lines(server: &StubServer) -> Vec<String> {
    server.asked().into_iter().map(|request| request.line).collect()
}

#[test]
fn a_schema_comes_with_what_it_needs_and_is_asked_for_once() {
    let server = registry();
    let client = client(&server.url(""), &[]);
    let schema = client.schema(SchemaId::Global(7)).unwrap();
    let reference = Reference { name: "x.A".into(), subject: "g/a@1.0".into(), version: 0 };
    assert_eq!((schema.text.as_str(), &schema.references), ("\"int\"", &vec![reference]));
    client.schema(SchemaId::Global(7)).unwrap();
    let needed = client.references(&schema).unwrap();
    assert_eq!((needed[0].name.as_str(), needed[0].schema.text.as_str()), ("x.A", "\"int\""));
    let path = "/apis/registry/v2";
    assert_eq!(
        lines(&server),
        [
            format!("GET {path}/ids/globalIds/7"),
            format!("GET {path}/ids/globalIds/7/references"),
            format!("GET {path}/groups/g/artifacts/a/versions/1.0/meta"),
            format!("GET {path}/ids/globalIds/8"),
            format!("GET {path}/ids/globalIds/8/references"),
        ]
    );
}

#[test]
fn a_schema_is_registered_and_found_in_each_interface() {
    for (path, register, find, latest) in [
        (
            "/apis/registry/v2",
            "POST /apis/registry/v2/groups/g/artifacts?ifExists=RETURN_OR_UPDATE&canonical=false",
            "POST /apis/registry/v2/groups/g/artifacts/b/meta?canonical=true",
            "GET /apis/registry/v2/groups/g/artifacts/c/meta",
        ),
        (
            "/apis/registry/v3",
            "POST /apis/registry/v3/groups/g/artifacts?ifExists=FIND_OR_CREATE_VERSION&canonical=false",
            "POST /apis/registry/v3/search/versions?groupId=g&artifactId=b&canonical=true&artifactType=AVRO&orderby=globalId&order=desc&limit=100",
            "GET /apis/registry/v3/groups/g/artifacts/c/versions/branch=latest",
        ),
    ] {
        let server = registry();
        let client = client(&format!("{}{path}", server.url("")), &[]);
        let ids = Some(ArtifactIds { global: 7, content: 5 });
        assert_eq!(client.register("g/a", &int()).unwrap().artifact, ids);
        assert_eq!(client.lookup("g/b", &int()).unwrap().artifact, ids);
        assert_eq!(client.latest("g/c").unwrap().artifact, ids);
        for subject in ["g/a", "g/b"] {
            client.lookup(subject, &int()).unwrap();
        }
        client.schema(SchemaId::Content(5)).unwrap();
        assert_eq!(lines(&server)[..3], [register, find, latest]);
        assert_eq!(server.count(), 5, "what is known is not asked for again");
    }
}

#[test]
fn the_artifact_is_named_in_headers() {
    let server = registry();
    client(&server.url("al:pw"), &[]).register("g/a%2Fb@1.0", &int()).unwrap();
    let StubRequest { body, .. } = server.asked()[0].clone();
    let header = |name| server.asked()[0].header(name).map(str::to_owned);
    assert_eq!((body.as_str(), header("content-type").as_deref()), ("\"int\"", Some("application/json")));
    assert_eq!(header("x-registry-artifactid").as_deref(), Some("a/b"));
    assert_eq!(header("x-registry-version").as_deref(), Some("1.0"));
    assert_eq!(header("authorization").as_deref(), Some("Basic YWw6cHc="));
}

#[test]
fn further_headers_are_sent_with_each_request() {
    let server = registry();
    let client = client(&server.url(""), &[("apicurio.registry.request.headers.X-Team", "lake")]);
    client.schema(SchemaId::Content(9)).unwrap();
    assert!(server.asked().iter().all(|request| request.header("x-team") == Some("lake")));
}

fn refusal(status: u16, body: &Value, ask: impl FnOnce(&RegistryClient) -> Result<()>) -> Error {
    let server = StubServer::answering(StubReply::status(status, body.to_string()));
    let error = ask(&client(&server.url(""), &[])).unwrap_err();
    assert_eq!(error.exception(), "io.apicurio.registry.rest.client.exception.RestClientException", "{error}");
    error
}

#[test]
fn refusals_are_told_apart_by_their_names() {
    let by_id = |client: &RegistryClient| client.schema(SchemaId::Global(7)).map(drop);
    let look_up = |client: &RegistryClient| client.lookup("g/a", &int()).map(drop);
    let register = |client: &RegistryClient| client.register("g/a", &int()).map(drop);
    let two = |name: &str| json!({"error_code": 404, "message": "words", "name": name, "detail": "x"});
    let error = refusal(404, &two("ArtifactNotFoundException"), by_id);
    assert!(error.kind() == ErrorKind::Data && error.to_string().contains("global id 7 (words"), "{error}");
    let error = refusal(404, &two("ArtifactNotFoundException"), look_up);
    assert!(error.to_string().contains("`apicurio.registry.auto-register=true`"), "{error}");
    let error = refusal(404, &two("NotFoundException"), by_id);
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("`apicurio.registry.url`"), "{error}");
    let three = json!({"status": 404, "title": "words", "name": "ContentNotFoundException"});
    let error = refusal(404, &three, by_id);
    assert!(error.kind() == ErrorKind::Data && error.to_string().contains("(words)"), "{error}");
    let error = refusal(409, &json!({"message": "no", "name": "RuleViolationException"}), register);
    assert!(error.kind() == ErrorKind::Data && error.to_string().contains("incompatible"), "{error}");
    let error = refusal(409, &json!({"message": "no", "name": "ArtifactAlreadyExistsException"}), register);
    assert!(error.kind() == ErrorKind::Data && error.to_string().contains("it is there already"), "{error}");
    let error = refusal(401, &json!({}), by_id);
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("`apicurio.auth.username`"), "{error}");
}

#[test]
fn nothing_found_is_missing_and_what_is_no_registry_is_told() {
    let server = StubServer::answering(StubReply::ok(r#"{"versions": [], "count": 0}"#));
    let three = client(&format!("{}/apis/registry/v3", server.url("")), &[]);
    let error = three.lookup("g/a", &int()).unwrap_err();
    assert!(error.kind() == ErrorKind::Data && error.to_string().contains("subject g/a"), "{error}");
    let page = StubServer::answering(StubReply::ok("<!doctype html>"));
    let error = client(&page.url(""), &[]).schema(SchemaId::Global(7)).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("Apicurio's interface"), "{error}");
}

#[test]
fn a_registry_that_does_not_answer_is_named_by_its_key() {
    let error = client(crate::http::stub_server::NOBODY, &[]).schema(SchemaId::Global(7)).unwrap_err();
    assert!(error.is_retriable() && error.to_string().contains("`apicurio.registry.url`"), "{error}");
}

#[test]
fn with_return_the_schema_is_the_one_that_was_there() {
    let server = registry();
    let client = client(&server.url(""), &[("apicurio.registry.auto-register.if-exists", "RETURN")]);
    let other = crate::Schema::new(SchemaKind::Avro, "\"long\"");
    assert_eq!(client.register("g/a", &other).unwrap().schema.text, "\"int\"");
}
