//! Laws of the settings with Apicurio's keys.

use std::time::Duration;

use volley_api::{ConfigMap, ErrorKind, Result, Side};

use super::*;
use crate::wire::IdWidth;
use crate::{ApicurioFraming, DataEncoding, Framing, SchemaKind};

const V2: &str = "http://h:8080/apis/registry/v2";
const V3: &str = "http://h:8080/apis/registry/v3";

fn parse(pairs: &[(&str, &str)]) -> Result<RegistryConfig> {
    let mut properties: ConfigMap = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    properties.entry("apicurio.registry.url".into()).or_insert_with(|| V2.into());
    RegistryConfig::parse_apicurio(&properties, Side::Value, SchemaKind::Avro, DataEncoding::Binary, &[])
}

fn framing(pairs: &[(&str, &str)]) -> ApicurioFraming {
    match parse(pairs).unwrap().framing {
        Framing::Apicurio(framing) => framing,
        other => panic!("{other:?}"),
    }
}

fn artifacts(pairs: &[(&str, &str)]) -> ArtifactSettings {
    match parse(pairs).unwrap().client.dialect {
        Dialect::Apicurio(settings) => settings,
        Dialect::Confluent { .. } => panic!(),
    }
}

#[test]
fn defaults_are_those_of_the_version_that_the_url_names() {
    let config = parse(&[]).unwrap();
    assert_eq!(config.writer_schema, WriterSchema::LookedUp);
    assert_eq!(config.client.latest_life, Some(Duration::from_secs(30)));
    let retry = config.client.connection.retry;
    assert_eq!((retry.retries, retry.first_pause), (3, Duration::from_millis(300)));
    assert_eq!(artifacts(&[]).if_exists, IfExists::ReturnOrUpdate);
    let two = framing(&[]);
    assert_eq!((two.width, two.names_content, two.headers.is_some()), (IdWidth::Eight, false, true));
    let three = framing(&[("apicurio.registry.url", V3)]);
    assert_eq!((three.width, three.names_content, three.headers.is_some()), (IdWidth::Four, true, false));
    assert_eq!(artifacts(&[("apicurio.registry.url", V3)]).api, ArtifactApi::Three);
}

#[test]
fn the_frame_is_what_is_said() {
    let off = ("apicurio.registry.headers.enabled", "false");
    let handler = |class| framing(&[("apicurio.registry.id-handler", class)]).width;
    assert_eq!(handler("io.apicurio.registry.serde.Legacy4ByteIdHandler"), IdWidth::Four);
    assert_eq!(handler("io.apicurio.registry.serde.OptimisticFallbackIdHandler"), IdWidth::FourOrEight);
    let confluent =
        framing(&[off, ("apicurio.registry.as-confluent", "true"), ("apicurio.registry.use-id", "contentId")]);
    assert_eq!((confluent.width, confluent.names_content, confluent.headers), (IdWidth::Four, true, None));
    let name = ("apicurio.registry.headers.value.globalId.name", "my-id");
    assert_eq!(&*framing(&[name]).headers.unwrap().global, "my-id");
}

#[test]
fn the_interface_is_added_to_a_url_without_one() {
    let urls = |urls: &str| match parse(&[("apicurio.registry.url", urls)]).map(|config| config.client.connection.place)
    {
        Ok(Place::Http(urls)) => urls.iter().map(|url| (url.to_string(), url.target("/x"))).collect(),
        Ok(Place::Mock(_)) => panic!(),
        Err(error) => vec![(error.to_string(), String::new())],
    };
    assert_eq!(
        urls("http://a:1, https://b/p/"),
        [
            ("http://a:1/apis/registry/v2".to_owned(), "/apis/registry/v2/x".to_owned()),
            ("https://b/p/apis/registry/v2".to_owned(), "/p/apis/registry/v2/x".to_owned()),
        ]
    );
    assert_eq!(urls(&format!("{V3}/"))[0].1, "/apis/registry/v3/x");
    assert!(urls("http://h/apis/ccompat/v7")[0].0.contains("`schema.registry.url`"));
    assert!(urls(&format!("{V2},{V3}"))[0].0.contains("versions 2 and 3"));
}

