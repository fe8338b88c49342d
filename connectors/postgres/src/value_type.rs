//! PostgreSQL's types: how their values are written in binary, and what they become.

use arrow::datatypes::{DataType, Field, TimeUnit};
use tokio_postgres::types::{Kind, Type};
use volley_jdbc::Number;

/// The header of a type modifier.
const MODIFIER_HEADER: i32 = 4;

/// How a value is written in binary.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ValueType {
    Boolean,
    Int16,
    Int32,
    Int64,
    /// An unsigned number of 32 bits.
    Oid,
    Float32,
    Float64,
    /// Hundredths.
    Money,
    Text,
    /// A byte for the version, then text.
    Jsonb,
    Uuid,
    Bytes,
    /// One bit.
    Bit,
    /// Two to eight bits.
    FewBits,
    /// More bits.
    Bits,
    Date,
    Time,
    TimeWithZone,
    Timestamp,
    TimestampWithZone,
    Decimal128(i8),
    Decimal256(i8),
    List(Box<ValueType>),
}

/// What is known of a column by its type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColumnType {
    pub(crate) value: ValueType,
    /// The type that the server must cast it to.
    pub(crate) cast: Option<&'static str>,
    pub(crate) number: Number,
    /// Whether Java's connector has no type for it.
    pub(crate) is_left_out_by_java: bool,
}

impl ColumnType {
    /// Of a column of this type and type modifier (-1: none).
    pub(crate) fn of(type_: &Type, modifier: i32) -> Self {
        let plain = |value| Self { value, cast: None, number: Number::No, is_left_out_by_java: false };
        let as_text = |is_left_out_by_java| Self { cast: Some("text"), is_left_out_by_java, ..plain(ValueType::Text) };
        match *type_ {
            Type::BOOL => plain(ValueType::Boolean),
            Type::INT2 => plain(ValueType::Int16),
            Type::INT4 => plain(ValueType::Int32),
            Type::INT8 => plain(ValueType::Int64),
            Type::OID => plain(ValueType::Oid),
            Type::FLOAT4 => plain(ValueType::Float32),
            Type::FLOAT8 => plain(ValueType::Float64),
            Type::MONEY => plain(ValueType::Money),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::JSON | Type::UNKNOWN => {
                plain(ValueType::Text)
            }
            Type::CHAR | Type::XML => as_text(false),
            Type::JSONB => plain(ValueType::Jsonb),
            Type::UUID => plain(ValueType::Uuid),
            Type::BYTEA => plain(ValueType::Bytes),
            Type::DATE => plain(ValueType::Date),
            Type::TIME => plain(ValueType::Time),
            Type::TIMETZ => plain(ValueType::TimeWithZone),
            Type::TIMESTAMP => plain(ValueType::Timestamp),
            Type::TIMESTAMPTZ => plain(ValueType::TimestampWithZone),
            Type::BIT => match modifier {
                1 => plain(ValueType::Bit),
                2..=8 => plain(ValueType::FewBits),
                9.. => plain(ValueType::Bits),
                _ => as_text(false),
            },
            Type::NUMERIC => numeric(modifier),
            _ => match type_.kind() {
                Kind::Array(element) => {
                    let element = Self::of(element, modifier);
                    let cast = element.cast.map(|_| "text[]");
                    let value = ValueType::List(Box::new(element.value));
                    Self { value, cast, number: Number::No, is_left_out_by_java: true }
                }
                Kind::Enum(_) => Self { is_left_out_by_java: true, ..plain(ValueType::Text) },
                Kind::Domain(base) => Self::of(base, modifier),
                _ => as_text(true),
            },
        }
    }
}

/// A number with a precision, or one of any.
fn numeric(modifier: i32) -> ColumnType {
    let plain = |value, number| ColumnType { value, cast: None, number, is_left_out_by_java: false };
    let unlimited = ColumnType { cast: Some("text"), ..plain(ValueType::Text, Number::Unlimited) };
    if modifier < MODIFIER_HEADER {
        return unlimited;
    }
    let bits = modifier - MODIFIER_HEADER;
    let precision = (bits >> 16 & 0xffff) as u32;
    // eleven bits with a sign
    let scale = ((bits & 0x7ff) ^ 0x400) - 0x400;
    let number = Number::Numeric { precision };
    match (precision, scale) {
        (..=38, -38..=38) => plain(ValueType::Decimal128(scale as i8), number),
        (..=76, -76..=76) => plain(ValueType::Decimal256(scale as i8), number),
        _ => unlimited,
    }
}

impl ValueType {
    /// The Arrow type of its columns.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Boolean | Self::Bit => DataType::Boolean,
            Self::FewBits => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 | Self::Oid => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 | Self::Money => DataType::Float64,
            Self::Text | Self::Jsonb | Self::Uuid => DataType::Utf8,
            Self::Bytes | Self::Bits => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time | Self::TimeWithZone => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampWithZone => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Decimal128(scale) => DataType::Decimal128(38, *scale),
            Self::Decimal256(scale) => DataType::Decimal256(76, *scale),
            Self::List(element) => DataType::List(Field::new_list_field(element.data_type(), true).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_exact_as_their_columns() {
        let value = |modifier| ColumnType::of(&Type::NUMERIC, modifier);
        let modifier = |precision: i32, scale: i32| (precision << 16 | (scale & 0x7ff)) + 4;
        assert_eq!(value(modifier(12, 4)).value, ValueType::Decimal128(4));
        assert_eq!(value(modifier(12, 4)).number, Number::Numeric { precision: 12 });
        assert_eq!(value(modifier(3, -2)).value, ValueType::Decimal128(-2));
        assert_eq!(value(modifier(50, 10)).value, ValueType::Decimal256(10));
        for modifier in [-1, modifier(100, 0), modifier(10, 90)] {
            let column = value(modifier);
            assert_eq!((column.number, column.cast), (Number::Unlimited, Some("text")), "{modifier}");
        }
    }

    #[test]
    fn what_java_leaves_out_is_a_list_or_a_text() {
        let of = |type_: &Type| ColumnType::of(type_, -1);
        let numbers = of(&Type::INT4_ARRAY);
        assert_eq!((numbers.value, numbers.cast), (ValueType::List(Box::new(ValueType::Int32)), None));
        assert!(numbers.is_left_out_by_java);
        assert_eq!(of(&Type::INET_ARRAY).cast, Some("text[]"));
        for type_ in [Type::INET, Type::INTERVAL, Type::INT4_RANGE, Type::POINT, Type::VARBIT, Type::TS_VECTOR] {
            let column = of(&type_);
            assert_eq!((column.value, column.cast), (ValueType::Text, Some("text")), "{type_}");
            assert!(column.is_left_out_by_java, "{type_}");
        }
        for type_ in [Type::JSON, Type::JSONB, Type::UUID, Type::XML] {
            assert!(!of(&type_).is_left_out_by_java, "{type_}");
        }
    }
}
