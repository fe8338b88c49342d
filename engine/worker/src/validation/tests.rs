//! Compares validation with Kafka Connect's answers.

use std::sync::Arc;

use volley_api::testing::config_map;

use super::{ConfigInfos, ConnectorValidator};
use crate::config_transformer::ConfigTransformer;
use crate::json_config::GivenConfig;
use crate::plugins::Plugins;
use crate::testing::{distributed_config, fake_plugins};
use crate::worker_config::WorkerConfig;

async fn validate_with(worker: &WorkerConfig, class: &str, more: &[(&str, &str)], nulls: &[&str]) -> ConfigInfos {
    let plugins = Arc::new(Plugins::new(fake_plugins()));
    let validator = ConnectorValidator::of_worker(plugins, Arc::new(ConfigTransformer::default()), worker).unwrap();
    let mut values = config_map(&[("name", "a"), ("connector.class", class)]);
    values.extend(config_map(more));
    let nulls = nulls.iter().map(|key| (*key).to_owned()).collect();
    validator.validate(&GivenConfig { values, nulls }).await.unwrap()
}

/// A worker with an override policy.
fn worker(policy: &str) -> WorkerConfig {
    distributed_config(&[
        ("connector.client.config.override.policy", policy),
        ("connector.client.config.override.allowlist", "acks, linger.ms"),
    ])
    .unwrap()
}

async fn source(more: &[(&str, &str)]) -> ConfigInfos {
    validate_with(&worker("All"), "FakeSource", more, &[]).await
}

async fn sink(more: &[(&str, &str)]) -> ConfigInfos {
    validate_with(&worker("All"), "FakeSinkConnector", more, &[]).await
}

fn errors(infos: &ConfigInfos) -> Vec<(String, String)> {
    let errors = infos
        .configs
        .iter()
        .flat_map(|config| config.value.errors.iter().map(|error| (config.value.name.clone(), error.clone())));
    errors.collect()
}

fn names(infos: &ConfigInfos) -> Vec<&str> {
    infos.configs.iter().map(|config| config.value.name.as_str()).collect()
}

#[tokio::test]
async fn a_good_configuration_has_no_errors_and_framework_keys_come_first() {
    let infos = source(&[]).await;
    assert_eq!((infos.error_count, errors(&infos)), (0, vec![]));
    assert_eq!(infos.name, "FakeSource");
    assert_eq!(names(&infos)[..4], ["name", "connector.class", "connector.plugin.version", "tasks.max"]);
    assert_eq!(names(&infos).last(), Some(&"password"));
    assert_eq!(
        infos.groups,
        [
            "Common",
            "Transforms",
            "Predicates",
            "Error Handling",
            "Topic Creation",
            "Exactly Once Support",
            "offsets.topic"
        ]
    );
}

#[tokio::test]
async fn a_sink_consumes_either_topics_or_a_pattern() {
    let infos = sink(&[]).await;
    let message = "Must configure one of topics or topics.regex";
    assert_eq!(errors(&infos), [("topics".into(), message.into()), ("topics.regex".into(), message.into())]);
    assert_eq!(infos.error_count, 2);
    let infos = sink(&[("topics", "a"), ("topics.regex", "b")]).await;
    assert_eq!(infos.error_count, 2);
    assert_eq!(sink(&[("topics", "a, b")]).await.error_count, 0);
    let doubled = sink(&[("topics", "a, a")]).await;
    assert_eq!(errors(&doubled), [("topics".into(), "Configuration 'topics' values must not be duplicated.".into())]);
}

#[tokio::test]
async fn a_sink_never_consumes_its_dead_letters_nor_in_the_workers_group() {
    let dead = ("errors.deadletterqueue.topic.name", "dlq");
    assert_eq!(errors(&sink(&[("topics", "a,dlq"), dead]).await)[0].0, "topics");
    assert_eq!(errors(&sink(&[("topics.regex", "d.*"), dead]).await)[0].0, "topics.regex");
    assert_eq!(sink(&[("topics.regex", "d"), dead]).await.error_count, 0);
    let group = [("topics", "a"), ("consumer.override.group.id", "workers")];
    assert_eq!(sink(&group).await.error_count, 1);
}

