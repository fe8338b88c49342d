//! Laws of asking registries in turn, and again.

use volley_api::ErrorKind;

use super::{client, client_of, int, registry};
use crate::http::stub_server::{NOBODY, StubReply, StubServer};

#[test]
fn each_registry_is_asked_until_one_answers_and_that_one_first_from_then_on() {
    for away in [StubReply::status(503, ""), StubReply::Hangup] {
        let (first, second) = (StubServer::answering(away), registry());
        let client = client(&[NOBODY, &first.url(""), &second.url("")], &[("max.retries", "0")]);
        assert_eq!(*client.schema_by_id(1).unwrap(), int());
        assert_eq!(*client.schema_by_id(2).unwrap(), int());
        assert_eq!((first.count(), second.count()), (1, 2));
    }
}

#[test]
fn they_are_asked_again_after_what_may_pass() {
    let server = StubServer::start(|place, _| match place {
        0 => StubReply::Answer(429, "retry-after: 3600\r\n", String::new()),
        1 => StubReply::status(500, r#"{"error_code": 50001, "message": "x"}"#),
        2 => StubReply::Hangup,
        _ => StubReply::ok(r#"{"id": 7}"#),
    });
    assert_eq!(client_of(&server).register("s", &int()).unwrap().id, 7);
    assert_eq!(server.count(), 4);
}

#[test]
fn when_all_retries_are_over_the_error_names_all_registries_and_the_last_cause() {
    let (first, second) = (
        StubServer::answering(StubReply::Hangup),
        StubServer::answering(StubReply::status(503, r#"{"error_code": 50302, "message": "no leader"}"#)),
    );
    let client = client(&[&first.url("u:hush"), &second.url("")], &[("max.retries", "2")]);
    let error = client.latest("s").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retriable);
    let text = error.to_string();
    assert!(text.contains(&format!("tried {}, {};", first.url(""), second.url(""))), "{text}");
    assert!(text.contains("answers 503 (no leader)") && !text.contains("hush"), "{text}");
    assert_eq!((first.count(), second.count()), (3, 3));
}

#[test]
fn a_registry_that_is_slow_or_not_there_is_given_up() {
    let silent = StubServer::answering(StubReply::Silence);
    let limits = [("max.retries", "0"), ("http.read.timeout.ms", "1")];
    let error = client(&[&silent.url("")], &limits).schema_by_id(1).unwrap_err();
    assert!(error.is_retriable() && error.to_string().contains("no answer within 1ms"), "{error}");
    let error = client(&[NOBODY], &limits).schema_by_id(1).unwrap_err();
    assert!(error.is_retriable() && error.to_string().contains("refused"), "{error}");
}

#[test]
fn what_settings_cure_is_not_asked_again() {
    let store = ("schema.registry.ssl.truststore.location", "/nowhere/at/all");
    let away = NOBODY.replace("http:", "https:");
    let error = client(&[NOBODY, &away], &[store]).schema_by_id(1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    assert!(text.contains("/nowhere/at/all") && text.contains("`schema.registry.ssl.*`"), "{text}");
}
