//! Checks of single values of a configuration, with Kafka's words for what is wrong.

use std::fmt;
use std::sync::Arc;

use crate::ConfigValue;

/// A check of a value that is not one of the usual: `Err` carries the reason.
pub type CustomCheck = Arc<dyn Fn(&ConfigValue) -> std::result::Result<(), String> + Send + Sync>;

/// A check of one parsed value. `Err` carries the reason only; the definition adds key and value.
#[derive(Clone)]
pub enum Validator {
    /// Integer or double of at least this.
    AtLeast(i64),
    /// Integer within both bounds.
    Between(i64, i64),
    /// One of these texts.
    OneOf(Vec<String>),
    /// One of these texts, any case.
    OneOfIgnoreCase(Vec<String>),
    /// Not the empty text.
    NonEmpty,
    /// A list without empty items and without two that are equal.
    DistinctItems,
    /// Anything else. It sees a null where the user gave one, or left out a key that must be given.
    Custom(CustomCheck),
}

/// What a validator has against a value.
pub(crate) enum Objection {
    /// The reason: key and value are to be added.
    Reason(String),
    /// What is wrong with the values of the list.
    Items(&'static str),
}

impl Validator {
    /// One of these texts.
    pub fn one_of(allowed: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::OneOf(allowed.into_iter().map(Into::into).collect())
    }

    /// One of these texts, any case.
    pub fn one_of_ignore_case(allowed: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::OneOfIgnoreCase(allowed.into_iter().map(Into::into).collect())
    }

    /// A check of one's own: see [`Validator::Custom`].
    pub fn custom(check: impl Fn(&ConfigValue) -> std::result::Result<(), String> + Send + Sync + 'static) -> Self {
        Self::Custom(Arc::new(check))
    }

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
            (Self::OneOf(allowed), value) if !is_one_of(value, |text| allowed.iter().any(|item| item == text)) => {
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

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(min) => write!(f, "AtLeast({min})"),
            Self::Between(min, max) => write!(f, "Between({min}, {max})"),
            Self::OneOf(allowed) => write!(f, "OneOf({allowed:?})"),
            Self::OneOfIgnoreCase(allowed) => write!(f, "OneOfIgnoreCase({allowed:?})"),
            Self::NonEmpty => f.write_str("NonEmpty"),
            Self::DistinctItems => f.write_str("DistinctItems"),
            Self::Custom(_) => f.write_str("Custom"),
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
