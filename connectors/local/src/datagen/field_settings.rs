//! The settings of one field: `fields.<name>.<parameter>`, the user's before the preset's.

use volley_api::{ConfigIssue, ConfigMap};

use super::preset::Preset;

/// Looks up the parameters of one field.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldSettings<'a> {
    /// Field name.
    pub(super) name: &'a str,
    /// The connector's configuration.
    pub(super) config: &'a ConfigMap,
    /// What holds where the configuration says nothing.
    pub(super) preset: &'a Preset,
}

impl<'a> FieldSettings<'a> {
    /// The key of a parameter.
    pub(super) fn key(&self, parameter: &str) -> String {
        format!("fields.{}.{parameter}", self.name)
    }

    /// The value of a parameter, trimmed.
    pub(super) fn text(&self, parameter: &str) -> Option<&'a str> {
        let preset = || self.preset.settings.get(&(self.name.to_owned(), parameter.to_owned()));
        self.config.get(&self.key(parameter)).or_else(preset).map(|text| text.trim())
    }

    /// What is wrong with a parameter.
    pub(super) fn issue(&self, parameter: &str, reason: &str) -> ConfigIssue {
        let key = self.key(parameter);
        let shown = self.text(parameter).unwrap_or("null");
        let message = format!("Invalid value {shown} for configuration {key}: {reason}");
        ConfigIssue::new(key, message)
    }

    /// A parameter as a number within bounds, or its default.
    pub(super) fn number(&self, parameter: &str, default: f64, min: f64, max: f64) -> Result<f64, ConfigIssue> {
        let Some(text) = self.text(parameter) else { return Ok(default) };
        match text.parse::<f64>() {
            Ok(number) if (min..=max).contains(&number) => Ok(number),
            Ok(_) => Err(self.issue(parameter, &format!("must be from {min} to {max}"))),
            Err(_) => Err(self.issue(parameter, "not a number")),
        }
    }

    /// A parameter as a whole number within bounds, or its default.
    pub(super) fn whole(&self, parameter: &str, default: i64, min: i64, max: i64) -> Result<i64, ConfigIssue> {
        let Some(text) = self.text(parameter) else { return Ok(default) };
        match text.parse::<i64>() {
            Ok(number) if (min..=max).contains(&number) => Ok(number),
            Ok(_) => Err(self.issue(parameter, &format!("must be from {min} to {max}"))),
            Err(_) => Err(self.issue(parameter, "not a whole number")),
        }
    }

    /// A parameter as a comma separated list, items trimmed; `None` if it is not given.
    pub(super) fn list(&self, parameter: &str) -> Option<Vec<&'a str>> {
        self.text(parameter).map(|text| text.split(',').map(str::trim).collect())
    }
}
