//! Reads messages into the builders of columns, in one pass and without a value in between.
//!
//! Of a scalar that is there twice the last one counts, and messages that are there twice are one: [`Node::align`] drops an
//! earlier value of the row, and a struct that has the row already is gone on with. Arrays and maps are open until the message
//! ends.

use arrow::datatypes::i256;
use rustc_hash::FxHashSet;

use super::json_text::write_json;
use super::read_plan::{Absent, EntryPlan, FieldKind, FieldPlan, MessagePlan, Scalar, ValuePlan};
use super::read_scalar::read_scalar;
use super::special::{read_date, read_decimal, read_time, read_timestamp};
use super::wire::{Input, Wire};
use crate::json::{Cells, Decoded, Failure, Node, StructCells, TOO_LARGE};

/// Reads a whole message into row `at`. A failure may leave parts of the row behind.
pub(crate) fn read_message(plan: &ValuePlan, node: &mut Node, message: &[u8], at: usize) -> Decoded<()> {
    match plan {
        // the message itself is the wrapper
        ValuePlan::Wrapped(field) => read_wrapped(field, node, message, at),
        plan => read_payload(plan, node, message, at),
    }
}

/// A message that is being read.
struct Message<'a> {
    /// What is left of it.
    input: Input<'a>,
    all: &'a [u8],
    /// The fields that have been read to the end of the message, since they are there more than once.
    merged: Vec<u32>,
}

impl<'a> Message<'a> {
    fn new(all: &'a [u8]) -> Self {
        Self { input: Input::new(all), all, merged: Vec::new() }
    }
}

/// Reads a value that is a message.
fn read_payload(plan: &ValuePlan, node: &mut Node, message: &[u8], at: usize) -> Decoded<()> {
    match plan {
        ValuePlan::Struct(plan) => {
            let goes_on = node.len() == at + 1 && !node.is_null(at);
            if !goes_on {
                node.align(at);
            }
            let Cells::Struct(cells) = &mut node.cells else { return Err(misfit("a message")) };
            read_fields(plan, cells, message, at)?;
            if !goes_on {
                node.appended();
            }
            return Ok(());
        }
        ValuePlan::Wrapped(field) => return read_wrapped(field, node, message, at),
        _ => {}
    }
    node.align(at);
    match (plan, &mut node.cells) {
        (ValuePlan::Timestamp, Cells::Timestamp { values, .. }) => values.push(read_timestamp(message)?),
        (ValuePlan::Date, Cells::Date { values, .. }) => values.push(read_date(message)?),
        (ValuePlan::Time, Cells::Time(values)) => values.push(read_time(message)?),
        (ValuePlan::Decimal(scale), cells) => push_decimal(cells, read_decimal(message, *scale)?)?,
        (ValuePlan::Json(descriptor), Cells::Text(bytes)) => {
            if let Err(failure) = write_json(descriptor, message, &mut bytes.data) {
                bytes.abandon();
                return Err(failure);
            }
            if !bytes.end() {
                return Err(Failure::unfit(TOO_LARGE));
            }
        }
        // the plan and the builders were made of one schema
        _ => return Err(misfit("a message")),
    }
    node.appended();
    Ok(())
}

/// Reads a message that stands for its only field.
fn read_wrapped(field: &FieldPlan, node: &mut Node, message: &[u8], at: usize) -> Decoded<()> {
    let mut message = Message::new(message);
    while let Some((number, wire)) = message.input.tag()? {
        if number == field.number {
            read_field(field, node, &mut message, wire, at)?;
        } else {
            message.input.skip(number, wire)?;
        }
    }
    finish_field(field, node, at)
}

/// Reads the fields of a message.
fn read_fields(plan: &MessagePlan, cells: &mut StructCells, message: &[u8], at: usize) -> Decoded<()> {
    let mut message = Message::new(message);
    while let Some((number, wire)) = message.input.tag()? {
        match plan.field(number) {
            Some(field) => read_member(field, cells, &mut message, wire, at)?,
            None => message.input.skip(number, wire)?,
        }
    }
    for index in &plan.to_fill {
        let field = &plan.fields[*index];
        if let Some(member) = cells.members.get_mut(field.place.member)
            && member.node.len() <= at
        {
            finish_field(field, &mut member.node, at).map_err(|failure| failure.within(&member.name))?;
        }
    }
    Ok(())
}

