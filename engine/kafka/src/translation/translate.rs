//! The translation itself: each key is taken by the file that knows it, then the defaults are filled in.

use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN as Unknown;
use volley_api::ConfigMap;

use super::keys::{self, Rule};
use super::{defaults, sasl, tls};
use crate::bootstrap;

/// What kind of client a configuration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRole {
    /// A consumer.
    Consumer,
    /// A producer.
    Producer,
    /// An admin client.
    Admin,
}

impl ClientRole {
    fn name(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Producer => "producer",
            Self::Admin => "admin client",
        }
    }
}

/// A client configuration in librdkafka's keys. `Debug` shows no values, since some are secret.
#[derive(Clone)]
pub struct Translation {
    /// For librdkafka.
    pub config: ClientConfig,
    /// What could not be translated, a sentence each; never a value that may be secret.
    pub warnings: Vec<String>,
}

impl fmt::Debug for Translation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = self.config.config_map();
        f.debug_struct("Translation")
            .field("keys", &config.keys().collect::<Vec<_>>())
            .field("warnings", &self.warnings)
            .finish()
    }
}

/// Translates the configuration of a Java client. Values are trimmed; what is wrong with one is found out when the client
/// is made. Reads TLS stores that are not PEM.
///
/// An admin client is given all settings of a worker, so that keys unknown to any client are no reason to warn there.
pub fn translate(properties: &ConfigMap, role: ClientRole) -> Translation {
    let mut draft = Draft::new(role);
    for (key, value) in properties {
        draft.translate(key, value.trim(), properties);
    }
    tls::translate_stores(&mut draft, properties);
    defaults::fill(&mut draft.config, role);
    Translation { config: draft.config, warnings: draft.warnings }
}

/// A translation in the making.
pub(super) struct Draft {
    role: ClientRole,
    config: ClientConfig,
    warnings: Vec<String>,
}

