//! Decodes bytes into builders in one pass.
//!
//! A struct expects its fields in the order of the last row, and compares their names as raw bytes. Only a field out of
//! order is looked up. The state of a row is kept in the builders only. A row that fails half way is removed by
//! [`Node::truncate`].

use arrow::datatypes::i256;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::buffers::Ends;
use super::node::{Cells, DecimalText, MAX_DIGITS_128, Node, OnNull, StructCells, Unknown};
use super::temporal::{days_of, millis_of};
use crate::decimal;
use crate::json::syntax::{
    Cursor, Decoded, Failure, MAX_EXACT_INTEGER, lenient, pass_colon, read_float, read_integer, read_string, read_text,
    skip_number, skip_value, without_duplicates,
};

/// Base64 as Jackson writes it; when reading, padding is optional.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why no more values fit a column.
pub(crate) const TOO_LARGE: &str = "the values of one batch exceed 2 GiB: make batches smaller";

/// Decodes `message`, exactly one JSON value, into row `at`. A failure may leave parts of the row behind.
#[inline]
pub(crate) fn decode_message(node: &mut Node, message: &[u8], at: usize) -> Decoded<()> {
    let mut cursor = Cursor::new(message);
    cursor.skip_space();
    decode(node, &mut cursor, at)?;
    cursor.expect_end()
}

/// Decodes the value at the position into row `at`.
#[inline]
pub(crate) fn decode(node: &mut Node, cursor: &mut Cursor<'_>, at: usize) -> Decoded<()> {
    node.align(at);
    if cursor.peek() == Some(b'n') {
        cursor.expect_literal("null")?;
        return absent(node, at);
    }
    let rigid = node.rigid;
    match &mut node.cells {
        Cells::Int64 { values, narrow } => match read_integer(cursor) {
            Some(number) if !*narrow || number.unsigned_abs() <= MAX_EXACT_INTEGER => values.push(number),
            Some(_) => return Err(Failure::wider()),
            None => values.push(integer(cursor, rigid)?),
        },
        Cells::Text(bytes) => {
            if cursor.peek() != Some(b'"') {
                return Err(misfit(cursor, rigid, "a string"));
            }
            if let Err(failure) = read_string(cursor, &mut bytes.data) {
                bytes.abandon();
                return Err(failure);
            }
            if !bytes.end() {
                return Err(Failure::unfit(TOO_LARGE));
            }
        }
        Cells::Float64(values) => match cursor.peek() {
            Some(b'-' | b'0'..=b'9') if rigid => {
                let number = read_float(cursor)?.as_double();
                values.push(Some(number).filter(|number| number.is_finite()).ok_or_else(beyond_range)?);
            }
            Some(b'-' | b'0'..=b'9') => {
                values.push(read_float(cursor)?.as_exact_double().ok_or_else(Failure::wider)?);
            }
            _ if rigid => values.push(named_double(cursor)?),
            _ => return Err(misfit(cursor, rigid, "a number")),
        },
        Cells::Struct(cells) => decode_struct(cells, cursor, at, rigid)?,
        Cells::Boolean(bits) => bits.append(boolean(cursor, rigid)?),
        Cells::List { ends, element } => decode_list(ends, element, cursor, rigid)?,
        _ => decode_rare(node, cursor)?,
    }
    node.appended();
    Ok(())
}

/// The types that schemaless JSON does not have, in a function of their own to keep the hot path small.
fn decode_rare(node: &mut Node, cursor: &mut Cursor<'_>) -> Decoded<()> {
    match &mut node.cells {
        Cells::Json(bytes) => {
            let start = cursor.pos();
            skip_value(cursor)?;
            bytes.data.extend_from_slice(cursor.since(start));
            if !bytes.end() {
                return Err(Failure::unfit(TOO_LARGE));
            }
        }
        Cells::Int8(values) => values.push(ranged(cursor, "an 8-bit integer")?),
        Cells::Int16(values) => values.push(ranged(cursor, "a 16-bit integer")?),
        Cells::Int32(values) => values.push(ranged(cursor, "a 32-bit integer")?),
        Cells::Time(values) => values.push(ranged(cursor, "milliseconds as an integer")?),
        Cells::Float32(values) => values.push(float(cursor)?),
        Cells::Date { values, iso } if *iso && cursor.peek() == Some(b'"') => {
            values.push(from_text(cursor, "a date like 2024-05-06", days_of)?);
        }
        Cells::Date { values, .. } => values.push(ranged(cursor, "days as an integer")?),
        Cells::Timestamp { values, iso } if *iso && cursor.peek() == Some(b'"') => {
            values.push(from_text(cursor, "a time like 2024-05-06T07:08:09Z", millis_of)?);
        }
        Cells::Timestamp { values, .. } => values.push(ranged(cursor, "milliseconds as an integer")?),
        Cells::Binary(bytes) => {
            if cursor.peek() != Some(b'"') {
                return Err(misfit(cursor, true, "bytes in base64"));
            }
            let text = read_text(cursor)?;
            if BASE64.decode_vec(&text, &mut bytes.data).is_err() {
                bytes.abandon();
                return Err(Failure::unfit("expected bytes in base64"));
            }
            if !bytes.end() {
                return Err(Failure::unfit(TOO_LARGE));
            }
        }
        Cells::Decimal128 { values, precision, scale, too_small, text } => {
            let declared = (*precision, *scale);
            let start = cursor.clone();
            let number = unscaled(cursor, declared, *text)?;
            match number.to_i128().filter(|_| digits_of(&number) <= usize::from(*precision)) {
                Some(number) => values.push(number),
                None if *text == DecimalText::Base64 && *precision == MAX_DIGITS_128 => {
                    *too_small = true;
                    return Err(Failure::wider());
                }
                None => {
                    *cursor = start;
                    return Err(misfit(cursor, true, &decimal_type(declared)));
                }
            }
        }
        Cells::Decimal256 { values, scale, text } => {
            values.push(unscaled(cursor, (decimal::MAX_DIGITS as u8, *scale), *text)?);
        }
        Cells::Map { ends, key, value } => decode_map(ends, key, value, cursor)?,
        _ => return Err(misfit(cursor, node.rigid, "null")),
    }
    Ok(())
}

