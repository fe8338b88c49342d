//! Checks of single values of a configuration, with Kafka's words for what is wrong.

use crate::ConfigValue;

/// A check of one parsed value. `Err` carries the reason only; the definition adds key and value.
#[derive(Clone, Debug)]
pub enum Validator {
    /// Integer or double of at least this.
    AtLeast(i64),
    /// Integer within both bounds.
    Between(i64, i64),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// One of these texts, any case.
    OneOfIgnoreCase(&'static [&'static str]),
    /// Not the empty text.
    NonEmpty,
    /// A list without empty items and without two that are equal.
    DistinctItems,
    /// Anything else. It sees a null where the user gave one, or left out a key that must be given.
    Custom(fn(&ConfigValue) -> std::result::Result<(), String>),
}

/// What a validator has against a value.
pub(crate) enum Objection {
    /// The reason: key and value are to be added.
    Reason(String),
    /// What is wrong with the values of the list.
    Items(&'static str),
}

impl Validator {
    pub(crate) fn check(&self, value: &ConfigValue) -> std::result::Result<(), Objection> {
        let reason = |reason: String| Err(Objection::Reason(reason));
        match (self, value) {
            (Self::Custom(check), value) => check(value).map_err(Objection::Reason),
            (Self::AtLeast(_) | Self::Between(..), ConfigValue::Null) => reason("Value must be non-null".into()),
            (Self::AtLeast(min) | Self::Between(min, _), ConfigValue::Long(number)) if number < min => {
                reason(format!("Value must be at least {min}"))
            }
            (Self::Between(_, max), ConfigValue::Long(number)) if number > max => {
                reason(format!("Value must be no more than {max}"))
            }
            (Self::AtLeast(min), ConfigValue::Double(number)) if *number < *min as f64 => {
                reason(format!("Value must be at least {min}"))
            }
            (Self::OneOf(allowed), value) if !is_one_of(value, |text| allowed.contains(&text)) => {
                reason(format!("String must be one of: {}", allowed.join(", ")))
            }
            (Self::OneOfIgnoreCase(allowed), value)
                if !is_one_of(value, |text| allowed.iter().any(|item| item.eq_ignore_ascii_case(text))) =>
            {
                reason(format!("String must be one of (case insensitive): {}", allowed.join(", ")))
            }
            (Self::NonEmpty, ConfigValue::String(text)) if text.is_empty() => reason("String must be non-empty".into()),
            (Self::DistinctItems, value) => distinct_items(value).map_err(Objection::Items),
            _ => Ok(()),
        }
    }
}

fn is_one_of(value: &ConfigValue, is_allowed: impl Fn(&str) -> bool) -> bool {
    match value {
        ConfigValue::String(text) => is_allowed(text),
        ConfigValue::Null => false,
        _ => true,
    }
}

fn distinct_items(value: &ConfigValue) -> std::result::Result<(), &'static str> {
    match value {
        ConfigValue::Null => Err("must not be null"),
        ConfigValue::List(items) if (1..items.len()).any(|at| items[..at].contains(&items[at])) => {
            Err("must not be duplicated")
        }
        ConfigValue::List(items) if items.iter().any(String::is_empty) => Err("must not be empty"),
        _ => Ok(()),
    }
}
