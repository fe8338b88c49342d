//! The keys of a client of registries. Converters add keys of their own.

use volley_api::{ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Validator};

use crate::SubjectNameStrategy;

pub(super) const URL: &str = "schema.registry.url";
pub(super) const AUTO_REGISTER: &str = "auto.register.schemas";
pub(super) const USE_LATEST: &str = "use.latest.version";
pub(super) const LATEST_STRICT: &str = "latest.compatibility.strict";
pub(super) const USE_ID: &str = "use.schema.id";
pub(super) const ID_STRICT: &str = "id.compatibility.strict";
pub(super) const NORMALIZE: &str = "normalize.schemas";
pub(super) const MAX_SCHEMAS: &str = "max.schemas.per.subject";
pub(super) const LATEST_SIZE: &str = "latest.cache.size";
pub(super) const LATEST_TTL: &str = "latest.cache.ttl.sec";
pub(super) const KEY_SUBJECT: &str = "key.subject.name.strategy";
pub(super) const VALUE_SUBJECT: &str = "value.subject.name.strategy";
pub(super) const BASIC_SOURCE: &str = "basic.auth.credentials.source";
pub(super) const USER_INFO: &str = "basic.auth.user.info";
pub(super) const OLD_USER_INFO: &str = "schema.registry.basic.auth.user.info";
pub(super) const BEARER_SOURCE: &str = "bearer.auth.credentials.source";
pub(super) const TOKEN: &str = "bearer.auth.token";
pub(super) const ISSUER: &str = "bearer.auth.issuer.endpoint.url";
pub(super) const CLIENT_ID: &str = "bearer.auth.client.id";
pub(super) const CLIENT_SECRET: &str = "bearer.auth.client.secret";
pub(super) const SCOPE: &str = "bearer.auth.scope";
pub(super) const CLUSTER: &str = "bearer.auth.logical.cluster";
pub(super) const POOL: &str = "bearer.auth.identity.pool.id";
pub(super) const RENEWAL: &str = "bearer.auth.cache.expiry.buffer.seconds";
pub(super) const JAAS: &str = "sasl.jaas.config";
pub(super) const SASL_ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
pub(super) const PROXY_HOST: &str = "proxy.host";
pub(super) const PROXY_PORT: &str = "proxy.port";
pub(super) const CONNECT_TIMEOUT: &str = "http.connect.timeout.ms";
pub(super) const READ_TIMEOUT: &str = "http.read.timeout.ms";
pub(super) const MAX_RETRIES: &str = "max.retries";
pub(super) const RETRY_WAIT: &str = "retries.wait.ms";
pub(super) const RETRY_MAX_WAIT: &str = "retries.max.wait.ms";
/// What stands before Java's `ssl.*` keys.
pub(super) const TLS_PREFIX: &str = "schema.registry.";

