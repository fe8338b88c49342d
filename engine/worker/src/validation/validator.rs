//! Validates a connector's configuration: runs the parts in Kafka Connect's order.
//!
//! ```text
//!  GivenConfig ─ ConfigTransformer ─► resolved values
//!    ─► framework keys, alias keys ─► sink topics and group, or exactly-once ─► converters
//!    ─► the connector's own keys ─► client overrides ─► ConfigInfos, without values of config providers
//! ```

use std::sync::Arc;
use std::time::Duration;

use volley_api::{ConfigMap, Connector, ConnectorKind, Error, Plugin, PluginFactory, Result};

use super::alias_keys::add_alias_keys;
use super::client_overrides::{OverridePolicy, override_infos};
use super::config_infos::{ConfigInfo, ConfigInfos};
use super::connector_answer::with_answer;
use super::converter_keys::{converter_sections, hide_versions_without_class};
use super::exactly_once::check_exactly_once;
use super::framework_keys::framework_keys;
use super::plugin_choice::{no_such_version, recommended};
use super::references::References;
use super::section::{Entry, Section};
use super::sink_group::check_sink_group;
use super::sink_range::check_sink_range;
use super::sink_topics::check_sink_topics;
use super::worker_facts::WorkerFacts;
use crate::config_transformer::ConfigTransformer;
use crate::connector_config::{CONNECTOR_VERSION, JAVA, base_config_def, framework_config_def, volley_config_def};
use crate::error::HerderError;
use crate::json_config::GivenConfig;
use crate::plugin_call::{Deadline, call_plugin};
use crate::plugins::{Plugins, VersionRange, find_connector};
use crate::secret_mask::HIDDEN;
use crate::worker_config::WorkerConfig;

/// Time limit of a validation.
const DEADLINE: Duration = Duration::from_secs(90);

const BAD_REQUEST: &str = "org.apache.kafka.connect.runtime.rest.errors.BadRequestException";
const CLASS: &str = "connector.class";
const NO_JAVA: &str =
    "This worker runs no plug-ins in Java: it needs a plugin.path, and a volley.java other than never.";

/// Validates connector configurations.
#[derive(Clone, Debug)]
pub struct ConnectorValidator {
    plugins: Arc<Plugins>,
    transformer: Arc<ConfigTransformer>,
    policy: OverridePolicy,
    worker: Arc<WorkerFacts>,
}

impl ConnectorValidator {
    /// The validator of a worker.
    ///
    /// # Errors
    /// `Config` if the worker's override policy is unknown.
    pub fn of_worker(
        plugins: Arc<Plugins>,
        transformer: Arc<ConfigTransformer>,
        worker: &WorkerConfig,
    ) -> Result<Self> {
        let policy = OverridePolicy::of_worker(worker)?;
        let worker = Arc::new(WorkerFacts::of(worker, &plugins));
        Ok(Self { plugins, transformer, policy, worker })
    }

    /// Validates a configuration. The connector's code runs on a thread of its own.
    ///
    /// # Errors
    /// If there is no connector class, or it is unknown; if a config provider fails, or the connector does not return
    /// in time.
    ///
    /// # Cancellation
    /// The validation continues; its result is dropped.
    pub async fn validate(&self, config: &GivenConfig) -> std::result::Result<ConfigInfos, HerderError> {
        let class = config.values.get(CLASS).cloned().ok_or_else(|| {
            HerderError::BadRequest(format!("Connector config {} contains no connector type", shown(config)))
        })?;
        let plugin = find_connector(&self.plugins, &config.values, &class).await;
        let plugin = plugin.map_err(|error| HerderError::BadRequest(error.to_string()))?;
        let range = match config.values.get(CONNECTOR_VERSION) {
            Some(spec) => Some(VersionRange::parse(spec.trim()).map_err(HerderError::BadRequest)?),
            None => None,
        };
        let missing = range.filter(|range| !range.contains(&plugin.version));
        let missing = missing.map(|range| no_such_version(&self.plugins, &plugin.class, &range));
        let (this, config) = (self.of_connector(&config.values), config.clone());
        let deadline = Deadline::after(DEADLINE);
        let what = format!("validation of a configuration of `{class}`");
        let infos = call_plugin(&what, deadline, move || -> Result<ConfigInfos> {
            let resolved = this.resolve(&config)?;
            let references = References::between(&config.values, &resolved.values);
            let mut infos = match missing {
                Some(message) => this.without_connector(&class, &plugin, &resolved, &message),
                None => this.validate_here(&class, &plugin, &resolved, &references)?,
            };
            references.show_in(&mut infos);
            Ok(infos)
        });
        infos.await.map_err(HerderError::from)?.map_err(HerderError::from)
    }

    /// The same, which sees plug-ins as a connector with this configuration does.
    fn of_connector(&self, config: &ConfigMap) -> Self {
        Self { plugins: Arc::new(self.plugins.of_connector(config)), ..self.clone() }
    }

    fn validate_here(
        &self,
        class: &str,
        plugin: &Plugin,
        given: &GivenConfig,
        references: &References,
    ) -> Result<ConfigInfos> {
        let (kind, connector) = match &plugin.factory {
            PluginFactory::Sink { connector, .. } => (ConnectorKind::Sink, connector),
            PluginFactory::Source { connector, .. } => (ConnectorKind::Source, connector),
            _ => return Err(Error::config(format!("`{class}` is not a connector"))),
        };
        let mut framework = self.framework(kind, plugin, given);
        self.check_kind(&mut framework, kind, &**connector, given);
        add_nulls(&mut framework, &given.nulls);
        let converters = converter_sections(&mut framework, given, &self.plugins);
        hide_versions_without_class(&mut framework);

        let mut infos = infos_of(class, with_connector(framework, &**connector, given)?);
        for section in converters {
            let groups = section.groups.into_iter().filter(|group| !infos.groups.contains(group));
            let groups: Vec<_> = groups.collect();
            infos.groups.extend(groups);
            add_part(&mut infos, section.entries.into_iter().map(Entry::into_info).collect());
        }
        let overrides = override_infos(kind, given, &self.policy, &self.worker);
        add_part(&mut infos, overrides.map_err(|error| Error::config(references.shown_in(&error.to_string())))?);
        if infos.error_count == 0 {
            infos.remarks = connector.remarks(&given.values);
        }
        Ok(infos)
    }

