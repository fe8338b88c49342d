//! Encodes columns as bytes.
//!
//! The writers of all fields are created once per batch. Then each row is written in one pass over them, into one
//! buffer.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, BooleanBufferBuilder, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, PrimitiveArray, StringArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Field, FieldRef, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimeUnit,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memchr2;
use volley_api::schema::{DEFAULT, has_schema};
use volley_api::{Column, Error, Result};

use super::schemas::schema_of;
use super::syntax::{validate, write_string};
use crate::cell::{as_connect_type, holds_json};
use crate::decimal;
use crate::json::config::{DecimalFormat, JsonConfig};

/// Writes columns. Caches the envelope of the last schema, since most batches of a source share one.
#[derive(Debug)]
pub(crate) struct Encoder {
    schemas_enable: bool,
    decimal_format: DecimalFormat,
    replace_null_with_default: bool,
    envelope: Option<(FieldRef, Vec<u8>)>,
}

impl Encoder {
    /// An encoder with these settings.
    pub(crate) fn new(config: &JsonConfig) -> Self {
        Self {
            schemas_enable: config.schemas_enable,
            decimal_format: config.decimal_format,
            replace_null_with_default: config.replace_null_with_default,
            envelope: None,
        }
    }

    /// The bytes of each row. Rows that cannot be written are null and reported to `reject`.
    ///
    /// # Errors
    /// None caused by rows.
    pub(crate) fn encode(&mut self, column: &Column, mut reject: impl FnMut(usize, Error)) -> Result<BinaryArray> {
        let schema = has_schema(&column.field);
        let format = Format { schema, decimals: self.decimals(schema), defaults: self.replace_null_with_default };
        let prepared = self
            .head(&column.field, schema)
            .and_then(|head| Ok((head, Writer::new(&column.field, &column.array, format)?)));
        let (head, writer) = match prepared {
            Ok(prepared) => prepared,
            // The type causes the error, so every row has it, and the error handler decides about each.
            Err(error) => {
                for row in (0..column.len()).filter(|row| !column.is_null(*row)) {
                    reject(row, Error::data(error.to_string()));
                }
                return Ok(BinaryArray::new_null(column.len()));
            }
        };
        let tail: &[u8] = if self.schemas_enable { b"}" } else { b"" };
        let mut out = Messages::with_capacity(column.len(), head.len());
        for row in 0..column.len() {
            if !schema && column.is_null(row) {
                out.end(false);
                continue;
            }
            out.data.extend_from_slice(&head);
            match writer.write(row, &mut out.data) {
                Ok(()) => {
                    out.data.extend_from_slice(tail);
                    if !out.end(true) {
                        reject(row, Error::data("the messages of one batch exceed 2 GiB: make batches smaller"));
                    }
                }
                Err(refusal) => {
                    out.end(false);
                    reject(row, Error::data(refusal.0));
                }
            }
        }
        out.finish()
    }

    /// Without a schema Base64 cannot be distinguished from a string.
    fn decimals(&self, schema: bool) -> DecimalFormat {
        if schema { self.decimal_format } else { DecimalFormat::Numeric }
    }

