//! Validates a connector's configuration: calls the parts, in Kafka Connect's order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use volley_api::{ConfigMap, Connector, ConnectorKind, Plugin, PluginFactory};

use super::alias_keys::add_alias_keys;
use super::client_overrides::{OverridePolicy, override_infos};
use super::config_infos::ConfigInfos;
use super::converter_keys::{check_converter_classes, converter_sections};
use super::section::Section;
use super::sink_topics::check_sink_topics;
use crate::config_transformer::ConfigTransformer;
use crate::connector_config::{framework_config_def, volley_config_def};
use crate::herder::HerderError;
use crate::json_config::GivenConfig;
use crate::plugin_call::{Patience, call_plugin};
use crate::plugins::Plugins;

/// How long a validation may take before it is given up.
const DEADLINE: Duration = Duration::from_secs(90);

const BAD_REQUEST: &str = "org.apache.kafka.connect.runtime.rest.errors.BadRequestException";

/// Validates connector configurations.
#[derive(Clone, Debug)]
pub struct ConnectorValidator {
    plugins: Arc<Plugins>,
    transformer: Arc<ConfigTransformer>,
    policy: OverridePolicy,
    worker_group: Option<String>,
}

impl ConnectorValidator {
    /// A validator. `worker_group` is the group of the workers themselves, which no sink may consume in.
    pub fn new(
        plugins: Arc<Plugins>,
        transformer: Arc<ConfigTransformer>,
        policy: OverridePolicy,
        worker_group: Option<String>,
    ) -> Self {
        Self { plugins, transformer, policy, worker_group }
    }

    /// Everything there is to say about a configuration. Everything of the connector runs on a thread of its own.
    ///
    /// # Errors
    /// If there is no connector class, or none of that name; if a config provider fails, or the connector does not answer.
    ///
    /// # Cancellation
    /// The validation goes on; its result is dropped.
    pub async fn validate(&self, config: &GivenConfig) -> Result<ConfigInfos, HerderError> {
        let class = config.values.get("connector.class").map(|class| class.trim().to_owned());
        let class = class.filter(|class| !class.is_empty()).ok_or_else(|| {
            HerderError::BadRequest(format!("Connector config {} contains no connector type", keys_of(&config.values)))
        })?;
        let plugin = self.plugins.find_connector(&class).map_err(|error| HerderError::BadRequest(error.to_string()))?;
        let (this, plugin, config) = (self.clone(), plugin.clone(), config.clone());
        let patience = Patience::of(DEADLINE);
        let what = format!("validation of a configuration of `{class}`");
        let infos = call_plugin(&what, patience, move || this.validate_here(&class, &plugin, &config)).await;
        infos.map_err(HerderError::from)?.map_err(HerderError::from)
    }

    fn validate_here(&self, class: &str, plugin: &Plugin, given: &GivenConfig) -> volley_api::Result<ConfigInfos> {
        let config = self.transformer.resolve(&given.values)?;
        let (kind, connector) = match &plugin.factory {
            PluginFactory::Sink { connector, .. } => (ConnectorKind::Sink, connector()),
            PluginFactory::Source { connector, .. } => (ConnectorKind::Source, connector()),
            _ => return Err(volley_api::Error::config(format!("`{class}` is not a connector"))),
        };
        let mut framework = Section::of(&framework_config_def(kind), &config);
        if config.keys().any(|key| key.starts_with("volley.")) {
            for key in volley_config_def(kind).keys() {
                framework.add(key.clone(), &config);
            }
        }
        check_converter_classes(&mut framework, &self.plugins);
        add_alias_keys(&mut framework, &config, &self.plugins);
        self.check_group(&mut framework, kind, &config);
        if kind == ConnectorKind::Sink {
            check_sink_topics(&mut framework);
        }
        add_nulls(&mut framework, &given.nulls);

        let main = with_connector(framework, &*connector, &config, &given.nulls);
        let mut infos = ConfigInfos { name: class.to_owned(), groups: main.groups(), ..ConfigInfos::default() };
        infos.configs = main.into_infos();
        infos.error_count = infos.configs.iter().map(|config| config.value.errors.len()).sum();
        for section in converter_sections(&config, &self.plugins) {
            let groups = section.groups().into_iter().filter(|group| !infos.groups.contains(group));
            let groups: Vec<_> = groups.collect();
            infos.groups.extend(groups);
            add_part(&mut infos, section.into_infos());
        }
        add_part(&mut infos, override_infos(kind, &config, &self.policy));
        Ok(infos)
    }

    fn check_group(&self, framework: &mut Section, kind: ConnectorKind, config: &ConfigMap) {
        let Some(worker_group) = self.worker_group.as_deref().filter(|_| kind == ConnectorKind::Sink) else { return };
        const OVERRIDE: &str = "consumer.override.group.id";
        let own = config.get(OVERRIDE);
        let default = config.get("name").map(|name| format!("connect-{name}"));
        let (key, group) = if own.is_some() { (OVERRIDE, own.cloned()) } else { ("name", default) };
        if group.as_deref() == Some(worker_group) {
            let message =
                format!("Consumer group for sink connector named {worker_group} conflicts with Connect worker group");
            framework.error(key, message);
        }
    }
}

/// In these sections Kafka Connect counts keys with errors, not errors.
fn add_part(infos: &mut ConfigInfos, part: Vec<super::ConfigInfo>) {
    infos.error_count += part.iter().filter(|config| !config.value.errors.is_empty()).count();
    infos.configs.extend(part);
}

fn add_nulls(framework: &mut Section, nulls: &[String]) {
    for key in nulls {
        let has_validator = framework.entries.get(key).is_some_and(|entry| entry.key.validator.is_some());
        if has_validator {
            framework.error(key, format!("Invalid value null for configuration {key}: Value must be non-null"));
        }
        framework.error(key, "Null value can not be supplied as the configuration value.");
    }
}

/// The framework's keys, then the connector's own, whose results win over the framework's for the same key.
fn with_connector(mut framework: Section, connector: &dyn Connector, config: &ConfigMap, nulls: &[String]) -> Section {
    let def = connector.config_def();
    let mut own = Section::of(&def, config);
    let mut issues: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for issue in connector.validate(config) {
        issues.entry(issue.key).or_default().push(issue.message);
    }
    for (key, messages) in issues {
        for message in messages {
            match own.entries.contains_key(&key) {
                true => own.error(&key, message),
                false => framework.error(&key, message),
            }
        }
    }
    for key in nulls.iter().filter(|key| own.entries.contains_key(*key)) {
        framework.strays.shift_remove(key);
    }
    framework.entries.extend(own.entries);
    framework
}

fn keys_of(config: &ConfigMap) -> String {
    let keys: Vec<_> = config.keys().map(|key| format!("{key}=…")).collect();
    format!("{{{}}}", keys.join(", "))
}

/// The error of `PUT …/validate`, where Kafka Connect answers 500 with the wrapped exception's text.
pub fn validation_failure(error: HerderError) -> HerderError {
    match error {
        HerderError::BadRequest(message) => HerderError::Internal(format!("{BAD_REQUEST}: {message}")),
        HerderError::Plugin(error) => HerderError::Internal(format!("{}: {error}", error.exception())),
        other => other,
    }
}
