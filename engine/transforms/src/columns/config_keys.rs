//! Keys that several transformations have.

use volley_api::{Config, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Result, Validator};

const REPLACE_NULL: &str = "replace.null.with.default";

/// `replace.null.with.default`.
pub(crate) fn replace_null_key() -> ConfigKey {
    let doc = "Whether null fields that have a default get it. If not they stay null.";
    ConfigKey::with_default(REPLACE_NULL, ConfigType::Boolean, "true", Importance::Medium, doc)
}

/// What `replace.null.with.default` says.
pub(crate) fn replaces_null(config: &Config) -> bool {
    config.boolean(REPLACE_NULL)
}

/// A list that must be given and has one item at least.
pub(crate) fn field_list(name: &str, doc: &str) -> ConfigKey {
    ConfigKey::required(name, ConfigType::List, Importance::High, doc).validated(Validator::custom(non_empty_list))
}

/// Refuses lists in Kafka's words, for which a validator has no place: those without an item, unless they may be so, and
/// those of which an item is empty.
pub(crate) fn check_lists(config: &ConfigMap, names: &[&str], may_be_empty: bool) -> Result<()> {
    for name in names {
        let Some(text) = config.get(*name) else { continue };
        let is_empty = text.trim().is_empty();
        if is_empty && !may_be_empty {
            let message =
                format!("Configuration '{name}' must not be empty. Valid values include: any non-empty value");
            return Err(Error::config(message));
        }
        if !is_empty && text.split(',').any(|item| item.trim().is_empty()) {
            return Err(Error::config(format!("Configuration '{name}' values must not be empty.")));
        }
    }
    Ok(())
}

/// For lists whose items are names.
pub(crate) fn no_empty_item(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::List(items) if items.iter().any(String::is_empty) => Err("an item is empty".to_owned()),
        _ => Ok(()),
    }
}

fn non_empty_list(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::List(items) if items.is_empty() => Err("Empty list".to_owned()),
        ConfigValue::List(items) if items.iter().any(String::is_empty) => Err("an item is empty".to_owned()),
        _ => Ok(()),
    }
}
