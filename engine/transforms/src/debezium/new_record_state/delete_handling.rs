//! What becomes of deletes and of the tombstones that follow them: `delete.tombstone.handling.mode`, and the two keys that it
//! had before.

use volley_api::{Config, ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Importance, Validator};

const MODE: &str = "delete.tombstone.handling.mode";
const OLD_MODE: &str = "delete.handling.mode";
const OLD_DROP_TOMBSTONES: &str = "drop.tombstones";

const MODES: [&str; 5] = ["drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone"];
const OLD_MODES: [&str; 3] = ["drop", "rewrite", "none"];

/// What becomes of the event of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::debezium) enum Deletes {
    /// It is left out.
    Drop,
    /// Its value is null, with the schema of the row.
    Null,
    /// Its value is null, without a schema.
    Tombstone,
    /// Its value is the row that was deleted, and every row gets `__deleted`.
    Rewrite,
}

/// What becomes of deletes and tombstones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::debezium) struct DeleteHandling {
    pub(in crate::debezium) deletes: Deletes,
    pub(in crate::debezium) keeps_tombstones: bool,
}

impl DeleteHandling {
    pub(in crate::debezium) fn add_keys(def: ConfigDef) -> ConfigDef {
        let mode = "What becomes of deletes and of the tombstones behind them. drop: neither stays. tombstone: the delete becomes a \
                    null, its tombstone goes. rewrite: the delete becomes the deleted row, and all rows tell in `__deleted` whether \
                    they are one. rewrite-with-tombstone: the same, and tombstones stay. delete-to-tombstone: the delete becomes a \
                    tombstone, the one behind it goes.";
        let old_mode =
            "Before Debezium 2.5: what becomes of deletes. drop, rewrite, or none, which makes nulls of them.";
        let old_drop = "Before Debezium 2.5: whether tombstones are left out.";
        def.key(
            ConfigKey::with_default(MODE, ConfigType::String, "tombstone", Importance::Medium, mode)
                .validated(one_of(&MODES)),
        )
        .key(
            ConfigKey::with_default(OLD_MODE, ConfigType::String, "drop", Importance::Medium, old_mode)
                .validated(one_of(&OLD_MODES)),
        )
        .key(ConfigKey::with_default(
            OLD_DROP_TOMBSTONES,
            ConfigType::Boolean,
            "true",
            Importance::Low,
            old_drop,
        ))
    }

    /// The old keys count where they are set and the new one is not.
    pub(in crate::debezium) fn of(given: &ConfigMap, config: &Config) -> Self {
        let text = |key| config.string(key).unwrap_or_default().to_ascii_lowercase();
        let is_old = given.contains_key(OLD_MODE) || given.contains_key(OLD_DROP_TOMBSTONES);
        if is_old && !given.contains_key(MODE) {
            let deletes = match text(OLD_MODE).as_str() {
                "none" => Deletes::Null,
                "rewrite" => Deletes::Rewrite,
                _ => Deletes::Drop,
            };
            return Self { deletes, keeps_tombstones: !config.boolean(OLD_DROP_TOMBSTONES) };
        }
        let (deletes, keeps_tombstones) = match text(MODE).as_str() {
            "drop" => (Deletes::Drop, false),
            "rewrite" => (Deletes::Rewrite, false),
            "rewrite-with-tombstone" => (Deletes::Rewrite, true),
            "delete-to-tombstone" => (Deletes::Tombstone, false),
            _ => (Deletes::Null, false),
        };
        Self { deletes, keeps_tombstones }
    }
}

fn one_of(modes: &'static [&'static str]) -> Validator {
    Validator::custom(move |value| match value {
        ConfigValue::String(text) if modes.iter().any(|mode| mode.eq_ignore_ascii_case(text)) => Ok(()),
        _ => Err(format!("Value must be one of {}", modes.join(", "))),
    })
}