impl Draft {
    fn new(role: ClientRole) -> Self {
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Info);
        Self { role, config, warnings: Vec::new() }
    }

    fn translate(&mut self, key: &str, value: &str, properties: &ConfigMap) {
        match key {
            "bootstrap.servers" => self.set(key, servers_of(value, properties)),
            "security.protocol" => self.set(key, value.to_ascii_lowercase()),
            _ if key.starts_with("sasl.") => sasl::translate(self, key, value),
            _ if key.starts_with("ssl.") => tls::translate(self, key, value),
            _ => match keys::rule(key, self.role) {
                Some(rule) => self.apply(rule, key, value, properties),
                None => self.pass(key, value),
            },
        }
    }

    fn apply(&mut self, rule: Rule, key: &str, value: &str, properties: &ConfigMap) {
        match rule {
            Rule::Lower(name) => self.set(name, value.to_ascii_lowercase()),
            Rule::Number { name, min, max } => self.set_number(key, name, value, min, max),
            Rule::MetadataAge => {
                self.set_number(key, "topic.metadata.refresh.interval.ms", value, 1000, 3_600_000);
            }
            Rule::Kibibytes(name) => {
                let kibibytes = value.parse::<i64>().map(|bytes| (bytes / 1024).to_string());
                self.set_number(key, name, &kibibytes.unwrap_or_else(|_| value.to_owned()), 1, 2_147_483_647);
            }
            Rule::OffsetReset => self.set_offset_reset(value),
            Rule::Assignors => self.set_assignors(value),
            Rule::Partitioner => self.set_partitioner(value),
            Rule::IgnoreKeys if value.eq_ignore_ascii_case("true") => self.set("partitioner", "random"),
            Rule::CompressionLevel(codec) if is_codec(properties, codec) => {
                self.set_number(key, "compression.level", value, -1, 12);
            }
            Rule::AutoCommit if value.eq_ignore_ascii_case("true") => {
                self.warn(format!("`{key}` is ignored: only what a task has delivered is committed"));
            }
            Rule::Unsupported(reason) => self.warn_unsupported(key, reason),
            Rule::IgnoreKeys | Rule::CompressionLevel(_) | Rule::AutoCommit | Rule::Ignore => {}
        }
    }

    fn set_number(&mut self, key: &str, name: &'static str, value: &str, min: i64, max: i64) {
        let Ok(number) = value.parse::<i64>() else { return self.set(name, value) };
        let kept = number.clamp(min, max);
        // -1 stands for "off" or "the system's default" in Java, 0 in librdkafka.
        if kept != number && !(number == -1 && min == 0) {
            self.warn(format!("`{key}` is {number}, kept within the client's limits: {kept}"));
        }
        self.set(name, kept.to_string());
    }

    fn set_offset_reset(&mut self, value: &str) {
        let value = value.to_ascii_lowercase();
        if value.starts_with("by_duration") {
            self.warn("`auto.offset.reset` by duration is not supported; earliest is used".to_owned());
        }
        let reset = match value.as_str() {
            "none" => "error",
            value if value.starts_with("by_duration") => "earliest",
            value => value,
        };
        self.set("auto.offset.reset", reset);
    }

    fn set_assignors(&mut self, value: &str) {
        let mut eager = Vec::new();
        let mut cooperative = false;
        for class in value.split(',').map(str::trim).filter(|class| !class.is_empty()) {
            match class.rsplit('.').next().unwrap_or(class) {
                "RangeAssignor" | "range" => eager.push("range"),
                "RoundRobinAssignor" | "roundrobin" => eager.push("roundrobin"),
                "CooperativeStickyAssignor" | "cooperative-sticky" => cooperative = true,
                other => {
                    let other = other.to_owned();
                    self.warn(format!("assignor `{other}` in `partition.assignment.strategy` has no equivalent here"));
                }
            }
        }
        if !eager.is_empty() && cooperative {
            self.warn(
                "`partition.assignment.strategy` names eager and cooperative assignors; the cooperative one is left out, \
                 since a member can offer only one kind"
                    .to_owned(),
            );
        }
        if !eager.is_empty() {
            self.set("partition.assignment.strategy", eager.join(","));
        } else if cooperative {
            self.set("partition.assignment.strategy", "cooperative-sticky");
        }
    }

    fn set_partitioner(&mut self, class: &str) {
        match class.rsplit('.').next().unwrap_or(class) {
            "" | "DefaultPartitioner" | "UniformStickyPartitioner" => self.set("partitioner", "murmur2_random"),
            "RoundRobinPartitioner" => self.set("partitioner", "random"),
            _ => self.warn_unsupported("partitioner.class", "it names a Java class"),
        }
    }

    /// Hands a key over under its own name if librdkafka knows it.
    pub(super) fn pass(&mut self, key: &str, value: &str) {
        let role = self.role;
        match keys::only_for(key) {
            Some(owner) if owner == role => self.set(key, value),
            Some(_) if role == ClientRole::Admin => {}
            Some(owner) => {
                self.warn(format!("`{key}` has no effect: it is for a {}, not for a {}", owner.name(), role.name()))
            }
            None if !keys::is_reserved(key) && is_known(key, value) => self.set(key, value),
            None if role == ClientRole::Admin => {}
            None => self.warn(format!("`{key}` is not known to the {} and has no effect", role.name())),
        }
    }

    /// Sets a key that needs a part of librdkafka which may be left out of the build; `false` and a warning if it is.
    pub(super) fn set_if_built_in(&mut self, feature: &str, key: &str, value: &str) -> bool {
        let built_in = ClientConfig::new()
            .create_native_config()
            .and_then(|native| native.get("builtin.features"))
            .is_ok_and(|features| features.split(',').any(|name| name.trim() == feature));
        if built_in {
            self.set(key, value);
        } else {
            self.warn_unsupported(key, &format!("the Kafka client is built without {feature}"));
        }
        built_in
    }

    pub(super) fn set(&mut self, key: &str, value: impl Into<String>) {
        self.config.set(key, value);
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.config.remove(key);
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.config.get(key)
    }

    pub(super) fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    pub(super) fn warn_unsupported(&mut self, key: &str, reason: &str) {
        self.warn(format!("`{key}` is left out: {reason}"));
    }
}

