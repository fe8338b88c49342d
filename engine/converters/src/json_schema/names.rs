//! Members of a JSON Schema that say what Connect's schema is.

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
