//! Writes columns as Avro values.
//!
//! The writers of all fields are made once for each batch. Then each row is written in one pass over them, into one buffer.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array,
    Int64Array, PrimitiveArray, StringArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, i256,
};
use rustc_hash::FxHashMap;
use volley_api::schema::DEFAULT;
use volley_api::{Error, Result};

use crate::avro::mapping::defaults::{to_avro_default, write_default};
use crate::avro::mapping::settings::AvroSettings;
use crate::avro::schema::avro_schema::{AvroField, AvroSchema, Kind};
use crate::avro::values::input::write_long;
use crate::cell::as_connect_type;
use crate::decimal;
use crate::registry::RowWriter;

/// Why a row cannot be written.
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal(pub(crate) String);

type Written = std::result::Result<(), Refusal>;

/// Writes the values of one column.
#[derive(Debug)]
pub(crate) struct Writer {
    cells: Cells,
    nulls: Option<NullBuffer>,
    /// The number of the branch, where the value stands in a union with null.
    branch: Option<u8>,
    on_null: OnNull,
}

/// What is written for a null.
#[derive(Debug)]
enum OnNull {
    /// The branch of null, or the default.
    Bytes(Vec<u8>),
    Refuse(String),
}

#[derive(Debug)]
enum Cells {
    Null,
    Boolean(BooleanArray),
    Int8(Int8Array),
    Int16(Int16Array),
    Int32(Int32Array),
    Int64(Int64Array),
    Float32(Float32Array),
    Float64(Float64Array),
    Text(StringArray),
    Symbol(StringArray, FxHashMap<String, i64>),
    Binary(BinaryArray),
    Fixed(BinaryArray, usize),
    Decimal128(PrimitiveArray<Decimal128Type>, Option<usize>),
    Decimal256(PrimitiveArray<Decimal256Type>, Option<usize>),
    List(OffsetBuffer<i32>, Box<Writer>),
    Map(OffsetBuffer<i32>, Box<Writer>, Box<Writer>),
    Struct(Vec<Writer>),
    /// Fields of which one has a value, and the number of the first one's branch.
    Union(Vec<Writer>, i64),
}

impl Writer {
    /// A writer of `array`, the values of `field`, whose Avro schema is `schema`. A null is written as such.
    ///
    /// # Errors
    /// A type that does not fit the schema.
    pub(crate) fn new(schema: &AvroSchema, field: &Field, array: &ArrayRef, settings: AvroSettings) -> Result<Self> {
        Self::with_default(schema, field, array, settings, None)
    }

    /// A writer of a struct's field: its default is written for a null, as Connect's structs answer with it.
    fn of_field(schema: &AvroSchema, field: &Field, array: &ArrayRef, settings: AvroSettings) -> Result<Self> {
        let default = field.metadata().get(DEFAULT);
        let default = default.filter(|_| !(settings.null_over_default && field.is_nullable()));
        Self::with_default(schema, field, array, settings, default)
    }

    fn with_default(
        schema: &AvroSchema,
        field: &Field,
        array: &ArrayRef,
        settings: AvroSettings,
        default: Option<&String>,
    ) -> Result<Self> {
        let (inner, null, branch) = match &schema.kind {
            Kind::Union(branches) => match branches.as_ref() {
                [null, other] if null.kind == Kind::Null && !is_union_struct(field) => (other, Some(0), Some(2)),
                [other, null] if null.kind == Kind::Null && !is_union_struct(field) => (other, Some(2), Some(0)),
                _ => {
                    let null = branches.iter().position(|branch| branch.kind == Kind::Null);
                    // a union has far fewer than 64 branches
                    (schema, null.map(|place| (place * 2) as u8), None)
                }
            },
            _ => (schema, None, None),
        };
        let default = default.and_then(|default| {
            let default = to_avro_default(&serde_json::from_str(default).ok()?, inner)?;
            let mut bytes = Vec::from_iter(branch);
            write_default(&default, inner, &mut bytes).map(|()| bytes)
        });
        let on_null = match (default, null) {
            (Some(default), _) => OnNull::Bytes(default),
            (None, Some(null)) => OnNull::Bytes(vec![null]),
            (None, None) => OnNull::Refuse(format!("null for required field `{}`, which has no default", field.name())),
        };
        let cells = match &inner.kind {
            Kind::Union(branches) => union_cells(branches, array, settings)?,
            _ => cells_of(inner, array, settings)?,
        };
        Ok(Self { cells, nulls: array.nulls().cloned(), branch, on_null })
    }

