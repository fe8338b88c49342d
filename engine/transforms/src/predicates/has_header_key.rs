//! `HasHeaderKey`: whether a record has a header of a given name.

use arrow::array::BooleanArray;
use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, KAFKA_VERSION, Plugin, PluginFactory, Predicate,
    Records, Result, Validator,
};

const NAME: &str = "name";

/// Matches records with at least one header of the given name, whatever its value.
#[derive(Clone, Debug)]
pub struct HasHeaderKey {
    name: String,
}

impl HasHeaderKey {
    /// The keys of this predicate.
    pub fn config_def() -> ConfigDef {
        ConfigDef::new().key(
            ConfigKey::required(NAME, ConfigType::String, Importance::Medium, "Name of the header to look for.")
                .validated(Validator::NonEmpty),
        )
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if the name is missing or empty.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let name = config.string(NAME).ok_or_else(|| Error::config("`name` has no value"))?;
        Ok(Self { name: name.to_owned() })
    }
}

impl Predicate for HasHeaderKey {
    fn test(&mut self, records: &Records) -> Result<BooleanArray> {
        let Some(headers) = &records.headers else {
            return Ok(BooleanArray::from(vec![false; records.len()]));
        };
        // Headers are kept by row, not by column.
        Ok(headers.iter().map(|row| Some(row.iter().any(|header| *header.name == *self.name))).collect())
    }
}

pub(crate) fn plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
        KAFKA_VERSION,
        "Matches records that have at least one header of the given name.",
        HasHeaderKey::config_def(),
        PluginFactory::predicate(HasHeaderKey::new),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use volley_api::testing::{config_map, records, texts};
    use volley_api::{Header, Value};

    fn header(name: &str) -> Header {
        Header::new(name, Value::Null)
    }

    #[test]
    fn rows_with_the_header_match() {
        let mut predicate = HasHeaderKey::new(&config_map(&[("name", "trace")])).unwrap();
        let mut records = records("orders", texts([Some("a"), Some("b"), Some("c")]));
        assert_eq!(predicate.test(&records).unwrap(), BooleanArray::from(vec![false; 3]));
        records.headers = Some(Arc::new(vec![vec![header("x"), header("trace")], vec![], vec![header("Trace")]]));
        assert_eq!(predicate.test(&records).unwrap(), BooleanArray::from(vec![true, false, false]));
    }

    #[test]
    fn an_empty_name_is_refused() {
        let error = HasHeaderKey::new(&config_map(&[("name", "")])).unwrap_err();
        assert_eq!(error.to_string(), "Invalid value  for configuration name: String must be non-empty");
    }
}
