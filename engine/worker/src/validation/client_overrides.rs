//! Client settings that a connector overrides, and the policies that may refuse them (KIP-458).

use volley_api::{ConfigMap, ConnectorKind, Error, Result};

use super::config_infos::{ConfigInfo, ConfigValueInfo};
use crate::worker_config::{WorkerConfig, without_prefix};

/// Which client settings a connector may override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverridePolicy {
    /// All.
    All,
    /// None.
    None,
    /// Those that say who the client is.
    Principal,
    /// Those listed in `connector.client.config.override.allowlist`.
    Allowlist(Vec<String>),
}

impl OverridePolicy {
    /// The policy that the worker's `connector.client.config.override.policy` names.
    ///
    /// # Errors
    /// `Config` if there is no such policy.
    pub fn of_worker(worker: &WorkerConfig) -> Result<Self> {
        let name = worker.parsed().string("connector.client.config.override.policy").unwrap_or("All");
        let simple = name.rsplit('.').next().unwrap_or(name);
        match simple.strip_suffix("ConnectorClientConfigOverridePolicy").unwrap_or(simple) {
            "All" => Ok(Self::All),
            "None" => Ok(Self::None),
            "Principal" => Ok(Self::Principal),
            "Allowlist" => {
                let list = worker.originals().get("connector.client.config.override.allowlist");
                let keys = list.map(String::as_str).unwrap_or_default().split(',').map(|key| key.trim().to_owned());
                Ok(Self::Allowlist(keys.filter(|key| !key.is_empty()).collect()))
            }
            _ => Err(Error::config(format!(
                "Invalid value {name} for configuration connector.client.config.override.policy: Class {name} could not be \
                 found."
            ))),
        }
    }

    fn allows(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Principal => ["sasl.jaas.config", "sasl.mechanism", "security.protocol"].contains(&key),
            Self::Allowlist(keys) => keys.iter().any(|allowed| allowed == key),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::All => "All",
            Self::None => "None",
            Self::Principal => "Principal",
            Self::Allowlist(_) => "Allowlist",
        }
    }
}

/// The overrides of all clients that the connector will have.
pub(super) fn override_infos(kind: ConnectorKind, config: &ConfigMap, policy: &OverridePolicy) -> Vec<ConfigInfo> {
    let clients = clients_of(kind, config).into_iter();
    clients.flat_map(|client| overrides_of(client, config, policy)).collect()
}

/// Which clients a connector has besides those that every one of its kind has.
fn clients_of(kind: ConnectorKind, config: &ConfigMap) -> Vec<&'static str> {
    let given = |key: &str| config.get(key).is_some_and(|value| !value.trim().is_empty());
    match kind {
        ConnectorKind::Sink if given("errors.deadletterqueue.topic.name") => vec!["producer", "admin", "consumer"],
        ConnectorKind::Sink => vec!["consumer"],
        ConnectorKind::Source => {
            let creates_topics = config.keys().any(|key| key.starts_with("topic.creation."));
            let own_offsets = given("offsets.storage.topic");
            let mut clients = vec!["producer"];
            clients.extend((creates_topics || own_offsets).then_some("admin"));
            clients.extend(own_offsets.then_some("consumer"));
            clients
        }
    }
}

fn overrides_of(client: &str, config: &ConfigMap, policy: &OverridePolicy) -> Vec<ConfigInfo> {
    let prefix = format!("{client}.override.");
    let overrides = without_prefix(config, &prefix).into_iter().map(|(key, value)| {
        let refusal = (!policy.allows(&key)).then(|| {
            format!(
                "The '{}' policy does not allow '{key}' to be overridden in the connector configuration.",
                policy.name()
            )
        });
        let value = if crate::secret_mask::is_secret_client_key(&key) { "[hidden]".to_owned() } else { value };
        ConfigInfo {
            definition: None,
            value: ConfigValueInfo {
                name: format!("{prefix}{key}"),
                value: Some(value),
                recommended_values: Vec::new(),
                errors: refusal.into_iter().collect(),
                visible: true,
            },
        }
    });
    overrides.collect()
}