#[tokio::test]
async fn transformations_show_their_keys_and_are_made() {
    let infos = source(&[("transforms", "t"), ("transforms.t.type", "Fake"), ("transforms.t.query", "x")]).await;
    assert_eq!(infos.error_count, 0, "{:?}", errors(&infos));
    let shown: Vec<_> = names(&infos).into_iter().filter(|name| name.starts_with("transforms.t.")).collect();
    let keys = ["type", "plugin.version", "query", "negate", "predicate"];
    assert_eq!(shown, keys.map(|key| format!("transforms.t.{key}")));
    assert!(infos.groups.contains(&"Transforms: t".to_owned()));
    let class = infos.configs.iter().find(|config| config.value.name == "transforms.t.type").unwrap();
    assert_eq!(class.value.value.as_deref(), Some("org.example.Fake"));
    assert!(class.value.recommended_values.contains(&"org.example.Cast$Value".to_owned()));

    let infos = source(&[("transforms", "t"), ("transforms.t.type", "Fake"), ("transforms.t.query", "nonsense")]).await;
    let message = "could not parse the query, at position 1";
    assert_eq!(errors(&infos), [("transforms.t.type".to_owned(), message.to_owned())]);
}

#[tokio::test]
async fn bad_transformations_are_named() {
    let infos = source(&[("transforms", "t")]).await;
    let missing = "Missing required configuration \"transforms.t.type\" which has no default value.";
    assert_eq!(errors(&infos), [("transforms.t.type".to_owned(), missing.to_owned())]);
    let infos = source(&[("transforms", "t"), ("transforms.t.type", "Value")]).await;
    let unknown = "Invalid value Value for configuration transforms.t.type: Class Value could not be found.";
    assert_eq!(errors(&infos), [("transforms.t.type".to_owned(), unknown.to_owned())], "two plug-ins have that name");
    assert_eq!(source(&[("transforms", "t"), ("transforms.t.type", "org.example.Cast$Value")]).await.error_count, 0);
    let negated =
        [("transforms", "t"), ("transforms.t.type", "org.example.Cast$Value"), ("transforms.t.negate", "true")];
    let message = "Config 'transforms.t.negate' was provided but there is no config 'transforms.t.predicate' defining a \
                   predicate to be negated.";
    assert_eq!(errors(&source(&negated).await), [("transforms.t.type".to_owned(), message.to_owned())]);
    let twice = source(&[("transforms", "t,t"), ("transforms.t.type", "org.example.Cast$Value")]).await;
    assert!(errors(&twice)[0].1.ends_with("Duplicate alias provided."));
}

#[tokio::test]
async fn converters_of_a_connector_show_all_their_keys() {
    let infos = source(&[("key.converter", "FakeConverter"), ("key.converter.schemas.enable", "maybe")]).await;
    let message = "Invalid value maybe for configuration schemas.enable: Expected value to be either true or false";
    assert_eq!(errors(&infos), [("key.converter.schemas.enable".to_owned(), message.to_owned())]);
    let infos = source(&[("value.converter", "Nonsense")]).await;
    let message = "Invalid value Nonsense for configuration value.converter: Class Nonsense could not be found.";
    assert_eq!(errors(&infos), [("value.converter".to_owned(), message.to_owned())]);
    let infos = source(&[("value.converter", "io.debezium.converters.CloudEventsConverter")]).await;
    assert!(errors(&infos)[0].1.contains("JsonConverter writes the same events"), "{:?}", errors(&infos));
    assert_eq!(source(&[("key.converter.schemas.enable", "maybe")]).await.error_count, 0, "not without the class");
}

#[tokio::test]
async fn client_overrides_obey_the_policy() {
    let overrides = [("producer.override.acks", "1"), ("producer.override.sasl.jaas.config", "hunter2")];
    let infos = validate_with(&worker("Principal"), "FakeSource", &overrides, &[]).await;
    let message = "The 'Principal' policy does not allow 'acks' to be overridden in the connector configuration.";
    assert_eq!(errors(&infos), [("producer.override.acks".to_owned(), message.to_owned())]);
    assert!(!format!("{infos:?}").contains("hunter2"));
    assert_eq!(validate_with(&worker("Allowlist"), "FakeSource", &overrides, &[]).await.error_count, 1);
    assert_eq!(source(&overrides).await.error_count, 0);
}

#[tokio::test]
async fn nulls_are_refused_but_for_the_connector_s_own_keys() {
    let infos = validate_with(&worker("All"), "FakeSource", &[], &["tasks.max", "size", "unknown"]).await;
    let null = "Null value can not be supplied as the configuration value.".to_owned();
    let expected = [
        ("unknown".to_owned(), null.clone()),
        ("tasks.max".to_owned(), "Invalid value null for configuration tasks.max: Value must be non-null".to_owned()),
        ("tasks.max".to_owned(), null),
    ];
    assert_eq!(errors(&infos), expected);
}

