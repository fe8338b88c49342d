//! The values of a column one by one, without a copy.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMillisecondType};
use volley_api::{Column, Result, schema};
use volley_java::JavaRegex;

use super::literal::Literal;

const MS_PER_DAY: i64 = 86_400_000;

/// A column made ready to be looked at.
#[derive(Debug)]
pub(super) enum Scalars {
    Flags(BooleanArray),
    Wholes(Int64Array),
    Floats(Float64Array),
    Texts(StringArray),
    Lists(ListArray, Box<Scalars>),
    /// Objects, bytes, and lists of values of several types.
    Others(ArrayRef),
}

/// One value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'a> {
    /// No value.
    Missing,
    /// The literal `null`.
    Null,
    Flag(bool),
    Whole(i64),
    Float(f64),
    Text(&'a str),
    List(ListItems<'a>),
    Literals(&'a [Literal]),
    Regex(&'a JavaRegex),
    Other,
}

/// The elements of one list.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListItems<'a> {
    items: &'a Scalars,
    start: usize,
    end: usize,
}

impl Scalars {
    /// Times are milliseconds.
    pub(super) fn of(column: &Column) -> Result<Self> {
        let values = &column.array;
        Ok(match column.field.data_type() {
            DataType::Boolean => Self::Flags(values.as_boolean().clone()),
            data_type if data_type.is_integer() => {
                Self::Wholes(cast(values, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            DataType::Date32 => {
                let days = cast(values, &DataType::Int32)?;
                let days = cast(&days, &DataType::Int64)?;
                Self::Wholes(days.as_primitive::<Int64Type>().unary(|days| days * MS_PER_DAY))
            }
            DataType::Time32(_) => {
                let times = cast(&cast(values, &DataType::Int32)?, &DataType::Int64)?;
                Self::Wholes(times.as_primitive::<Int64Type>().clone())
            }
            DataType::Timestamp(..) => {
                Self::Wholes(values.as_primitive::<TimestampMillisecondType>().reinterpret_cast::<Int64Type>())
            }
            data_type
                if data_type.is_floating()
                    || matches!(data_type, DataType::Decimal128(..) | DataType::Decimal256(..)) =>
            {
                Self::Floats(cast(values, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
            }
            DataType::Utf8 if !schema::is_json_text(&column.field) => Self::Texts(values.as_string::<i32>().clone()),
            DataType::List(item) => {
                let lists = values.as_list::<i32>().clone();
                let items = Self::of(&Column::new(Arc::clone(item), Arc::clone(lists.values())))?;
                Self::Lists(lists, Box::new(items))
            }
            _ => Self::Others(Arc::clone(values)),
        })
    }

    pub(super) fn at(&self, row: usize) -> Scalar<'_> {
        match self {
            Self::Flags(flags) if flags.is_valid(row) => Scalar::Flag(flags.value(row)),
            Self::Wholes(numbers) if numbers.is_valid(row) => Scalar::Whole(numbers.value(row)),
            Self::Floats(numbers) if numbers.is_valid(row) => Scalar::Float(numbers.value(row)),
            Self::Texts(texts) if texts.is_valid(row) => Scalar::Text(texts.value(row)),
            Self::Lists(lists, items) if lists.is_valid(row) => {
                let (start, end) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
                Scalar::List(ListItems { items, start, end })
            }
            Self::Others(values) if values.data_type() != &DataType::Null && values.is_valid(row) => Scalar::Other,
            _ => Scalar::Missing,
        }
    }
}

impl<'a> ListItems<'a> {
    pub(super) fn len(self) -> usize {
        self.end - self.start
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Scalar<'a>> {
        (self.start..self.end).map(move |item| self.items.at(item))
    }
}
