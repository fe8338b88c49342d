//! The keys of a client of Apicurio's registries. Converters add keys of their own.

use volley_api::{ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Validator};

use crate::artifact_naming::ArtifactStrategy;
use crate::wire::IdWidth;

pub(super) const URL: &str = "apicurio.registry.url";
pub(super) const AUTO_REGISTER: &str = "apicurio.registry.auto-register";
pub(super) const IF_EXISTS: &str = "apicurio.registry.auto-register.if-exists";
pub(super) const FIND_LATEST: &str = "apicurio.registry.find-latest";
pub(super) const STRATEGY: &str = "apicurio.registry.artifact-resolver-strategy";
pub(super) const GROUP: &str = "apicurio.registry.artifact.group-id";
pub(super) const ARTIFACT: &str = "apicurio.registry.artifact.artifact-id";
pub(super) const VERSION: &str = "apicurio.registry.artifact.version";
pub(super) const OLD_STRATEGY: &str = "apicurio.registry.global-id";
pub(super) const ID_HANDLER: &str = "apicurio.registry.id-handler";
pub(super) const AS_CONFLUENT: &str = "apicurio.registry.as-confluent";
pub(super) const USE_ID: &str = "apicurio.registry.use-id";
pub(super) const HEADERS: &str = "apicurio.registry.headers.enabled";
pub(super) const HEADERS_HANDLER: &str = "apicurio.registry.headers.handler";
pub(super) const KEY_GLOBAL: &str = "apicurio.registry.headers.key.globalId.name";
pub(super) const KEY_CONTENT: &str = "apicurio.registry.headers.key.contentId.name";
pub(super) const VALUE_GLOBAL: &str = "apicurio.registry.headers.value.globalId.name";
pub(super) const VALUE_CONTENT: &str = "apicurio.registry.headers.value.contentId.name";
pub(super) const CHECK_PERIOD: &str = "apicurio.registry.check-period-ms";
pub(super) const CACHE_LATEST: &str = "apicurio.registry.cache-latest";
pub(super) const RETRIES: &str = "apicurio.registry.retry-count";
pub(super) const RETRY_WAIT: &str = "apicurio.registry.retry-backoff-ms";
/// The names of the keys of the login, behind [`AUTH`].
pub(super) const TOKEN_ENDPOINT: &str = "service.token.endpoint";
pub(super) const SERVICE_URL: &str = "service.url";
pub(super) const REALM: &str = "realm";
pub(super) const CLIENT_ID: &str = "client.id";
pub(super) const CLIENT_SECRET: &str = "client.secret";
pub(super) const CLIENT_SCOPE: &str = "client.scope";
pub(super) const USERNAME: &str = "username";
pub(super) const PASSWORD: &str = "password";
/// What stands before the keys of the login: of version 2, and of version 3.
pub(super) const AUTH: [&str; 2] = ["apicurio.auth.", "apicurio.registry.auth."];
/// What stands before Java's `ssl.*` keys.
pub(super) const TLS_PREFIX: &str = "apicurio.registry.request.";
/// What stands before the names of further headers.
pub(super) const HEADERS_PREFIX: &str = "apicurio.registry.request.headers.";
/// What all keys of Apicurio begin with.
pub(super) const PREFIX: &str = "apicurio.";
const IF_EXISTS_VALUES: [&str; 6] =
    ["FAIL", "UPDATE", "RETURN", "RETURN_OR_UPDATE", "CREATE_VERSION", "FIND_OR_CREATE_VERSION"];

