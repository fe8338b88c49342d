//! A single Connect value, where columns make no sense: headers, literals, defaults.

/// One value of Connect's data model.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// BOOLEAN
    Boolean(bool),
    /// INT8
    Int8(i8),
    /// INT16
    Int16(i16),
    /// INT32
    Int32(i32),
    /// INT64
    Int64(i64),
    /// FLOAT32
    Float32(f32),
    /// FLOAT64
    Float64(f64),
    /// STRING
    String(String),
    /// BYTES
    Bytes(Vec<u8>),
    /// `Decimal`: the unscaled value in decimal digits (any size) and the scale.
    Decimal {
        /// Decimal digits with an optional leading `-`.
        unscaled: String,
        /// Digits after the decimal point; may be negative.
        scale: i32,
    },
    /// `Date`: days since 1970-01-01.
    Date(i32),
    /// `Time`: milliseconds since midnight.
    Time(i32),
    /// `Timestamp`: milliseconds since 1970-01-01 UTC.
    Timestamp(i64),
    /// ARRAY
    Array(Vec<Value>),
    /// MAP, in the order given.
    Map(Vec<(Value, Value)>),
    /// STRUCT, in field order.
    Struct(Vec<(String, Value)>),
}
