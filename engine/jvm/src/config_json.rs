//! Configurations, as JSON objects of texts.

use serde_json::Value;
use volley_api::{ConfigMap, Error, Result};

/// `config` as the protocol has it.
pub(crate) fn to_json(config: &ConfigMap) -> Value {
    let entry = |(key, value): (&String, &String)| (key.clone(), Value::String(value.clone()));
    Value::Object(config.iter().map(entry).collect())
}

/// A configuration that `connector` gave one of its tasks. Java may give a null, which is a key that is not there.
///
/// # Errors
/// If a value is anything else.
pub(crate) fn from_json(connector: &str, config: &Value) -> Result<ConfigMap> {
    let mut entries = ConfigMap::new();
    for (key, value) in config.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => drop(entries.insert(key.clone(), text.clone())),
            Value::Null => {}
            _ => {
                let message = format!("connector `{connector}` gave a task a value of `{key}` that is no text");
                return Err(Error::fatal(message));
            }
        }
    }
    Ok(entries)
}