#[test]
fn registering_comes_before_finding_and_old_strategies_count_where_neither_is_set() {
    let writer = |pairs: &[(&str, &str)]| parse(pairs).unwrap().writer_schema;
    let (register, latest) = (("apicurio.registry.auto-register", "true"), ("apicurio.registry.find-latest", "true"));
    let old = |class: &str| format!("io.apicurio.registry.utils.serde.strategy.{class}");
    let with_old = |class: &str, more: &[(&str, &str)]| {
        let class = old(class);
        writer(&[&[("apicurio.registry.global-id", class.as_str())], more].concat())
    };
    assert_eq!(writer(&[register, latest]), WriterSchema::Registered);
    assert_eq!(writer(&[latest]), WriterSchema::Latest { strict: false });
    assert_eq!(writer(&[("apicurio.registry.artifact.version", "1.0")]), WriterSchema::Latest { strict: false });
    assert_eq!(with_old("GetOrCreateIdStrategy", &[]), WriterSchema::Registered);
    assert_eq!(with_old("FindLatestIdStrategy", &[]), WriterSchema::Latest { strict: false });
    assert_eq!(with_old("FindBySchemaIdStrategy", &[]), WriterSchema::LookedUp);
    assert_eq!(with_old("AutoRegisterIdStrategy", &[latest]), WriterSchema::Latest { strict: false });
}

#[test]
fn each_login_gives_its_credentials_under_the_names_of_both_versions() {
    let credentials = |pairs: &[(&str, &str)]| parse(pairs).unwrap().client.connection.credentials;
    assert_eq!(credentials(&[]), Credentials::Url);
    for prefix in ["apicurio.auth.", "apicurio.registry.auth."] {
        let key = |name: &str| format!("{prefix}{name}");
        let (user, password) = (key("username"), key("password"));
        let Credentials::Basic(basic) = credentials(&[(&user, "a"), (&password, "b:c")]) else { panic!() };
        assert_eq!(basic.reveal(), "a:b:c");
        let (id, secret, scope) = (key("client.id"), key("client.secret"), key("client.scope"));
        let (endpoint, service, realm) = (key("service.token.endpoint"), key("service.url"), key("realm"));
        let client = [(id.as_str(), "c"), (secret.as_str(), "s"), (scope.as_str(), "x")];
        let with = |more: &[(&str, &str)]| match credentials(&[&client[..], more].concat()) {
            Credentials::OAuth(client) => (client.endpoint.to_string(), client.scope),
            other => panic!("{other:?}"),
        };
        assert_eq!(with(&[(&endpoint, "https://idp/token")]), ("https://idp/token".into(), Some("x".into())));
        let keycloak = with(&[(&service, "https://idp/auth/"), (&realm, "r")]).0;
        assert_eq!(keycloak, "https://idp/auth/realms/r/protocol/openid-connect/token");
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    for (pairs, named) in [
        (&[("apicurio.registry.url", "")][..], "`apicurio.registry.url`"),
        (&[("apicurio.auth.username", "hush")], "`apicurio.auth.password`"),
        (&[("apicurio.auth.service.url", "https://hush")], "`apicurio.auth.realm`"),
        (&[("apicurio.auth.service.token.endpoint", "https://hush")], "`apicurio.auth.client.id`"),
        (&[("apicurio.registry.use-id", "both")], "apicurio.registry.use-id"),
        (&[("apicurio.registry.id-handler", "com.acme.Own")], "Legacy4ByteIdHandler"),
        (&[("apicurio.registry.artifact-resolver-strategy", "com.acme.Own")], "TopicIdStrategy"),
        (&[("apicurio.registry.auto-register.if-exists", "MAYBE")], "RETURN_OR_UPDATE"),
        (&[("apicurio.registry.retry-count", "-1")], "apicurio.registry.retry-count"),
    ] {
        let error = parse(pairs).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.contains(named) && !text.contains("hush"), "{named}: {text}");
    }
}

#[test]
fn ssl_keys_and_headers_lose_their_prefix_and_nothing_shows_secrets() {
    let config = parse(&[
        ("apicurio.registry.request.ssl.truststore.password", "hush"),
        ("apicurio.registry.request.headers.Authorization", "hush"),
        ("apicurio.auth.username", "a"),
        ("apicurio.auth.password", "hush"),
        ("apicurio.registry.unheard-of", "x"),
    ])
    .unwrap();
    let connection = &config.client.connection;
    assert_eq!(connection.tls.get("ssl.truststore.password").map(String::as_str), Some("hush"));
    assert_eq!(connection.headers[0].0, "Authorization");
    assert!(!format!("{config:?}").contains("hush"));
}