/// Reads a field into its column.
#[inline]
fn read_member(
    field: &FieldPlan,
    cells: &mut StructCells,
    message: &mut Message<'_>,
    wire: Wire,
    at: usize,
) -> Decoded<()> {
    let place = &field.place;
    let Some(member) = cells.members.get_mut(place.member) else { return Err(misfit("a field")) };
    let read = match place.branch {
        None => read_field(field, &mut member.node, message, wire, at),
        Some(branch) => read_branch(field, branch, &mut member.node, message, wire, at),
    };
    read.map_err(|failure| failure.within(&member.name))?;
    if !place.siblings.is_empty() && member.node.len() > at {
        for sibling in &place.siblings {
            if let Some(member) = cells.members.get_mut(*sibling) {
                member.node.truncate(at);
            }
        }
    }
    Ok(())
}

/// Reads a field of a oneof: the others become null.
fn read_branch(
    field: &FieldPlan,
    branch: usize,
    union: &mut Node,
    message: &mut Message<'_>,
    wire: Wire,
    at: usize,
) -> Decoded<()> {
    let is_set = union.len() > at;
    if !is_set {
        union.align(at);
    }
    let Cells::Struct(cells) = &mut union.cells else { return Err(misfit("a oneof")) };
    let Some(member) = cells.members.get_mut(branch) else { return Err(misfit("a oneof")) };
    read_field(field, &mut member.node, message, wire, at).map_err(|failure| failure.within(&member.name))?;
    // a symbol that the enum does not have is no value
    if member.node.len() <= at {
        return Ok(());
    }
    if is_set {
        let others = cells.members.iter_mut().enumerate().filter(|(index, _)| *index != branch);
        others.for_each(|(_, other)| other.node.truncate(at));
    } else {
        union.appended();
    }
    Ok(())
}

/// Reads one occurrence of a field, whose number and kind have been read.
#[inline]
fn read_field(field: &FieldPlan, node: &mut Node, message: &mut Message<'_>, wire: Wire, at: usize) -> Decoded<()> {
    let input = &mut message.input;
    match &field.kind {
        FieldKind::Single(ValuePlan::Scalar(scalar)) => {
            if wire != scalar.wire() {
                return input.skip(field.number, wire);
            }
            read_scalar(scalar, node, input, at)
        }
        FieldKind::Single(value) => {
            let Some(payload) = payload(field.number, input, wire)? else { return Ok(()) };
            if node.len() > at && !matches!(value, ValuePlan::Struct(_) | ValuePlan::Wrapped(_)) {
                return read_again(field.number, value, node, message, at);
            }
            read_payload(value, node, payload, at)
        }
        FieldKind::List(value) => {
            open(node, at);
            let Cells::List { element, .. } = &mut node.cells else { return Err(misfit("an array")) };
            read_items(value, element, field.number, input, wire)
        }
        FieldKind::Map(entry) => {
            let Some(payload) = payload(field.number, input, wire)? else { return Ok(()) };
            open(node, at);
            let Cells::Map { key, value, .. } = &mut node.cells else { return Err(misfit("a map")) };
            read_entry(entry, key, value, payload)
        }
    }
}

/// Reads a message that is one value (a timestamp, say), and that is there again, which no library writes: all that stands
/// under its number is one message.
#[cold]
fn read_again(number: u32, value: &ValuePlan, node: &mut Node, message: &mut Message<'_>, at: usize) -> Decoded<()> {
    if message.merged.contains(&number) {
        return Ok(());
    }
    message.merged.push(number);
    let mut all = Vec::new();
    let mut input = Input::new(message.all);
    while let Some((found, wire)) = input.tag()? {
        if found == number {
            all.extend_from_slice(payload(number, &mut input, wire)?.unwrap_or_default());
        } else {
            input.skip(found, wire)?;
        }
    }
    read_payload(value, node, &all, at)
}

/// The bytes of a message within a message; `None` if it is no message, which is passed over.
#[inline]
fn payload<'a>(number: u32, input: &mut Input<'a>, wire: Wire) -> Decoded<Option<&'a [u8]>> {
    match wire {
        Wire::Sized => input.sized().map(Some),
        Wire::GroupStart => input.group(number).map(Some),
        _ => input.skip(number, wire).map(|()| None),
    }
}

/// Makes row `at` of an array or a map the one that elements are added to.
#[inline]
fn open(node: &mut Node, at: usize) {
    if node.len() > at {
        node.reopen();
    } else {
        node.align(at);
    }
}

/// Reads one item of an array, or many that stand together.
fn read_items(value: &ValuePlan, element: &mut Node, number: u32, input: &mut Input<'_>, wire: Wire) -> Decoded<()> {
    let ValuePlan::Scalar(scalar) = value else {
        let Some(payload) = payload(number, input, wire)? else { return Ok(()) };
        let at = element.len();
        return read_payload(value, element, payload, at);
    };
    if wire == scalar.wire() {
        let at = element.len();
        return read_scalar(scalar, element, input, at);
    }
    if wire != Wire::Sized || !scalar.is_packable() {
        return input.skip(number, wire);
    }
    let mut packed = Input::new(input.sized()?);
    while !packed.is_empty() {
        let at = element.len();
        read_scalar(scalar, element, &mut packed, at)?;
    }
    Ok(())
}

