//! The types of MySQL and MariaDB, and what they become.

use arrow::datatypes::{DataType, TimeUnit};
use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};
use volley_jdbc::Number;

use crate::parameters::TypeSettings;

/// The character set of what is no text.
const BINARY: u16 = 63;

/// How a column's values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt64,
    Float32,
    Float64,
    Decimal128(i8),
    Decimal256(i8),
    Text,
    Bytes,
    Date,
    /// A year, of which the first day counts.
    YearDate,
    Time,
    DateTime,
    Timestamp,
}

impl ValueType {
    /// Of a column, and what it is in the eyes of `numeric.mapping`.
    pub(crate) fn of(column: &Column, settings: &TypeSettings) -> (Self, Number) {
        let is_unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
        let by_sign = |signed, unsigned| if is_unsigned { unsigned } else { signed };
        let bit = if settings.bit_is_boolean { Self::Boolean } else { Self::Int8 };
        let value = match column.column_type() {
            ColumnType::MYSQL_TYPE_TINY if column.column_length() == 1 && !is_unsigned && settings.tinyint1_is_bit => {
                bit
            }
            ColumnType::MYSQL_TYPE_TINY => by_sign(Self::Int8, Self::Int16),
            ColumnType::MYSQL_TYPE_SHORT => by_sign(Self::Int16, Self::Int32),
            ColumnType::MYSQL_TYPE_INT24 | ColumnType::MYSQL_TYPE_LONG => by_sign(Self::Int32, Self::Int64),
            ColumnType::MYSQL_TYPE_LONGLONG => by_sign(Self::Int64, Self::UInt64),
            ColumnType::MYSQL_TYPE_FLOAT => Self::Float32,
            ColumnType::MYSQL_TYPE_DOUBLE => Self::Float64,
            ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => return decimal(column, is_unsigned),
            ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => Self::Date,
            ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => Self::Time,
            ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_DATETIME2 => Self::DateTime,
            ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => Self::Timestamp,
            ColumnType::MYSQL_TYPE_YEAR if settings.year_is_date => Self::YearDate,
            ColumnType::MYSQL_TYPE_YEAR => Self::Int16,
            ColumnType::MYSQL_TYPE_BIT if column.column_length() == 1 => bit,
            ColumnType::MYSQL_TYPE_BIT | ColumnType::MYSQL_TYPE_GEOMETRY | ColumnType::MYSQL_TYPE_VECTOR => Self::Bytes,
            ColumnType::MYSQL_TYPE_JSON | ColumnType::MYSQL_TYPE_ENUM | ColumnType::MYSQL_TYPE_SET => Self::Text,
            _ if column.flags().intersects(ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG) => Self::Text,
            _ if column.character_set() == BINARY => Self::Bytes,
            _ => Self::Text,
        };
        (value, Number::No)
    }

    /// The Arrow type of its columns.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt64 => DataType::UInt64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Decimal128(scale) => DataType::Decimal128(38, scale),
            Self::Decimal256(scale) => DataType::Decimal256(76, scale),
            Self::Text => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date | Self::YearDate => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// Whether a value may be no day of the calendar.
    pub(crate) fn has_zero_dates(self) -> bool {
        matches!(self, Self::Date | Self::YearDate | Self::DateTime | Self::Timestamp)
    }
}

/// The length of such a column counts the point and the sign.
fn decimal(column: &Column, is_unsigned: bool) -> (ValueType, Number) {
    let scale = column.decimals();
    let marks = u32::from(scale > 0) + u32::from(!is_unsigned);
    let precision = column.column_length().saturating_sub(marks).max(u32::from(scale)).max(1);
    let value = if precision <= 38 { ValueType::Decimal128(scale as i8) } else { ValueType::Decimal256(scale as i8) };
    (value, Number::Decimal { precision })
}

