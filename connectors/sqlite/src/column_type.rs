//! What a column is, by the type that it is declared with.

use arrow::datatypes::{DataType, TimeUnit};
use volley_jdbc::Number;

/// Digits that a Decimal may have.
const DECIMAL_DIGITS: u32 = 38;

/// What a column's values become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Boolean,
    Int8,
    Int16,
    Int64,
    Float64,
    /// With so many digits, of which so many are behind the point; whether it is declared as a DECIMAL.
    Decimal {
        precision: u32,
        scale: i8,
        is_decimal: bool,
    },
    /// A number of any precision and scale.
    Number,
    Text,
    Bytes,
    Date,
    Timestamp,
}

impl ColumnType {
    /// The type of a column that is declared so. What is not declared, such as the result of a function, is text:
    /// each of its values may be something else.
    pub(crate) fn of(declared: Option<&str>) -> Self {
        let declared = declared.unwrap_or_default().trim().to_ascii_uppercase();
        let (name, arguments) = match declared.split_once('(') {
            Some((name, rest)) => (name.trim(), rest.split(')').next()),
            None => (declared.as_str(), None),
        };
        match name {
            "" => Self::Text,
            "BOOLEAN" | "BOOL" => Self::Boolean,
            "TINYINT" => Self::Int8,
            "SMALLINT" | "INT2" => Self::Int16,
            "DATE" => Self::Date,
            "DATETIME" => Self::Timestamp,
            name if name.starts_with("TIMESTAMP") => Self::Timestamp,
            "DECIMAL" | "NUMERIC" => number(arguments, name == "DECIMAL"),
            name => Self::by_affinity(name),
        }
    }

    /// By the words in the name of the type, in the order in which SQLite looks for them.
    fn by_affinity(name: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["INT"]) {
            Self::Int64
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if has(&["BLOB", "BINARY"]) {
            Self::Bytes
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Self::Float64
        } else {
            Self::Text
        }
    }

    /// The Arrow type of its columns.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Decimal { scale, .. } => DataType::Decimal128(DECIMAL_DIGITS as u8, scale),
            Self::Number | Self::Text => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            // with what follows the day
            Self::Date => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// What it is in the eyes of `numeric.mapping`.
    pub(crate) fn number(self) -> Number {
        match self {
            Self::Decimal { precision, is_decimal: true, .. } => Number::Decimal { precision },
            Self::Decimal { precision, .. } => Number::Numeric { precision },
            Self::Number => Number::Unlimited,
            _ => Number::No,
        }
    }

    /// Whether it has points in time.
    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp)
    }
}

/// A number with a precision, or one of any.
fn number(arguments: Option<&str>, is_decimal: bool) -> ColumnType {
    let Some((precision, scale)) = arguments.and_then(|arguments| {
        let (precision, scale) = arguments.split_once(',').unwrap_or((arguments, "0"));
        Some((precision.trim().parse::<u32>().ok()?, scale.trim().parse::<u32>().ok()?))
    }) else {
        return ColumnType::Number;
    };
    if precision > DECIMAL_DIGITS || scale > precision {
        return ColumnType::Number;
    }
    ColumnType::Decimal { precision, scale: scale as i8, is_decimal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_what_they_are_declared_as() {
        let decimal = |precision, scale, is_decimal| ColumnType::Decimal { precision, scale, is_decimal };
        for (declared, expected) in [
            ("integer", ColumnType::Int64),
            ("UNSIGNED BIG INT", ColumnType::Int64),
            ("tinyint", ColumnType::Int8),
            ("INT2", ColumnType::Int16),
            ("VARCHAR(255)", ColumnType::Text),
            ("CHARINT", ColumnType::Int64),
            ("double precision", ColumnType::Float64),
            ("VARBINARY(4)", ColumnType::Bytes),
            ("NUMERIC(10, 2)", decimal(10, 2, false)),
            ("decimal(5)", decimal(5, 0, true)),
            ("NUMERIC", ColumnType::Number),
            ("NUMERIC(50,2)", ColumnType::Number),
            ("DECIMAL(2,5)", ColumnType::Number),
            ("DECIMAL(many)", ColumnType::Number),
            ("datetime", ColumnType::Timestamp),
            ("TIMESTAMP WITH TIME ZONE", ColumnType::Timestamp),
            ("DATE", ColumnType::Date),
            ("Boolean", ColumnType::Boolean),
            ("JSON", ColumnType::Text),
        ] {
            assert_eq!(ColumnType::of(Some(declared)), expected, "{declared}");
        }
        assert_eq!(ColumnType::of(None), ColumnType::Text);
    }
}
