//! Reads Avro values into the builders of columns, in one pass and without a value in between.

use arrow::datatypes::i256;

use crate::avro::values::input::Input;
use crate::avro::values::read_plan::ReadPlan;
use crate::decimal;
use crate::json::{Bytes, Cells, Decoded, Ends, Failure, Node, TOO_LARGE};

/// Reads a whole message into row `at`. A failure may leave parts of the row behind.
pub(crate) fn read_message(plan: &ReadPlan, node: &mut Node, message: &[u8], at: usize) -> Decoded<()> {
    let mut input = Input::new(message);
    read(plan, node, &mut input, at)?;
    match input.left() {
        0 => Ok(()),
        left => Err(Failure::unfit(format!("{left} bytes follow the value"))),
    }
}

fn read(mut plan: &ReadPlan, node: &mut Node, input: &mut Input<'_>, at: usize) -> Decoded<()> {
    if let ReadPlan::Optional(null, other) = plan {
        let branch = input.long()?;
        if branch == *null as i64 {
            node.append_null(at);
            return Ok(());
        }
        if branch != 1 - *null as i64 {
            return Err(no_branch(branch));
        }
        plan = other;
    }
    if let ReadPlan::Union(branches) = plan {
        return read_union(branches, node, input, at);
    }
    if let ReadPlan::Only(plan) = plan {
        return match input.long()? {
            0 => read(plan, node, input, at),
            branch => Err(no_branch(branch)),
        };
    }
    node.align(at);
    match (plan, &mut node.cells) {
        (ReadPlan::Integer, Cells::Int64 { values, .. } | Cells::Timestamp { values, .. }) => {
            values.push(input.long()?)
        }
        (ReadPlan::Integer, Cells::Int32(values) | Cells::Date { values, .. } | Cells::Time(values)) => {
            values.push(narrowed(input, "32")?);
        }
        (ReadPlan::Integer, Cells::Int16(values)) => values.push(narrowed(input, "16")?),
        (ReadPlan::Integer, Cells::Int8(values)) => values.push(narrowed(input, "8")?),
        (ReadPlan::Text, Cells::Text(bytes)) => push_bytes(bytes, &input.text_bytes()?)?,
        (ReadPlan::Double, Cells::Float64(values)) => values.push(f64::from_le_bytes(input.take_array()?)),
        (ReadPlan::Float, Cells::Float32(values)) => values.push(f32::from_le_bytes(input.take_array()?)),
        (ReadPlan::Boolean, Cells::Boolean(bits)) => match input.take(1)? {
            [0] => bits.append(false),
            [1] => bits.append(true),
            other => return Err(Failure::unfit(format!("a boolean is {}", other[0]))),
        },
        (ReadPlan::Symbol(symbols), Cells::Text(bytes)) => {
            let index = input.long()?;
            let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
            let symbol = symbol.ok_or_else(|| Failure::unfit(format!("the enum has no symbol {index}")))?;
            push_bytes(bytes, symbol.as_bytes())?;
        }
        (ReadPlan::Struct(fields), Cells::Struct(cells)) => {
            for (plan, member) in fields.iter().zip(&mut cells.members) {
                read(plan, &mut member.node, input, at).map_err(|failure| failure.within(&member.name))?;
            }
        }
        (ReadPlan::Bytes | ReadPlan::Fixed(_), _) => {
            let bytes = match plan {
                ReadPlan::Fixed(size) => input.take(*size)?,
                _ => input.sized()?,
            };
            read_bytes(&mut node.cells, bytes)?;
        }
        (ReadPlan::Array(items), Cells::List { ends, element }) => {
            read_blocks(ends, input, |input, at| read(items, element, input, at))?;
        }
        (ReadPlan::Map(values), Cells::Map { ends, key, value }) => {
            read_blocks(ends, input, |input, at| {
                read(&ReadPlan::Text, key, input, at)?;
                read(values, value, input, at)
            })?;
        }
        (ReadPlan::Entries(plans), Cells::Map { ends, key, value }) => {
            read_blocks(ends, input, |input, at| {
                read(&plans.0, key, input, at)?;
                if key.is_null(at) {
                    return Err(Failure::unfit("the key of a map is null"));
                }
                read(&plans.1, value, input, at)
            })?;
        }
        (ReadPlan::Json(plan), Cells::Text(bytes)) => {
            if let Err(failure) = plan.write(input, &mut bytes.data) {
                bytes.abandon();
                return Err(failure);
            }
            end(bytes)?;
        }
        // the plan and the builders were made of one schema
        (plan, _) => return Err(Failure::unfit(format!("no column for {plan:?}"))),
    }
    node.appended();
    Ok(())
}