/// Whether some Kafka client knows the key, Java's or librdkafka's.
pub fn is_client_key(key: &str) -> bool {
    let roles = [ClientRole::Consumer, ClientRole::Producer, ClientRole::Admin];
    roles.iter().any(|role| keys::rule(key, *role).is_some()) || keys::only_for(key).is_some() || is_known(key, "")
}

/// As librdkafka reads them; what makes no sense is found out before the client is made.
fn servers_of(value: &str, properties: &ConfigMap) -> String {
    bootstrap::servers(properties).map_or_else(
        |_| value.to_owned(),
        |servers| servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    )
}

/// Whether librdkafka knows the key; asking for its value instead would not find those that have none by default.
fn is_known(key: &str, value: &str) -> bool {
    let tried = ClientConfig::new().set(key, value).create_native_config();
    !matches!(tried, Err(KafkaError::ClientConfig(Unknown, ..)))
}

fn is_codec(properties: &ConfigMap, codec: &str) -> bool {
    properties.get("compression.type").is_some_and(|value| value.trim().eq_ignore_ascii_case(codec))
}

#[cfg(test)]
mod tests {
    use rdkafka::consumer::BaseConsumer;
    use rdkafka::producer::BaseProducer;

    use super::*;

    // tests of volley-net say what is in these
    const KEY_STORE_JKS: &[u8] = include_bytes!("../../../net/src/tls/testdata/key_store.jks");
    const TRUST_STORE_JKS: &[u8] = include_bytes!("../../../net/src/tls/testdata/trust_store.jks");
    const TRUST_STORE_PKCS12: &[u8] = include_bytes!("../../../net/src/tls/testdata/trust_store.p12");

