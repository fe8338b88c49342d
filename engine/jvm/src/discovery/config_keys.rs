//! Keys of Java's `ConfigDef`, as the worker's.

use serde_json::Value;
use volley_api::{ConfigAnswer, ConfigDef, ConfigKey, ConfigType, Importance, KeyAnswer, Width};

use crate::sink_requests::each;

/// The definition that `keys`, a list of KEY of the protocol, stands for. It checks nothing but types: the checks of Java are code.
pub(crate) fn config_def(keys: &Value) -> ConfigDef {
    each(keys).filter_map(config_key).fold(ConfigDef::new(), ConfigDef::key)
}

/// The answer of VALIDATE.
pub(crate) fn config_answer(answer: &Value) -> ConfigAnswer {
    let value = |value: &Value| {
        Some(KeyAnswer {
            name: value["name"].as_str()?.to_owned(),
            value: value["value"].as_str().map(str::to_owned),
            recommended: texts(&value["recommended"]),
            errors: texts(&value["errors"]),
            visible: value["visible"] != false,
        })
    };
    ConfigAnswer { keys: config_def(&answer["keys"]), values: each(&answer["values"]).filter_map(value).collect() }
}

fn config_key(key: &Value) -> Option<ConfigKey> {
    let text = |name: &str| key[name].as_str().unwrap_or_default();
    let (name, config_type) = (key["name"].as_str()?, config_type(text("type")));
    let importance = match text("importance") {
        "HIGH" => Importance::High,
        "MEDIUM" => Importance::Medium,
        _ => Importance::Low,
    };
    let documentation = text("documentation");
    let mut def = match (key["required"] == true, key["default"].as_str()) {
        (true, _) => ConfigKey::required(name, config_type, importance, documentation),
        (false, Some(default)) => ConfigKey::with_default(name, config_type, default, importance, documentation),
        (false, None) => ConfigKey::optional(name, config_type, importance, documentation),
    };
    def.group = key["group"].as_str().map(str::to_owned);
    def.order_in_group = key["order_in_group"].as_i64().and_then(|order| order.try_into().ok()).unwrap_or(-1);
    def.width = match text("width") {
        "SHORT" => Width::Short,
        "MEDIUM" => Width::Medium,
        "LONG" => Width::Long,
        _ => Width::None,
    };
    def.display_name = key["display_name"].as_str().unwrap_or(name).to_owned();
    def.dependents = texts(&key["dependents"]);
    Some(def)
}

fn config_type(name: &str) -> ConfigType {
    match name {
        "BOOLEAN" => ConfigType::Boolean,
        "INT" => ConfigType::Int,
        "SHORT" => ConfigType::Short,
        "LONG" => ConfigType::Long,
        "DOUBLE" => ConfigType::Double,
        "LIST" => ConfigType::List,
        "CLASS" => ConfigType::Class,
        "PASSWORD" => ConfigType::Password,
        _ => ConfigType::String,
    }
}

fn texts(list: &Value) -> Vec<String> {
    each(list).filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_keeps_all_that_a_user_sees_of_it() {
        let def = config_def(&json!([{
            "name": "batch.size", "type": "INT", "required": false, "default": "2000", "importance": "LOW",
            "documentation": "Rows.", "group": "g", "order_in_group": 3, "width": "MEDIUM", "display_name": "Batch",
            "dependents": ["d"], "internal": false
        }, {
            "name": "password", "type": "PASSWORD", "required": true, "default": null, "importance": "HIGH",
            "documentation": "", "group": null, "order_in_group": -1, "width": "NONE", "display_name": "password",
            "dependents": [], "internal": false
        }]));
        let size = def.find("batch.size").unwrap();
        assert_eq!((size.config_type, size.default_value(), size.order_in_group), (ConfigType::Int, Some("2000"), 3));
        assert_eq!((size.width, size.display_name.as_str()), (Width::Medium, "Batch"));
        assert_eq!((size.group.as_deref(), size.dependents.as_slice()), (Some("g"), ["d".to_owned()].as_slice()));
        let password = def.find("password").unwrap();
        assert!(password.is_required() && password.config_type == ConfigType::Password);
    }

    #[test]
    fn an_answer_has_values_errors_and_what_a_ui_should_offer() {
        let answer = config_answer(&json!({
            "keys": [{"name": "k", "type": "STRING", "required": false, "default": null, "importance": "LOW"}],
            "values": [{"name": "k", "value": null, "recommended": ["a"], "errors": ["no"], "visible": false}]
        }));
        let expected = KeyAnswer {
            name: "k".to_owned(),
            value: None,
            recommended: vec!["a".to_owned()],
            errors: vec!["no".to_owned()],
            visible: false,
        };
        assert_eq!(answer.values, [expected]);
        assert!(!answer.keys.find("k").unwrap().is_required());
    }
}
