//! Transformations and predicates: the keys under `transforms.<alias>.` and `predicates.<alias>.`.

use volley_api::{ConfigKey, ConfigMap, ConfigType, ErrorKind, Importance, PluginKind, Width};

use super::section::Section;
use crate::plugins::Plugins;

/// The two kinds of chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chain {
    Transforms,
    Predicates,
}

impl Chain {
    fn key(self) -> &'static str {
        match self {
            Self::Transforms => "transforms",
            Self::Predicates => "predicates",
        }
    }

    fn group(self) -> &'static str {
        match self {
            Self::Transforms => "Transforms",
            Self::Predicates => "Predicates",
        }
    }

    fn kind(self) -> PluginKind {
        match self {
            Self::Transforms => PluginKind::Transformation,
            Self::Predicates => PluginKind::Predicate,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Transforms => "Transformation",
            Self::Predicates => "Predicate",
        }
    }
}

/// Adds the keys of all transformations and predicates to the framework's section, and checks them. A transformation whose
/// keys are right each by itself is also made, so that what is wrong with all of them together is found.
pub(super) fn add_alias_keys(section: &mut Section, config: &ConfigMap, plugins: &Plugins) {
    for chain in [Chain::Transforms, Chain::Predicates] {
        let mut aliases = section.list(chain.key()).to_vec();
        aliases.retain(|alias| !alias.is_empty());
        aliases.dedup();
        for alias in aliases {
            add_alias(section, chain, &alias, config, plugins);
        }
    }
}

fn add_alias(section: &mut Section, chain: Chain, alias: &str, config: &ConfigMap, plugins: &Plugins) {
    let prefix = format!("{}.{alias}.", chain.key());
    for key in implicit_keys(chain, alias, plugins) {
        section.add(key, config);
    }
    let type_key = format!("{prefix}type");
    let class = section.text(&type_key).map(str::to_owned);
    let Some(class) = class else { return check_negate(section, chain, &prefix, config) };
    let plugin = match plugins.find(chain.kind(), &class) {
        Ok(plugin) => plugin,
        Err(error) => {
            section.error(&type_key, format!("Invalid value {class} for configuration {type_key}: {error}"));
            if let Some(entry) = section.entries.get_mut(&type_key) {
                entry.parsed = volley_api::ConfigValue::Null;
            }
            return;
        }
    };
    if let Some(entry) = section.entries.get_mut(&type_key) {
        entry.parsed = volley_api::ConfigValue::String(plugin.class.to_owned());
    }
    let mut is_fine = true;
    for key in plugin.config_def.keys() {
        let name = format!("{prefix}{}", key.name);
        let group = Some(format!("{}: {alias}", chain.group()));
        let mut key = key.clone();
        (key.name, key.group) = (name.clone(), group);
        section.add(key, config);
        is_fine &= section.entries.get(&name).is_none_or(|entry| entry.errors.is_empty());
    }
    check_negate(section, chain, &prefix, config);
    check_predicate(section, chain, &prefix);
    if is_fine && let Some(message) = cannot_be_made(chain, alias, config, plugins) {
        section.error(&type_key, message);
    }
}

fn implicit_keys(chain: Chain, alias: &str, plugins: &Plugins) -> Vec<ConfigKey> {
    let name = |key: &str| format!("{}.{alias}.{key}", chain.key());
    let group = format!("{}: {alias}", chain.group());
    let noun = chain.noun();
    let mut class = ConfigKey::required(
        &name("type"),
        ConfigType::Class,
        Importance::High,
        &format!("Class for the '{alias}' {}.", noun.to_lowercase()),
    )
    .grouped(&group, 0, Width::Long, &format!("{noun} type for {alias}"));
    let classes = plugins.all().iter().filter(|plugin| plugin.kind() == chain.kind());
    class.recommended_values = classes.map(|plugin| plugin.class.to_owned()).collect();
    let version = ConfigKey::optional(
        &name("plugin.version"),
        ConfigType::String,
        Importance::High,
        &format!("Version of the '{alias}' {}.", noun.to_lowercase()),
    )
    .grouped(&group, 1, Width::Long, &format!("{noun} version for {alias}"));
    let mut keys = vec![class, version];
    if chain == Chain::Transforms {
        keys.push(
            ConfigKey::optional(
                &name("predicate"),
                ConfigType::String,
                Importance::Medium,
                "Alias of the predicate that says which records are transformed; not given: all.",
            )
            .grouped(&group, 2, Width::None, &name("predicate")),
        );
        keys.push(
            ConfigKey::with_default(
                &name("negate"),
                ConfigType::Boolean,
                "false",
                Importance::Medium,
                "Whether the records are transformed that do not match the predicate.",
            )
            .grouped(&group, 3, Width::None, &name("negate")),
        );
    }
    keys
}

fn check_negate(section: &mut Section, chain: Chain, prefix: &str, config: &ConfigMap) {
    let given = |key: &str| config.contains_key(&format!("{prefix}{key}"));
    if chain == Chain::Transforms && given("negate") && !given("predicate") {
        let message = format!(
            "Config '{prefix}negate' was provided but there is no config '{prefix}predicate' defining a predicate to be \
             negated."
        );
        section.error(&format!("{prefix}type"), message);
    }
}

fn check_predicate(section: &mut Section, chain: Chain, prefix: &str) {
    let key = format!("{prefix}predicate");
    let Some(alias) = section.text(&key).map(str::to_owned).filter(|_| chain == Chain::Transforms) else { return };
    if !section.list("predicates").contains(&alias) {
        let message = format!("Config '{key}' refers to the predicate '{alias}', which is not listed in 'predicates'.");
        section.error(&key, message);
    }
}

fn cannot_be_made(chain: Chain, alias: &str, config: &ConfigMap, plugins: &Plugins) -> Option<String> {
    let made = match chain {
        Chain::Transforms => plugins.new_transformation(alias, config).map(drop),
        Chain::Predicates => plugins.new_predicate(alias, config).map(drop),
    };
    made.err().filter(|error| error.kind() == ErrorKind::Config).map(|error| error.to_string())
}