    /// The result without the connector, because no version of it matches.
    fn without_connector(&self, class: &str, plugin: &Plugin, given: &GivenConfig, message: &str) -> ConfigInfos {
        let mut section = Section::default();
        for key in base_config_def().keys() {
            let key = if key.name == CONNECTOR_VERSION {
                recommended(key.clone(), &self.plugins, plugin)
            } else {
                key.clone()
            };
            section.add(key, given);
        }
        hide_versions_without_class(&mut section);
        [CLASS, CONNECTOR_VERSION].iter().for_each(|key| section.error(key, message));
        add_nulls(&mut section, &given.nulls);
        infos_of(class, section)
    }

    fn resolve(&self, given: &GivenConfig) -> Result<GivenConfig> {
        Ok(GivenConfig { values: self.transformer.resolve(&given.values)?, nulls: given.nulls.clone() })
    }

    fn framework(&self, kind: ConnectorKind, plugin: &Plugin, given: &GivenConfig) -> Section {
        let mut framework = Section::of(&framework_keys(kind, plugin, given, &self.plugins, &self.worker), given);
        if given.values.keys().chain(&given.nulls).any(|key| key.starts_with("volley.")) {
            for key in volley_config_def(kind).keys() {
                framework.add(key.clone(), given);
            }
        }
        check_java(&mut framework, given, &self.plugins);
        // what a task makes by itself cannot be made here
        let has_own_chain = plugin.factory.connector().is_some_and(|connector| connector.has_own_chain());
        add_alias_keys(&mut framework, given, &self.plugins, !has_own_chain);
        framework
    }

    fn check_kind(&self, framework: &mut Section, kind: ConnectorKind, connector: &dyn Connector, given: &GivenConfig) {
        let distributed = self.worker.distributed.as_ref();
        match kind {
            ConnectorKind::Sink => {
                check_sink_topics(framework);
                check_sink_range(framework, given);
                if let Some(distributed) = distributed {
                    check_sink_group(framework, given, &distributed.group);
                }
            }
            ConnectorKind::Source => {
                if let Some(distributed) = distributed {
                    check_exactly_once(framework, connector, &given.values, distributed.exactly_once);
                }
            }
        }
    }
}

/// Java that is wanted has to be there: what is no Java class does not show it.
fn check_java(framework: &mut Section, given: &GivenConfig, plugins: &Plugins) {
    let is_wanted = given.values.get(JAVA).is_some_and(|java| java.trim() == "always");
    if is_wanted && !plugins.may_have_more() {
        framework.error(JAVA, NO_JAVA);
    }
}

fn infos_of(class: &str, section: Section) -> ConfigInfos {
    let mut infos = ConfigInfos { name: class.to_owned(), groups: section.groups(), ..ConfigInfos::default() };
    infos.configs = section.into_infos();
    infos.error_count = infos.configs.iter().map(|config| config.value.errors.len()).sum();
    infos
}

/// In these sections Kafka Connect counts keys with errors, not errors.
fn add_part(infos: &mut ConfigInfos, part: Vec<ConfigInfo>) {
    infos.error_count += part.iter().filter(|config| !config.value.errors.is_empty()).count();
    infos.configs.extend(part);
}

fn add_nulls(framework: &mut Section, nulls: &[String]) {
    for key in nulls {
        framework.error(key, "Null value can not be supplied as the configuration value.");
    }
}

/// The framework's keys, then the connector's own, whose results take precedence for the same key.
fn with_connector(mut framework: Section, connector: &dyn Connector, given: &GivenConfig) -> Result<Section> {
    let mut own = match connector.config_values(&given.values)? {
        Some(answer) => return Ok(with_answer(framework, answer, given)),
        None => Section::of(&connector.config_def(), given),
    };
    for issue in connector.validate(&given.values) {
        match own.entries.contains_key(&issue.key) {
            true => own.error(&issue.key, issue.message),
            false => framework.error(&issue.key, issue.message),
        }
    }
    framework.strays.retain(|key, _| !own.entries.contains_key(key));
    framework.entries.extend(own.entries);
    Ok(framework)
}

/// The configuration in the form of a Java map. Values of keys that may be the connector's own are hidden: any of them
/// may be a secret, and without a class there is no definition to check.
fn shown(config: &GivenConfig) -> String {
    let known = framework_config_def(ConnectorKind::Sink);
    let show = |(key, value): (&String, &String)| match known.find(key) {
        Some(_) => format!("{key}={value}"),
        None => format!("{key}={HIDDEN}"),
    };
    let entries = config.values.iter().map(show).chain(config.nulls.iter().map(|key| format!("{key}=null")));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

/// The error of `PUT …/validate`, for which Kafka Connect answers 500 with the wrapped exception's text.
pub fn validation_failure(error: HerderError) -> HerderError {
    match error {
        HerderError::BadRequest(message) => HerderError::Internal(format!("{BAD_REQUEST}: {message}")),
        HerderError::Plugin(error) => HerderError::Internal(format!("{}: {error}", error.exception())),
        other => other,
    }
}