/// The keys of a client of Apicurio's registries, under Apicurio's names.
///
/// `apicurio.registry.url` has no check here, since what fails a check is shown, and URLs may hold passwords:
/// [`crate::RegistryConfig::parse_apicurio`] checks it.
pub fn apicurio_config_def() -> ConfigDef {
    use ConfigType::{Boolean, Class, List, Long, String};
    use Importance::{High, Low, Medium};
    let optional = ConfigKey::optional;
    let with_default = ConfigKey::with_default;
    let keys = [
        ConfigKey::required(
            URL,
            List,
            High,
            "The registry: its URL, with /apis/registry/v2 or /apis/registry/v3 as path; without, /apis/registry/v2 is added. \
             Of several, with a comma between them, one is asked after the other until one answers. A URL may have a user \
             and a password (https://user:password@host).",
        ),
        with_default(
            AUTO_REGISTER,
            Boolean,
            "false",
            High,
            "Whether schemas that the registry does not know are registered. If false, they must be there.",
        ),
        with_default(
            IF_EXISTS,
            String,
            "RETURN_OR_UPDATE",
            Low,
            "What becomes of a new schema of an artifact that is there: RETURN_OR_UPDATE makes it a new version unless it is \
             one already, UPDATE always, RETURN never, FAIL refuses it. Registries from version 3 on know \
             FIND_OR_CREATE_VERSION, CREATE_VERSION and FAIL.",
        )
        .validated(Validator::one_of(IF_EXISTS_VALUES)),
        with_default(
            FIND_LATEST,
            Boolean,
            "false",
            Medium,
            "Whether data is written with the newest version of its artifact in place of its own schema. Without meaning if \
             schemas are registered.",
        ),
        with_default(
            STRATEGY,
            Class,
            "io.apicurio.registry.serde.strategy.TopicIdStrategy",
            Medium,
            "How the artifact of a schema is called: TopicIdStrategy (topic-key or topic-value), SimpleTopicIdStrategy \
             (topic), RecordIdStrategy (the record's namespace is the group, its name the artifact), TopicRecordIdStrategy \
             (the same with the topic before the name), QualifiedRecordIdStrategy (the record's full name).",
        )
        .validated(Validator::custom(check_strategy)),
        optional(GROUP, String, Medium, "The group of the artifacts, whatever the strategy says."),
        optional(ARTIFACT, String, Medium, "The name of the artifact, whatever the strategy says."),
        optional(VERSION, String, Low, "The version of the artifact that data is written with, or that is registered."),
        optional(
            OLD_STRATEGY,
            Class,
            Low,
            "From version 1: GetOrCreateIdStrategy, AutoRegisterIdStrategy and CachedSchemaIdStrategy stand for \
             auto-register=true, FindLatestIdStrategy for find-latest=true, where neither is set.",
        ),
        optional(
            ID_HANDLER,
            Class,
            Medium,
            "How many bytes an id has in a message: DefaultIdHandler (8), Legacy4ByteIdHandler (4); of version 3 \
             Default4ByteIdHandler (4), Legacy8ByteIdHandler (8), OptimisticFallbackIdHandler (4, and reads 8 too). 8 if it \
             is not set, and 4 with a URL of version 3.",
        )
        .validated(Validator::custom(check_id_handler)),
        with_default(AS_CONFLUENT, Boolean, "false", Medium, "Whether ids have 4 bytes, as those of Confluent's clients."),
        optional(
            USE_ID,
            String,
            Medium,
            "Which id stands in messages: globalId or contentId. globalId if it is not set, and contentId with a URL of \
             version 3.",
        )
        .validated(Validator::one_of(["globalId", "contentId"])),
        optional(
            HEADERS,
            Boolean,
            Medium,
            "Whether ids stand in headers of messages. true if it is not set, and false with a URL of version 3. Messages \
             without such headers are read too.",
        ),
        with_default(
            HEADERS_HANDLER,
            Class,
            "io.apicurio.registry.serde.headers.DefaultHeadersHandler",
            Low,
            "What reads and writes the headers: DefaultHeadersHandler.",
        )
        .validated(Validator::custom(|value| check_class(value, &["DefaultHeadersHandler"]))),
        with_default(KEY_GLOBAL, String, "apicurio.key.globalId", Low, "The header with the global id of a key's schema."),
        with_default(KEY_CONTENT, String, "apicurio.key.contentId", Low, "The header with the content id of a key's schema."),
        with_default(
            VALUE_GLOBAL,
            String,
            "apicurio.value.globalId",
            Low,
            "The header with the global id of a value's schema.",
        ),
        with_default(
            VALUE_CONTENT,
            String,
            "apicurio.value.contentId",
            Low,
            "The header with the content id of a value's schema.",
        ),
        with_default(CHECK_PERIOD, Long, "30000", Low, "How long a newest version is believed to be the newest, in milliseconds.")
            .validated(Validator::AtLeast(0)),
        with_default(CACHE_LATEST, Boolean, "true", Low, "Whether a newest version is remembered at all."),
        with_default(
            RETRIES,
            Long,
            "3",
            Low,
            "How often the registry is asked again when it does not answer, or when it is too busy.",
        )
        .validated(Validator::AtLeast(0)),
        with_default(
            RETRY_WAIT,
            Long,
            "300",
            Low,
            "The first pause before it is asked again, in milliseconds. It doubles each time.",
        )
        .validated(Validator::AtLeast(0)),
    ];
    keys.into_iter().chain(auth_keys()).chain(tls_keys()).fold(ConfigDef::new(), ConfigDef::key)
}

