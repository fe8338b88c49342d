//! The values of one column.

use std::sync::Arc;

use arrow::array::NullBufferBuilder;
use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Decimal256Builder,
    Float32Builder, Float64Builder, Int8Builder, Int16Builder, Int32Builder, Int64Builder, ListArray, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, i256};

use super::numeric::unscaled;
use crate::value_type::ValueType;

/// From 1970-01-01, where Arrow counts from, to 2000-01-01.
const DAYS_TO_2000: i32 = 10_957;
const MICROS_TO_2000: i64 = 946_684_800_000_000;
const DAY_MICROS: i64 = 86_400_000_000;
const TOO_LATE: &str = "a time after the year 294246: cast it to text in a `query`";
/// The version of jsonb.
const JSONB: u8 = 1;

/// Why a value has no place in its column.
type Refused = &'static str;

const WRONG_LENGTH: Refused = "a value of a length that its type does not have";

/// Builds the values of a column.
#[derive(Debug)]
pub(super) enum ColumnDecoder {
    Boolean(BooleanBuilder),
    Bit(BooleanBuilder),
    FewBits(Int8Builder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Oid(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Money(Float64Builder),
    Text(StringBuilder),
    Jsonb(StringBuilder),
    Uuid(StringBuilder),
    Bytes(BinaryBuilder),
    Bits(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    TimeWithZone(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Decimal128(Decimal128Builder, i8),
    Decimal256(Decimal256Builder, i8),
    List(Box<ListDecoder>),
}

/// Builds lists.
#[derive(Debug)]
pub(super) struct ListDecoder {
    elements: ColumnDecoder,
    ends: Vec<i32>,
    len: i32,
    nulls: NullBufferBuilder,
}

impl ColumnDecoder {
    /// For values of a type.
    pub(super) fn new(value: &ValueType) -> Self {
        match value {
            ValueType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ValueType::Bit => Self::Bit(BooleanBuilder::new()),
            ValueType::FewBits => Self::FewBits(Int8Builder::new()),
            ValueType::Int16 => Self::Int16(Int16Builder::new()),
            ValueType::Int32 => Self::Int32(Int32Builder::new()),
            ValueType::Int64 => Self::Int64(Int64Builder::new()),
            ValueType::Oid => Self::Oid(Int64Builder::new()),
            ValueType::Float32 => Self::Float32(Float32Builder::new()),
            ValueType::Float64 => Self::Float64(Float64Builder::new()),
            ValueType::Money => Self::Money(Float64Builder::new()),
            ValueType::Text => Self::Text(StringBuilder::new()),
            ValueType::Jsonb => Self::Jsonb(StringBuilder::new()),
            ValueType::Uuid => Self::Uuid(StringBuilder::new()),
            ValueType::Bytes => Self::Bytes(BinaryBuilder::new()),
            ValueType::Bits => Self::Bits(BinaryBuilder::new()),
            ValueType::Date => Self::Date(Date32Builder::new()),
            ValueType::Time => Self::Time(Time64MicrosecondBuilder::new()),
            ValueType::TimeWithZone => Self::TimeWithZone(Time64MicrosecondBuilder::new()),
            ValueType::Timestamp | ValueType::TimestampWithZone => {
                Self::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(value.data_type()))
            }
            ValueType::Decimal128(scale) => {
                Self::Decimal128(Decimal128Builder::new().with_data_type(DataType::Decimal128(38, *scale)), *scale)
            }
            ValueType::Decimal256(scale) => {
                Self::Decimal256(Decimal256Builder::new().with_data_type(DataType::Decimal256(76, *scale)), *scale)
            }
            ValueType::List(element) => Self::List(Box::new(ListDecoder {
                elements: Self::new(element),
                ends: Vec::new(),
                len: 0,
                nulls: NullBufferBuilder::new(0),
            })),
        }
    }

    /// Adds a value as the server writes it; `None` is null.
    ///
    /// # Errors
    /// What it is that has no place in the column.
    pub(super) fn append(&mut self, value: Option<&[u8]>) -> Result<(), Refused> {
        match self {
            Self::Boolean(builder) => {
                builder.append_option(value.map(|value| fixed(value).map(|[byte]| byte != 0)).transpose()?)
            }
            Self::Bit(builder) => {
                builder.append_option(value.map(|value| bits(value).map(|bits| bits[0] & 0x80 != 0)).transpose()?)
            }
            Self::FewBits(builder) => builder.append_option(value.map(few_bits).transpose()?),
            Self::Int16(builder) => {
                builder.append_option(value.map(|value| fixed(value).map(i16::from_be_bytes)).transpose()?)
            }
            Self::Int32(builder) => {
                builder.append_option(value.map(|value| fixed(value).map(i32::from_be_bytes)).transpose()?)
            }
            Self::Int64(builder) => {
                builder.append_option(value.map(|value| fixed(value).map(i64::from_be_bytes)).transpose()?)
            }
            Self::Oid(builder) => {
                builder.append_option(
                    value.map(|value| fixed(value).map(|four| i64::from(u32::from_be_bytes(four)))).transpose()?,
                );
            }
            Self::Float32(builder) => {
                builder.append_option(value.map(|value| fixed(value).map(f32::from_be_bytes)).transpose()?)
            }
            Self::Float64(builder) => {
                builder.append_option(value.map(|value| fixed(value).map(f64::from_be_bytes)).transpose()?)
            }
            Self::Money(builder) => {
                builder.append_option(
                    value
                        .map(|value| fixed(value).map(|eight| i64::from_be_bytes(eight) as f64 / 100.0))
                        .transpose()?,
                );
            }
            Self::Text(builder) => builder.append_option(value.map(text).transpose()?),
            Self::Jsonb(builder) => builder.append_option(value.map(jsonb).transpose()?),
            Self::Uuid(builder) => append_uuid(builder, value)?,
            Self::Bytes(builder) => builder.append_option(value),
            Self::Bits(builder) => builder.append_option(value.map(bits).transpose()?),
            Self::Date(builder) => builder.append_option(value.map(|value| fixed(value).map(days)).transpose()?),
            Self::Time(builder) => {
                builder.append_option(value.map(|value| fixed(value).map(i64::from_be_bytes)).transpose()?)
            }
            Self::TimeWithZone(builder) => builder.append_option(value.map(time_in_utc).transpose()?),
            Self::Timestamp(builder) => {
                builder.append_option(value.map(|value| fixed(value).and_then(micros)).transpose()?)
            }
            Self::Decimal128(builder, scale) => {
                builder.append_option(value.map(|value| unscaled::<i128>(value, *scale)).transpose()?)
            }
            Self::Decimal256(builder, scale) => {
                builder.append_option(value.map(|value| unscaled::<i256>(value, *scale)).transpose()?)
            }
            Self::List(list) => return list.append(value),
        }
        Ok(())
    }

    /// The values so far; begins anew.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(builder) | Self::Bit(builder) => Arc::new(builder.finish()),
            Self::FewBits(builder) => Arc::new(builder.finish()),
            Self::Int16(builder) => Arc::new(builder.finish()),
            Self::Int32(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) | Self::Oid(builder) => Arc::new(builder.finish()),
            Self::Float32(builder) => Arc::new(builder.finish()),
            Self::Float64(builder) | Self::Money(builder) => Arc::new(builder.finish()),
            Self::Text(builder) | Self::Jsonb(builder) | Self::Uuid(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) | Self::Bits(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Time(builder) | Self::TimeWithZone(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
            Self::Decimal128(builder, _) => Arc::new(builder.finish()),
            Self::Decimal256(builder, _) => Arc::new(builder.finish()),
            Self::List(list) => Arc::new(list.finish()),
        }
    }
}

impl ListDecoder {
    fn append(&mut self, value: Option<&[u8]>) -> Result<(), Refused> {
        match value {
            None => self.nulls.append_null(),
            Some(value) => {
                self.append_elements(value)?;
                self.nulls.append_non_null();
            }
        }
        self.ends.push(self.len);
        Ok(())
    }

    /// Number of dimensions, whether there are nulls, type of the elements; length and first index of each dimension;
    /// elements.
    fn append_elements(&mut self, value: &[u8]) -> Result<(), Refused> {
        let mut rest = value;
        let dimensions = take_i32(&mut rest)?;
        let (_, _) = (take_i32(&mut rest)?, take_i32(&mut rest)?);
        let count = match dimensions {
            0 => return Ok(()),
            1 => take_i32(&mut rest)?,
            _ => return Err("an array of several dimensions: cast it to text in a `query`"),
        };
        take_i32(&mut rest)?;
        for _ in 0..count {
            let length = take_i32(&mut rest)?;
            let element = match usize::try_from(length) {
                Err(_) => None,
                Ok(length) => Some(rest.split_off(..length).ok_or(WRONG_LENGTH)?),
            };
            self.elements.append(element)?;
            self.len = self.len.checked_add(1).ok_or("more elements than a column can have")?;
        }
        Ok(())
    }

    fn finish(&mut self) -> ListArray {
        let elements = self.elements.finish();
        let offsets: Vec<i32> = std::iter::once(0).chain(self.ends.drain(..)).collect();
        self.len = 0;
        let field = Arc::new(Field::new_list_field(elements.data_type().clone(), true));
        ListArray::new(field, OffsetBuffer::new(ScalarBuffer::from(offsets)), elements, self.nulls.finish())
    }
}

fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N], Refused> {
    value.try_into().map_err(|_| WRONG_LENGTH)
}

fn take_i32(rest: &mut &[u8]) -> Result<i32, Refused> {
    let four = rest.split_off(..4).ok_or(WRONG_LENGTH)?;
    fixed(four).map(i32::from_be_bytes)
}

fn text(value: &[u8]) -> Result<&str, Refused> {
    std::str::from_utf8(value).map_err(|_| "a text that is no UTF-8")
}

fn jsonb(value: &[u8]) -> Result<&str, Refused> {
    match value {
        [JSONB, json @ ..] => text(json),
        _ => Err("jsonb of an unknown version"),
    }
}

fn append_uuid(builder: &mut StringBuilder, value: Option<&[u8]>) -> Result<(), Refused> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let Some(value) = value else {
        builder.append_null();
        return Ok(());
    };
    let mut written = [b'-'; 36];
    let mut place = 0;
    for (index, byte) in fixed::<16>(value)?.into_iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            place += 1;
        }
        written[place] = DIGITS[usize::from(byte >> 4)];
        written[place + 1] = DIGITS[usize::from(byte & 15)];
        place += 2;
    }
    builder.append_value(text(&written)?);
    Ok(())
}