#[tokio::test]
async fn secrets_are_hidden_and_volley_s_keys_checked_where_given() {
    let infos = source(&[("password", "hunter2")]).await;
    assert!(!format!("{infos:?}").contains("hunter2"));
    assert!(!names(&infos).contains(&"volley.batch.max.rows"));
    let infos = sink(&[("topics", "t"), ("volley.mode", "sometimes")]).await;
    assert_eq!(errors(&infos)[0].0, "volley.mode");
}

#[tokio::test]
async fn a_range_is_for_sinks_that_end_and_is_an_offset_or_a_time() {
    let range = [("topics", "t"), ("volley.bounded.start", "17"), ("volley.bounded.end", "2026-11-30")];
    let infos = sink(&range).await;
    let keys: Vec<_> = errors(&infos).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["volley.bounded.start", "volley.bounded.end"]);
    let bounded = |more: (&'static str, &'static str)| [&range[..1], &[("volley.mode", "bounded"), more]].concat();
    assert_eq!(sink(&bounded(range[1])).await.error_count, 0);
    assert_eq!(sink(&bounded(range[2])).await.error_count, 0);
    let infos = sink(&bounded(("volley.bounded.end", "1796025600000"))).await;
    assert!(errors(&infos)[0].1.contains("write `timestamp:1796025600000` for that"), "{:?}", errors(&infos));
}

#[tokio::test]
async fn what_a_config_provider_says_is_in_no_answer() {
    let secret = std::env::var("PATH").unwrap();
    let plugins = Arc::new(Plugins::new(fake_plugins()));
    let providers = config_map(&[
        ("config.providers", "env"),
        ("config.providers.env.class", "org.apache.kafka.common.config.provider.EnvVarConfigProvider"),
    ]);
    let transformer = Arc::new(ConfigTransformer::new(&providers, &plugins).unwrap());
    let validator = ConnectorValidator::of_worker(plugins, transformer, &worker("All")).unwrap();
    let validate = |key: &'static str| {
        let config =
            [("name", "a"), ("connector.class", "FakeSource"), ("transforms", "t"), ("transforms.t.type", "Fake")];
        let mut config = config_map(&config);
        config.insert(key.into(), " x${env:PATH}".into());
        let validator = &validator;
        async move { validator.validate(&GivenConfig::from(config)).await }
    };
    for key in [
        "fail.in",
        "size",
        "tasks.max",
        "transforms.t.query",
        "transforms.t.type",
        "transforms",
        "key.converter",
        "producer.override.sasl.mechanism",
        "producer.override.unheard.of",
    ] {
        let infos = validate(key).await.unwrap();
        let shown = format!("{infos:?}");
        assert!(!shown.contains(&secret) && shown.contains("x${env:PATH}"), "{key}: {shown}");
    }
    let error = validate("producer.override.partitioner.class").await.unwrap_err().to_string();
    assert!(!error.contains(&secret) && error.contains("x${env:PATH}"), "{error}");
}

#[tokio::test]
async fn a_plug_in_is_chosen_by_version_too() {
    let there = [("connector.plugin.version", "[1.0,2.0)"), ("key.converter", "FakeConverter")];
    let infos = source(&[&there[..], &[("key.converter.plugin.version", "[1.0]")]].concat()).await;
    assert_eq!(errors(&infos), []);
    let infos = source(&[("connector.plugin.version", "[9.0]")]).await;
    let message = "Plugin org.example.FakeSourceConnector not found that matches the version range [9.0,9.0], available \
                   versions: [1.0]";
    let expected = ["connector.class", "connector.plugin.version"].map(|key| (key.to_owned(), message.to_owned()));
    assert_eq!(errors(&infos), expected);
    assert!(!names(&infos).contains(&"password"), "nothing of a connector that is not there");
    let transform = [("transforms", "t"), ("transforms.t.type", "Fake"), ("transforms.t.plugin.version", "[[[")];
    let expected = ["type", "plugin.version"].map(|key| (format!("transforms.t.{key}"), "Unbounded range: [[[".into()));
    assert_eq!(errors(&source(&transform).await), expected);
}

