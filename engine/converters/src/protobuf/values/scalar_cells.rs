//! Columns of scalars, and how they are written.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type};
use prost_reflect::{EnumDescriptor, Kind};
use rustc_hash::FxHashMap;
use volley_api::Result;

use super::wire::{Wire, write_varint, zig_zag};
use crate::cell::as_connect_type;
use crate::protobuf::names::UNKNOWN_SYMBOL;

/// Why a value cannot be written.
pub(crate) type Written = std::result::Result<(), String>;

/// A column of scalars.
#[derive(Debug)]
pub(crate) enum ScalarCells {
    Bool(BooleanArray),
    Int32(Int32Array),
    SInt32(Int32Array),
    Fixed32(Int32Array),
    /// Numbers of 32 bits without a sign.
    UInt32(Int64Array),
    UFixed32(Int64Array),
    Int64(Int64Array),
    SInt64(Int64Array),
    Fixed64(Int64Array),
    Float(Float32Array),
    Double(Float64Array),
    Text(StringArray),
    Bytes(BinaryArray),
    Symbol(StringArray, Box<SymbolNumbers>),
}

/// The numbers of an enum's symbols.
#[derive(Debug)]
pub(crate) struct SymbolNumbers {
    by_name: FxHashMap<String, i32>,
    /// What stands before a number that has no symbol.
    unknown: String,
}

impl SymbolNumbers {
    fn of(enumeration: &EnumDescriptor) -> Self {
        let by_name = enumeration.values().map(|symbol| (symbol.name().to_owned(), symbol.number())).collect();
        Self { by_name, unknown: format!("{UNKNOWN_SYMBOL}{}_", enumeration.name()) }
    }

    fn number(&self, symbol: &str) -> std::result::Result<i32, String> {
        let known = self.by_name.get(symbol).copied();
        let number = known.or_else(|| symbol.strip_prefix(&self.unknown)?.parse().ok());
        number.ok_or_else(|| format!("`{symbol}` is no symbol of the enum"))
    }
}

/// The column of `array` as values of `kind`; `None` if they are not.
///
/// # Errors
/// A value cannot be made one of Connect's types.
pub(crate) fn scalar_cells(kind: &Kind, array: &ArrayRef) -> Result<Option<ScalarCells>> {
    use DataType::{Binary, Boolean, Date32, Float32, Float64, Int8, Int16, Int32, Int64, Time32, Timestamp, Utf8};
    let int32 = || Ok::<_, volley_api::Error>(cast(array, &Int32)?.as_primitive::<Int32Type>().clone());
    let int64 = || Ok::<_, volley_api::Error>(cast(array, &Int64)?.as_primitive::<Int64Type>().clone());
    Ok(Some(match (kind, array.data_type()) {
        (Kind::Bool, Boolean) => ScalarCells::Bool(array.as_boolean().clone()),
        (Kind::Int32 | Kind::Enum(_), Int8 | Int16 | Int32) => ScalarCells::Int32(int32()?),
        (Kind::Int32, Date32 | Time32(_)) => ScalarCells::Int32(int32()?),
        (Kind::Sint32, Int8 | Int16 | Int32) => ScalarCells::SInt32(int32()?),
        (Kind::Sfixed32, Int8 | Int16 | Int32) => ScalarCells::Fixed32(int32()?),
        (Kind::Uint32, Int8 | Int16 | Int32 | Int64) => ScalarCells::UInt32(int64()?),
        (Kind::Fixed32, Int8 | Int16 | Int32 | Int64) => ScalarCells::UFixed32(int64()?),
        (Kind::Int64 | Kind::Uint64, Int8 | Int16 | Int32 | Int64 | Timestamp(..)) => ScalarCells::Int64(int64()?),
        (Kind::Sint64, Int8 | Int16 | Int32 | Int64) => ScalarCells::SInt64(int64()?),
        (Kind::Fixed64 | Kind::Sfixed64, Int8 | Int16 | Int32 | Int64) => ScalarCells::Fixed64(int64()?),
        (Kind::Float, Float32) => ScalarCells::Float(array.as_primitive::<Float32Type>().clone()),
        (Kind::Double, Float32 | Float64) => {
            ScalarCells::Double(cast(array, &Float64)?.as_primitive::<Float64Type>().clone())
        }
        (Kind::String, Utf8) => ScalarCells::Text(array.as_string::<i32>().clone()),
        (Kind::Bytes, Binary) => ScalarCells::Bytes(array.as_binary::<i32>().clone()),
        (Kind::Enum(enumeration), Utf8) => {
            ScalarCells::Symbol(array.as_string::<i32>().clone(), Box::new(SymbolNumbers::of(enumeration)))
        }
        (_, other) => match as_connect_type(array, other) {
            Ok(array) => return scalar_cells(kind, &array),
            Err(_) => return Ok(None),
        },
    }))
}

impl ScalarCells {
    /// How a value stands in a message.
    pub(crate) fn wire(&self) -> Wire {
        match self {
            Self::Fixed32(_) | Self::UFixed32(_) | Self::Float(_) => Wire::Fixed32,
            Self::Fixed64(_) | Self::Double(_) => Wire::Fixed64,
            Self::Text(_) | Self::Bytes(_) => Wire::Sized,
            _ => Wire::Varint,
        }
    }

    /// Whether a value is zero or empty, which need not be written.
    #[inline]
    pub(crate) fn is_zero(&self, row: usize) -> bool {
        match self {
            Self::Bool(array) => !array.value(row),
            Self::Int32(array) | Self::SInt32(array) | Self::Fixed32(array) => array.value(row) == 0,
            Self::UInt32(array)
            | Self::UFixed32(array)
            | Self::Int64(array)
            | Self::SInt64(array)
            | Self::Fixed64(array) => array.value(row) == 0,
            // the other zero, -0.0, is none
            Self::Float(array) => array.value(row).to_bits() == 0,
            Self::Double(array) => array.value(row).to_bits() == 0,
            Self::Text(array) => array.value_length(row) == 0,
            Self::Bytes(array) => array.value_length(row) == 0,
            Self::Symbol(array, numbers) => numbers.number(array.value(row)) == Ok(0),
        }
    }

    /// Appends a value.
    ///
    /// # Errors
    /// It does not fit.
    #[inline]
    pub(crate) fn write(&self, row: usize, out: &mut Vec<u8>) -> Written {
        match self {
            Self::Bool(array) => out.push(array.value(row).into()),
            Self::Int32(array) => write_varint(out, i64::from(array.value(row)).cast_unsigned()),
            Self::SInt32(array) => write_varint(out, zig_zag(array.value(row).into())),
            Self::Fixed32(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            Self::UInt32(array) => write_varint(out, unsigned(array.value(row))?.into()),
            Self::UFixed32(array) => out.extend_from_slice(&unsigned(array.value(row))?.to_le_bytes()),
            Self::Int64(array) => write_varint(out, array.value(row).cast_unsigned()),
            Self::SInt64(array) => write_varint(out, zig_zag(array.value(row))),
            Self::Fixed64(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            Self::Float(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            Self::Double(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            Self::Text(array) => write_bytes(out, array.value(row).as_bytes()),
            Self::Bytes(array) => write_bytes(out, array.value(row)),
            Self::Symbol(array, numbers) => {
                write_varint(out, i64::from(numbers.number(array.value(row))?).cast_unsigned());
            }
        }
        Ok(())
    }
}

fn unsigned(value: i64) -> std::result::Result<u32, String> {
    u32::try_from(value).map_err(|_| format!("{value} is no integer of 32 bits without a sign"))
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
