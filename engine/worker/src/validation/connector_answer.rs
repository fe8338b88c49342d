//! What a connector itself says about its keys, in place of its definition and checks.

use volley_api::{ConfigAnswer, ConfigType, ConfigValue, KeyAnswer, Secret};

use super::section::{Section, Stray};
use crate::json_config::GivenConfig;

/// The framework's keys, then those of the connector's answer, which takes precedence for the same key.
pub(super) fn with_answer(mut framework: Section, answer: ConfigAnswer, given: &GivenConfig) -> Section {
    let mut own = Section::of(&answer.keys, given);
    // what is wrong with them is for the connector to say
    own.entries.values_mut().for_each(|entry| entry.errors.clear());
    for KeyAnswer { name, value, recommended, errors, visible } in answer.values {
        if let Some(entry) = own.entries.get_mut(&name) {
            entry.parsed = as_told(entry.key.config_type, value);
            entry.key.recommended_values = recommended;
            entry.errors = errors;
            entry.is_visible = visible;
        } else if framework.entries.contains_key(&name) {
            errors.into_iter().for_each(|error| framework.error(&name, error));
        } else {
            framework.strays.insert(name, Stray { value, errors });
        }
    }
    framework.strays.retain(|key, _| !own.entries.contains_key(key));
    framework.entries.extend(own.entries);
    framework
}

/// The connector's text, which is shown as it is, unless it is a secret.
fn as_told(config_type: ConfigType, value: Option<String>) -> ConfigValue {
    match value {
        None => ConfigValue::Null,
        Some(text) if config_type == ConfigType::Password => ConfigValue::Password(Secret::new(text)),
        Some(text) => ConfigValue::String(text),
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;
    use volley_api::{ConfigDef, ConfigKey, Importance};

    use super::*;

    fn key(name: &str, config_type: ConfigType) -> ConfigKey {
        ConfigKey::required(name, config_type, Importance::High, "For tests.")
    }

    fn answer(name: &str, value: &str, errors: &[&str]) -> KeyAnswer {
        KeyAnswer {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            recommended: vec!["A".to_owned()],
            errors: errors.iter().map(ToString::to_string).collect(),
            visible: false,
        }
    }

    #[test]
    fn what_a_connector_says_of_its_keys_is_shown_and_nothing_else() {
        let given = GivenConfig { values: config_map(&[("size", "x"), ("topics", "a")]), nulls: Vec::new() };
        let framework = Section::of(&ConfigDef::new().key(key("topics", ConfigType::List)), &given);
        let keys = [("size", ConfigType::Int), ("password", ConfigType::Password), ("silent", ConfigType::Int)];
        let keys = keys.into_iter().fold(ConfigDef::new(), |def, (name, of)| def.key(key(name, of)));
        let values = vec![
            answer("size", "12", &["too large"]),
            answer("password", "hunter2", &[]),
            answer("topics", "a", &["not for me"]),
            answer("other", "1", &["unknown"]),
        ];
        let infos = with_answer(framework, ConfigAnswer { keys, values }, &given).into_infos();
        let shown = |name: &str| infos.iter().find(|info| info.value.name == name).unwrap().value.clone();
        assert_eq!((shown("size").value.as_deref(), shown("size").errors), (Some("12"), vec!["too large".to_owned()]));
        assert_eq!((shown("size").recommended_values, shown("size").visible), (vec!["A".to_owned()], false));
        assert_eq!(shown("password").value.as_deref(), Some("[hidden]"));
        assert_eq!(shown("topics").errors, ["not for me"]);
        assert_eq!(shown("other").errors, ["unknown"]);
        assert!(shown("silent").errors.is_empty() && shown("silent").visible, "it has said nothing of it");
    }
}
