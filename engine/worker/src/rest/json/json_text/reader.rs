//! The grammar.

use std::fmt;

use serde_json::{Map, Number, Value};

use crate::rest::json::json_text::{Place, Problem, Read, Token};

/// Maximum depth: code that later reads a value recursively supports few more levels.
const MAX_DEPTH: usize = 100;

const TOKENS: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// A text that is being read.
#[derive(Debug)]
pub(crate) struct JsonText<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    line: usize,
    line_begins: usize,
    /// The open containers and their places.
    open: Vec<(Container, Place)>,
    next: Next,
    /// The place of the latest token.
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

/// What the grammar expects next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The first element of the container that has just begun, or its end.
    First,
    /// A field's name, after `,`.
    Name,
    /// A value, after `,` or `:` or at the root.
    Value,
    /// `,` or the end of the container; at the root, another value.
    Separator,
}

impl<'a> JsonText<'a> {
    /// Reads from the beginning, after a byte order mark.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let place = Place { line: 1, column: 1 };
        Self { bytes, at: 0, line: 1, line_begins: 0, open: Vec::new(), next: Next::Value, place }
    }

    /// The place of the latest token.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The place of the next byte.
    pub(crate) fn here(&self) -> Place {
        Place { line: self.line, column: self.at - self.line_begins + 1 }
    }

    /// The next token; `None` at the end of the text.
    pub(crate) fn next_token(&mut self) -> Read<Option<Token>> {
        self.skip_blanks();
        let Some(mut byte) = self.peek() else { return self.at_end() };
        let container = self.open.last().map(|(container, _)| *container);
        let may_close = matches!(self.next, Next::First | Next::Separator) || container.is_none();
        if matches!(byte, b'}' | b']') && may_close {
            return self.close(byte).map(Some);
        }
        if let (Next::Separator, Some(container)) = (self.next, container) {
            self.expect_comma(byte, container)?;
            self.next = if container == Container::Object { Next::Name } else { Next::Value };
            self.skip_blanks();
            byte = match self.peek() {
                Some(byte) => byte,
                None => return self.at_end(),
            };
        }
        self.place = self.here();
        match (container, self.next) {
            (Some(Container::Object), Next::First | Next::Name) => self.field(byte).map(Some),
            _ => self.value(byte).map(Some),
        }
    }

    /// The next token; an error at the end of the text.
    pub(crate) fn token(&mut self) -> Read<Token> {
        let token = self.next_token()?;
        token.ok_or_else(|| Problem::new("Unexpected end-of-input", self.here()))
    }

    /// The whole value that begins with `first`.
    pub(crate) fn value_of(&mut self, first: Token) -> Read<Value> {
        Ok(match first {
            Token::StartObject => {
                let mut members = Map::new();
                while let Token::Field(name) = self.token()? {
                    let first = self.token()?;
                    let value = self.value_of(first)?;
                    members.insert(name, value);
                }
                Value::Object(members)
            }
            Token::StartArray => {
                let mut items = Vec::new();
                loop {
                    match self.token()? {
                        Token::EndArray => break,
                        first => items.push(self.value_of(first)?),
                    }
                }
                Value::Array(items)
            }
            Token::Text(text) => Value::String(text),
            Token::Integer(text) | Token::Float(text) => number(&text),
            Token::True => Value::Bool(true),
            Token::False => Value::Bool(false),
            Token::Null | Token::EndObject | Token::EndArray | Token::Field(_) => Value::Null,
        })
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.peek() {
            self.at += 1;
            // A carriage return before a line feed is not a line end of its own.
            if byte == b'\n' || byte == b'\r' && self.peek() != Some(b'\n') {
                self.line += 1;
                self.line_begins = self.at;
            }
        }
    }

    fn at_end(&self) -> Read<Option<Token>> {
        let Some((container, since)) = self.open.last() else { return Ok(None) };
        let message = match self.next {
            Next::Name | Next::Value => format!("Unexpected end-of-input within/between {container} entries"),
            Next::First | Next::Separator => {
                let since = since.source();
                format!("Unexpected end-of-input: expected close marker for {container} (start marker {since})")
            }
        };
        Err(Problem::new(message, self.here()))
    }

    fn close(&mut self, byte: u8) -> Read<Token> {
        let (closes, token) = match byte {
            b'}' => (Container::Object, Token::EndObject),
            _ => (Container::Array, Token::EndArray),
        };
        let shown = char::from(byte);
        self.place = self.here();
        let message = match self.open.last() {
            Some((container, _)) if *container == closes => {
                self.open.pop();
                self.at += 1;
                self.next = Next::Separator;
                return Ok(token);
            }
            Some((container, since)) => {
                let (expected, since) = (container.end(), since.source());
                format!("Unexpected close marker '{shown}': expected '{expected}' (for {container} starting {since})")
            }
            None => format!("Unexpected close marker '{shown}': no open {closes} to close"),
        };
        Err(Problem::new(message, self.place))
    }

    fn expect_comma(&mut self, byte: u8, container: Container) -> Read<()> {
        if byte != b',' {
            return Err(self.unexpected(&format!("was expecting comma to separate {container} entries")));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a field's name and the colon after it.
    fn field(&mut self, byte: u8) -> Read<Token> {
        if byte != b'"' {
            return Err(self.unexpected("was expecting double-quote to start field name"));
        }
        let name = self.string("name", "field name")?;
        self.next = Next::Value;
        self.skip_blanks();
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(_) => return Err(self.unexpected("was expecting a colon to separate field name and value")),
            None => return self.at_end().map(|_| Token::Null),
        }
        Ok(Token::Field(name))
    }

    fn value(&mut self, byte: u8) -> Read<Token> {
        let token = match byte {
            b'{' => return self.begin(Container::Object).map(|()| Token::StartObject),
            b'[' => return self.begin(Container::Array).map(|()| Token::StartArray),
            b'"' => Token::Text(self.string("string value", "VALUE_STRING")?),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true", Token::True)?,
            b'f' => self.word("false", Token::False)?,
            b'n' => self.word("null", Token::Null)?,
            _ => return Err(self.no_value(byte)),
        };
        self.next = Next::Separator;
        Ok(token)
    }

    fn begin(&mut self, container: Container) -> Read<()> {
        self.open.push((container, self.place));
        self.at += 1;
        self.next = Next::First;
        if self.open.len() > MAX_DEPTH {
            let depth = self.open.len();
            let message = format!(
                "Document nesting depth ({depth}) exceeds the maximum allowed ({MAX_DEPTH}, from \
                 `StreamReadConstraints.getMaxNestingDepth()`)"
            );
            return Err(Problem::new(message, self.here()));
        }
        Ok(())
    }

    /// The error of a byte that cannot begin a value.
    fn no_value(&mut self, byte: u8) -> Problem {
        let is_in_array = matches!(self.open.last(), Some((Container::Array, _)));
        match byte {
            b',' | b'}' => self.unexpected("expected a value"),
            b']' if is_in_array => self.unexpected("expected a value"),
            b'N' | b'I' if self.has_word("NaN") || self.has_word("Infinity") => {
                let word = self.take_word();
                let message =
                    format!("Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow");
                Problem::new(message, self.here())
            }
            b'+' => {
                let message = "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow numbers to \
                               have plus signs: enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow";
                self.at += 1;
                Problem::new(message, self.here())
            }
            _ if self.character().is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) => self.no_word(),
            _ => self.unexpected(&format!("expected a valid value {TOKENS}")),
        }
    }

    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.bytes[self.at..].starts_with(word.as_bytes())
    }

    fn take_word(&mut self) -> String {
        let rest = String::from_utf8_lossy(&self.bytes[self.at..]).into_owned();
        let word: String =
            rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).take(256).collect();
        self.at += word.len().min(self.bytes.len() - self.at);
        word
    }

    pub(crate) fn no_word(&mut self) -> Problem {
        let place = self.here();
        let word = self.take_word();
        Problem::new(format!("Unrecognized token '{word}': was expecting {TOKENS}"), place)
    }

    fn word(&mut self, word: &str, token: Token) -> Read<Token> {
        let after = self.bytes.get(self.at + word.len());
        let goes_on = after.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
        if !self.has_word(word) || goes_on {
            return Err(self.no_word());
        }
        self.at += word.len();
        Ok(token)
    }
}

impl Container {
    fn end(self) -> char {
        match self {
            Self::Object => '}',
            Self::Array => ']',
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "Object",
            Self::Array => "Array",
        })
    }
}

fn number(text: &str) -> Value {
    let integer = text.parse().map(i64::into).or_else(|_| text.parse().map(u64::into)).ok();
    let number = integer.or_else(|| Number::from_f64(text.parse().ok()?));
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}