/// The name of a column's type, in the words of SQL.
pub(crate) fn type_name(column: &Column) -> String {
    let name = format!("{:?}", column.column_type());
    let name = name.trim_start_matches("MYSQL_TYPE_").to_ascii_lowercase();
    let unsigned = if column.flags().contains(ColumnFlags::UNSIGNED_FLAG) { " unsigned" } else { "" };
    format!("{name}{unsigned}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::ZeroDates;

    fn settings() -> TypeSettings {
        TypeSettings { zero_dates: ZeroDates::Null, bit_is_boolean: false, tinyint1_is_bit: true, year_is_date: true }
    }

    #[test]
    fn numbers_have_room_for_what_has_no_sign() {
        for (column_type, signed, unsigned) in [
            (ColumnType::MYSQL_TYPE_TINY, ValueType::Int8, ValueType::Int16),
            (ColumnType::MYSQL_TYPE_SHORT, ValueType::Int16, ValueType::Int32),
            (ColumnType::MYSQL_TYPE_INT24, ValueType::Int32, ValueType::Int64),
            (ColumnType::MYSQL_TYPE_LONG, ValueType::Int32, ValueType::Int64),
            (ColumnType::MYSQL_TYPE_LONGLONG, ValueType::Int64, ValueType::UInt64),
        ] {
            let column = Column::new(column_type).with_column_length(4);
            assert_eq!(ValueType::of(&column, &settings()).0, signed);
            let column = column.with_flags(ColumnFlags::UNSIGNED_FLAG);
            assert_eq!(ValueType::of(&column, &settings()).0, unsigned);
        }
    }

    #[test]
    fn a_decimal_is_as_wide_as_its_digits() {
        let of = |length, scale, flags| {
            let column = Column::new(ColumnType::MYSQL_TYPE_NEWDECIMAL).with_column_length(length);
            ValueType::of(&column.with_decimals(scale).with_flags(flags), &settings())
        };
        let signed = ColumnFlags::empty();
        assert_eq!(of(12, 2, signed), (ValueType::Decimal128(2), Number::Decimal { precision: 10 }));
        assert_eq!(
            of(10, 0, ColumnFlags::UNSIGNED_FLAG),
            (ValueType::Decimal128(0), Number::Decimal { precision: 10 })
        );
        assert_eq!(of(67, 30, signed), (ValueType::Decimal256(30), Number::Decimal { precision: 65 }));
    }

    #[test]
    fn one_bit_is_what_each_java_driver_makes_of_it() {
        for column_type in [ColumnType::MYSQL_TYPE_BIT, ColumnType::MYSQL_TYPE_TINY] {
            let column = Column::new(column_type).with_column_length(1);
            assert_eq!(ValueType::of(&column, &settings()).0, ValueType::Int8);
            let boolean = TypeSettings { bit_is_boolean: true, ..settings() };
            assert_eq!(ValueType::of(&column, &boolean).0, ValueType::Boolean);
        }
        let tinyint = Column::new(ColumnType::MYSQL_TYPE_TINY).with_column_length(1);
        let plain = TypeSettings { bit_is_boolean: true, tinyint1_is_bit: false, ..settings() };
        assert_eq!(ValueType::of(&tinyint, &plain).0, ValueType::Int8);
        let bits = Column::new(ColumnType::MYSQL_TYPE_BIT).with_column_length(9);
        assert_eq!(ValueType::of(&bits, &settings()).0, ValueType::Bytes);
    }

    #[test]
    fn text_is_what_has_a_character_set() {
        let column = |column_type, set| Column::new(column_type).with_character_set(set);
        let of = |column: Column| ValueType::of(&column, &settings()).0;
        assert_eq!(of(column(ColumnType::MYSQL_TYPE_VAR_STRING, 45)), ValueType::Text);
        assert_eq!(of(column(ColumnType::MYSQL_TYPE_BLOB, BINARY)), ValueType::Bytes);
        assert_eq!(of(column(ColumnType::MYSQL_TYPE_JSON, BINARY)), ValueType::Text);
        let set = column(ColumnType::MYSQL_TYPE_STRING, BINARY).with_flags(ColumnFlags::SET_FLAG);
        assert_eq!(of(set), ValueType::Text);
        assert_eq!(of(column(ColumnType::MYSQL_TYPE_GEOMETRY, BINARY)), ValueType::Bytes);
    }
}