#[tokio::test]
async fn a_class_of_another_kind_is_named_with_what_it_is_not() {
    let infos = source(&[("value.converter", "FakeSource")]).await;
    let message = "Class class org.example.FakeSourceConnector does not implement the Converter interface";
    assert_eq!(errors(&infos), [("value.converter".to_owned(), message.to_owned())]);
    let infos = source(&[("transforms", "t"), ("transforms.t.type", "org.example.Cast")]).await;
    let message = "This class is abstract and cannot be created. Did you mean org.example.Cast$Value?";
    assert_eq!(errors(&infos), [("transforms.t.type".to_owned(), message.to_owned())]);
}

#[tokio::test]
async fn exactly_once_is_refused_where_worker_or_connector_cannot() {
    let demanded = [("exactly.once.support", "Required"), ("transaction.boundary", "connector")];
    let keys = |infos: &ConfigInfos| errors(infos).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    let infos = source(&demanded).await;
    assert_eq!(keys(&infos), ["exactly.once.support", "exactly.once.support", "transaction.boundary"]);
    let enabled = distributed_config(&[("exactly.once.source.support", "enabled")]).unwrap();
    let infos = validate_with(&enabled, "FakeSource", &demanded, &[]).await;
    assert_eq!(keys(&infos), ["exactly.once.support", "transaction.boundary"]);
    assert!(errors(&infos)[0].1.starts_with("The connector does not implement the API required"), "{infos:?}");
}

/// The fake source with a size can do both.
#[tokio::test]
async fn exactly_once_is_accepted_where_worker_and_connector_can() {
    let enabled = distributed_config(&[("exactly.once.source.support", "enabled")]).unwrap();
    for boundary in ["poll", "Interval", "CONNECTOR"] {
        let demanded = [("exactly.once.support", "REQUIRED"), ("transaction.boundary", boundary), ("size", "1")];
        let infos = validate_with(&enabled, "FakeSource", &demanded, &[]).await;
        assert!(errors(&infos).is_empty(), "{boundary}: {infos:?}");
    }
}

#[tokio::test]
async fn a_sink_whose_name_makes_its_group_the_workers_is_refused() {
    let worker = distributed_config(&[("group.id", "connect-a")]).unwrap();
    let infos = validate_with(&worker, "FakeSinkConnector", &[("topics", "t")], &[]).await;
    let message = "Consumer group for sink connector named a conflicts with Connect worker group connect-a";
    assert_eq!(errors(&infos), [("name".to_owned(), message.to_owned())]);
}

#[tokio::test]
async fn overrides_are_shown_as_the_client_defines_them_and_must_be_of_its_types() {
    let infos = source(&[
        ("producer.override.linger.ms", " 7 "),
        ("producer.override.ssl.key.password", "hunter2"),
        ("producer.override.nonsense", "1"),
        ("admin.override.retries", "1"),
    ])
    .await;
    let shown: Vec<_> = infos.configs.iter().filter(|config| config.value.name.contains(".override.")).collect();
    assert_eq!(shown.len(), 3, "a source without topics to create has no admin client: {shown:?}");
    let linger = shown.iter().find(|config| config.value.name.ends_with("linger.ms")).unwrap();
    assert_eq!(linger.definition.as_ref().unwrap().default_value.as_deref(), Some("5"));
    assert_eq!(linger.value.value.as_deref(), Some("7"));
    assert!(shown.iter().any(|config| config.definition.is_none()));
    assert!(!format!("{infos:?}").contains("hunter2"));
    for (key, value, message) in [
        ("producer.override.linger.ms", "x", "Invalid value x for configuration linger.ms: Not a number of type LONG"),
        (
            "producer.override.partitioner.class",
            "x.Y",
            "Invalid value x.Y for configuration partitioner.class: Class x.Y could not be found.",
        ),
    ] {
        assert_eq!(refusal(&[("connector.class", "FakeSource"), ("name", "a"), (key, value)]).await, message);
    }
}

/// The error of a configuration that cannot be validated at all.
async fn refusal(config: &[(&str, &str)]) -> String {
    let plugins = Arc::new(Plugins::new(fake_plugins()));
    let transformer = Arc::new(ConfigTransformer::default());
    let validator = ConnectorValidator::of_worker(plugins, transformer, &worker("All")).unwrap();
    validator.validate(&GivenConfig::from(config_map(config))).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_configuration_without_class_is_shown_without_what_may_be_secret() {
    let message = refusal(&[("name", "a"), ("password", "hunter2")]).await;
    assert_eq!(message, "Connector config {name=a, password=[hidden]} contains no connector type");
}