/// The keys of the login, under the names of both versions.
fn auth_keys() -> Vec<ConfigKey> {
    use ConfigType::{Password, String};
    let keys = [
        (USERNAME, String, "The user who asks the registry."),
        (PASSWORD, Password, "The password of that user."),
        (TOKEN_ENDPOINT, String, "Where an identity provider gives tokens: https://host/path."),
        (SERVICE_URL, String, "Where Keycloak is, in place of the token endpoint; needs the realm."),
        (REALM, String, "The realm of Keycloak."),
        (CLIENT_ID, String, "The client that asks for tokens."),
        (CLIENT_SECRET, Password, "The secret of that client."),
        (CLIENT_SCOPE, String, "What the tokens shall allow."),
    ];
    let [two, three] = AUTH;
    let of_two = keys.iter().map(|(name, kind, documentation)| {
        ConfigKey::optional(&format!("{two}{name}"), *kind, Importance::Medium, documentation)
    });
    let of_three = keys.iter().map(|(name, kind, _)| {
        let documentation = format!("The same as {two}{name}, under the name of version 3.");
        ConfigKey::optional(&format!("{three}{name}"), *kind, Importance::Low, &documentation)
    });
    of_two.chain(of_three).collect()
}

/// The `ssl.*` keys that matter to most; others are passed on as they are.
fn tls_keys() -> Vec<ConfigKey> {
    use ConfigType::{Password, String};
    let key = |name: &str, config_type, documentation: &str| {
        ConfigKey::optional(&format!("{TLS_PREFIX}{name}"), config_type, Importance::Low, documentation)
    };
    vec![
        key("ssl.truststore.location", String, "File with the certificates to trust: PEM, PKCS#12 or JKS."),
        key("ssl.truststore.password", Password, "Password of the trust store."),
        key("ssl.truststore.type", String, "Type of the trust store; it is seen from the file, whatever this says."),
        key("ssl.keystore.location", String, "File with the key and the certificate to show: PEM, PKCS#12 or JKS."),
        key("ssl.keystore.password", Password, "Password of the key store."),
        key("ssl.keystore.type", String, "Type of the key store; it is seen from the file, whatever this says."),
        key("ssl.key.password", Password, "Password of the key in the key store."),
    ]
}

fn check_strategy(value: &ConfigValue) -> Result<(), String> {
    check_class(value, &ArtifactStrategy::CLASSES.map(|(name, _)| name))
}

fn check_id_handler(value: &ConfigValue) -> Result<(), String> {
    check_class(value, &IdWidth::CLASSES.map(|(name, _)| name))
}

/// Whether a class of this name, whatever its package, is among those that are here.
pub(super) fn check_class(value: &ConfigValue, known: &[&str]) -> Result<(), String> {
    match value {
        ConfigValue::String(class) if known.contains(&simple_name(class)) => Ok(()),
        _ => Err(format!("There is no such class here: use one of {}", known.join(", "))),
    }
}

/// The name of a class without its package.
pub(super) fn simple_name(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}