/// Reads the entry of a map.
fn read_entry(plan: &EntryPlan, key: &mut Node, value: &mut Node, message: &[u8]) -> Decoded<()> {
    let at = key.len();
    let mut message = Message::new(message);
    while let Some((number, wire)) = message.input.tag()? {
        if number == plan.key.number {
            read_field(&plan.key, key, &mut message, wire, at)?;
        } else if number == plan.value.number {
            read_field(&plan.value, value, &mut message, wire, at)?;
        } else {
            message.input.skip(number, wire)?;
        }
    }
    finish_field(&plan.key, key, at)?;
    finish_field(&plan.value, value, at)?;
    if key.is_null(at) {
        return Err(Failure::unfit("the key of a map is null"));
    }
    Ok(())
}

/// Gives row `at` what a field is that is not there, and closes arrays and maps.
fn finish_field(field: &FieldPlan, node: &mut Node, at: usize) -> Decoded<()> {
    if node.len() > at {
        return Ok(());
    }
    match &field.absent {
        Absent::Null => node.append_null(at),
        Absent::Empty => return close(node, at),
        Absent::Refuse => return Err(Failure::unfit("a required field is not there")),
        Absent::Bytes(bytes) => match &field.kind {
            FieldKind::Single(ValuePlan::Scalar(scalar)) => read_scalar(scalar, node, &mut Input::new(bytes), at)?,
            FieldKind::Single(value) => read_payload(value, node, bytes, at)?,
            FieldKind::List(_) | FieldKind::Map(_) => return close(node, at),
        },
    }
    Ok(())
}

/// Ends row `at` of an array or a map. Of equal keys the last one counts.
fn close(node: &mut Node, at: usize) -> Decoded<()> {
    node.align(at);
    let is_pushed = match &mut node.cells {
        Cells::List { ends, element } => ends.push(element.len()),
        Cells::Map { ends, key, value } => {
            let (start, end) = (ends.elements(), key.len());
            if let Some(keep) = without_earlier(key, start, end) {
                key.retain(start, &keep);
                value.retain(start, &keep);
            }
            ends.push(key.len())
        }
        _ => return Err(misfit("an array")),
    };
    if !is_pushed {
        return Err(Failure::unfit(TOO_LARGE));
    }
    node.appended();
    Ok(())
}

/// Which entries stay, if a key is there twice.
fn without_earlier(key: &Node, start: usize, end: usize) -> Option<Vec<bool>> {
    if end - start < 2 {
        return None;
    }
    let keep = match &key.cells {
        Cells::Text(bytes) => last_of_each((start..end).map(|row| bytes.value(row))),
        Cells::Int64 { values, .. } => last_of_each(values[start..end].iter()),
        Cells::Int32(values) => last_of_each(values[start..end].iter()),
        Cells::Boolean(bits) => last_of_each((start..end).map(|row| bits.get_bit(row))),
        // such keys are no map's in Protobuf
        _ => return None,
    };
    keep.iter().any(|keep| !keep).then_some(keep)
}

fn last_of_each<T: std::hash::Hash + Eq>(keys: impl DoubleEndedIterator<Item = T>) -> Vec<bool> {
    let mut seen = FxHashSet::default();
    let mut keep: Vec<bool> = keys.rev().map(|key| seen.insert(key)).collect();
    keep.reverse();
    keep
}

fn push_decimal(cells: &mut Cells, value: i256) -> Decoded<()> {
    match cells {
        Cells::Decimal128 { values, too_small, .. } => {
            match value.to_i128().filter(|value| value.unsigned_abs() < 10u128.pow(38)) {
                Some(value) => values.push(value),
                None => {
                    *too_small = true;
                    return Err(Failure::wider());
                }
            }
        }
        Cells::Decimal256 { values, .. } => values.push(value),
        _ => return Err(misfit("a decimal")),
    }
    Ok(())
}

#[cold]
fn misfit(what: &str) -> Failure {
    Failure::unfit(format!("no column for {what}"))
}

/// The bytes of a scalar that is zero or empty.
pub(crate) fn zero_of(scalar: &Scalar) -> Vec<u8> {
    match scalar.wire() {
        Wire::Fixed32 => vec![0; 4],
        Wire::Fixed64 => vec![0; 8],
        _ => vec![0],
    }
}
