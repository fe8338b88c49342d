//! Columns as numbers, and numbers as numbers of another size, as Java's casts make them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Float64Array, Int64Array, PrimitiveArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, i256,
};
use volley_api::Result;

use super::cast_type::CastType;

/// A column whose values are numbers.
pub(crate) enum Numbers {
    /// INT8 to INT64, BOOLEAN, and the numbers behind dates and times.
    Whole(Int64Array),
    /// FLOAT32 and FLOAT64.
    Floating(Float64Array),
    /// The lowest 64 bits of a Decimal's whole part, and the Decimal as a double.
    Decimal(Int64Array, Float64Array),
}

impl Numbers {
    /// The numbers of a column; `None` if its values are none.
    pub(crate) fn of(values: &ArrayRef) -> Result<Option<Self>> {
        Ok(Some(match values.data_type() {
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Boolean => {
                Self::Whole(as_int64(values)?)
            }
            DataType::Date32 | DataType::Time32(_) => Self::Whole(as_int64(&cast(values, &DataType::Int32)?)?),
            DataType::Timestamp(..) => Self::Whole(as_int64(values)?),
            DataType::Float32 | DataType::Float64 => {
                Self::Floating(cast(values, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
            }
            DataType::Decimal128(_, scale) => {
                let (decimals, scale) = (values.as_primitive::<Decimal128Type>(), *scale);
                Self::decimal(decimals.unary(|unscaled| whole_bits(i256::from_i128(unscaled), scale)), values)?
            }
            DataType::Decimal256(_, scale) => {
                let (decimals, scale) = (values.as_primitive::<Decimal256Type>(), *scale);
                Self::decimal(decimals.unary(|unscaled| whole_bits(unscaled, scale)), values)?
            }
            _ => return Ok(None),
        }))
    }

    fn decimal(whole: Int64Array, values: &ArrayRef) -> Result<Self> {
        // The text of a Decimal gives the double that is nearest to it; a quotient of doubles does not.
        let texts = cast(values, &DataType::Utf8)?;
        let doubles = cast(&texts, &DataType::Float64)?;
        Ok(Self::Decimal(whole, doubles.as_primitive::<Float64Type>().clone()))
    }

    /// The numbers as another type, but text.
    pub(crate) fn cast(&self, target: CastType) -> ArrayRef {
        match target {
            CastType::Int8 => self.int32_as::<Int8Type>(|number| number as i8),
            CastType::Int16 => self.int32_as::<Int16Type>(|number| number as i16),
            CastType::Int32 => self.int32_as::<Int32Type>(|number| number),
            CastType::Int64 => Arc::new(self.int64()),
            CastType::Float32 => match self {
                Self::Whole(numbers) => Arc::new(numbers.unary::<_, Float32Type>(|number| number as f32)),
                Self::Floating(numbers) | Self::Decimal(_, numbers) => {
                    Arc::new(numbers.unary::<_, Float32Type>(|number| number as f32))
                }
            },
            CastType::Float64 => match self {
                Self::Whole(numbers) => Arc::new(numbers.unary::<_, Float64Type>(|number| number as f64)),
                Self::Floating(numbers) | Self::Decimal(_, numbers) => Arc::new(numbers.clone()),
            },
            CastType::Boolean | CastType::String => {
                Arc::new(BooleanArray::from_unary(&self.int64(), |number| number != 0))
            }
        }
    }

    /// As Java: a float becomes an int, with the nearest bound where it does not fit, and of that the lowest bits count.
    fn int32_as<T: ArrowPrimitiveType>(&self, narrowed: impl Fn(i32) -> T::Native) -> ArrayRef {
        let array: PrimitiveArray<T> = match self {
            Self::Whole(numbers) | Self::Decimal(numbers, _) => numbers.unary(|number| narrowed(number as i32)),
            Self::Floating(numbers) => numbers.unary(|number| narrowed(number as i32)),
        };
        Arc::new(array)
    }

    fn int64(&self) -> Int64Array {
        match self {
            Self::Whole(numbers) | Self::Decimal(numbers, _) => numbers.clone(),
            Self::Floating(numbers) => numbers.unary::<_, Int64Type>(|number| number as i64),
        }
    }
}

fn as_int64(values: &ArrayRef) -> Result<Int64Array> {
    Ok(cast(values, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// The lowest 64 bits of what is before the point.
fn whole_bits(unscaled: i256, scale: i8) -> i64 {
    let ten = i256::from_i128(10);
    let power = |exponent: u8| (0..exponent).fold(i256::ONE, |power, _| power.wrapping_mul(ten));
    let whole = match scale {
        0.. => unscaled.wrapping_div(power(scale.unsigned_abs())),
        _ => unscaled.wrapping_mul(power(scale.unsigned_abs())),
    };
    whole.to_parts().0 as i64
}
