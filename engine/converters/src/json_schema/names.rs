//! Members of a JSON Schema, and parameters of Connect's, that say what the other's is.

use serde_json::Value;

/// Connect's type, where JSON has no word for it.
pub(crate) const CONNECT_TYPE: &str = "connect.type";
/// The place of a property among its siblings.
pub(crate) const CONNECT_INDEX: &str = "connect.index";
/// Version of Connect's schema.
pub(crate) const CONNECT_VERSION: &str = "connect.version";
/// Parameters of Connect's schema, an object of strings.
pub(crate) const CONNECT_PARAMETERS: &str = "connect.parameters";
/// Parameter of a string: it is one of an enum. With `.SYMBOL` behind it: one of its symbols.
pub(crate) const ENUM: &str = "io.confluent.connect.json.Enum";
/// The same with `generalized.sum.type.support`; the value of a symbol is its place.
pub(crate) const GENERAL_ENUM: &str = "org.apache.kafka.connect.data.Enum";
/// The name of a struct with a field for each of several types.
pub(crate) const ONE_OF: &str = "io.confluent.connect.json.OneOf";
/// What its fields are called, before their number.
pub(crate) const ONE_OF_FIELD: &str = "io.confluent.connect.json.OneOf.field.";
/// Parameter of such a struct with `generalized.sum.type.support`; its value is the name.
pub(crate) const GENERAL_UNION: &str = "org.apache.kafka.connect.data.Union";
/// What such structs are called, before their number.
pub(crate) const GENERAL_UNION_NAME: &str = "connect_union_";
/// What their fields are called, before their number.
pub(crate) const GENERAL_UNION_FIELD: &str = "connect_union_field_";

/// Whether a Connect schema in its JSON form is that of a value of several types.
pub(crate) fn is_union(connect: &Value) -> bool {
    let has_parameter = || connect.get("parameters").is_some_and(|parameters| parameters.get(GENERAL_UNION).is_some());
    connect.get("type").is_some_and(|name| name == "struct")
        && (connect.get("name").is_some_and(|name| name == ONE_OF) || has_parameter())
}

/// Whether a parameter says that a text is one of an enum.
pub(crate) fn is_about_enum(parameter: &str) -> bool {
    [ENUM, GENERAL_ENUM].into_iter().any(|prefix| parameter.starts_with(prefix))
}

/// The symbols of an enum, in order; none if the Connect schema is of no enum.
pub(crate) fn symbols_of(connect: &Value) -> Vec<String> {
    let parameters = || connect.get("parameters").and_then(Value::as_object).into_iter().flatten();
    let symbol = |parameter: &str, prefix: &str| parameter.strip_prefix(prefix)?.strip_prefix('.').map(str::to_owned);
    let symbols: Vec<_> = parameters().filter_map(|(name, _)| symbol(name, ENUM)).collect();
    if !symbols.is_empty() {
        return symbols;
    }
    let place = |value: &Value| value.as_str().and_then(|place| place.parse::<usize>().ok()).unwrap_or(usize::MAX);
    let mut symbols: Vec<_> =
        parameters().filter_map(|(name, value)| Some((place(value), symbol(name, GENERAL_ENUM)?))).collect();
    symbols.sort_by_key(|(place, _)| *place);
    symbols.into_iter().map(|(_, symbol)| symbol).collect()
}
