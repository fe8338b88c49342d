//! Transformations and predicates: the keys under `transforms.<alias>.` and `predicates.<alias>.`.

use volley_api::{
    ConfigDef, ConfigKey, ConfigType, ErrorKind, Given, Importance, Plugin, PluginKind, TransformationContext, Width,
};

use super::plugin_choice::{choose, version_key};
use super::section::Section;
use crate::json_config::GivenConfig;
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

/// Adds the keys of all transformations and predicates to the framework's section, and checks them.
///
/// Kafka Connect checks each key by itself only. Here a plug-in that is not Kafka's is also created, which finds errors
/// in the combination of its keys, if it `may_be_made`: not for a connector that has its own chain, which takes none of Volley's own.
pub(super) fn add_alias_keys(section: &mut Section, given: &GivenConfig, plugins: &Plugins, may_be_made: bool) {
    for chain in [Chain::Transforms, Chain::Predicates] {
        let mut seen: Vec<String> = Vec::new();
        for alias in section.list(chain.key()).to_vec() {
            if !seen.contains(&alias) {
                add_alias(section, (chain, &alias), given, plugins, may_be_made);
                seen.push(alias);
            }
        }
    }
}

fn add_alias(
    section: &mut Section,
    (chain, alias): (Chain, &str),
    given: &GivenConfig,
    plugins: &Plugins,
    may_be_made: bool,
) {
    let prefix = format!("{}.{alias}.", chain.key());
    let [type_key, version_name] = ["type", "plugin.version"].map(|key| format!("{prefix}{key}"));
    section.add(class_key(chain, alias, plugins), given);
    let class = section.text(&type_key).map(str::to_owned);
    let class = class.as_deref().map_or(Given::Nothing, Given::Text);
    section.add(version_key(plain_version_key(chain, alias), plugins, chain.kind(), class), given);
    let keys = [type_key.as_str(), version_name.as_str()];
    let Some(plugin) = choose(section, plugins, chain.kind(), keys, &keys) else { return };
    if chain == Chain::Transforms
        && let Some(message) = negates_nothing(&prefix, given)
    {
        section.error(&type_key, message);
    }
    if !may_be_made && !plugin.class.contains('.') {
        let class = &plugin.class;
        section.error(
            &type_key,
            format!(
                "`{class}` is Volley's own, for connectors of Volley's own: use one in Java for a connector in Java"
            ),
        );
    }
    let mut is_fine = true;
    for (place, mut key) in own_keys(chain, plugin).into_iter().enumerate() {
        let name = format!("{prefix}{}", key.name);
        key.group = Some(format!("{}: {alias}", chain.group()));
        key.order_in_group = 2 + place as i32;
        section.add_as(&name, key, given);
        is_fine &= section.entries.get(&name).is_none_or(|entry| entry.errors.is_empty());
    }
    if is_fine
        && may_be_made
        && !plugin.class.starts_with("org.apache.kafka.")
        && let Some(message) = cannot_be_made(chain, alias, given, plugins)
    {
        section.error(&type_key, message);
    }
}

fn class_key(chain: Chain, alias: &str, plugins: &Plugins) -> ConfigKey {
    let noun = chain.noun();
    let documentation = format!("Class for the '{alias}' {}.", noun.to_lowercase());
    let name = format!("{}.{alias}.type", chain.key());
    let group = format!("{}: {alias}", chain.group());
    let mut key = ConfigKey::required(&name, ConfigType::Class, Importance::High, &documentation).grouped(
        &group,
        0,
        Width::Long,
        &format!("{noun} type for {alias}"),
    );
    key.recommended_values = plugins.classes(chain.kind());
    key
}

fn plain_version_key(chain: Chain, alias: &str) -> ConfigKey {
    let noun = chain.noun();
    let documentation = format!("Version of the '{alias}' {}.", noun.to_lowercase());
    let name = format!("{}.{alias}.plugin.version", chain.key());
    let group = format!("{}: {alias}", chain.group());
    ConfigKey::optional(&name, ConfigType::String, Importance::High, &documentation).grouped(
        &group,
        1,
        Width::Long,
        &format!("{noun} version for {alias}"),
    )
}

/// The keys of a plug-in and those of every transformation, in the order in which Kafka embeds them: by group and place
/// in it, required ones first, then by importance and name.
fn own_keys(chain: Chain, plugin: &Plugin) -> Vec<ConfigKey> {
    let mut def = plugin.config_def.clone();
    if chain == Chain::Transforms {
        def = implicit_keys().keys().iter().cloned().fold(def, ConfigDef::key);
    }
    let mut groups: Vec<&str> = Vec::new();
    for group in def.keys().iter().filter_map(|key| key.group.as_deref()) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let place_of_group = |key: &ConfigKey| groups.iter().position(|group| Some(*group) == key.group.as_deref());
    let mut keys = def.keys().to_vec();
    keys.sort_by_cached_key(|key| {
        let importance = match key.importance {
            Importance::High => 0,
            Importance::Medium => 1,
            Importance::Low => 2,
        };
        (place_of_group(key), key.order_in_group, !key.is_required(), importance, key.name.clone())
    });
    keys
}

fn implicit_keys() -> ConfigDef {
    ConfigDef::new()
        .key(ConfigKey::optional(
            "predicate",
            ConfigType::String,
            Importance::Medium,
            "Alias of the predicate that says which records are transformed; not given: all.",
        ))
        .key(ConfigKey::with_default(
            "negate",
            ConfigType::Boolean,
            "false",
            Importance::Medium,
            "Whether the records are transformed that do not match the predicate.",
        ))
}

fn negates_nothing(prefix: &str, given: &GivenConfig) -> Option<String> {
    let has = |key: &str| given.has(&format!("{prefix}{key}"));
    (has("negate") && !has("predicate")).then(|| {
        format!(
            "Config '{prefix}negate' was provided but there is no config '{prefix}predicate' defining a predicate to be \
             negated."
        )
    })
}

fn cannot_be_made(chain: Chain, alias: &str, given: &GivenConfig, plugins: &Plugins) -> Option<String> {
    let made = match chain {
        Chain::Transforms => {
            plugins.new_transformation(alias, TransformationContext::default(), &given.values).map(drop)
        }
        Chain::Predicates => plugins.new_predicate(alias, &given.values).map(drop),
    };
    made.err().filter(|error| error.kind() == ErrorKind::Config).map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;
    use crate::testing::fake_plugins;

    #[test]
    fn a_connector_that_transforms_by_itself_takes_no_transformation_of_volley_s_own() {
        let fake = fake_plugins().into_iter().find(|plugin| plugin.class == "org.example.Fake").unwrap();
        let plugins = Plugins::new(vec![Plugin { class: "Own".into(), ..fake.clone() }, fake]);
        for (class, is_refused) in [("Own", true), ("org.example.Fake", false)] {
            let values = config_map(&[("transforms", "t"), ("transforms.t.type", class)]);
            let given = GivenConfig { values, nulls: Vec::new() };
            let list = ConfigKey::optional("transforms", ConfigType::List, Importance::Low, "For tests.");
            let mut section = Section::of(&ConfigDef::new().key(list), &given);
            add_alias_keys(&mut section, &given, &plugins, false);
            let errors = &section.entries["transforms.t.type"].errors;
            assert_eq!(errors.iter().any(|error| error.contains("`Own` is Volley's own")), is_refused, "{errors:?}");
        }
    }
}