fn read_union(
    branches: &[Option<(usize, ReadPlan)>],
    node: &mut Node,
    input: &mut Input<'_>,
    at: usize,
) -> Decoded<()> {
    let branch = input.long()?;
    match usize::try_from(branch).ok().and_then(|branch| branches.get(branch)) {
        None => Err(no_branch(branch)),
        Some(None) => {
            node.append_null(at);
            Ok(())
        }
        Some(Some((field, plan))) => {
            node.align(at);
            // the other fields are null, which they need not be told
            if let Cells::Struct(cells) = &mut node.cells
                && let Some(member) = cells.members.get_mut(*field)
            {
                read(plan, &mut member.node, input, at).map_err(|failure| failure.within(&member.name))?;
            }
            node.appended();
            Ok(())
        }
    }
}

#[cold]
fn no_branch(branch: i64) -> Failure {
    Failure::unfit(format!("the union has no branch {branch}"))
}

fn narrowed<T: TryFrom<i64>>(input: &mut Input<'_>, bits: &str) -> Decoded<T> {
    let value = input.long()?;
    T::try_from(value).map_err(|_| Failure::unfit(format!("{value} is no integer of {bits} bits")))
}

#[inline]
fn push_bytes(bytes: &mut Bytes, value: &[u8]) -> Decoded<()> {
    bytes.data.extend_from_slice(value);
    end(bytes)
}

#[inline]
fn end(bytes: &mut Bytes) -> Decoded<()> {
    if bytes.end() { Ok(()) } else { Err(Failure::unfit(TOO_LARGE)) }
}

/// Bytes, or the unscaled value of a decimal.
fn read_bytes(cells: &mut Cells, bytes: &[u8]) -> Decoded<()> {
    match cells {
        Cells::Binary(column) => return push_bytes(column, bytes),
        Cells::Decimal128 { values, too_small, .. } => {
            let value = unscaled(bytes)?;
            match value.to_i128().filter(|value| value.unsigned_abs() < 10u128.pow(38)) {
                Some(value) => values.push(value),
                None => {
                    *too_small = true;
                    return Err(Failure::wider());
                }
            }
        }
        Cells::Decimal256 { values, .. } => values.push(unscaled(bytes)?),
        _ => return Err(Failure::unfit("no column for bytes")),
    }
    Ok(())
}

fn unscaled(bytes: &[u8]) -> Decoded<i256> {
    let value = decimal::from_be_bytes(bytes).filter(|value| digits_of(value) <= decimal::MAX_DIGITS);
    value.ok_or_else(|| match bytes.len() {
        0 => Failure::unfit("a decimal has no bytes"),
        _ => Failure::unfit(format!("a decimal has more than {} digits", decimal::MAX_DIGITS)),
    })
}

fn digits_of(value: &i256) -> usize {
    value.to_string().trim_start_matches('-').len()
}

/// Reads the blocks of an array or a map, and ends the row.
fn read_blocks(
    ends: &mut Ends,
    input: &mut Input<'_>,
    mut item: impl FnMut(&mut Input<'_>, usize) -> Decoded<()>,
) -> Decoded<()> {
    let mut elements = ends.elements();
    loop {
        match input.block()? {
            0 => break,
            count => {
                for _ in 0..count {
                    item(input, elements)?;
                    elements += 1;
                }
            }
        }
    }
    if ends.push(elements) { Ok(()) } else { Err(Failure::unfit(TOO_LARGE)) }
}
