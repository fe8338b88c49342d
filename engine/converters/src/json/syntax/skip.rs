//! Passes whole values, checking every byte, whatever their depth.

use super::cursor::Cursor;
use super::failure::Decoded;
use super::number::skip_number;
use super::text::skip_string;

/// The containers around a position, one bit each (set = object); never on the call stack, so that depth costs nothing.
#[derive(Debug, Default)]
struct Containers {
    top: u64,
    depth: usize,
    spilled: Vec<u64>,
}

impl Containers {
    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.spilled.push(self.top);
        }
        self.top = self.top << 1 | u64::from(object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.top >>= 1;
        self.depth -= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.top = self.spilled.pop().unwrap_or_default();
        }
    }

    fn in_object(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.top & 1 == 1)
    }
}

/// Passes a value; the position MUST be at its first byte, and is then right after its last.
pub(crate) fn skip_value(cursor: &mut Cursor<'_>) -> Decoded<()> {
    let mut around = Containers::default();
    loop {
        let complete = match cursor.peek() {
            Some(b'{') => open(cursor, &mut around, true),
            Some(b'[') => open(cursor, &mut around, false),
            _ => skip_scalar(cursor).map(|()| true)?,
        };
        if complete && close(cursor, &mut around)? {
            return Ok(());
        }
        if around.in_object() == Some(true) {
            skip_string(cursor)?;
            pass_colon(cursor)?;
        }
    }
}

/// Passes an opening bracket. True if the container is empty, and closed again.
fn open(cursor: &mut Cursor<'_>, around: &mut Containers, object: bool) -> bool {
    cursor.advance(1);
    cursor.skip_space();
    let empty = cursor.take(if object { b'}' } else { b']' });
    if !empty {
        around.push(object);
    }
    empty
}

/// After a value: passes a comma, or as many closing brackets as follow. True if nothing is open any more.
fn close(cursor: &mut Cursor<'_>, around: &mut Containers) -> Decoded<bool> {
    while let Some(object) = around.in_object() {
        cursor.skip_space();
        match (cursor.peek(), object) {
            (Some(b','), _) => {
                cursor.advance(1);
                cursor.skip_space();
                return Ok(false);
            }
            (Some(b'}'), true) | (Some(b']'), false) => {
                cursor.advance(1);
                around.pop();
            }
            _ => return Err(cursor.syntax("expected a comma or the end of the container")),
        }
    }
    Ok(true)
}

/// Passes the colon after a member's name, with the space around it.
#[inline]
pub(crate) fn pass_colon(cursor: &mut Cursor<'_>) -> Decoded<()> {
    cursor.skip_space();
    if !cursor.take(b':') {
        return Err(cursor.syntax("expected a colon"));
    }
    cursor.skip_space();
    Ok(())
}

fn skip_scalar(cursor: &mut Cursor<'_>) -> Decoded<()> {
    match cursor.peek() {
        Some(b'"') => skip_string(cursor),
        Some(b't') => cursor.expect_literal("true"),
        Some(b'f') => cursor.expect_literal("false"),
        Some(b'n') => cursor.expect_literal("null"),
        Some(b'-' | b'0'..=b'9') => skip_number(cursor),
        _ => Err(cursor.syntax("expected a value")),
    }
}

/// Checks that `message` is one JSON value and nothing else. Its UTF-8 is not looked at.
pub(crate) fn validate(message: &[u8]) -> Decoded<()> {
    let mut cursor = Cursor::new(message);
    cursor.skip_space();
    skip_value(&mut cursor)?;
    cursor.expect_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn depth_costs_no_stack() {
        let deep = 1_000_000;
        let arrays = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
        validate(arrays.as_bytes()).unwrap();
        let objects = format!("{}1{}", "{\"a\":".repeat(deep), "}".repeat(deep));
        validate(objects.as_bytes()).unwrap();
        let mixed = format!("{}{}", "[{\"a\":".repeat(deep), "]".repeat(deep));
        assert!(validate(mixed.as_bytes()).is_err());
        assert!(validate("[".repeat(deep).as_bytes()).is_err());
    }

    #[test]
    fn brackets_must_match() {
        for json in
            ["[}", "{]", "[1}", "{\"a\":1]", "{\"a\"}", "{1:2}", "[1,]", "{\"a\":1,}", "[,1]", "", " ", "1 2", "]"]
        {
            assert!(validate(json.as_bytes()).is_err(), "{json}");
        }
        for json in ["[]", "{}", " [ ] ", "[[],{}]", "{\"a\":{}}", "[{\"a\":[]},1]", "\t1\n"] {
            assert!(validate(json.as_bytes()).is_ok(), "{json}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn json_like_bytes_are_valid_exactly_if_serde_json_says_so(text in "[\\[\\]{}:,\" 0-9a\\\\ntrue.eE+-]{0,12}") {
            let expected = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(validate(text.as_bytes()).is_ok(), expected);
        }
    }
}
