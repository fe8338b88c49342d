//! Connector configurations in JSON: flat maps whose scalars become text.

use serde_json::{Map, Value};
use volley_api::{ConfigMap, Given};

use crate::worker_config::without_prefix;

/// A configuration as received: values that are text, and keys whose value is JSON null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GivenConfig {
    /// Keys with values, in order.
    pub values: ConfigMap,
    /// Keys that are explicitly null.
    pub nulls: Vec<String>,
}

impl From<ConfigMap> for GivenConfig {
    fn from(values: ConfigMap) -> Self {
        Self { values, nulls: Vec::new() }
    }
}

impl GivenConfig {
    /// The entry of a key.
    pub fn given(&self, key: &str) -> Given<'_> {
        match self.values.get(key) {
            Some(text) => Given::Text(text),
            None if self.nulls.iter().any(|null| null == key) => Given::Null,
            None => Given::Nothing,
        }
    }

    /// Whether a key is present, even if null.
    pub fn has(&self, key: &str) -> bool {
        self.given(key) != Given::Nothing
    }

    /// The entries whose key begins with `prefix`, without it.
    #[must_use]
    pub fn without_prefix(&self, prefix: &str) -> Self {
        let nulls = self.nulls.iter().filter_map(|key| key.strip_prefix(prefix).map(str::to_owned));
        Self { values: without_prefix(&self.values, prefix), nulls: nulls.collect() }
    }

    /// Keeps text as it is, and converts numbers and booleans to text.
    ///
    /// # Errors
    /// The message of Kafka Connect's JSON library if a value is an array or object.
    pub fn from_json(members: Map<String, Value>) -> Result<Self, String> {
        let mut given = Self::default();
        for (key, value) in members {
            match value {
                Value::Null => given.nulls.push(key),
                Value::String(text) => {
                    given.values.insert(key, text);
                }
                Value::Bool(_) | Value::Number(_) => {
                    given.values.insert(key, value.to_string());
                }
                Value::Array(_) => return Err(not_text("Array", &key)),
                Value::Object(_) => return Err(not_text("Object", &key)),
            }
        }
        Ok(given)
    }
}

fn not_text(kind: &str, key: &str) -> String {
    format!(
        "Cannot deserialize value of type `java.lang.String` from {kind} value (token `JsonToken.START_{}`) (through \
         reference chain: java.util.LinkedHashMap[\"{key}\"])",
        kind.to_uppercase()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<GivenConfig, String> {
        GivenConfig::from_json(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn scalars_become_text_and_nulls_are_kept_apart() {
        let given = parse(r#"{"a": 1, "b": true, "c": "x", "d": null, "e": 1.0}"#).unwrap();
        let values: Vec<_> = given.values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(values, [("a", "1"), ("b", "true"), ("c", "x"), ("e", "1.0")]);
        assert_eq!(given.nulls, ["d"]);
    }

    #[test]
    fn nested_values_are_refused() {
        assert!(parse(r#"{"a": []}"#).unwrap_err().contains("Cannot deserialize value"));
        assert!(parse(r#"{"a": {}}"#).unwrap_err().contains("START_OBJECT"));
    }
}