/// Appends the replacement of a null or absent value in row `at`.
pub(crate) fn absent(node: &mut Node, at: usize) -> Decoded<()> {
    match &node.on_null {
        OnNull::Null => {
            node.append_null(at);
            Ok(())
        }
        OnNull::Refuse => Err(Failure::unfit("null for a required value that has no default")),
        OnNull::Default(json) => {
            let json = std::sync::Arc::clone(json);
            decode(node, &mut Cursor::new(&json), at)
        }
    }
}

#[inline]
fn decode_struct(cells: &mut StructCells, cursor: &mut Cursor<'_>, at: usize, rigid: bool) -> Decoded<()> {
    if !cursor.take(b'{') {
        return Err(misfit(cursor, rigid, "an object"));
    }
    cursor.skip_space();
    if !cursor.take(b'}') {
        decode_members(cells, cursor, at)?;
    }
    if cells.fills_absent {
        for member in cells.members.iter_mut().filter(|member| member.node.len() <= at) {
            member.node.align(at);
            absent(&mut member.node, at).map_err(|failure| failure.within(&member.name))?;
        }
    }
    Ok(())
}

/// The members of an object, from the first name to the closing brace.
#[inline]
fn decode_members(cells: &mut StructCells, cursor: &mut Cursor<'_>, at: usize) -> Decoded<()> {
    let mut expected = cells.first;
    let mut previous = None;
    loop {
        let as_expected =
            cells.members.get(expected as usize).is_some_and(|member| cursor.take_pattern(&member.pattern));
        let found = if as_expected {
            cursor.skip_space();
            Some(expected)
        } else {
            let found = look_up(cells, cursor)?;
            if let Some(found) = found {
                match previous {
                    None => cells.first = found,
                    Some(previous) => cells.members[previous as usize].next = found,
                }
            }
            found
        };
        match found {
            Some(index) => {
                let member = &mut cells.members[index as usize];
                if let Err(failure) = decode(&mut member.node, cursor, at) {
                    return Err(failure.within(&member.name));
                }
                previous = Some(index);
                expected = member.next;
            }
            None => skip_value(cursor)?,
        }
        cursor.skip_space();
        if cursor.take(b',') {
            cursor.skip_space();
        } else if cursor.take(b'}') {
            return Ok(());
        } else {
            return Err(cursor.syntax("expected a comma or the end of the object"));
        }
    }
}

/// The field of the next name, up to its value; `None` if the value is to be skipped.
#[inline(never)]
fn look_up(cells: &StructCells, cursor: &mut Cursor<'_>) -> Decoded<Option<u32>> {
    let name = read_text(cursor)?;
    pass_colon(cursor)?;
    match cells.by_name.get(name.as_ref()) {
        Some(index) => Ok(Some(*index)),
        None if cells.unknown == Unknown::Ignore => Ok(None),
        None => Err(Failure::wider()),
    }
}

fn decode_list(ends: &mut Ends, element: &mut Node, cursor: &mut Cursor<'_>, rigid: bool) -> Decoded<()> {
    if !cursor.take(b'[') {
        return Err(misfit(cursor, rigid, "an array"));
    }
    let mut count = ends.elements();
    cursor.skip_space();
    if !cursor.take(b']') {
        loop {
            decode(element, cursor, count)?;
            count += 1;
            if end_of_array(cursor)? {
                break;
            }
        }
    }
    if ends.push(count) { Ok(()) } else { Err(Failure::unfit(TOO_LARGE)) }
}

