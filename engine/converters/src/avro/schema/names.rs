//! Names and parameters by which Connect's schemas are found again in Avro's.

/// Property: Connect's narrower integer type, `int8` or `int16`.
pub(crate) const CONNECT_TYPE: &str = "connect.type";
/// Property: name of Connect's schema.
pub(crate) const CONNECT_NAME: &str = "connect.name";
/// Property: its version, an integer.
pub(crate) const CONNECT_VERSION: &str = "connect.version";
/// Property: its doc.
pub(crate) const CONNECT_DOC: &str = "connect.doc";
/// Property: its default, in Avro's JSON.
pub(crate) const CONNECT_DEFAULT: &str = "connect.default";
/// Property: its parameters, an object of strings.
pub(crate) const CONNECT_PARAMETERS: &str = "connect.parameters";
/// Property of the record of a map's entry.
pub(crate) const INTERNAL_TYPE: &str = "connect.internal.type";
/// Its value; also the name of such a record.
pub(crate) const MAP_ENTRY: &str = "MapEntry";

/// Full name of a struct without a name. Further ones get a number from 2 on.
pub(crate) const DEFAULT_RECORD: &str = "io.confluent.connect.avro.ConnectDefault";
/// Full name of the record of a map's entry.
pub(crate) const MAP_ENTRY_RECORD: &str = "io.confluent.connect.avro.MapEntry";
/// Name of the struct that stands for a union.
pub(crate) const UNION: &str = "io.confluent.connect.avro.Union";

/// Parameter: full name of the enum that a string stands for. With `.SYMBOL` behind it: one of its symbols.
pub(crate) const ENUM: &str = "io.confluent.connect.avro.Enum";
/// Parameter, with the simple name of the enum behind it: its default.
pub(crate) const ENUM_DEFAULT: &str = "io.confluent.connect.avro.enum.default.";
/// Parameter, with the simple name of the enum behind it: its doc.
pub(crate) const ENUM_DOC: &str = "io.confluent.connect.avro.enum.doc.";
/// Parameter: doc of the record.
pub(crate) const RECORD_DOC: &str = "io.confluent.connect.avro.record.doc";
/// Parameter of a struct, with the name of a field behind it: doc of the field.
pub(crate) const FIELD_DOC: &str = "io.confluent.connect.avro.field.doc.";
/// Parameter: the default is the Avro field's, not the type's.
pub(crate) const FIELD_DEFAULT: &str = "io.confluent.connect.avro.field.default";
/// Parameter: size of the fixed that bytes stand for.
pub(crate) const FIXED_SIZE: &str = "connect.fixed.size";
/// Parameter: precision of a decimal, unless it is [`DEFAULT_PRECISION`].
pub(crate) const DECIMAL_PRECISION: &str = "connect.decimal.precision";
/// Precision of a decimal that says nothing.
pub(crate) const DEFAULT_PRECISION: u64 = 64;
/// Property and parameter: the class that Java reads a string as.
pub(crate) const JAVA_STRING: &str = "avro.java.string";

/// The part of a full name behind its last dot.
pub(crate) fn simple_name(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// The part of a full name before its last dot; empty if there is none.
pub(crate) fn namespace_of(full_name: &str) -> &str {
    full_name.rsplit_once('.').map_or("", |(namespace, _)| namespace)
}
