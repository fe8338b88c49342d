//! Names by which Protobuf and Connect say what the other has no word for.

use prost_reflect::FieldDescriptor;

/// Parameter of Connect's schema of a field: its number.
pub(crate) const TAG: &str = "io.confluent.connect.protobuf.Tag";
/// Parameter of a string or an integer: the name of the enum that it is one of. With `.SYMBOL` behind it: a symbol's number.
pub(crate) const ENUM: &str = "io.confluent.connect.protobuf.Enum";
/// Name of the struct that a oneof is; the name of the oneof stands behind a dot.
pub(crate) const UNION: &str = "io.confluent.connect.protobuf.Union";
/// As [`ENUM`], in the words that all formats share.
pub(crate) const GENERAL_ENUM: &str = "org.apache.kafka.connect.data.Enum";
/// Parameter of the struct that a oneof is, in the words that all formats share.
pub(crate) const GENERAL_UNION: &str = "org.apache.kafka.connect.data.Union";

/// Name of a message whose struct has none; a number stands behind it.
pub(crate) const DEFAULT_MESSAGE: &str = "ConnectDefault";

/// Parameter in Protobuf: Connect's type, where Protobuf has none.
pub(crate) const CONNECT_TYPE: &str = "connect.type";
/// Its value for a message that stands for its only field, and for one that is the entry of a map.
pub(crate) const WRAPPER: &str = "wrapper";
pub(crate) const ENTRY: &str = "map";
/// Parameter in Protobuf: the name of Connect's schema, where it is not that of the message.
pub(crate) const CONNECT_NAME: &str = "connect.name";
/// Parameter in Protobuf: the version of Connect's schema.
pub(crate) const CONNECT_VERSION: &str = "connect.version";
/// Parameter in Protobuf: the default, as JSON.
pub(crate) const CONNECT_DEFAULT: &str = "connect.default";
/// Parameters in Protobuf: Connect's schema of the items of an array, of the keys and the values of a map, as JSON, where it
/// does not follow from their types.
pub(crate) const CONNECT_ITEMS: &str = "connect.items";
pub(crate) const CONNECT_KEYS: &str = "connect.keys";
pub(crate) const CONNECT_VALUES: &str = "connect.values";
/// Parameters of a decimal in Protobuf.
pub(crate) const PRECISION: &str = "precision";
pub(crate) const SCALE: &str = "scale";
/// Parameter of a decimal in Connect.
pub(crate) const DECIMAL_PRECISION: &str = "connect.decimal.precision";

/// The message of a decimal, and the others that are values of one kind.
pub(crate) const DECIMAL_MESSAGE: &str = "confluent.type.Decimal";
pub(crate) const DATE_MESSAGE: &str = "google.type.Date";
pub(crate) const TIME_MESSAGE: &str = "google.type.TimeOfDay";
pub(crate) const TIMESTAMP_MESSAGE: &str = "google.protobuf.Timestamp";
/// Messages that are JSON.
pub(crate) const JSON_MESSAGES: [&str; 3] =
    ["google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"];

/// What stands before the number of a symbol that the enum does not have, as in Protobuf's Java library.
pub(crate) const UNKNOWN_SYMBOL: &str = "UNKNOWN_ENUM_VALUE_";

/// What stands behind the name of a field that differs from another one's in capitals and `_` only, and a number. The compiler
/// refuses such fields, which Protobuf's own does no more.
pub(crate) const ALIKE: &str = "_alike_in_volley_";

/// The name of a field, as it stands in its file.
pub(crate) fn field_name(field: &FieldDescriptor) -> &str {
    field.name().split_once(ALIKE).map_or(field.name(), |(name, _)| name)
}

/// The last part of a name with dots.
pub(crate) fn simple_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The text of a symbol that the enum does not have.
pub(crate) fn unknown_symbol(enumeration: &str, number: i32) -> String {
    format!("{UNKNOWN_SYMBOL}{enumeration}_{number}")
}

/// Whether a message is a wrapper of a scalar.
pub(crate) fn is_scalar_wrapper(full_name: &str) -> bool {
    let simple = full_name.strip_prefix("google.protobuf.").and_then(|simple| simple.strip_suffix("Value"));
    matches!(simple, Some("Double" | "Float" | "Int64" | "UInt64" | "Int32" | "UInt32" | "Bool" | "String" | "Bytes"))
}
