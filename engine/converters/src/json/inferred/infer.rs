//! Widens a shape by another value.

use std::str;

use super::shape::{MAX_FIELDS, Shape};
use crate::json::syntax::{
    Cursor, Decoded, Failure, MAX_DEPTH, pass_colon, read_number, read_text, skip_string, skip_value,
};

/// Widens `shape` so that it accepts `message`, which MUST be valid JSON in UTF-8 without duplicate members.
///
/// # Errors
/// An object with pinned fields would get too many fields.
pub(crate) fn widen(shape: &mut Shape, message: &[u8]) -> Decoded<()> {
    let mut cursor = Cursor::new(message);
    cursor.skip_space();
    widen_by_value(shape, &mut cursor, 0)
}

fn widen_by_value(shape: &mut Shape, cursor: &mut Cursor<'_>, depth: usize) -> Decoded<()> {
    match cursor.peek() {
        Some(b'n') => return cursor.expect_literal("null"),
        _ if matches!(shape, Shape::Mixed | Shape::Pinned(_)) => return skip_value(cursor),
        Some(b'{' | b'[') if depth >= MAX_DEPTH => {
            *shape = Shape::Mixed;
            return skip_value(cursor);
        }
        Some(b'{') => return widen_by_object(shape, cursor, depth),
        Some(b'[') => return widen_by_array(shape, cursor, depth),
        Some(b'"') => {
            skip_string(cursor)?;
            shape.join_scalar(Shape::Text);
        }
        Some(b't' | b'f') => {
            skip_value(cursor)?;
            shape.join_scalar(Shape::Boolean);
        }
        _ => {
            let number = read_number(cursor)?;
            shape.join_number(number);
        }
    }
    Ok(())
}

fn widen_by_array(shape: &mut Shape, cursor: &mut Cursor<'_>, depth: usize) -> Decoded<()> {
    let Some(element) = shape.join_list() else { return skip_value(cursor) };
    cursor.advance(1);
    cursor.skip_space();
    while !cursor.take(b']') {
        widen_by_value(element, cursor, depth + 1)?;
        pass_comma(cursor);
    }
    Ok(())
}

fn widen_by_object(shape: &mut Shape, cursor: &mut Cursor<'_>, depth: usize) -> Decoded<()> {
    let start = cursor.clone();
    let Some(fields) = shape.join_struct() else { return skip_value(cursor) };
    cursor.advance(1);
    cursor.skip_space();
    while !cursor.take(b'}') {
        let name = read_text(cursor)?;
        let name = str::from_utf8(&name).map_err(|_| cursor.syntax("invalid UTF-8"))?;
        pass_colon(cursor)?;
        if fields.len() >= MAX_FIELDS && !fields.contains(name) {
            if fields.has_pins() {
                return Err(Failure::unfit(format!("an object has more than {MAX_FIELDS} different fields")));
            }
            *shape = Shape::Mixed;
            *cursor = start;
            return skip_value(cursor);
        }
        widen_by_value(fields.entry(name), cursor, depth + 1)?;
        pass_comma(cursor);
    }
    Ok(())
}

fn pass_comma(cursor: &mut Cursor<'_>) {
    cursor.skip_space();
    if cursor.take(b',') {
        cursor.skip_space();
    }
}