/// Passes a comma, or the end of the array (true).
fn end_of_array(cursor: &mut Cursor<'_>) -> Decoded<bool> {
    cursor.skip_space();
    if cursor.take(b',') {
        cursor.skip_space();
        Ok(false)
    } else if cursor.take(b']') {
        Ok(true)
    } else {
        Err(cursor.syntax("expected a comma or the end of the array"))
    }
}

/// A map: an object if its keys are strings, otherwise an array of pairs. Of equal keys the last one counts.
fn decode_map(ends: &mut Ends, key: &mut Node, value: &mut Node, cursor: &mut Cursor<'_>) -> Decoded<()> {
    let start = ends.elements();
    let from = cursor.pos();
    let count = match (cursor.peek(), &key.cells) {
        (Some(b'{'), Cells::Text(_)) => {
            let count = decode_entries(key, value, cursor, start)?;
            if has_equal_keys(key, start, count) {
                key.truncate(start);
                value.truncate(start);
                let unique = without_duplicates(cursor.since(from));
                let object = unique.as_deref().unwrap_or_else(|| cursor.since(from));
                decode_entries(key, value, &mut Cursor::new(object), start)?
            } else {
                count
            }
        }
        (Some(b'['), cells) if !matches!(cells, Cells::Text(_)) => decode_pairs(key, value, cursor, start)?,
        (_, Cells::Text(_)) => return Err(misfit(cursor, true, "an object")),
        _ => return Err(misfit(cursor, true, "an array of pairs")),
    };
    if ends.push(count) { Ok(()) } else { Err(Failure::unfit(TOO_LARGE)) }
}

fn decode_entries(key: &mut Node, value: &mut Node, cursor: &mut Cursor<'_>, start: usize) -> Decoded<usize> {
    let mut count = start;
    cursor.advance(1);
    cursor.skip_space();
    if cursor.take(b'}') {
        return Ok(count);
    }
    loop {
        // A name is always a string, never a null or a default.
        if cursor.peek() != Some(b'"') {
            return Err(cursor.syntax("expected a string"));
        }
        decode(key, cursor, count)?;
        pass_colon(cursor)?;
        decode(value, cursor, count)?;
        count += 1;
        cursor.skip_space();
        if cursor.take(b'}') {
            return Ok(count);
        }
        if !cursor.take(b',') {
            return Err(cursor.syntax("expected a comma or the end of the object"));
        }
        cursor.skip_space();
    }
}

fn decode_pairs(key: &mut Node, value: &mut Node, cursor: &mut Cursor<'_>, start: usize) -> Decoded<usize> {
    let mut count = start;
    cursor.advance(1);
    cursor.skip_space();
    if cursor.take(b']') {
        return Ok(count);
    }
    loop {
        if !cursor.take(b'[') {
            return Err(misfit(cursor, true, "a pair of key and value"));
        }
        cursor.skip_space();
        if cursor.peek() == Some(b'n') && !matches!(key.on_null, OnNull::Default(_)) {
            return Err(misfit(cursor, true, "a key that is not null"));
        }
        decode(key, cursor, count)?;
        if end_of_array(cursor)? {
            return Err(Failure::unfit("expected a pair of key and value, found a key only"));
        }
        decode(value, cursor, count)?;
        if !end_of_array(cursor)? {
            return Err(Failure::unfit("expected a pair of key and value, found more"));
        }
        count += 1;
        if end_of_array(cursor)? {
            return Ok(count);
        }
    }
}

fn has_equal_keys(key: &Node, start: usize, end: usize) -> bool {
    let Cells::Text(bytes) = &key.cells else { return false };
    if end - start <= 8 {
        return (start..end).any(|row| (start..row).any(|earlier| bytes.value(row) == bytes.value(earlier)));
    }
    let mut seen = rustc_hash::FxHashSet::default();
    !(start..end).all(|row| seen.insert(bytes.value(row)))
}

fn boolean(cursor: &mut Cursor<'_>, rigid: bool) -> Decoded<bool> {
    match cursor.peek() {
        Some(b't') => cursor.expect_literal("true").map(|()| true),
        Some(b'f') => cursor.expect_literal("false").map(|()| false),
        _ => Err(misfit(cursor, rigid, "a boolean")),
    }
}

/// An integer not written as a plain one within i64: `1.0` and `1e3` are accepted if the type is given.
#[cold]
fn integer(cursor: &mut Cursor<'_>, rigid: bool) -> Decoded<i64> {
    let start = cursor.clone();
    if rigid && matches!(cursor.peek(), Some(b'-' | b'0'..=b'9')) {
        skip_number(cursor)?;
        let text = std::str::from_utf8(cursor.since(start.pos())).unwrap_or_default();
        let whole = decimal::unscaled_at(text, 0).and_then(|number| number.to_i128());
        if let Some(whole) = whole.and_then(|number| i64::try_from(number).ok()) {
            return Ok(whole);
        }
        *cursor = start;
    }
    Err(misfit(cursor, rigid, "a 64-bit integer"))
}

