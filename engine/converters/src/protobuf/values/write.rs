//! Writes columns as Protobuf messages.
//!
//! The writers of all fields are made once for each batch. Then each row is written in one pass over them, into one buffer.

use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::i256;

use super::json_text::write_message;
use super::scalar_cells::Written;
use super::special::{write_date, write_decimal, write_time, write_timestamp};
use super::wire::write_sized;
use super::write_cells::{Cells, MessageWriter};
use crate::registry::RowWriter;

/// Writes the values of one field.
#[derive(Debug)]
pub(crate) struct FieldWriter {
    /// Number and kind, as they stand before a value.
    pub(crate) tag: Vec<u8>,
    /// What ends a value, if it is a group.
    pub(crate) end: Vec<u8>,
    pub(crate) cells: Cells,
    pub(crate) nulls: Option<NullBuffer>,
    /// Whether a value that is zero or empty is written too.
    pub(crate) writes_zero: bool,
    pub(crate) on_null: OnNull,
    pub(crate) name: String,
}

/// What is written for a null.
#[derive(Debug)]
pub(crate) enum OnNull {
    /// Nothing, or the default with its tag.
    Bytes(Vec<u8>),
    Refuse(String),
}

impl FieldWriter {
    pub(crate) fn is_null(&self, row: usize) -> bool {
        matches!(self.cells, Cells::Null) || self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the field of `row`: nothing, once, or as often as it has items.
    pub(crate) fn write_field(&self, row: usize, out: &mut Vec<u8>) -> Written {
        if self.is_null(row) {
            return match &self.on_null {
                OnNull::Bytes(bytes) => {
                    out.extend_from_slice(bytes);
                    Ok(())
                }
                OnNull::Refuse(reason) => Err(reason.clone()),
            };
        }
        self.write_present(row, out).map_err(|reason| self.within(reason))
    }

    fn within(&self, reason: String) -> String {
        match reason.strip_prefix("field `") {
            Some(rest) => format!("field `{}.{rest}", self.name),
            None => format!("field `{}`: {reason}", self.name),
        }
    }

    fn write_present(&self, row: usize, out: &mut Vec<u8>) -> Written {
        match &self.cells {
            Cells::Null => Ok(()),
            Cells::Scalar(cells) => {
                if self.writes_zero || !cells.is_zero(row) {
                    out.extend_from_slice(&self.tag);
                    cells.write(row, out)?;
                }
                Ok(())
            }
            Cells::Packed(offsets, items) => {
                let (start, end) = range(offsets, row);
                if start == end {
                    return Ok(());
                }
                out.extend_from_slice(&self.tag);
                write_sized(out, |out| {
                    (start..end).try_for_each(|item| {
                        if items.is_null(item) {
                            return Err(null_item());
                        }
                        items.write_bare(item, out)
                    })
                })
            }
            Cells::List(offsets, items) => {
                let (start, end) = range(offsets, row);
                (start..end).try_for_each(|item| {
                    if items.is_null(item) {
                        return Err(null_item());
                    }
                    items.write_present(item, out)
                })
            }
            Cells::Map(offsets, key, value) => {
                let (start, end) = range(offsets, row);
                (start..end).try_for_each(|entry| {
                    out.extend_from_slice(&self.tag);
                    write_sized(out, |out| {
                        key.write_field(entry, out)?;
                        value.write_field(entry, out)
                    })
                })
            }
            // all others are messages
            _ if !self.end.is_empty() => {
                out.extend_from_slice(&self.tag);
                self.write_bare(row, out)?;
                out.extend_from_slice(&self.end);
                Ok(())
            }
            _ => {
                out.extend_from_slice(&self.tag);
                write_sized(out, |out| self.write_bare(row, out))
            }
        }
    }

    /// Appends a value without its tag, and a message without its length.
    pub(crate) fn write_bare(&self, row: usize, out: &mut Vec<u8>) -> Written {
        match &self.cells {
            Cells::Scalar(cells) => cells.write(row, out),
            Cells::Message(message) => message.write_fields(row, out),
            Cells::Wrapped(field) => field.write_field(row, out),
            Cells::Timestamp(array) => {
                write_timestamp(array.value(row), out);
                Ok(())
            }
            Cells::Date(array) => write_date(array.value(row), out),
            Cells::Time(array) => write_time(array.value(row), out),
            Cells::Decimal128(array, precision) => {
                write_decimal(i256::from_i128(array.value(row)), *precision, array.scale().into(), out)
            }
            Cells::Decimal256(array, precision) => {
                write_decimal(array.value(row), *precision, array.scale().into(), out)
            }
            Cells::Json(array, descriptor) => write_message(descriptor, array.value(row), out),
            Cells::Null | Cells::Packed(..) | Cells::List(..) | Cells::Map(..) => {
                Err("an array stands where one value belongs".to_owned())
            }
        }
    }
}

fn range(offsets: &OffsetBuffer<i32>, row: usize) -> (usize, usize) {
    (offsets[row] as usize, offsets[row + 1] as usize)
}

fn null_item() -> String {
    "an item of an array is null, which Protobuf cannot express".to_owned()
}

impl MessageWriter {
    /// Appends the fields of `row`.
    pub(crate) fn write_fields(&self, row: usize, out: &mut Vec<u8>) -> Written {
        self.fields.iter().try_for_each(|field| field.write_field(row, out))?;
        for union in &self.unions {
            if union.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                continue;
            }
            let mut present = union.fields.iter().filter(|field| !field.is_null(row));
            match (present.next(), present.next()) {
                (Some(field), None) => field.write_field(row, out)?,
                (None, _) => {}
                (Some(first), Some(second)) => {
                    let (first, second) = (&first.name, &second.name);
                    return Err(format!("`{first}` and `{second}` have a value, which exclude each other in a oneof"));
                }
            }
        }
        Ok(())
    }
}

/// Writes whole messages.
#[derive(Debug)]
pub(crate) struct RootWriter(pub(crate) FieldWriter);

impl RowWriter for RootWriter {
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        self.0.write_bare(row, out)
    }
}
