//! Rewrites JSON with an object that has a member twice: the last value counts, at the place of the first.
//!
//! The decoder itself takes the last of two values with the same type. This module handles values of different types,
//! of which only the last may determine the type of the column.

use rustc_hash::FxHashMap;

use super::cursor::Cursor;
use super::failure::Decoded;
use super::skip::{pass_colon, skip_value};
use super::text::read_text;

/// Maximum depth of nested columns; deeper values are mixed.
pub(crate) const MAX_DEPTH: usize = 48;

/// `json`, which MUST be valid, without members that a later one of the same name replaces; `None` if there are none.
/// Values deeper than columns are unchanged.
pub(crate) fn without_duplicates(json: &[u8]) -> Option<Vec<u8>> {
    let mut rewriter = Rewriter { out: Vec::with_capacity(json.len()), dropped: false };
    let mut cursor = Cursor::new(json);
    cursor.skip_space();
    rewriter.value(&mut cursor, 0).ok()?;
    rewriter.dropped.then_some(rewriter.out)
}

#[derive(Debug)]
struct Rewriter {
    out: Vec<u8>,
    dropped: bool,
}

impl Rewriter {
    fn value(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Decoded<()> {
        match cursor.peek() {
            Some(b'{') if depth < MAX_DEPTH => self.object(cursor, depth),
            Some(b'[') if depth < MAX_DEPTH => self.array(cursor, depth),
            _ => {
                let start = cursor.pos();
                skip_value(cursor)?;
                self.out.extend_from_slice(cursor.since(start));
                Ok(())
            }
        }
    }

    fn array(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Decoded<()> {
        self.out.push(b'[');
        cursor.advance(1);
        cursor.skip_space();
        while !cursor.take(b']') {
            self.value(cursor, depth + 1)?;
            cursor.skip_space();
            if cursor.take(b',') {
                cursor.skip_space();
                self.out.push(b',');
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Decoded<()> {
        let mut index_of = FxHashMap::default();
        let mut members: Vec<(&[u8], Cursor<'_>)> = Vec::new();
        cursor.advance(1);
        cursor.skip_space();
        while !cursor.take(b'}') {
            let start = cursor.pos();
            let name = read_text(cursor)?;
            let raw_name = cursor.since(start);
            pass_colon(cursor)?;
            let value = cursor.clone();
            let index = *index_of.entry(name).or_insert(members.len());
            match members.get_mut(index) {
                Some(member) => {
                    member.1 = value;
                    self.dropped = true;
                }
                None => members.push((raw_name, value)),
            }
            skip_value(cursor)?;
            cursor.skip_space();
            if cursor.take(b',') {
                cursor.skip_space();
            }
        }
        self.out.push(b'{');
        for (index, (raw_name, mut value)) in members.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(raw_name);
            self.out.push(b':');
            self.value(&mut value, depth + 1)?;
        }
        self.out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(json: &str) -> Option<String> {
        without_duplicates(json.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok())
    }

    #[test]
    fn the_last_of_two_members_counts() {
        assert_eq!(rewritten(r#"{"a":1,"b":2,"a":"x"}"#).as_deref(), Some(r#"{"a":"x","b":2}"#));
        assert_eq!(rewritten(r#"[{"a":{"b":1,"\u0062":[]}}]"#).as_deref(), Some(r#"[{"a":{"b":[]}}]"#));
        assert_eq!(rewritten(r#"{"a":1,"b":{"a":1}}"#), None);
    }
}
