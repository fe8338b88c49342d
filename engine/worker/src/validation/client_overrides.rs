//! Client settings that a connector overrides, and the policies that may refuse them (KIP-458).

use volley_api::{ConfigKey, ConfigMap, ConfigType, ConnectorKind, Error, Given, Result};
use volley_java::sort_in_hash_order;

use super::client_keys::{Client, client_key};
use super::config_infos::{ConfigInfo, ConfigValueInfo};
use super::section::Entry;
use super::worker_facts::WorkerFacts;
use crate::json_config::GivenConfig;
use crate::secret_mask::HIDDEN;
use crate::secret_names::is_named_like_a_secret;
use crate::worker_config::WorkerConfig;

/// The client settings that a connector may override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverridePolicy {
    /// All.
    All,
    /// None.
    None,
    /// The settings that identify the client.
    Principal,
    /// Those listed in `connector.client.config.override.allowlist`.
    Allowlist(Vec<String>),
}

impl OverridePolicy {
    /// The policy that the worker's `connector.client.config.override.policy` selects.
    ///
    /// # Errors
    /// `Config` if the policy is unknown.
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
///
/// # Errors
/// `Config` if a value is not of its key's type, which Kafka Connect does not report as an error of the value either.
pub(super) fn override_infos(
    kind: ConnectorKind,
    config: &GivenConfig,
    policy: &OverridePolicy,
    worker: &WorkerFacts,
) -> Result<Vec<ConfigInfo>> {
    let mut infos = Vec::new();
    for client in clients_of(kind, &config.values, worker) {
        infos.extend(overrides_of(client, config, policy)?);
    }
    Ok(infos)
}

/// The clients of a connector in addition to those that all connectors of its kind have.
fn clients_of(kind: ConnectorKind, config: &ConfigMap, worker: &WorkerFacts) -> Vec<Client> {
    let given = |key: &str| config.get(key).is_some_and(|value| !value.trim().is_empty());
    match kind {
        ConnectorKind::Sink if given("errors.deadletterqueue.topic.name") => {
            vec![Client::Producer, Client::Consumer, Client::Admin]
        }
        ConnectorKind::Sink => vec![Client::Consumer],
        ConnectorKind::Source => {
            let creates_topics = config.keys().any(|key| key.starts_with("topic.creation."));
            let reads_offsets = worker
                .distributed
                .as_ref()
                .is_some_and(|distributed| distributed.exactly_once || given("offsets.storage.topic"));
            let mut clients = vec![Client::Producer];
            clients.extend(reads_offsets.then_some(Client::Consumer));
            clients.extend((creates_topics || reads_offsets).then_some(Client::Admin));
            clients
        }
    }
}

fn overrides_of(client: Client, config: &GivenConfig, policy: &OverridePolicy) -> Result<Vec<ConfigInfo>> {
    // Java copies them from one hash map into another: keys with a collision in the second keep their order of the
    // first.
    let mut keys: Vec<&String> = config.values.keys().chain(&config.nulls).collect();
    sort_in_hash_order(&mut keys, |key| key);
    let names = keys.into_iter().filter_map(|key| key.strip_prefix(client.prefix()).filter(|name| !name.is_empty()));
    let mut names: Vec<&str> = names.collect();
    sort_in_hash_order(&mut names, |name| name);
    let given = config.without_prefix(client.prefix());
    names.into_iter().map(|name| override_of(client, name, given.given(name), policy)).collect()
}

fn override_of(client: Client, name: &str, given: Given<'_>, policy: &OverridePolicy) -> Result<ConfigInfo> {
    let refusal = (!policy.allows(name)).then(|| {
        format!(
            "The '{}' policy does not allow '{name}' to be overridden in the connector configuration.",
            policy.name()
        )
    });
    let errors: Vec<String> = refusal.into_iter().collect();
    let full_name = format!("{}{name}", client.prefix());
    let Some(mut key) = client_key(client, name) else {
        let value = match given {
            Given::Text(_) if is_named_like_a_secret(name) => Some(HIDDEN.to_owned()),
            Given::Text(text) => Some(text.to_owned()),
            Given::Null | Given::Nothing => None,
        };
        let value = ConfigValueInfo { name: full_name, value, errors, visible: true, ..ConfigValueInfo::default() };
        return Ok(ConfigInfo { definition: None, value });
    };
    let (parsed, mistakes) = key.check(given, name);
    if let Some(mistake) = mistakes.into_iter().next().or_else(|| unknown_class(&key, given)) {
        return Err(Error::config(mistake));
    }
    key.name = full_name;
    Ok(Entry { key, parsed, errors, is_visible: true }.into_info())
}

/// There are no Java classes here. Kafka's own class names are accepted, since only the name is used.
fn unknown_class(key: &ConfigKey, given: Given<'_>) -> Option<String> {
    let Given::Text(class) = given else { return None };
    let class = class.trim();
    let is_unknown = key.config_type == ConfigType::Class && !class.starts_with("org.apache.kafka.");
    let name = &key.name;
    is_unknown.then(|| format!("Invalid value {class} for configuration {name}: Class {class} could not be found."))
}
