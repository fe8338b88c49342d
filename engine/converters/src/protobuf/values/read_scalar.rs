//! Reads scalars into the builders of columns.

use super::read_plan::{Scalar, Symbols};
use super::wire::{Input, un_zig_zag};
use crate::json::{Bytes, Cells, Decoded, Failure, Node, TOO_LARGE};
use crate::protobuf::names::unknown_symbol;

/// Reads a scalar into row `at`. A symbol that a closed enum does not have is passed over.
#[inline]
pub(crate) fn read_scalar(scalar: &Scalar, node: &mut Node, input: &mut Input<'_>, at: usize) -> Decoded<()> {
    if let Scalar::Symbol(symbols) | Scalar::SymbolNumber(symbols) = scalar {
        return read_symbol(symbols, node, input, at);
    }
    node.align(at);
    match (scalar, &mut node.cells) {
        (Scalar::Text { strict }, Cells::Text(bytes)) => push_bytes(bytes, &input.text(*strict)?)?,
        (Scalar::Int64 | Scalar::UInt64, Cells::Int64 { values, .. }) => values.push(input.varint()?.cast_signed()),
        (Scalar::UInt32, Cells::Int64 { values, .. }) => values.push(i64::from(input.varint()? as u32)),
        (Scalar::SInt64, Cells::Int64 { values, .. }) => values.push(un_zig_zag(input.varint()?)),
        (Scalar::SFixed64 | Scalar::Fixed64, Cells::Int64 { values, .. }) => {
            values.push(i64::from_le_bytes(input.take_array()?));
        }
        (Scalar::Fixed32, Cells::Int64 { values, .. }) => values.push(u32::from_le_bytes(input.take_array()?).into()),
        (Scalar::Double, Cells::Float64(values)) => values.push(f64::from_le_bytes(input.take_array()?)),
        (Scalar::Float, Cells::Float32(values)) => values.push(f32::from_le_bytes(input.take_array()?)),
        (Scalar::Bool, Cells::Boolean(bits)) => bits.append(input.varint()? != 0),
        (Scalar::Bytes, Cells::Binary(bytes)) => push_bytes(bytes, input.sized()?)?,
        (_, cells) => push_int32(cells, int32(scalar, input)?)?,
    }
    node.appended();
    Ok(())
}

fn read_symbol(symbols: &Symbols, node: &mut Node, input: &mut Input<'_>, at: usize) -> Decoded<()> {
    let number = input.varint()? as i32;
    let symbol = symbols.by_number.get(&number);
    if symbol.is_none() && symbols.is_closed {
        return Ok(());
    }
    node.align(at);
    match (&mut node.cells, symbol) {
        (Cells::Text(bytes), Some(symbol)) => push_bytes(bytes, symbol.as_bytes())?,
        (Cells::Text(bytes), None) => push_bytes(bytes, unknown_symbol(&symbols.name, number).as_bytes())?,
        (cells, _) => push_int32(cells, number)?,
    }
    node.appended();
    Ok(())
}

#[inline]
fn int32(scalar: &Scalar, input: &mut Input<'_>) -> Decoded<i32> {
    Ok(match scalar {
        // as all libraries do it, the lowest bits count
        Scalar::Int32 => input.varint()? as i32,
        Scalar::SInt32 => un_zig_zag(u64::from(input.varint()? as u32)) as i32,
        Scalar::SFixed32 => i32::from_le_bytes(input.take_array()?),
        // the plan and the builders were made of one schema
        other => return Err(Failure::unfit(format!("no column for {other:?}"))),
    })
}

fn push_int32(cells: &mut Cells, value: i32) -> Decoded<()> {
    match cells {
        Cells::Int32(values) | Cells::Date { values, .. } | Cells::Time(values) => values.push(value),
        Cells::Int16(values) => values.push(narrowed(value, "16")?),
        Cells::Int8(values) => values.push(narrowed(value, "8")?),
        _ => return Err(Failure::unfit("no column for an integer")),
    }
    Ok(())
}

fn narrowed<T: TryFrom<i32>>(value: i32, bits: &str) -> Decoded<T> {
    T::try_from(value).map_err(|_| Failure::unfit(format!("{value} is no integer of {bits} bits")))
}

#[inline]
fn push_bytes(bytes: &mut Bytes, value: &[u8]) -> Decoded<()> {
    bytes.data.extend_from_slice(value);
    if bytes.end() { Ok(()) } else { Err(Failure::unfit(TOO_LARGE)) }
}