    fn properties(pairs: &[(&str, &str)]) -> ConfigMap {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn java_names_become_librdkafkas() {
        let given = properties(&[
            ("bootstrap.servers", " a:1 , b:2"),
            ("fetch.max.wait.ms", "100"),
            ("auto.offset.reset", "none"),
            ("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"),
            ("isolation.level", "read_committed"),
            ("max.poll.records", "10"),
            ("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer"),
            ("group.instance.id", "one"),
            ("metadata.max.age.ms", "60000"),
        ]);
        let Translation { config, warnings } = translate(&given, ClientRole::Consumer);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(config.get("bootstrap.servers"), Some("a:1,b:2"));
        assert_eq!(config.get("fetch.wait.max.ms"), Some("100"));
        assert_eq!(config.get("auto.offset.reset"), Some("error"));
        assert_eq!(config.get("partition.assignment.strategy"), Some("cooperative-sticky"));
        assert_eq!(config.get("isolation.level"), Some("read_committed"));
        assert_eq!(config.get("group.instance.id"), Some("one"));
        assert_eq!(config.get("topic.metadata.refresh.interval.ms"), Some("60000"));
        config.create_native_config().unwrap();
    }

    #[test]
    fn the_fixed_defaults_of_connects_producer_are_accepted() {
        let given = properties(&[
            ("bootstrap.servers", "a:1"),
            ("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"),
            ("max.block.ms", "9223372036854775807"),
            ("enable.idempotence", "false"),
            ("acks", "all"),
            ("max.in.flight.requests.per.connection", "1"),
            ("delivery.timeout.ms", "2147483647"),
            ("client.id", "connector-producer-x-0"),
            ("compression.type", "ZSTD"),
            ("compression.zstd.level", "3"),
            ("compression.gzip.level", "9"),
            ("buffer.memory", "33554432"),
            ("max.request.size", "2097152"),
        ]);
        let Translation { config, warnings } = translate(&given, ClientRole::Producer);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(config.get("compression.level"), Some("3"));
        assert_eq!(config.get("queue.buffering.max.kbytes"), Some("32768"));
        assert_eq!(config.get("message.max.bytes"), Some("2097152"));
        assert_eq!(config.get("partitioner"), Some("murmur2_random"));
        config.create::<BaseProducer>().unwrap();
    }

    #[test]
    fn messages_of_transactions_end_with_them() {
        let given = properties(&[
            ("transactional.id", "g-c-0"),
            ("enable.idempotence", "true"),
            ("delivery.timeout.ms", "2147483647"),
            ("transaction.timeout.ms", "10000"),
        ]);
        let Translation { config, .. } = translate(&given, ClientRole::Producer);
        assert_eq!(config.get("delivery.timeout.ms"), Some("10000"));
        config.create::<BaseProducer>().unwrap();
    }

    #[test]
    fn keys_that_cannot_be_translated_are_named() {
        let given = properties(&[
            ("interceptor.classes", "com.acme.Audit"),
            ("acks", "all"),
            ("no.such.key", "x"),
            ("partition.assignment.strategy", "com.acme.Mine,org.apache.kafka.clients.consumer.RangeAssignor"),
            ("enable.auto.commit", "true"),
            ("max.poll.interval.ms", "2147483647"),
            ("ssl.cipher.suites", "TLS_AES_128_GCM_SHA256"),
        ]);
        let Translation { config, warnings } = translate(&given, ClientRole::Consumer);
        for name in [
            "interceptor.classes",
            "acks",
            "no.such.key",
            "Mine",
            "enable.auto.commit",
            "max.poll.interval.ms",
            "ssl.cipher",
        ] {
            assert!(warnings.iter().any(|warning| warning.contains(name)), "{name}: {warnings:?}");
        }
        assert_eq!(config.get("enable.auto.commit"), Some("false"));
        assert_eq!(config.get("partition.assignment.strategy"), Some("range"));
        assert_eq!(config.get("max.poll.interval.ms"), Some("86400000"));
        assert_eq!(config.get("no.such.key"), None);
    }

    #[test]
    fn an_admin_client_takes_a_workers_settings_without_complaint() {
        let given = properties(&[
            ("bootstrap.servers", "a:1"),
            ("offset.storage.topic", "offsets"),
            ("key.converter", "x"),
            ("group.id", "connect"),
            ("session.timeout.ms", "10000"),
            ("request.timeout.ms", "40000"),
        ]);
        let Translation { config, warnings } = translate(&given, ClientRole::Admin);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(config.get("socket.timeout.ms"), Some("40000"));
        assert_eq!(config.get("group.id"), None);
        config.create_native_config().unwrap();
    }

    #[test]
    fn user_and_password_come_from_the_login_module_and_are_never_shown() {
        let given = properties(&[
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            (
                "sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"alice\" password=\"hush\";",
            ),
            ("ssl.truststore.location", "/etc/trust.jks"),
            ("ssl.truststore.password", "hush"),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.key", "-----BEGIN PRIVATE KEY-----hush-----END PRIVATE KEY-----"),
            ("group.id", "g"),
        ]);
        let translation = translate(&given, ClientRole::Consumer);
        assert_eq!(translation.config.get("security.protocol"), Some("sasl_ssl"));
        assert_eq!(translation.config.get("sasl.username"), Some("alice"));
        assert_eq!(translation.config.get("sasl.password"), Some("hush"));
        assert_eq!(translation.warnings.len(), 1, "{:?}", translation.warnings);
        assert!(translation.warnings[0].contains("ssl.truststore.location"));
        let refused = translation.config.create::<BaseConsumer>().map(drop).unwrap_err();
        assert!(refused.to_string().contains("ssl.ca.location"), "{refused}");
        assert!(!format!("{translation:?}").contains("hush"));
    }

    #[test]
    fn keys_without_a_default_are_known_too() {
        let given = properties(&[("client.rack", "a"), ("ssl.key.password", "hush"), ("sasl.username", "alice")]);
        let Translation { config, warnings } = translate(&given, ClientRole::Consumer);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!((config.get("client.rack"), config.get("ssl.key.password")), (Some("a"), Some("hush")));
    }

    #[test]
    fn limits_that_java_lets_contradict_each_other_make_a_client() {
        for (given, raised) in [
            (("fetch.max.bytes", "524288"), ("fetch.max.bytes", "524288")),
            (("fetch.max.bytes", "0"), ("fetch.max.bytes", "1000")),
            (("max.partition.fetch.bytes", "100"), ("fetch.max.bytes", "1048576")),
            (("session.timeout.ms", "600000"), ("max.poll.interval.ms", "600000")),
            (("max.poll.interval.ms", "30000"), ("max.poll.interval.ms", "45000")),
            (("reconnect.backoff.ms", "5000"), ("reconnect.backoff.max.ms", "5000")),
        ] {
            let Translation { config, .. } = translate(&properties(&[given, ("group.id", "g")]), ClientRole::Consumer);
            assert_eq!(config.get(raised.0), Some(raised.1), "{given:?}");
            config.create::<BaseConsumer>().unwrap();
        }
        let newer = properties(&[("group.protocol", "consumer"), ("group.id", "g")]);
        translate(&newer, ClientRole::Consumer).config.create::<BaseConsumer>().unwrap();
    }

    #[test]
    fn stores_of_java_become_pem() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, contents: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, contents).unwrap();
            path.display().to_string()
        };
        for trust_store in [TRUST_STORE_JKS, TRUST_STORE_PKCS12] {
            let given = properties(&[
                ("security.protocol", "SSL"),
                ("ssl.truststore.location", &file("trust", trust_store)),
                ("ssl.truststore.password", "trust-secret"),
                ("ssl.keystore.location", &file("key", KEY_STORE_JKS)),
                ("ssl.keystore.password", "store-secret"),
                ("ssl.key.password", "key-secret"),
                ("group.id", "g"),
            ]);
            let Translation { config, warnings } = translate(&given, ClientRole::Consumer);
            assert_eq!(warnings, Vec::<String>::new());
            for (key, begin) in
                [("ssl.ca.pem", "CERTIFICATE"), ("ssl.certificate.pem", "CERTIFICATE"), ("ssl.key.pem", "PRIVATE KEY")]
            {
                assert!(config.get(key).unwrap().starts_with(&format!("-----BEGIN {begin}")), "{key}");
            }
            assert_eq!(config.get("ssl.ca.location"), None);
            config.create::<BaseConsumer>().unwrap();
        }
    }

    #[test]
    fn sasl_over_tls_with_a_pem_trust_store_makes_a_client() {
        let given = properties(&[
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "plain"),
            (
                "sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=a password=b;",
            ),
            ("ssl.endpoint.identification.algorithm", ""),
            ("group.id", "g"),
        ]);
        let Translation { config, warnings } = translate(&given, ClientRole::Consumer);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(config.get("ssl.endpoint.identification.algorithm"), Some("none"));
        assert_eq!(config.get("ssl.ca.location"), Some("probe"));
        config.create::<BaseConsumer>().unwrap();
    }

    #[test]
    fn librdkafka_is_told_nothing_of_where_tokens_come_from() {
        let package = "org.apache.kafka.common.security.oauthbearer";
        let jaas = format!("{package}.OAuthBearerLoginModule required clientId=a clientSecret=hush scope=s;");
        let given = properties(&[
            ("sasl.mechanism", "OAUTHBEARER"),
            ("sasl.jaas.config", &jaas),
            ("sasl.oauthbearer.token.endpoint.url", "https://x/token"),
            ("sasl.oauthbearer.client.credentials.client.secret", "hush"),
            ("sasl.login.callback.handler.class", &format!("{package}.OAuthBearerLoginCallbackHandler")),
        ]);
        let Translation { config, warnings } = translate(&given, ClientRole::Producer);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(config.get("sasl.mechanism"), Some("OAUTHBEARER"));
        assert!(config.config_map().keys().all(|key| !key.contains("oauth")), "{:?}", config.config_map().keys());
        config.create::<BaseProducer>().unwrap();
        let given = properties(&[("sasl.jaas.config", &jaas.replace(" scope=s", " extension_logicalCluster=lkc"))]);
        let Translation { warnings, .. } = translate(&given, ClientRole::Producer);
        assert!(warnings.len() == 1 && warnings[0].contains("extension_logicalCluster"), "{warnings:?}");
    }
}