/// The bits, from the highest on, behind their number.
fn bits(value: &[u8]) -> Result<&[u8], Refused> {
    value.get(4..).filter(|bits| !bits.is_empty()).ok_or(WRONG_LENGTH)
}

fn few_bits(value: &[u8]) -> Result<i8, Refused> {
    let mut rest = value;
    let count = take_i32(&mut rest)?;
    match rest {
        [byte] if (1..=8).contains(&count) => Ok((byte >> (8 - count)) as i8),
        _ => Err(WRONG_LENGTH),
    }
}

/// Dates without end are the ends of the type.
fn days(value: [u8; 4]) -> i32 {
    match i32::from_be_bytes(value) {
        i32::MIN => i32::MIN,
        days => days.saturating_add(DAYS_TO_2000),
    }
}

/// Times without end are the ends of the type.
fn micros(value: [u8; 8]) -> Result<i64, Refused> {
    match i64::from_be_bytes(value) {
        without_end @ (i64::MIN | i64::MAX) => Ok(without_end),
        micros => micros.checked_add(MICROS_TO_2000).ok_or(TOO_LATE),
    }
}

/// A time of day and the seconds that its zone is west of UTC.
fn time_in_utc(value: &[u8]) -> Result<i64, Refused> {
    let [t0, t1, t2, t3, t4, t5, t6, t7, z0, z1, z2, z3] = fixed::<12>(value)?;
    let micros = i64::from_be_bytes([t0, t1, t2, t3, t4, t5, t6, t7]);
    let west = i64::from(i32::from_be_bytes([z0, z1, z2, z3]));
    Ok(micros.wrapping_add(west * 1_000_000).rem_euclid(DAY_MICROS))
}