/// The keys of a client of registries, under Confluent's names.
///
/// `schema.registry.url` has no check here, since what fails a check is shown, and URLs may hold passwords:
/// [`crate::RegistryConfig::parse`] checks it.
pub fn registry_config_def() -> ConfigDef {
    use ConfigType::{Int, List, Long, Password, String};
    use Importance::{High, Low, Medium};
    let def = [
        ConfigKey::required(
            URL,
            List,
            High,
            "The registries to ask: URLs with a comma between them, tried in turn until one answers. A URL may have a \
             path, and a user and a password (https://user:password@host). mock://NAME is a registry inside the process, \
             for trying things out: it begins empty.",
        ),
        flag(
            AUTO_REGISTER,
            "true",
            Medium,
            "Whether schemas that the registry does not know under their subject are \
             registered. If false, they must be there.",
        ),
        flag(
            USE_LATEST,
            "false",
            Low,
            "With auto.register.schemas=false: whether data is written with the newest schema of \
             the subject in place of its own.",
        ),
        flag(
            LATEST_STRICT,
            "true",
            Low,
            "With use.latest.version: whether the newest schema must be compatible with that of \
             the data.",
        ),
        ConfigKey::with_default(
            USE_ID,
            Int,
            "-1",
            Low,
            "With auto.register.schemas=false: the id of the schema that data is \
             written with in place of its own; -1: none.",
        ),
        flag(
            ID_STRICT,
            "true",
            Low,
            "With use.schema.id: whether that schema must be compatible with that of the data.",
        ),
        flag(
            NORMALIZE,
            "false",
            Medium,
            "Whether the registry brings schemas into a normal form, in which order and spaces \
             make no difference, before it compares them.",
        ),
        number(MAX_SCHEMAS, Int, "1000", 1, Low, "How many schemas of a subject are remembered with their ids."),
        number(LATEST_SIZE, Int, "1000", 1, Low, "How many subjects are remembered with their newest schemas."),
        number(
            LATEST_TTL,
            Long,
            "-1",
            -1,
            Low,
            "How many seconds a newest schema is remembered; -1: until the process \
             ends.",
        ),
        strategy(KEY_SUBJECT, "keys"),
        strategy(VALUE_SUBJECT, "values"),
        one_of(
            BASIC_SOURCE,
            &["URL", "USER_INFO", "SASL_INHERIT"],
            Medium,
            "Where user and password are: URL (in \
             schema.registry.url, if anywhere), USER_INFO (basic.auth.user.info), SASL_INHERIT (sasl.jaas.config).",
        )
        .defaulting_to(Some("URL")),
        ConfigKey::with_default(USER_INFO, Password, "", Medium, "User and password, as user:password."),
        ConfigKey::with_default(OLD_USER_INFO, Password, "", Low, "The old name of basic.auth.user.info."),
        one_of(
            BEARER_SOURCE,
            &["STATIC_TOKEN", "OAUTHBEARER", "SASL_OAUTHBEARER_INHERIT"],
            Medium,
            "Where tokens come \
             from, in place of user and password: STATIC_TOKEN (bearer.auth.token), OAUTHBEARER (the token endpoint in \
             bearer.auth.issuer.endpoint.url), SASL_OAUTHBEARER_INHERIT (the token endpoint in \
             sasl.oauthbearer.token.endpoint.url, with the client in sasl.jaas.config).",
        ),
        ConfigKey::optional(TOKEN, Password, Medium, "The token of STATIC_TOKEN."),
        ConfigKey::optional(
            ISSUER,
            String,
            Medium,
            "The token endpoint of the identity provider (OAuth 2.0, client \
             credentials).",
        ),
        ConfigKey::optional(CLIENT_ID, String, Medium, "The id that tokens are asked for with."),
        ConfigKey::optional(CLIENT_SECRET, Password, Medium, "The secret that tokens are asked for with."),
        ConfigKey::optional(SCOPE, String, Medium, "The scope that tokens are asked for."),
        ConfigKey::optional(CLUSTER, String, Medium, "The id of the registry's logical cluster, in Confluent Cloud."),
        ConfigKey::optional(POOL, String, Medium, "The id of the identity pool, in Confluent Cloud."),
        number(RENEWAL, Int, "300", 0, Low, "How many seconds before a token expires the next one is asked for."),
        ConfigKey::optional(
            JAAS,
            Password,
            Low,
            "The login module that SASL_INHERIT and SASL_OAUTHBEARER_INHERIT read.",
        ),
        ConfigKey::optional(SASL_ENDPOINT, String, Low, "The token endpoint of SASL_OAUTHBEARER_INHERIT."),
        ConfigKey::with_default(PROXY_HOST, String, "", Low, "The HTTP proxy between here and the registries, if any."),
        ConfigKey::with_default(PROXY_PORT, Int, "-1", Low, "The port of the HTTP proxy."),
        number(
            CONNECT_TIMEOUT,
            Int,
            "60000",
            1,
            Low,
            "How many milliseconds a registry has to take a connection, and again \
             to agree upon TLS.",
        ),
        number(READ_TIMEOUT, Int, "60000", 1, Low, "How many milliseconds a registry has to answer."),
        number(
            MAX_RETRIES,
            Int,
            "3",
            0,
            Low,
            "How often all registries are asked again when none answers, or when they \
             are too busy.",
        ),
        number(
            RETRY_WAIT,
            Int,
            "1000",
            0,
            Low,
            "The first pause before they are asked again, in milliseconds. It doubles \
             each time.",
        ),
        number(
            RETRY_MAX_WAIT,
            Int,
            "20000",
            0,
            Low,
            "The longest pause before they are asked again, in milliseconds, even \
             if a registry wants a longer one.",
        ),
    ];
    def.into_iter().chain(tls_keys()).fold(ConfigDef::new(), ConfigDef::key)
}

