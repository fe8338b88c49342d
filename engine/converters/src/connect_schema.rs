//! Connect schemas in their JSON form, as those read them who map them to the schemas of a format.

use serde_json::Value;

/// A Connect schema in its JSON form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connect<'a>(pub(crate) &'a Value);

impl<'a> Connect<'a> {
    /// A member that is a text.
    pub(crate) fn text(&self, member: &str) -> Option<&'a str> {
        self.0.get(member).and_then(Value::as_str)
    }

    /// A schema within: `items`, `keys` or `values`.
    ///
    /// # Errors
    /// It is not there.
    pub(crate) fn part(&self, member: &str) -> Result<Self, String> {
        self.0.get(member).map(Connect).ok_or_else(|| format!("a schema has no `{member}`"))
    }

    /// Whether its values may be null.
    pub(crate) fn is_optional(&self) -> bool {
        self.0.get("optional").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The default, if there is one.
    pub(crate) fn default(&self) -> Option<&'a Value> {
        self.0.get("default").filter(|default| !default.is_null())
    }

    /// A parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.0.get("parameters")?.get(name)?.as_str()
    }

    /// All parameters, as they stand.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let parameters = self.0.get("parameters").and_then(Value::as_object).into_iter().flatten();
        parameters.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// The fields of a struct.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Self> {
        self.0.get("fields").and_then(Value::as_array).into_iter().flatten().map(Connect)
    }
}