#[cfg(test)]
mod tests {
    use arrow::util::display::array_value_to_string;

    use super::*;

    fn shown(value: &ValueType, bytes: &[u8]) -> String {
        let mut decoder = ColumnDecoder::new(value);
        decoder.append(None).unwrap();
        decoder.append(Some(bytes)).unwrap();
        let array = decoder.finish();
        assert!(array.is_null(0) && array.is_valid(1));
        assert_eq!(array.data_type(), &value.data_type());
        assert_eq!(decoder.finish().len(), 0, "begins anew");
        array_value_to_string(&array, 1).unwrap()
    }

    #[test]
    fn every_type_is_read_from_what_the_server_writes() {
        for (value, bytes, expected) in [
            (ValueType::Boolean, &[1][..], "true"),
            (ValueType::Bit, &[0, 0, 0, 1, 0x80], "true"),
            (ValueType::FewBits, &[0, 0, 0, 3, 0xA0], "5"),
            (ValueType::Bits, &[0, 0, 0, 12, 0xFF, 0xF0], "fff0"),
            (ValueType::Int16, &[0xFF, 0xFE], "-2"),
            (ValueType::Int32, &[0, 0, 1, 0], "256"),
            (ValueType::Int64, &[0, 0, 0, 0, 0, 0, 1, 0], "256"),
            (ValueType::Oid, &[0xFF, 0xFF, 0xFF, 0xFF], "4294967295"),
            (ValueType::Float32, &1.5_f32.to_be_bytes(), "1.5"),
            (ValueType::Float64, &f64::NAN.to_be_bytes(), "NaN"),
            (ValueType::Money, &(-1234_i64).to_be_bytes(), "-12.34"),
            (ValueType::Text, "né".as_bytes(), "né"),
            (ValueType::Jsonb, b"\x01{}", "{}"),
            (ValueType::Uuid, &[0x12; 16], "12121212-1212-1212-1212-121212121212"),
            (ValueType::Bytes, &[0, 255], "00ff"),
            (ValueType::Date, &0_i32.to_be_bytes(), "2000-01-01"),
            (ValueType::Date, &(-10_958_i32).to_be_bytes(), "1969-12-31"),
            (ValueType::Time, &1_000_001_i64.to_be_bytes(), "00:00:01.000001"),
            (ValueType::Timestamp, &1_i64.to_be_bytes(), "2000-01-01T00:00:00.000001"),
            (ValueType::TimestampWithZone, &0_i64.to_be_bytes(), "2000-01-01T00:00:00Z"),
            (ValueType::Decimal128(2), &[0, 1, 0, 0, 0x40, 0, 0, 2, 0, 7], "-7.00"),
            (ValueType::Decimal256(0), &[0, 1, 0, 1, 0, 0, 0, 0, 0, 7], "70000"),
        ] {
            assert_eq!(shown(&value, bytes), expected, "{value:?}");
        }
        // 01:00 in Zurich's winter
        let bytes = [3_600_000_000_i64.to_be_bytes().as_slice(), &(-3_600_i32).to_be_bytes()].concat();
        assert_eq!(shown(&ValueType::TimeWithZone, &bytes), "00:00:00");
    }