    /// The bytes before each payload.
    fn head(&mut self, field: &FieldRef, schema: bool) -> Result<Vec<u8>> {
        if !self.schemas_enable {
            return Ok(Vec::new());
        }
        if !schema {
            return Ok(br#"{"schema":null,"payload":"#.to_vec());
        }
        if let Some((last, head)) = &self.envelope
            && last == field
        {
            return Ok(head.clone());
        }
        let head = format!(r#"{{"schema":{},"payload":"#, schema_of(field)?).into_bytes();
        self.envelope = Some((FieldRef::clone(field), head.clone()));
        Ok(head)
    }
}

/// The messages of a batch.
#[derive(Debug)]
struct Messages {
    data: Vec<u8>,
    offsets: Vec<i32>,
    valid: BooleanBufferBuilder,
}

impl Messages {
    fn with_capacity(rows: usize, head: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { data: Vec::with_capacity(rows * (head + 64)), offsets, valid: BooleanBufferBuilder::new(rows) }
    }

    /// Ends a row: keeps its bytes as the message if it is `valid`, otherwise drops them and makes the row null. False
    /// if it does not fit.
    fn end(&mut self, valid: bool) -> bool {
        let start = self.offsets.last().copied().unwrap_or(0);
        match i32::try_from(self.data.len()) {
            Ok(end) if valid => {
                self.offsets.push(end);
                self.valid.append(true);
                true
            }
            _ => {
                self.data.truncate(start as usize);
                self.offsets.push(start);
                self.valid.append(false);
                !valid
            }
        }
    }

    fn finish(mut self) -> Result<BinaryArray> {
        let nulls = NullBuffer::new(self.valid.finish());
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        Ok(BinaryArray::try_new(offsets, Buffer::from_vec(self.data), nulls)?)
    }
}

/// The format of values.
#[derive(Clone, Copy, Debug)]
struct Format {
    schema: bool,
    decimals: DecimalFormat,
    defaults: bool,
}

/// The reason why a row cannot be written.
#[derive(Debug)]
struct Refusal(String);

/// The text for a null.
#[derive(Debug)]
enum NullText {
    /// `null`, or nothing for a field without schema.
    Null,
    /// The schema's default, as JSON.
    Default(Vec<u8>),
    /// An error: the value must not be null.
    Refuse(String),
}

/// Writes the values of one column.
#[derive(Debug)]
struct Writer {
    cells: Cells,
    nulls: Option<NullBuffer>,
    null_text: NullText,
}

/// The values of one column.
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
    Json(StringArray),
    Binary(BinaryArray),
    Decimal128(PrimitiveArray<Decimal128Type>, DecimalFormat),
    Decimal256(PrimitiveArray<Decimal256Type>, DecimalFormat),
    List(OffsetBuffer<i32>, Box<Writer>),
    /// With string keys: an object.
    Object(OffsetBuffer<i32>, StringArray, Box<Writer>),
    /// With other keys: an array of pairs.
    Pairs(OffsetBuffer<i32>, Box<Writer>, Box<Writer>),
    /// Fields with their names as `"name":`. Null fields are left out if there is no schema.
    Struct(Vec<(Vec<u8>, Writer)>, bool),
}

impl Writer {
    fn new(field: &Field, array: &ArrayRef, format: Format) -> Result<Self> {
        let null_text = match field.metadata().get(DEFAULT) {
            Some(default) if format.schema && format.defaults => NullText::Default(default.clone().into_bytes()),
            _ if format.schema && !field.is_nullable() => {
                NullText::Refuse(format!("null for required field `{}`, which has no default", field.name()))
            }
            _ => NullText::Null,
        };
        Ok(Self { cells: cells_of(field, array, format)?, nulls: array.nulls().cloned(), null_text })
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        matches!(self.cells, Cells::Null) || self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) -> std::result::Result<(), Refusal> {
        if self.is_null(row) {
            match &self.null_text {
                NullText::Null => out.extend_from_slice(b"null"),
                NullText::Default(json) => out.extend_from_slice(json),
                NullText::Refuse(reason) => return Err(Refusal(reason.clone())),
            }
            return Ok(());
        }
        match &self.cells {
            Cells::Null => {}
            Cells::Boolean(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Cells::Int8(array) => write_integer(out, i64::from(array.value(row))),
            Cells::Int16(array) => write_integer(out, i64::from(array.value(row))),
            Cells::Int32(array) => write_integer(out, i64::from(array.value(row))),
            Cells::Int64(array) => write_integer(out, array.value(row)),
            Cells::Float32(array) => {
                let number = array.value(row);
                write_float(out, number, f64::from(number));
            }
            Cells::Float64(array) => write_float(out, array.value(row), array.value(row)),
            Cells::Text(array) => write_string(out, array.value(row)),
            Cells::Json(array) => write_json(out, array.value(row)),
            Cells::Binary(array) => write_base64(out, array.value(row)),
            Cells::Decimal128(array, format) => {
                let value = arrow::datatypes::i256::from_i128(array.value(row));
                write_decimal(out, value, array.scale(), *format);
            }
            Cells::Decimal256(array, format) => write_decimal(out, array.value(row), array.scale(), *format),
            Cells::List(offsets, element) => {
                write_sequence(out, offsets, row, b"[]", |out, index| element.write(index, out))?;
            }
            Cells::Object(offsets, keys, values) => write_sequence(out, offsets, row, b"{}", |out, index| {
                write_string(out, keys.value(index));
                out.push(b':');
                values.write(index, out)
            })?,
            Cells::Pairs(offsets, keys, values) => write_sequence(out, offsets, row, b"[]", |out, index| {
                out.push(b'[');
                keys.write(index, out)?;
                out.push(b',');
                values.write(index, out)?;
                out.push(b']');
                Ok(())
            })?,
            Cells::Struct(fields, schema) => {
                let mut separator = b'{';
                for (name, writer) in fields {
                    if *schema || !writer.is_null(row) {
                        out.push(separator);
                        out.extend_from_slice(name);
                        writer.write(row, out)?;
                        separator = b',';
                    }
                }
                out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
            }
        }
        Ok(())
    }
}

fn cells_of(field: &Field, array: &ArrayRef, format: Format) -> Result<Cells> {
    Ok(match array.data_type() {
        DataType::Null => Cells::Null,
        DataType::Boolean => Cells::Boolean(array.as_boolean().clone()),
        DataType::Int8 => Cells::Int8(array.as_primitive::<Int8Type>().clone()),
        DataType::Int16 => Cells::Int16(array.as_primitive::<Int16Type>().clone()),
        DataType::Int32 => Cells::Int32(array.as_primitive::<Int32Type>().clone()),
        DataType::Int64 => Cells::Int64(array.as_primitive::<Int64Type>().clone()),
        DataType::Float32 => Cells::Float32(array.as_primitive::<Float32Type>().clone()),
        DataType::Float64 => Cells::Float64(array.as_primitive::<Float64Type>().clone()),
        DataType::Utf8 if holds_json(field, format.schema) => Cells::Json(array.as_string::<i32>().clone()),
        DataType::Utf8 => Cells::Text(array.as_string::<i32>().clone()),
        DataType::Binary => Cells::Binary(array.as_binary::<i32>().clone()),
        DataType::Decimal128(..) => Cells::Decimal128(array.as_primitive().clone(), format.decimals),
        DataType::Decimal256(..) => Cells::Decimal256(array.as_primitive().clone(), format.decimals),
        DataType::Date32 | DataType::Time32(TimeUnit::Millisecond) => {
            Cells::Int32(arrow::compute::cast(array, &DataType::Int32)?.as_primitive::<Int32Type>().clone())
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Cells::Int64(arrow::compute::cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
        }
        DataType::List(element) => {
            let list = array.as_list::<i32>();
            Cells::List(list.offsets().clone(), Box::new(Writer::new(element, list.values(), format)?))
        }
        DataType::Map(..) => map_cells(array, format)?,
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns()).map(|(field, column)| {
                let mut name = Vec::with_capacity(field.name().len() + 3);
                write_string(&mut name, field.name());
                name.push(b':');
                Ok((name, Writer::new(field, column, format)?))
            });
            Cells::Struct(columns.collect::<Result<_>>()?, format.schema)
        }
        other => cells_of(field, &as_connect_type(array, other)?, format)?,
    })
}

fn map_cells(array: &ArrayRef, format: Format) -> Result<Cells> {
    let map = array.as_map();
    let (key_field, value_field) = map.entries_fields();
    let values = Box::new(Writer::new(value_field, map.values(), format)?);
    Ok(match map.keys().as_string_opt::<i32>() {
        Some(keys) => Cells::Object(map.offsets().clone(), keys.clone(), values),
        None => Cells::Pairs(map.offsets().clone(), Box::new(Writer::new(key_field, map.keys(), format)?), values),
    })
}

fn write_sequence(
    out: &mut Vec<u8>,
    offsets: &OffsetBuffer<i32>,
    row: usize,
    brackets: &[u8; 2],
    mut write: impl FnMut(&mut Vec<u8>, usize) -> std::result::Result<(), Refusal>,
) -> std::result::Result<(), Refusal> {
    out.push(brackets[0]);
    let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
    for index in start..end {
        if index > start {
            out.push(b',');
        }
        write(out, index)?;
    }
    out.push(brackets[1]);
    Ok(())
}

#[inline]
fn write_integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A float with the fewest digits that identify it. JSON has no NaN and no infinity; they are quoted as in Jackson.
pub(crate) fn write_float<F: lexical_core::ToLexical>(out: &mut Vec<u8>, number: F, double: f64) {
    if double.is_finite() {
        let mut buffer = [0; lexical_core::BUFFER_SIZE];
        out.extend_from_slice(lexical_core::write(number, &mut buffer));
    } else if double.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else {
        out.extend_from_slice(if double > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    }
}

/// Writes JSON text as its value, in one line. Text that is not JSON (a transformation may have written it) is written as a
/// string.
fn write_json(out: &mut Vec<u8>, text: &str) {
    match validate(text.as_bytes()) {
        // outside of strings, where they are escaped, line ends are but space
        Ok(()) if memchr2(b'\n', b'\r', text.as_bytes()).is_some() => {
            let in_line = |byte: u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte };
            out.extend(text.trim().bytes().map(in_line));
        }
        Ok(()) => out.extend_from_slice(text.trim().as_bytes()),
        Err(_) => write_string(out, text),
    }
}

fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}

fn write_decimal(out: &mut Vec<u8>, value: arrow::datatypes::i256, scale: i8, format: DecimalFormat) {
    match format {
        DecimalFormat::Base64 => write_base64(out, &decimal::to_be_bytes(value)),
        DecimalFormat::Numeric => {
            out.extend_from_slice(decimal::plain_text(&value.to_string(), i32::from(scale)).as_bytes());
        }
    }
}
