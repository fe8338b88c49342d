//! Debezium's transformations that run scripts: they are known, and refused with what to use instead.
//!
//! Volley has no script engines. `Sql` filters records, and routes them after what they hold.

use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, PluginFactory, Result, Transformation,
    Validator,
};

const LANGUAGE: &str = "language";

/// Filter and ContentBasedRouter, by what they need a script for.
const SCRIPTED: [(&str, &str, &str); 2] = [
    ("io.debezium.transforms.Filter", "condition", "use the transformation Sql with a WHERE clause"),
    (
        "io.debezium.transforms.ContentBasedRouter",
        "topic.expression",
        "use the transformation Sql, or a router that takes the topic from a field, such as \
         io.aiven.kafka.connect.transforms.ExtractTopic$Value",
    ),
];

fn reason(instead: &str) -> String {
    format!("Volley runs no scripts: {instead}")
}

fn config_def(script: &str, instead: &'static str) -> ConfigDef {
    let refused = Validator::custom(move |_| Err(reason(instead)));
    ConfigDef::new()
        .key(ConfigKey::optional(script, ConfigType::String, Importance::Medium, "A script, which is refused."))
        .key(
            ConfigKey::with_default(
                LANGUAGE,
                ConfigType::String,
                "",
                Importance::Medium,
                "A script engine, of which there is none.",
            )
            .validated(refused),
        )
        .key(ConfigKey::with_default(
            "null.handling.mode",
            ConfigType::String,
            "drop",
            Importance::Medium,
            "Without effect.",
        ))
        .key(ConfigKey::optional("topic.regex", ConfigType::String, Importance::Low, "Without effect."))
}

/// Nothing: a configuration of it is always refused.
#[derive(Clone, Copy, Debug)]
enum Scripted {}

impl Transformation for Scripted {
    fn apply(&mut self, _records: volley_api::Records) -> Result<volley_api::Transformed> {
        match *self {}
    }
}

pub(super) fn plugins(version: &'static str) -> impl Iterator<Item = Plugin> {
    SCRIPTED.into_iter().map(move |(class, script, instead)| {
        let refuse = move |_: &ConfigMap| Err::<Scripted, _>(Error::config(format!("{class}: {}", reason(instead))));
        let what = "Not there: it runs scripts. Use Sql.";
        Plugin::new(class, version, what, config_def(script, instead), PluginFactory::transformation(refuse))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use volley_api::TransformationContext;
    use volley_api::testing::config_map;

    #[test]
    fn a_script_is_refused_with_what_to_use_instead() {
        for plugin in plugins("1") {
            let given = config_map(&[("language", "jsr223.groovy"), ("condition", "value.op == 'u'")]);
            let (_, issues) = plugin.config_def.validate(&given);
            assert!(issues.iter().any(|issue| issue.message.contains("use the transformation Sql")), "{issues:?}");
            let PluginFactory::Transformation(new) = &plugin.factory else {
                panic!("{} is another kind", plugin.class)
            };
            let error = new(TransformationContext::default(), &given).err().unwrap().to_string();
            assert!(error.contains("Volley runs no scripts: use the transformation Sql"), "{error}");
        }
    }
}
