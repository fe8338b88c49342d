//! Laws of who the client says it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use volley_api::ErrorKind;

use super::{client, registry};
use crate::http::stub_server::{StubReply, StubServer};

/// The header that a registry is shown.
fn shown(user_in_url: &str, pairs: &[(&str, &str)]) -> Option<String> {
    let server = registry();
    client(&[&server.url(user_in_url)], pairs).schema_by_id(7).unwrap();
    server.asked()[0].header("authorization").map(str::to_owned)
}

fn basic(user_info: &str) -> Option<String> {
    Some(format!("Basic {}", STANDARD.encode(user_info)))
}

#[test]
fn each_kind_of_credentials_has_its_header() {
    assert_eq!(shown("", &[]), None);
    assert_eq!(shown("al%40ice:p%3Aw", &[]), basic("al@ice:p:w"));
    let source = ("basic.auth.credentials.source", "USER_INFO");
    assert_eq!(shown("u:p", &[source, ("basic.auth.user.info", "a:ü")]), basic("a:ü"));
    let source = ("basic.auth.credentials.source", "SASL_INHERIT");
    let jaas = ("sasl.jaas.config", "x.PlainLoginModule required username=\"a\" password=\"b\";");
    assert_eq!(shown("", &[source, jaas]), basic("a:b"));
    let source = ("bearer.auth.credentials.source", "STATIC_TOKEN");
    assert_eq!(shown("u:p", &[source, ("bearer.auth.token", "t")]), Some("Bearer t".to_owned()));
}

#[test]
fn confluent_cloud_is_told_cluster_and_pool() {
    let server = registry();
    let pairs = [
        ("bearer.auth.credentials.source", "STATIC_TOKEN"),
        ("bearer.auth.token", "t"),
        ("bearer.auth.logical.cluster", "lsrc-1"),
        ("bearer.auth.identity.pool.id", "pool-1"),
    ];
    client(&[&server.url("")], &pairs).schema_by_id(7).unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].header("target-sr-cluster"), Some("lsrc-1"));
    assert_eq!(asked[0].header("confluent-identity-pool-id"), Some("pool-1"));
}

#[test]
fn a_token_that_no_header_can_carry_is_named_but_not_shown() {
    let server = registry();
    let pairs = [("bearer.auth.credentials.source", "STATIC_TOKEN"), ("bearer.auth.token", "hu\nsh")];
    let error = client(&[&server.url("")], &pairs).schema_by_id(7).unwrap_err();
    assert_eq!((error.kind(), server.count()), (ErrorKind::Config, 0));
    assert!(error.to_string().contains("`bearer.auth.*`") && !error.to_string().contains("hu\nsh"), "{error}");
}

fn oauth(endpoint: &str) -> [(&str, &str); 5] {
    [
        ("bearer.auth.credentials.source", "OAUTHBEARER"),
        ("bearer.auth.issuer.endpoint.url", endpoint),
        ("bearer.auth.client.id", "me"),
        ("bearer.auth.client.secret", "hush1"),
        ("bearer.auth.scope", "a b"),
    ]
}

#[test]
fn a_token_is_asked_for_once_and_again_when_it_is_refused() {
    let provider = StubServer::start(|place, _| {
        StubReply::ok(format!(r#"{{"access_token": "token-{place}", "expires_in": 3600}}"#))
    });
    let server = StubServer::start(|_, request| match request.header("authorization") {
        Some("Bearer token-1") => StubReply::ok(r#"{"schema": "s"}"#),
        // The first one has been taken back after two answers.
        Some("Bearer token-0") if !request.line.ends_with('3') => StubReply::ok(r#"{"schema": "s"}"#),
        _ => StubReply::status(401, ""),
    });
    let endpoint = format!("{}/token?tenant=1", provider.url(""));
    let client = client(&[&server.url("")], &oauth(&endpoint));
    for id in 1..=4 {
        client.schema_by_id(id).unwrap();
    }
    assert_eq!((provider.count(), server.count()), (2, 5));
    let asked = provider.asked();
    assert_eq!(asked[0].line, "POST /token?tenant=1");
    assert_eq!(asked[0].header("authorization").map(str::to_owned), basic("me:hush1"));
    assert_eq!(asked[0].body, "grant_type=client_credentials&scope=a+b");
}

#[test]
fn an_identity_provider_that_refuses_is_told_from_one_that_is_away() {
    let server = registry();
    let error = |reply: StubReply| {
        let provider = StubServer::answering(reply);
        let endpoint = provider.url("");
        let error = client(&[&server.url("")], &oauth(&endpoint)).schema_by_id(7).unwrap_err();
        assert!(!error.to_string().contains("hush"), "{error}");
        (error.kind(), error.to_string(), provider.count())
    };
    let refused = r#"{"error": "invalid_client", "error_description": "not hush1"}"#;
    let (kind, text, count) = error(StubReply::status(400, refused));
    assert_eq!((kind, count), (ErrorKind::Config, 1));
    assert!(text.contains("answers 400 (invalid_client - not [hidden])"), "{text}");
    assert!(text.contains("`bearer.auth.client.id`"), "{text}");
    assert_eq!(error(StubReply::ok("{}")).0, ErrorKind::Config);
    let (kind, text, count) = error(StubReply::status(503, ""));
    assert_eq!((kind, count), (ErrorKind::Retriable, 4));
    assert!(text.contains("`bearer.auth.issuer.endpoint.url`"), "{text}");
    assert_eq!(error(StubReply::Hangup).0, ErrorKind::Retriable);
    assert_eq!(server.count(), 0);
}
