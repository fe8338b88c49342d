//! Skips whole values of any depth, and validates every byte.

use super::cursor::Cursor;
use super::failure::Decoded;
use super::number::skip_number;
use super::text::skip_string;

/// The containers around a position, one bit each (set = object). They are not on the call stack, so depth costs
/// nothing.
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

/// Skips a value. The position MUST be at its first byte; afterwards it is right after its last.
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

/// Consumes an opening bracket. True if the container is empty, and its closing bracket was consumed, too.
fn open(cursor: &mut Cursor<'_>, around: &mut Containers, object: bool) -> bool {
    cursor.advance(1);
    cursor.skip_space();
    let empty = cursor.take(if object { b'}' } else { b']' });
    if !empty {
        around.push(object);
    }
    empty
}

/// Consumes a comma after a value, or all closing brackets that follow. True if no container is open any more.
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

/// Consumes the colon after a member's name, with the space around it.
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

/// Checks that `message` is exactly one JSON value. Does not check its UTF-8.
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
