//! Files that may be imported without being in the registry, besides those of `google/protobuf`.

/// Annotations of messages and fields: what Protobuf has no word for.
pub(crate) const META_FILE: &str = "confluent/meta.proto";
/// Decimals.
pub(crate) const DECIMAL_FILE: &str = "confluent/type/decimal.proto";
/// Days.
pub(crate) const DATE_FILE: &str = "google/type/date.proto";
/// Times of a day.
pub(crate) const TIME_FILE: &str = "google/type/timeofday.proto";
/// Points in time.
pub(crate) const TIMESTAMP_FILE: &str = "google/protobuf/timestamp.proto";
/// Scalars that may be absent.
pub(crate) const WRAPPERS_FILE: &str = "google/protobuf/wrappers.proto";

const META: &str = r#"syntax = "proto3";
package confluent;

import "google/protobuf/descriptor.proto";

message Meta {
  string doc = 1;
  map<string, string> params = 2;
  repeated string tags = 3;
  repeated Rule rules = 4;
}
message Rule {
  string name = 1;
  string doc = 2;
  string expr = 3;
  string sql = 4;
}
extend google.protobuf.FileOptions {
  Meta file_meta = 1088;
}
extend google.protobuf.MessageOptions {
  Meta message_meta = 1088;
}
extend google.protobuf.FieldOptions {
  Meta field_meta = 1088;
}
extend google.protobuf.EnumOptions {
  Meta enum_meta = 1088;
}
extend google.protobuf.EnumValueOptions {
  Meta enum_value_meta = 1088;
}
"#;

const DECIMAL: &str = r#"syntax = "proto3";
package confluent.type;

message Decimal {
  bytes value = 1;
  uint32 precision = 2;
  int32 scale = 3;
}
"#;

const DATE: &str = r#"syntax = "proto3";
package google.type;

message Date {
  int32 year = 1;
  int32 month = 2;
  int32 day = 3;
}
"#;

const TIME: &str = r#"syntax = "proto3";
package google.type;

message TimeOfDay {
  int32 hours = 1;
  int32 minutes = 2;
  int32 seconds = 3;
  int32 nanos = 4;
}
"#;

const TIMESTAMP: &str = r#"syntax = "proto3";
package google.protobuf;

message Timestamp {
  int64 seconds = 1;
  int32 nanos = 2;
}
"#;

/// The messages of wrappers.proto; what is no struct is written as one of them.
pub(crate) const WRAPPERS: &str = r#"syntax = "proto3";
package google.protobuf;

message DoubleValue {
  double value = 1;
}
message FloatValue {
  float value = 1;
}
message Int64Value {
  int64 value = 1;
}
message UInt64Value {
  uint64 value = 1;
}
message Int32Value {
  int32 value = 1;
}
message UInt32Value {
  uint32 value = 1;
}
message BoolValue {
  bool value = 1;
}
message StringValue {
  string value = 1;
}
message BytesValue {
  bytes value = 1;
}
"#;

/// The text of a file that may be imported, and that is not one of the compiler's own.
pub(crate) fn built_in_file(name: &str) -> Option<&'static str> {
    Some(match name {
        META_FILE => META,
        DECIMAL_FILE => DECIMAL,
        DATE_FILE => DATE,
        TIME_FILE => TIME,
        _ => return None,
    })
}

/// The text of a file that is written as an import, and what that imports.
///
/// `google/protobuf/descriptor.proto` is not among them: every compiler has it.
pub(crate) fn registered_file(name: &str) -> Option<&'static str> {
    match name {
        TIMESTAMP_FILE => Some(TIMESTAMP),
        WRAPPERS_FILE => Some(WRAPPERS),
        other => built_in_file(other),
    }
}
