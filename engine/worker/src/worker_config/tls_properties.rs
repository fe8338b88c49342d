//! The worker's `ssl.*` keys for REST.

use volley_api::ConfigMap;

use crate::worker_config::{WorkerConfig, without_prefix};

/// Prefix of the keys of `listeners`, and of requests to other workers.
pub(crate) const LISTENERS: &str = "listeners.https.";
/// Prefix of the keys of `admin.listeners`.
pub(crate) const ADMIN_LISTENERS: &str = "admin.listeners.https.";

/// The `ssl.*` keys under `prefix`. If there are none, those without prefix, which the broker clients use, too.
pub(crate) fn tls_properties(config: &WorkerConfig, prefix: &str) -> ConfigMap {
    let own = without_prefix(config.originals(), prefix);
    if !own.is_empty() {
        return own;
    }
    let shared = config.originals().iter().filter(|(key, _)| key.starts_with("ssl."));
    shared.map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::distributed_config;

    #[test]
    fn one_key_with_the_prefix_turns_those_without_off() {
        let shared = [("ssl.keystore.location", "a"), ("ssl.protocol", "TLS"), ("sasl.mechanism", "PLAIN")];
        let config = distributed_config(&shared).unwrap();
        let keys = |config: &WorkerConfig, prefix| tls_properties(config, prefix).into_iter().collect::<Vec<_>>();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let expected = [pair("ssl.keystore.location", "a"), pair("ssl.protocol", "TLS")];
        assert_eq!(keys(&config, LISTENERS), expected);
        let own = [("listeners.https.ssl.keystore.location", "b")];
        let config = distributed_config(&[&shared[..], &own].concat()).unwrap();
        assert_eq!(keys(&config, LISTENERS), [pair("ssl.keystore.location", "b")]);
        assert_eq!(keys(&config, ADMIN_LISTENERS), expected);
    }
}
