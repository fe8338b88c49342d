//! The answer of a validation, as REST shows it.

use serde::Serialize;
use volley_api::{ConfigKey, ConfigType, ConfigValue};

/// The result of validating a configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ConfigInfos {
    /// The connector class, as the user named it.
    pub name: String,
    /// Number of errors.
    pub error_count: usize,
    /// Groups of keys, in order.
    pub groups: Vec<String>,
    /// The result for each key.
    pub configs: Vec<ConfigInfo>,
    /// What the connector says of a configuration without errors. Kafka Connect has no place for it.
    #[serde(skip)]
    pub remarks: Vec<String>,
}

/// A key: its definition, and its value in the configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfigInfo {
    /// `None` for a key without definition.
    pub definition: Option<ConfigKeyInfo>,
    /// Its value.
    pub value: ConfigValueInfo,
}

/// The definition of a key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfigKeyInfo {
    /// Name, with its prefix.
    pub name: String,
    /// Type, for example `STRING`.
    #[serde(rename = "type")]
    pub config_type: String,
    /// Whether it has no default.
    pub required: bool,
    /// Default as text.
    pub default_value: Option<String>,
    /// `HIGH`, `MEDIUM` or `LOW`.
    pub importance: String,
    /// Its documentation.
    pub documentation: String,
    /// Group.
    pub group: Option<String>,
    /// Place in the group, -1 = none.
    pub order_in_group: i32,
    /// `NONE`, `SHORT`, `MEDIUM` or `LONG`.
    pub width: String,
    /// Name in a UI.
    pub display_name: String,
    /// Keys that depend on it.
    pub dependents: Vec<String>,
}

/// The value of a key in a configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ConfigValueInfo {
    /// Name, with its prefix.
    pub name: String,
    /// The value as text; secrets hidden.
    pub value: Option<String>,
    /// Values that a UI should offer.
    pub recommended_values: Vec<String>,
    /// The errors of the value.
    pub errors: Vec<String>,
    /// Whether a UI should show it.
    pub visible: bool,
}

impl From<&ConfigKey> for ConfigKeyInfo {
    fn from(key: &ConfigKey) -> Self {
        let default_value = match key.config_type {
            ConfigType::Password => key.default_value().map(|_| "[hidden]".to_owned()),
            _ => key.default_value().map(str::to_owned),
        };
        Self {
            name: key.name.clone(),
            config_type: key.config_type.to_string(),
            required: key.is_required() || key.is_supplied,
            default_value,
            importance: key.importance.to_string(),
            documentation: key.documentation.clone(),
            group: key.group.clone(),
            width: key.width.to_string(),
            display_name: key.display_name.clone(),
            dependents: key.dependents.clone(),
            order_in_group: key.order_in_group,
        }
    }
}

/// A parsed value as text; a secret as `[hidden]`.
pub(super) fn shown(value: &ConfigValue) -> Option<String> {
    match value {
        ConfigValue::Null => None,
        ConfigValue::Boolean(flag) => Some(flag.to_string()),
        ConfigValue::String(text) => Some(text.clone()),
        ConfigValue::Long(number) => Some(number.to_string()),
        ConfigValue::Double(number) => Some(format!("{number:?}")),
        ConfigValue::List(items) => Some(items.join(",")),
        ConfigValue::Password(secret) => Some(secret.to_string()),
    }
}

impl ConfigInfos {
    /// The message that refuses a create or update.
    pub fn refusal(&self) -> String {
        let errors = self.configs.iter().flat_map(|config| &config.value.errors);
        let lines: String = errors.map(|error| format!("\n{error}")).collect();
        format!(
            "Connector configuration is invalid and contains the following {} error(s):{lines}\nYou can also find the \
             above list of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
            self.error_count
        )
    }
}
