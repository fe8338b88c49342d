//! `numeric.mapping`: which numbers are no Decimals.

use arrow::datatypes::DataType;

use crate::database::Number;

/// Digits that fit into 64 bits, whatever they are.
const LONG_DIGITS: i64 = 18;
const LEAST_SCALE: i64 = -84;

/// `numeric.mapping`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NumericMapping {
    /// All are Decimals.
    #[default]
    None,
    /// Whole numbers are integers.
    PrecisionOnly,
    /// Whole numbers are integers, others of few digits floating point.
    BestFit,
    /// Whole numbers are integers, others floating point.
    BestFitEagerDouble,
}

impl NumericMapping {
    pub(crate) const NAMES: [&str; 4] = ["none", "precision_only", "best_fit", "best_fit_eager_double"];

    /// The mapping of this name.
    pub(crate) fn parse(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "precision_only" => Self::PrecisionOnly,
            "best_fit" => Self::BestFit,
            "best_fit_eager_double" => Self::BestFitEagerDouble,
            _ => Self::None,
        }
    }

    /// What a number becomes, whose type is `delivered`; `None`: what it is.
    pub(crate) fn target(self, number: Number, delivered: &DataType) -> Option<DataType> {
        let precision = match number {
            Number::Numeric { precision } => i64::from(precision),
            Number::Unlimited if self.prefers_double() => return Some(DataType::Float64),
            Number::Unlimited | Number::Decimal { .. } | Number::No => return None,
        };
        let (DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)) = delivered else { return None };
        let scale = i64::from(*scale);
        // noughts that a scale below zero stands for are digits too
        let digits = precision - scale.min(0);
        let is_whole = if self == Self::PrecisionOnly { scale == 0 } else { (LEAST_SCALE..1).contains(&scale) };
        match self {
            Self::None => None,
            _ if is_whole && digits <= LONG_DIGITS => Some(integer_of(digits)),
            Self::BestFit if scale > 0 && precision <= LONG_DIGITS => Some(DataType::Float64),
            Self::BestFitEagerDouble if scale > 0 => Some(DataType::Float64),
            _ => None,
        }
    }

    fn prefers_double(self) -> bool {
        matches!(self, Self::BestFit | Self::BestFitEagerDouble)
    }
}

fn integer_of(digits: i64) -> DataType {
    match digits {
        10.. => DataType::Int64,
        5..=9 => DataType::Int32,
        3..=4 => DataType::Int16,
        _ => DataType::Int8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_what_java_makes_of_them() {
        let target = |mapping: NumericMapping, precision: u32, scale: i8| {
            mapping.target(Number::Numeric { precision }, &DataType::Decimal128(38, scale))
        };
        use NumericMapping::{BestFit, BestFitEagerDouble, None as NoMapping, PrecisionOnly};
        for (precision, scale, precision_only, best_fit, eager) in [
            (2, 0, Some(DataType::Int8), Some(DataType::Int8), Some(DataType::Int8)),
            (4, 0, Some(DataType::Int16), Some(DataType::Int16), Some(DataType::Int16)),
            (9, 0, Some(DataType::Int32), Some(DataType::Int32), Some(DataType::Int32)),
            (18, 0, Some(DataType::Int64), Some(DataType::Int64), Some(DataType::Int64)),
            (19, 0, None, None, None),
            (10, 2, None, Some(DataType::Float64), Some(DataType::Float64)),
            (30, 2, None, None, Some(DataType::Float64)),
            // 99 thousand does not fit into 16 bits
            (2, -3, None, Some(DataType::Int32), Some(DataType::Int32)),
        ] {
            assert_eq!(target(NoMapping, precision, scale), None);
            assert_eq!(target(PrecisionOnly, precision, scale), precision_only, "{precision}, {scale}");
            assert_eq!(target(BestFit, precision, scale), best_fit, "{precision}, {scale}");
            assert_eq!(target(BestFitEagerDouble, precision, scale), eager, "{precision}, {scale}");
        }
        let decimal = Number::Decimal { precision: 4 };
        assert_eq!(BestFit.target(decimal, &DataType::Decimal128(38, 0)), None, "DECIMAL is left alone");
        assert_eq!(BestFit.target(Number::Unlimited, &DataType::Utf8), Some(DataType::Float64));
        assert_eq!(PrecisionOnly.target(Number::Unlimited, &DataType::Utf8), None);
    }
}