    fn is_null(&self, row: usize) -> bool {
        matches!(self.cells, Cells::Null) || self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the value of `row`.
    pub(crate) fn write_row(&self, row: usize, out: &mut Vec<u8>) -> Written {
        if self.is_null(row) {
            match &self.on_null {
                OnNull::Bytes(bytes) => out.extend_from_slice(bytes),
                OnNull::Refuse(reason) => return Err(Refusal(reason.clone())),
            }
            return Ok(());
        }
        out.extend(self.branch);
        match &self.cells {
            Cells::Null => {}
            Cells::Boolean(array) => out.push(u8::from(array.value(row))),
            Cells::Int8(array) => write_long(out, array.value(row).into()),
            Cells::Int16(array) => write_long(out, array.value(row).into()),
            Cells::Int32(array) => write_long(out, array.value(row).into()),
            Cells::Int64(array) => write_long(out, array.value(row)),
            Cells::Float32(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            Cells::Float64(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            Cells::Text(array) => write_sized(out, array.value(row).as_bytes()),
            Cells::Symbol(array, symbols) => {
                let symbol = array.value(row);
                let index = symbols.get(symbol);
                write_long(out, *index.ok_or_else(|| Refusal(format!("`{symbol}` is no symbol of the enum")))?);
            }
            Cells::Binary(array) => write_sized(out, array.value(row)),
            Cells::Fixed(array, size) => write_fixed(out, array.value(row), *size)?,
            Cells::Decimal128(array, size) => write_decimal(out, i256::from_i128(array.value(row)), *size)?,
            Cells::Decimal256(array, size) => write_decimal(out, array.value(row), *size)?,
            Cells::List(offsets, items) => write_blocks(out, offsets, row, |out, index| items.write_row(index, out))?,
            Cells::Map(offsets, keys, values) => write_blocks(out, offsets, row, |out, index| {
                keys.write_row(index, out)?;
                values.write_row(index, out)
            })?,
            Cells::Struct(fields) => fields.iter().try_for_each(|field| field.write_row(row, out))?,
            Cells::Union(fields, first) => {
                let mut present = fields.iter().enumerate().filter(|(_, field)| !field.is_null(row));
                match (present.next(), present.next()) {
                    (Some((place, field)), None) => {
                        write_long(out, first + place as i64);
                        field.write_row(row, out)?;
                    }
                    (None, _) => return Err(Refusal("no field of a union has a value".to_owned())),
                    (Some(_), Some(_)) => return Err(Refusal("two fields of a union have a value".to_owned())),
                }
            }
        }
        Ok(())
    }
}

impl RowWriter for Writer {
    fn write(&self, row: usize, out: &mut Vec<u8>) -> std::result::Result<(), String> {
        self.write_row(row, out).map_err(|refusal| refusal.0)
    }
}

fn is_union_struct(field: &Field) -> bool {
    field.metadata().get(volley_api::schema::NAME).is_some_and(|name| name == crate::avro::schema::names::UNION)
}

fn union_cells(branches: &[AvroSchema], array: &ArrayRef, settings: AvroSettings) -> Result<Cells> {
    let DataType::Struct(fields) = array.data_type() else { return Err(misfit("a union", array)) };
    let others = || branches.iter().enumerate().filter(|(_, branch)| branch.kind != Kind::Null);
    let first = others().next().map_or(0, |(place, _)| place as i64);
    let columns = fields.iter().zip(array.as_struct().columns());
    let writers =
        others().zip(columns).map(|((_, branch), (field, column))| Writer::new(branch, field, column, settings));
    Ok(Cells::Union(writers.collect::<Result<_>>()?, first))
}

fn misfit(what: &str, array: &ArrayRef) -> Error {
    Error::data(format!("values of type {} are not {what}, as the schema says", array.data_type()))
}

fn cells_of(schema: &AvroSchema, array: &ArrayRef, settings: AvroSettings) -> Result<Cells> {
    Ok(match (&schema.kind, array.data_type()) {
        (_, DataType::Null) => Cells::Null,
        (Kind::Boolean, DataType::Boolean) => Cells::Boolean(array.as_boolean().clone()),
        (Kind::Int, DataType::Int8) => Cells::Int8(array.as_primitive::<Int8Type>().clone()),
        (Kind::Int, DataType::Int16) => Cells::Int16(array.as_primitive::<Int16Type>().clone()),
        (Kind::Int, DataType::Int32) => Cells::Int32(array.as_primitive::<Int32Type>().clone()),
        (Kind::Long, DataType::Int8 | DataType::Int16 | DataType::Int32) => {
            Cells::Int64(arrow::compute::cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
        }
        (Kind::Double, DataType::Float32) => {
            Cells::Float64(arrow::compute::cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
        }
        (Kind::Long, DataType::Int64) => Cells::Int64(array.as_primitive::<Int64Type>().clone()),
        (Kind::Float, DataType::Float32) => Cells::Float32(array.as_primitive::<Float32Type>().clone()),
        (Kind::Double, DataType::Float64) => Cells::Float64(array.as_primitive::<Float64Type>().clone()),
        (Kind::String, DataType::Utf8) => Cells::Text(array.as_string::<i32>().clone()),
        (Kind::Enum(symbols), DataType::Utf8) => {
            let symbols = symbols.symbols.iter().enumerate().map(|(index, symbol)| (symbol.clone(), index as i64));
            Cells::Symbol(array.as_string::<i32>().clone(), symbols.collect())
        }
        (Kind::Bytes, DataType::Binary) => Cells::Binary(array.as_binary::<i32>().clone()),
        (Kind::Fixed(fixed), DataType::Binary) => Cells::Fixed(array.as_binary::<i32>().clone(), fixed.size),
        (Kind::Bytes, DataType::Decimal128(..)) => Cells::Decimal128(array.as_primitive().clone(), None),
        (Kind::Bytes, DataType::Decimal256(..)) => Cells::Decimal256(array.as_primitive().clone(), None),
        (Kind::Fixed(fixed), DataType::Decimal128(..)) => {
            Cells::Decimal128(array.as_primitive().clone(), Some(fixed.size))
        }
        (Kind::Fixed(fixed), DataType::Decimal256(..)) => {
            Cells::Decimal256(array.as_primitive().clone(), Some(fixed.size))
        }
        (Kind::Int, DataType::Date32 | DataType::Time32(TimeUnit::Millisecond)) => {
            Cells::Int32(arrow::compute::cast(array, &DataType::Int32)?.as_primitive::<Int32Type>().clone())
        }
        (Kind::Long, DataType::Timestamp(TimeUnit::Millisecond, _)) => {
            Cells::Int64(arrow::compute::cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
        }
        (Kind::Array(items), DataType::List(element)) => {
            let list = array.as_list::<i32>();
            Cells::List(list.offsets().clone(), Box::new(Writer::new(items, element, list.values(), settings)?))
        }
        (Kind::Map(values), DataType::Map(..)) => {
            let (map, text) = (array.as_map(), AvroSchema::of(Kind::String));
            let (key_field, value_field) = map.entries_fields();
            let keys = Writer::new(&text, key_field, map.keys(), settings)?;
            let values = Writer::new(values, value_field, map.values(), settings)?;
            Cells::Map(map.offsets().clone(), Box::new(keys), Box::new(values))
        }
        (Kind::Array(items), DataType::Map(..)) => {
            let Kind::Record(entry) = &items.kind else { return Err(misfit("an array", array)) };
            let [key, value] = entry.fields.as_slice() else { return Err(misfit("an array", array)) };
            let map = array.as_map();
            let (key_field, value_field) = map.entries_fields();
            let keys = Writer::new(&key.schema, key_field, map.keys(), settings)?;
            let values = Writer::new(&value.schema, value_field, map.values(), settings)?;
            Cells::Map(map.offsets().clone(), Box::new(keys), Box::new(values))
        }
        (Kind::Record(record), DataType::Struct(_)) => {
            let columns = record.fields.iter().map(|field| field_writer(field, array, settings));
            Cells::Struct(columns.collect::<Result<_>>()?)
        }
        (_, other) => match as_connect_type(array, other) {
            Ok(array) => cells_of(schema, &array, settings)?,
            Err(_) => return Err(misfit(&format!("of type {}", schema.type_name()), array)),
        },
    })
}

/// The writer of a record's field: of the struct's field with the same name, or of the default.
fn field_writer(avro: &AvroField, array: &ArrayRef, settings: AvroSettings) -> Result<Writer> {
    let structs = array.as_struct();
    let place = structs.fields().iter().position(|field| settings.name_is(field.name(), &avro.name));
    if let Some(place) = place {
        return Writer::of_field(&avro.schema, &structs.fields()[place], structs.column(place), settings);
    }
    let mut bytes = Vec::new();
    let default = avro.default.as_ref().and_then(|default| write_default(default, &avro.schema, &mut bytes));
    match default {
        Some(()) => Ok(Writer { cells: Cells::Null, nulls: None, branch: None, on_null: OnNull::Bytes(bytes) }),
        None => Err(Error::data(format!("the schema has a field `{}`, which the record has not", avro.name))),
    }
}

fn write_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    write_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

/// Bytes of one length. Longer ones are cut, as in Java.
fn write_fixed(out: &mut Vec<u8>, bytes: &[u8], size: usize) -> Written {
    let bytes = bytes.get(..size).ok_or_else(|| Refusal(format!("{} bytes for a fixed of {size}", bytes.len())))?;
    out.extend_from_slice(bytes);
    Ok(())
}

fn write_decimal(out: &mut Vec<u8>, value: i256, size: Option<usize>) -> Written {
    let bytes = decimal::to_be_bytes(value);
    let Some(size) = size else {
        write_sized(out, &bytes);
        return Ok(());
    };
    let filler = if bytes[0] & 0x80 != 0 { 0xFF } else { 0 };
    let missing =
        size.checked_sub(bytes.len()).ok_or_else(|| Refusal(format!("a decimal has more than {size} bytes")))?;
    out.extend(std::iter::repeat_n(filler, missing));
    out.extend_from_slice(&bytes);
    Ok(())
}

fn write_blocks(
    out: &mut Vec<u8>,
    offsets: &OffsetBuffer<i32>,
    row: usize,
    mut write: impl FnMut(&mut Vec<u8>, usize) -> Written,
) -> Written {
    let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
    if end > start {
        write_long(out, (end - start) as i64);
        (start..end).try_for_each(|index| write(out, index))?;
    }
    out.push(0);
    Ok(())
}