fn ranged<T: TryFrom<i64>>(cursor: &mut Cursor<'_>, expected: &'static str) -> Decoded<T> {
    let start = cursor.clone();
    let number = match read_integer(cursor) {
        Some(number) => Some(number),
        None => integer(cursor, true).ok(),
    };
    if let Some(number) = number.and_then(|number| T::try_from(number).ok()) {
        return Ok(number);
    }
    *cursor = start;
    Err(misfit(cursor, true, expected))
}

fn float(cursor: &mut Cursor<'_>) -> Decoded<f32> {
    if !matches!(cursor.peek(), Some(b'-' | b'0'..=b'9')) {
        return named_double(cursor).map(|number| number as f32);
    }
    let start = cursor.pos();
    skip_number(cursor)?;
    let number: Option<f32> = lexical_core::parse(cursor.since(start)).ok();
    number.filter(|number| number.is_finite()).ok_or_else(beyond_range)
}

#[cold]
fn beyond_range() -> Failure {
    Failure::unfit("the number is beyond the range of its type")
}

/// The doubles that are not JSON numbers, as strings.
fn named_double(cursor: &mut Cursor<'_>) -> Decoded<f64> {
    for (name, number) in [("\"NaN\"", f64::NAN), ("\"Infinity\"", f64::INFINITY), ("\"-Infinity\"", f64::NEG_INFINITY)]
    {
        if cursor.take_text(name.as_bytes()) {
            return Ok(number);
        }
    }
    Err(misfit(cursor, true, "a number"))
}

fn from_text<T>(cursor: &mut Cursor<'_>, expected: &'static str, parse: fn(&str) -> Option<T>) -> Decoded<T> {
    let start = cursor.clone();
    let text = read_text(cursor)?;
    let value = std::str::from_utf8(&text).ok().and_then(parse);
    value.ok_or_else(|| {
        *cursor = start;
        misfit(cursor, true, expected)
    })
}

/// A decimal as a JSON number, or as a JSON string with the meaning of `text`; `declared`: precision and scale.
fn unscaled(cursor: &mut Cursor<'_>, declared: (u8, i8), text: DecimalText) -> Decoded<i256> {
    let start = cursor.clone();
    let number = match cursor.peek() {
        Some(b'"') => {
            let string = read_text(cursor)?;
            match text {
                DecimalText::Base64 => {
                    let bytes = BASE64.decode(string.as_ref()).ok();
                    let number = bytes.and_then(|bytes| decimal::from_be_bytes(&bytes));
                    let number = number.filter(|number| digits_of(number) <= decimal::MAX_DIGITS);
                    return number.ok_or_else(|| Failure::unfit("expected a decimal of at most 76 digits in base64"));
                }
                DecimalText::Number => spelled(&string, declared.1),
            }
        }
        Some(b'-' | b'0'..=b'9') => {
            skip_number(cursor)?;
            let number = std::str::from_utf8(cursor.since(start.pos())).unwrap_or_default();
            decimal::unscaled_at(number, i32::from(declared.1))
        }
        _ => None,
    };
    number.ok_or_else(|| {
        *cursor = start;
        misfit(cursor, true, &decimal_type(declared))
    })
}

/// The decimal that a string contains as a number, with optional leading zeros.
fn spelled(string: &[u8], scale: i8) -> Option<i256> {
    let strict = lenient::strict(string);
    let number = strict.as_deref().unwrap_or(string);
    let mut cursor = Cursor::new(number);
    skip_number(&mut cursor).ok().filter(|()| cursor.pos() == number.len())?;
    decimal::unscaled_at(std::str::from_utf8(number).ok()?, i32::from(scale))
}

fn decimal_type((precision, scale): (u8, i8)) -> String {
    format!("a number that fits DECIMAL({precision},{scale})")
}

fn digits_of(number: &i256) -> usize {
    number.to_string().trim_start_matches('-').len()
}

/// The failure of the value at the position, which is not `expected`: it is not JSON, or does not fit.
#[cold]
fn misfit(cursor: &mut Cursor<'_>, rigid: bool, expected: &str) -> Failure {
    let start = cursor.pos();
    if let Err(failure) = skip_value(cursor) {
        return failure;
    }
    if !rigid {
        return Failure::wider();
    }
    let found = String::from_utf8_lossy(cursor.since(start));
    let shown: String = found.chars().take(60).collect();
    let more = if shown.len() < found.len() { "…" } else { "" };
    Failure::unfit(format!("expected {expected}, found {shown}{more}"))
}
