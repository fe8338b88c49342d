//! Unknown keys of the worker file, which are mostly typing errors.

use strsim::osa_distance;
use volley_api::ConfigMap;
use volley_kafka::is_client_key;

use super::{distributed_config_def, standalone_config_def};

/// Prefixes of keys that other components read: clients, converters, topics, config providers, TLS.
const OTHERS: [&str; 16] = [
    "producer.",
    "consumer.",
    "admin.",
    "key.converter.",
    "value.converter.",
    "header.converter.",
    "config.providers",
    "connector.client.config.override.allowlist",
    "config.storage.",
    "offset.storage.",
    "status.storage.",
    "metrics.context.",
    "listeners.https.",
    "admin.listeners.https.",
    "ssl.",
    "sasl.",
];

/// Java plug-ins that read keys of their own.
const PLUG_INS: [&str; 2] = ["metric.reporters", "rest.extension.classes"];

/// A log line about the unknown keys of `config`, with suggestions; `None` if there are none. Contains no values.
pub(crate) fn unknown_keys(config: &ConfigMap) -> Option<String> {
    let known = known_keys();
    let has_plug_ins = PLUG_INS.iter().any(|key| config.get(*key).is_some_and(|value| !value.trim().is_empty()));
    let unknown = config.keys().filter(|key| !is_known(key, &known));
    let described: Vec<String> = unknown
        .filter_map(|key| match nearest(key, &known) {
            Some(near) => Some(format!("`{key}` (did you mean `{near}`?)")),
            // it may belong to a plug-in
            None if has_plug_ins => None,
            None => Some(format!("`{key}`")),
        })
        .collect();
    (!described.is_empty())
        .then(|| format!("keys of the worker file that nobody knows have no effect: {}", described.join(", ")))
}

fn known_keys() -> Vec<String> {
    let defs = [standalone_config_def(), distributed_config_def()];
    defs.iter().flat_map(volley_api::ConfigDef::keys).map(|key| key.name.clone()).collect()
}

fn is_known(key: &str, known: &[String]) -> bool {
    known.iter().any(|known| known == key) || OTHERS.iter().any(|prefix| key.starts_with(prefix)) || is_client_key(key)
}

/// The most similar known key, if at most one letter in five differs.
fn nearest<'a>(key: &str, known: &'a [String]) -> Option<&'a str> {
    let distances = known.iter().map(|known| (osa_distance(key, known), known));
    let (distance, near) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (key.chars().count() / 5).max(1)).then_some(near)
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn slips_are_told_with_what_is_meant_and_without_values() {
        let line = unknown_keys(&config_map(&[
            ("bootstrap.server", "secret-host:1"),
            ("offset.flush.intervall.ms", "10"),
            ("volley.memory.budget.byets", "5"),
            ("my.own.note", "hush"),
        ]));
        let expected = "keys of the worker file that nobody knows have no effect: `bootstrap.server` (did you mean \
                        `bootstrap.servers`?), `offset.flush.intervall.ms` (did you mean `offset.flush.interval.ms`?), \
                        `volley.memory.budget.byets` (did you mean `volley.memory.budget.bytes`?), `my.own.note`";
        assert_eq!(line.as_deref(), Some(expected));
    }

    #[test]
    fn what_belongs_to_somebody_is_not_told() {
        let given = config_map(&[
            ("bootstrap.servers", "a:1"),
            ("group.id", "g"),
            ("key.converter.schemas.enable", "true"),
            ("producer.lingr.ms", "1"),
            ("admin.override.x", "1"),
            ("config.providers.file.param.secrets", "x"),
            ("config.storage.min.insync.replicas", "2"),
            ("metrics.context.cluster", "x"),
            ("listeners.https.ssl.keystore.location", "x"),
            ("sasl.jaas.config", "x"),
            ("max.poll.records", "5"),
            ("linger.ms", "5"),
            ("request.timeout.ms", "5"),
            ("fetch.queue.backoff.ms", "5"),
            ("retries", "5"),
            ("plugin.path", "/x"),
            ("connector.client.config.override.allowlist", "acks"),
            ("admin.listeners", ""),
            ("offset.storage.file.filename", "x"),
            ("topic.creation.enable", "true"),
        ]);
        assert_eq!(unknown_keys(&given), None);
    }

    #[test]
    fn plug_ins_of_java_have_keys_of_their_own_but_slips_are_told() {
        let given = config_map(&[
            ("metric.reporters", "com.acme.Reporter"),
            ("acme.reporter.url", "x"),
            ("offset.flush.interval", "5"),
        ]);
        let expected = "keys of the worker file that nobody knows have no effect: `offset.flush.interval` (did you mean \
                        `offset.flush.interval.ms`?)";
        assert_eq!(unknown_keys(&given).as_deref(), Some(expected));
    }
}
