//! The column of one field.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, StringArray, TimestampMillisecondArray, UInt32Array, make_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::FieldRef;
use volley_api::{Error, Result};

use super::alias_table::AliasTable;
use super::integers::Integers;
use super::pattern::Pattern;
use super::random::RowRandom;
use super::row_span::RowSpan;

/// Digits of an i64 with its sign.
const LONGEST_NUMBER: usize = 20;

/// Makes the values of one field.
#[derive(Clone, Debug)]
pub(super) struct FieldGenerator {
    /// Name, type and nullability of the column.
    pub(super) field: FieldRef,
    /// Its values.
    pub(super) values: Values,
    /// Which of them are null instead.
    pub(super) nulls: Option<Nulls>,
}

/// Where the values of a field come from.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// Whole numbers, then brought into the type of the field.
    Numbers(Integers, NumberForm),
    /// Uniform numbers of `[min, min + width)`, not rounded. `single`: FLOAT32.
    Reals { min: f64, width: f64, single: bool, random: RowRandom },
    /// Members of a list.
    Picked { from: ArrayRef, table: AliasTable, random: RowRandom },
    /// Strings by a pattern.
    Patterned(Pattern, RowRandom),
}

/// How a whole number becomes a value.
#[derive(Clone, Debug)]
pub(super) enum NumberForm {
    /// 0 and 1.
    Boolean,
    /// INT8; wraps around.
    Int8,
    /// INT16; wraps around.
    Int16,
    /// INT32; wraps around.
    Int32,
    /// INT64
    Int64,
    /// FLOAT32, in units of `1 / divisor`.
    Float32 { divisor: f64 },
    /// FLOAT64, in units of `1 / divisor`.
    Float64 { divisor: f64 },
    /// `Decimal`: unscaled.
    Decimal { scale: i8 },
    /// `Date`: days.
    Date,
    /// `Timestamp`: milliseconds.
    Timestamp,
    /// STRING: decimal digits behind a prefix.
    Text { prefix: String },
}

/// Turns a share of the rows into nulls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nulls {
    /// Share of nulls, 0 to 1.
    pub(super) rate: f64,
    /// A stream of its own, so that the rate changes no value.
    pub(super) random: RowRandom,
}

impl FieldGenerator {
    /// The values of a span of rows.
    pub(super) fn fill(&self, span: RowSpan) -> Result<ArrayRef> {
        let values = self.values.fill(span)?;
        let Some(nulls) = self.nulls else { return Ok(values) };
        let valid = BooleanBuffer::collect_bool(span.len, |index| nulls.random.unit(span.row(index)) >= nulls.rate);
        let data = values.into_data().into_builder().nulls(Some(NullBuffer::new(valid))).build()?;
        Ok(make_array(data))
    }
}

impl Values {
    fn fill(&self, span: RowSpan) -> Result<ArrayRef> {
        Ok(match self {
            Self::Numbers(integers, form) => form.fill(&integers.fill(span))?,
            Self::Reals { min, width, single, random } => {
                let reals = span.rows().map(|row| min + width * random.unit(row));
                if *single {
                    Arc::new(Float32Array::from_iter_values(reals.map(|real| real as f32)))
                } else {
                    Arc::new(Float64Array::from_iter_values(reals))
                }
            }
            Self::Picked { from, table, random } => {
                let picks = UInt32Array::from_iter_values(span.rows().map(|row| table.pick(random.bits(row))));
                take(from, &picks, None)?
            }
            Self::Patterned(pattern, random) => Arc::new(pattern.fill(*random, span)?),
        })
    }
}

impl NumberForm {
    fn fill(&self, numbers: &[i64]) -> Result<ArrayRef> {
        let numbers_again = || numbers.iter().copied();
        Ok(match self {
            Self::Boolean => Arc::new(BooleanArray::from_iter(numbers_again().map(|number| Some(number & 1 == 1)))),
            Self::Int8 => Arc::new(Int8Array::from_iter_values(numbers_again().map(|number| number as i8))),
            Self::Int16 => Arc::new(Int16Array::from_iter_values(numbers_again().map(|number| number as i16))),
            Self::Int32 => Arc::new(Int32Array::from_iter_values(numbers_again().map(|number| number as i32))),
            Self::Int64 => Arc::new(Int64Array::from_iter_values(numbers_again())),
            Self::Float32 { divisor } => {
                let reals = numbers_again().map(|number| (number as f64 / divisor) as f32);
                Arc::new(Float32Array::from_iter_values(reals))
            }
            Self::Float64 { divisor } => {
                Arc::new(Float64Array::from_iter_values(numbers_again().map(|number| number as f64 / divisor)))
            }
            Self::Decimal { scale } => {
                let unscaled = Decimal128Array::from_iter_values(numbers_again().map(i128::from));
                Arc::new(unscaled.with_precision_and_scale(38, *scale)?)
            }
            Self::Date => Arc::new(Date32Array::from_iter_values(numbers_again().map(|number| number as i32))),
            Self::Timestamp => {
                Arc::new(TimestampMillisecondArray::from_iter_values(numbers_again()).with_timezone("UTC"))
            }
            Self::Text { prefix } => Arc::new(numbered_strings(prefix, numbers)?),
        })
    }
}

fn numbered_strings(prefix: &str, numbers: &[i64]) -> Result<StringArray> {
    let longest = (prefix.len() + LONGEST_NUMBER).saturating_mul(numbers.len());
    if i32::try_from(longest).is_err() {
        return Err(Error::config(format!(
            "a prefix of {} bytes is too long for batches of {} rows; lower `batch.size`",
            prefix.len(),
            numbers.len()
        )));
    }
    let mut bytes: Vec<u8> = Vec::with_capacity((prefix.len() + 8) * numbers.len());
    let mut offsets: Vec<i32> = Vec::with_capacity(numbers.len() + 1);
    offsets.push(0);
    let mut digits = itoa::Buffer::new();
    // Row by row: digits have no fixed width.
    for number in numbers {
        bytes.extend_from_slice(prefix.as_bytes());
        bytes.extend_from_slice(digits.format(*number).as_bytes());
        offsets.push(bytes.len() as i32);
    }
    Ok(StringArray::try_new(OffsetBuffer::new(ScalarBuffer::from(offsets)), bytes.into(), None)?)
}