/// The `ssl.*` keys that matter to most; others are passed on as they are.
fn tls_keys() -> Vec<ConfigKey> {
    use ConfigType::{List, Password, String};
    let key = |name: &str, config_type, documentation: &str| {
        ConfigKey::optional(&format!("{TLS_PREFIX}{name}"), config_type, Importance::Low, documentation)
    };
    vec![
        key("ssl.truststore.location", String, "File with the certificates to trust: PEM, PKCS#12 or JKS."),
        key("ssl.truststore.password", Password, "Password of the trust store."),
        key("ssl.truststore.type", String, "Type of the trust store; it is seen from the file, whatever this says."),
        key("ssl.truststore.certificates", Password, "The certificates to trust themselves, as PEM."),
        key("ssl.keystore.location", String, "File with the key and the certificate to show: PEM, PKCS#12 or JKS."),
        key("ssl.keystore.password", Password, "Password of the key store."),
        key("ssl.keystore.type", String, "Type of the key store; it is seen from the file, whatever this says."),
        key("ssl.keystore.key", Password, "The key itself, as PEM."),
        key("ssl.keystore.certificate.chain", Password, "The certificates that go with the key, as PEM."),
        key("ssl.key.password", Password, "Password of the key in the key store."),
        key("ssl.enabled.protocols", List, "Versions of TLS that may be used."),
        key("ssl.cipher.suites", List, "Cipher suites that may be used."),
        key(
            "ssl.endpoint.identification.algorithm",
            String,
            "https: the name in the certificate must be that of the \
             registry; empty: it need not be.",
        ),
    ]
}

fn flag(name: &str, default: &str, importance: Importance, documentation: &str) -> ConfigKey {
    ConfigKey::with_default(name, ConfigType::Boolean, default, importance, documentation)
}

fn number(name: &str, kind: ConfigType, default: &str, least: i64, importance: Importance, doc: &str) -> ConfigKey {
    ConfigKey::with_default(name, kind, default, importance, doc).validated(Validator::AtLeast(least))
}

fn one_of(name: &str, values: &[&str], importance: Importance, documentation: &str) -> ConfigKey {
    ConfigKey::optional(name, ConfigType::String, importance, documentation)
        .validated(Validator::one_of(values.iter().copied()))
}

fn strategy(name: &str, what: &str) -> ConfigKey {
    let documentation = format!(
        "How the subject of the schema of {what} is found: TopicNameStrategy (by the topic), RecordNameStrategy (by the \
         record) or TopicRecordNameStrategy (by both), in the package io.confluent.kafka.serializers.subject."
    );
    let default = "io.confluent.kafka.serializers.subject.TopicNameStrategy";
    ConfigKey::with_default(name, ConfigType::String, default, Importance::Medium, &documentation)
        .validated(Validator::custom(check_strategy))
}

fn check_strategy(value: &ConfigValue) -> Result<(), String> {
    let known = SubjectNameStrategy::CLASSES.map(|(name, _)| name);
    match value {
        ConfigValue::String(class) if SubjectNameStrategy::of_class(class).is_some() => Ok(()),
        _ => Err(format!("There is no such class here: use one of {}", known.join(", "))),
    }
}
