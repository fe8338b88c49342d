//! Laws of the settings.

use std::time::Duration;

use volley_api::{ConfigMap, ErrorKind, Result, Secret};

use super::*;
use crate::{Naming, SubjectNameStrategy};

fn parse(pairs: &[(&str, &str)]) -> Result<RegistryConfig> {
    let mut properties: ConfigMap = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    properties.entry("schema.registry.url".into()).or_insert_with(|| "http://h:8081".into());
    RegistryConfig::parse(&properties)
}

fn credentials(pairs: &[(&str, &str)]) -> Credentials {
    parse(pairs).unwrap().client.connection.credentials
}

const STATIC: (&str, &str) = ("bearer.auth.credentials.source", "STATIC_TOKEN");
const OAUTH: (&str, &str) = ("bearer.auth.credentials.source", "OAUTHBEARER");
const SASL_OAUTH: (&str, &str) = ("bearer.auth.credentials.source", "SASL_OAUTHBEARER_INHERIT");
const USER_INFO: (&str, &str) = ("basic.auth.credentials.source", "USER_INFO");
const SASL: (&str, &str) = ("basic.auth.credentials.source", "SASL_INHERIT");
const ENDPOINT: (&str, &str) = ("sasl.oauthbearer.token.endpoint.url", "https://idp/token");

#[test]
fn defaults_are_confluents() {
    let config = parse(&[]).unwrap();
    assert_eq!(config.writer_schema, WriterSchema::Registered);
    assert_eq!(config.key_subject, Naming::Confluent(SubjectNameStrategy::TopicName));
    let client = config.client;
    assert_eq!((client.schemas_per_subject, client.latest_size), (1000, 1000));
    assert_eq!(client.dialect, Dialect::Confluent { normalize: false });
    assert_eq!(client.latest_life, None);
    let Connection { connect_timeout, answer_timeout, retry, proxy, .. } = client.connection;
    assert_eq!((connect_timeout, answer_timeout), (Duration::from_secs(60), Duration::from_secs(60)));
    let (first_pause, longest_pause) = (Duration::from_secs(1), Duration::from_secs(20));
    assert_eq!(retry, RetryLimits { retries: 3, first_pause, longest_pause });
    assert_eq!(proxy, None);
}

#[test]
fn the_written_schema_is_what_java_would_take() {
    let off = ("auto.register.schemas", "false");
    let (id, latest) = (("use.schema.id", "7"), ("use.latest.version", "true"));
    let writer = |pairs: &[(&str, &str)]| parse(pairs).unwrap().writer_schema;
    assert_eq!(writer(&[id, latest]), WriterSchema::Registered);
    assert_eq!(writer(&[off]), WriterSchema::LookedUp);
    assert_eq!(writer(&[off, latest]), WriterSchema::Latest { strict: true });
    let lax = ("id.compatibility.strict", "false");
    assert_eq!(writer(&[off, latest, id, lax]), WriterSchema::Fixed { id: 7, strict: false });
}

#[test]
fn several_urls_are_kept_in_order_and_a_mock_is_alone() {
    let place = |urls: &str| parse(&[("schema.registry.url", urls)]).map(|config| config.client.connection.place);
    let Place::Http(urls) = place("http://a:1, https://b/p/").unwrap() else { panic!() };
    assert_eq!(urls.iter().map(ToString::to_string).collect::<Vec<_>>(), ["http://a:1", "https://b/p"]);
    assert_eq!(place("mock://x").unwrap(), Place::Mock("x".into()));
    for (urls, named) in [("mock://x,http://a", "alone"), ("", "empty"), ("http://a,b:1", "URL 2")] {
        let error = place(urls).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains(named), "{error}");
    }
}

#[test]
fn each_source_gives_its_credentials() {
    let basic = |pairs: &[(&str, &str)]| match credentials(pairs) {
        Credentials::Basic(secret) => secret.reveal().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(credentials(&[]), Credentials::Url);
    assert_eq!(basic(&[USER_INFO, ("basic.auth.user.info", "a:b")]), "a:b");
    assert_eq!(basic(&[USER_INFO, ("schema.registry.basic.auth.user.info", "a:b")]), "a:b");
    assert_eq!(basic(&[SASL, ("sasl.jaas.config", "x.Plain required username=\"a\" password=\"b\";")]), "a:b");
    let Credentials::Token(token) = credentials(&[STATIC, ("bearer.auth.token", "t")]) else { panic!() };
    assert_eq!(token.reveal(), "t");
    let issuer = ("bearer.auth.issuer.endpoint.url", "https://idp/token");
    let own = [OAUTH, issuer, ("bearer.auth.client.id", "c"), ("bearer.auth.client.secret", "s")];
    let Credentials::OAuth(own) = credentials(&own) else { panic!() };
    assert_eq!((own.id.as_str(), own.secret.reveal(), own.renewal), ("c", "s", Duration::from_secs(300)));
    let jaas =
        ("sasl.jaas.config", "x.OAuth required clientId=\"c\" clientSecret=\"s\" extension_logicalCluster=\"l\";");
    let inherited = parse(&[SASL_OAUTH, ENDPOINT, jaas]).unwrap().client.connection;
    assert_eq!(inherited.headers, [("target-sr-cluster".to_owned(), Secret::new("l"))]);
    assert!(matches!(inherited.credentials, Credentials::OAuth(client) if client.scope.is_none()));
}

#[test]
fn what_is_missing_is_named() {
    let jaas = ("sasl.jaas.config", "x.OAuth required clientId=\"hush\";");
    for (pairs, named) in [
        (&[USER_INFO][..], "`basic.auth.user.info`"),
        (&[SASL], "`sasl.jaas.config`"),
        (&[SASL, ("sasl.jaas.config", "hush")], "could not read `sasl.jaas.config`"),
        (&[SASL, jaas], "`username`"),
        (&[STATIC], "`bearer.auth.token`"),
        (&[STATIC, USER_INFO], "both set"),
        (&[OAUTH], "`bearer.auth.issuer.endpoint.url`"),
        (&[OAUTH, ("bearer.auth.issuer.endpoint.url", "ftp://hush")], "`bearer.auth.issuer.endpoint.url`"),
        (&[OAUTH, ("bearer.auth.issuer.endpoint.url", "http://hush")], "`bearer.auth.client.id`"),
        (&[SASL_OAUTH, jaas], "`sasl.oauthbearer.token.endpoint.url`"),
        (&[SASL_OAUTH, jaas, ENDPOINT], "`clientSecret`"),
        (&[("proxy.host", "p")], "`proxy.port`"),
        (&[("value.subject.name.strategy", "com.acme.Own")], "TopicNameStrategy"),
        (&[("basic.auth.credentials.source", "NONE")], "SASL_INHERIT"),
        (&[("http.read.timeout.ms", "0")], "http.read.timeout.ms"),
    ] {
        let error = parse(pairs).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.contains(named) && !text.contains("hush"), "{named}: {text}");
    }
}

#[test]
fn ssl_keys_lose_their_prefix_and_nothing_shows_secrets() {
    let config = parse(&[
        ("schema.registry.url", "http://u:hush@h"),
        ("schema.registry.ssl.truststore.password", "hush"),
        ("ssl.truststore.location", "not ours"),
        USER_INFO,
        ("basic.auth.user.info", "a:hush"),
    ])
    .unwrap();
    let expected = ConfigMap::from([("ssl.truststore.password".to_owned(), "hush".to_owned())]);
    assert_eq!(config.client.connection.tls, expected);
    assert!(!format!("{config:?}").contains("hush"));
}
