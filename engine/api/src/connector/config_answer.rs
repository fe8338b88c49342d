//! What a connector itself says about a configuration.

use crate::ConfigDef;

/// What a connector says about a configuration, where its definition and checks are code that only it can execute.
#[derive(Clone, Debug, Default)]
pub struct ConfigAnswer {
    /// The keys, for this configuration.
    pub keys: ConfigDef,
    /// What it says about each of them, by name. A key without an answer has the value of the configuration, and no errors.
    pub values: Vec<KeyAnswer>,
}

/// What a connector says about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAnswer {
    /// The key.
    pub name: String,
    /// Its value, as text; `None` where it has none.
    pub value: Option<String>,
    /// Values that a UI should offer.
    pub recommended: Vec<String>,
    /// What is wrong with it.
    pub errors: Vec<String>,
    /// Whether a UI should show it.
    pub visible: bool,
}