    #[test]
    fn arrays_are_lists() {
        let list = ValueType::List(Box::new(ValueType::Int32));
        let words = |words: &[i32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        assert_eq!(shown(&list, &words(&[1, 1, 23, 3, 1, 4, 7, -1, 4, 9])), "[7, , 9]");
        assert_eq!(shown(&list, &words(&[0, 0, 23])), "[]");
        let refused = |bytes: &[u8]| ColumnDecoder::new(&list).append(Some(bytes)).unwrap_err();
        assert!(refused(&words(&[2, 0, 23, 1, 1, 1, 1, 4, 7])).contains("several dimensions"));
        assert_eq!(refused(&words(&[1, 0, 23, 2, 1, 4, 7])), WRONG_LENGTH);
    }

    #[test]
    fn times_without_end_are_the_ends_of_the_type() {
        for without_end in [i64::MAX, i64::MIN] {
            assert_eq!(micros(without_end.to_be_bytes()), Ok(without_end));
        }
        // the last year of PostgreSQL has an end, and is not taken for one that has none
        assert_eq!(micros(9_223_371_331_199_999_999_i64.to_be_bytes()), Err(TOO_LATE));
        assert_eq!((days(i32::MAX.to_be_bytes()), days(i32::MIN.to_be_bytes())), (i32::MAX, i32::MIN));
    }

    #[test]
    fn what_is_cut_off_or_no_text_is_refused() {
        let refused = |value: &ValueType, bytes: &[u8]| ColumnDecoder::new(value).append(Some(bytes)).is_err();
        assert!(refused(&ValueType::Int32, &[1]) && refused(&ValueType::Text, &[0xFF]));
        assert!(refused(&ValueType::Jsonb, b"\x02{}") && refused(&ValueType::Uuid, &[1]));
        assert!(refused(&ValueType::Bit, &[]) && refused(&ValueType::FewBits, &[0, 0, 0, 9, 1, 1]));
    }
}
