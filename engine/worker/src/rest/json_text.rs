//! JSON, token by token, with the place of each; what is wrong with a text is said in the words of Kafka Connect's JSON
//! library, since they reach its clients.

use std::fmt;

use serde_json::{Map, Number, Value};

/// More levels than these are refused: what reads an offset again takes few more.
const MAX_DEPTH: usize = 100;

const TOKENS: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// Where something is; columns count bytes, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    line: usize,
    column: usize,
}

/// What is wrong with a text, or with what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    message: String,
    place: Place,
    /// The way to it, outermost first: `java.util.ArrayList[0]`, `java.util.LinkedHashMap["a"]`.
    chain: Vec<String>,
}

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    Field(String),
    Text(String),
    /// As written.
    Integer(String),
    /// As written.
    Float(String),
    True,
    False,
    Null,
}

/// `Result` of reading.
pub(super) type Read<T> = Result<T, Problem>;

/// A text that is being read.
#[derive(Debug)]
pub(super) struct JsonText<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    line_begins: usize,
    /// What is open, and since where.
    open: Vec<(Container, Place)>,
    next: Next,
    /// Where the latest token begins.
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

/// What the grammar asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// What the container that has just begun consists of, or its end.
    First,
    /// A field's name, after `,`.
    Name,
    /// A value, after `,` or `:` or at the root.
    Value,
    /// `,` or the end of the container; at the root, another value.
    Separator,
}

impl Place {
    fn source(self) -> String {
        format!(
            "at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {}, column: {}]",
            self.line, self.column
        )
    }
}

impl Problem {
    /// One at `place`.
    pub(super) fn new(message: impl Into<String>, place: Place) -> Self {
        Self { message: message.into(), place, chain: Vec::new() }
    }

    /// As seen from what contains it.
    pub(super) fn within(mut self, link: impl Into<String>) -> Self {
        self.chain.insert(0, link.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n {}", self.message, self.place.source())?;
        match self.chain.is_empty() {
            true => Ok(()),
            false => write!(f, " (through reference chain: {})", self.chain.join("->")),
        }
    }
}

impl Token {
    /// The library's name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::StartObject => "START_OBJECT",
            Self::EndObject => "END_OBJECT",
            Self::StartArray => "START_ARRAY",
            Self::EndArray => "END_ARRAY",
            Self::Field(_) => "FIELD_NAME",
            Self::Text(_) => "VALUE_STRING",
            Self::Integer(_) => "VALUE_NUMBER_INT",
            Self::Float(_) => "VALUE_NUMBER_FLOAT",
            Self::True => "VALUE_TRUE",
            Self::False => "VALUE_FALSE",
            Self::Null => "VALUE_NULL",
        }
    }

    /// The library's words for the kind of value that begins with it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::StartObject => "Object value",
            Self::StartArray => "Array value",
            Self::Text(_) => "String value",
            Self::Integer(_) => "Integer value",
            Self::Float(_) => "Floating-point value",
            Self::True | Self::False => "Boolean value",
            Self::Null => "Null value",
            Self::EndObject | Self::EndArray | Self::Field(_) => "value",
        }
    }
}

impl<'a> JsonText<'a> {
    /// From the beginning, behind a byte order mark.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let place = Place { line: 1, column: 1 };
        Self { bytes, at: 0, line: 1, line_begins: 0, open: Vec::new(), next: Next::Value, place }
    }

    /// Where the latest token begins.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Where reading goes on.
    pub(super) fn here(&self) -> Place {
        Place { line: self.line, column: self.at - self.line_begins + 1 }
    }

    /// The next token; `None` at the end of the text.
    pub(super) fn next_token(&mut self) -> Read<Option<Token>> {
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

    /// The next token, where there must be one.
    pub(super) fn token(&mut self) -> Read<Token> {
        let token = self.next_token()?;
        token.ok_or_else(|| Problem::new("Unexpected end-of-input", self.here()))
    }

    /// The whole value that begins with `first`.
    pub(super) fn value_of(&mut self, first: Token) -> Read<Value> {
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

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.peek() {
            self.at += 1;
            // A carriage return before a line feed ends no line of its own.
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

    /// A field's name and the colon after it.
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

    /// What begins no value.
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

    fn has_word(&self, word: &str) -> bool {
        self.bytes[self.at..].starts_with(word.as_bytes())
    }

    fn take_word(&mut self) -> String {
        let rest = String::from_utf8_lossy(&self.bytes[self.at..]).into_owned();
        let word: String =
            rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).take(256).collect();
        self.at += word.len().min(self.bytes.len() - self.at);
        word
    }

    fn no_word(&mut self) -> Problem {
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

    fn number(&mut self) -> Read<Token> {
        let begin = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let digits = self.digits("expected digit (0-9) to follow minus sign, for valid numeric value")?;
        if digits > 1 && self.bytes[self.at - digits] == b'0' {
            self.at -= digits - 1;
            return Err(Problem::new("Invalid numeric value: Leading zeroes not allowed", self.here()));
        }
        let mut is_float = false;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("Decimal point not followed by a digit")?;
            is_float = true;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits("Exponent indicator not followed by a digit")?;
            is_float = true;
        }
        let text = String::from_utf8_lossy(&self.bytes[begin..self.at]).into_owned();
        Ok(if is_float { Token::Float(text) } else { Token::Integer(text) })
    }

    /// How many digits there are; `what` is said if none.
    fn digits(&mut self, what: &str) -> Read<usize> {
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        match (digits, self.character()) {
            (0, Some(c)) => {
                Err(Problem::new(format!("Unexpected character ({}) in numeric value: {what}", shown(c)), self.here()))
            }
            (0, None) => Err(Problem::new("Unexpected end-of-input in null", self.here())),
            _ => Ok(digits),
        }
    }

    /// A string, from its opening quote. `into` and `what` name it in errors.
    fn string(&mut self, into: &str, what: &str) -> Read<String> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                return Err(Problem::new(format!("Unexpected end-of-input in {what}"), self.here()));
            };
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(String::from_utf8_lossy(&bytes).into_owned());
                }
                b'\\' => self.escape(&mut bytes)?,
                0..=31 => {
                    let message = format!(
                        "Illegal unquoted character ({}): has to be escaped using backslash to be included in {into}",
                        shown(byte.into())
                    );
                    return Err(Problem::new(message, self.here()));
                }
                _ => {
                    let length = self.character_length()?;
                    bytes.extend_from_slice(&self.bytes[self.at..self.at + length]);
                    self.at += length;
                }
            }
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Read<()> {
        self.at += 1;
        let Some(c) = self.character() else {
            return Err(Problem::new("Unexpected end-of-input in character escape sequence", self.here()));
        };
        let meant = match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                self.at += 1;
                let c = self.unicode()?;
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => {
                let (shown, code) = (c, u32::from(c));
                let message = format!("Unrecognized character escape '{shown}' (code {code})");
                return Err(Problem::new(message, self.here()));
            }
        };
        self.at += 1;
        bytes.push(meant as u8);
        Ok(())
    }

    /// What follows `\u`; half a pair stands for no character.
    fn unicode(&mut self) -> Read<char> {
        let high = self.hex()?;
        if !(0xD800..0xDC00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if !self.has_word("\\u") {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let before = self.at;
        self.at += 2;
        let low = self.hex()?;
        if !(0xDC00..0xE000).contains(&low) {
            self.at = before;
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        Ok(char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Read<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(c) = self.character() else {
                return Err(Problem::new("Unexpected end-of-input in character escape sequence", self.here()));
            };
            let Some(digit) = c.to_digit(16) else {
                return Err(self.unexpected("expected a hex-digit for character escape sequence"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// Bytes of the character that is next.
    fn character_length(&self) -> Read<usize> {
        let byte = self.bytes[self.at];
        let length = match byte {
            0..=0x7f => 1,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return Err(Problem::new(format!("Invalid UTF-8 start byte 0x{byte:x}"), self.here())),
        };
        let end = (self.at + length).min(self.bytes.len());
        match std::str::from_utf8(&self.bytes[self.at..end]) {
            Ok(_) => Ok(end - self.at),
            Err(_) => {
                let middle = self.bytes[self.at..end].get(1).copied().unwrap_or_default();
                Err(Problem::new(format!("Invalid UTF-8 middle byte 0x{middle:x}"), self.here()))
            }
        }
    }

    fn character(&self) -> Option<char> {
        let rest = &self.bytes[self.at..];
        let end = rest.len().min(4);
        String::from_utf8_lossy(&rest[..end]).chars().next()
    }

    fn unexpected(&self, what: &str) -> Problem {
        let c = self.character().unwrap_or(char::REPLACEMENT_CHARACTER);
        let what = match c {
            '/' => {
                "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)"
            }
            _ => what,
        };
        Problem::new(format!("Unexpected character ({}): {what}", shown(c)), self.here())
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

fn shown(c: char) -> String {
    let code = u32::from(c);
    match code {
        0..=31 => format!("(CTRL-CHAR, code {code})"),
        32..=255 => format!("'{c}' (code {code})"),
        _ => format!("'{c}' (code {code} / 0x{code:x})"),
    }
}

fn number(text: &str) -> Value {
    let integer = text.parse().map(i64::into).or_else(|_| text.parse().map(u64::into)).ok();
    let number = integer.or_else(|| Number::from_f64(text.parse().ok()?));
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Read<Value> {
        let mut text = JsonText::new(text);
        let first = text.token()?;
        let value = text.value_of(first)?;
        match text.next_token()? {
            None => Ok(value),
            Some(token) => Err(Problem::new(token.name(), text.place())),
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_the_library_s_words() {
        for (text, column, message) in [
            ("{\"a\"", 5, "Unexpected end-of-input within/between Object entries"),
            ("{\"a\":", 6, "Unexpected end-of-input within/between Object entries"),
            ("{\"a\":1,", 8, "Unexpected end-of-input within/between Object entries"),
            ("{\"a\":1,}", 8, "Unexpected character ('}' (code 125)): was expecting double-quote to start field name"),
            ("{a:1}", 2, "Unexpected character ('a' (code 97)): was expecting double-quote to start field name"),
            (
                "{\"a\" 1}",
                6,
                "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
            ),
            (
                "{\"a\":1 \"b\"",
                8,
                "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
            ),
            ("{\"a\":1x}", 7, "Unexpected character ('x' (code 120)): was expecting comma to separate Object entries"),
            ("{\"a\":tru}", 6, "Unrecognized token 'tru': was expecting (JSON String"),
            ("{\"a\":bogus}", 6, "Unrecognized token 'bogus': was expecting (JSON String"),
            ("{\"a\":01}", 7, "Invalid numeric value: Leading zeroes not allowed"),
            ("{\"a\":-}", 7, "Unexpected character ('}' (code 125)) in numeric value: expected digit (0-9) to follow"),
            (
                "{\"a\":1.}",
                8,
                "Unexpected character ('}' (code 125)) in numeric value: Decimal point not followed by a digit",
            ),
            (
                "{\"a\":1e}",
                8,
                "Unexpected character ('}' (code 125)) in numeric value: Exponent indicator not followed",
            ),
            ("{\"a\":.5}", 6, "Unexpected character ('.' (code 46)): expected a valid value (JSON String"),
            ("{\"a\":+1}", 7, "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow"),
            ("{\"a\":NaN}", 9, "Non-standard token 'NaN': enable"),
            ("{\"a\":\"x", 8, "Unexpected end-of-input in VALUE_STRING"),
            ("{\"a\":\"x\\q\"}", 9, "Unrecognized character escape 'q' (code 113)"),
            (
                "{\"a\":\"\\u12\"}",
                11,
                "Unexpected character ('\"' (code 34)): expected a hex-digit for character escape sequence",
            ),
            (
                "{\"a\":\"x\ty\"}",
                8,
                "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using backslash",
            ),
            ("{\"a\":\"x\\", 9, "Unexpected end-of-input in character escape sequence"),
            ("{/*c*/}", 2, "Unexpected character ('/' (code 47)): maybe a (non-standard) comment?"),
            ("{} x", 4, "Unrecognized token 'x': was expecting"),
            ("{}]", 3, "Unexpected close marker ']': no open Array to close"),
            ("{},", 3, "Unexpected character (',' (code 44)): expected a value"),
            ("}", 1, "Unexpected close marker '}': no open Object to close"),
            ("-", 2, "Unexpected end-of-input in null"),
        ] {
            let problem = read(text.as_bytes()).unwrap_err();
            assert!(problem.message.starts_with(message), "{text}: {problem}");
            assert_eq!(problem.place, Place { line: 1, column }, "{text}: {problem}");
        }
    }

    #[test]
    fn places_name_the_source_and_what_was_open() {
        let source = |column| {
            format!(
                "at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: {column}]"
            )
        };
        let (one, two, seven) = (source(1), source(2), source(7));
        assert_eq!(
            read(b"{").unwrap_err().to_string(),
            format!("Unexpected end-of-input: expected close marker for Object (start marker {one})\n {two}")
        );
        assert_eq!(
            read(b"{\"a\":1]").unwrap_err().to_string(),
            format!("Unexpected close marker ']': expected '}}' (for Object starting {one})\n {seven}")
        );
        let problem = Problem::new("x", Place { line: 1, column: 1 }).within("b").within("a");
        assert_eq!(problem.to_string(), format!("x\n {one} (through reference chain: a->b)"));
        assert_eq!(read(b"{\r\n  \"a\": x").unwrap_err().place, Place { line: 2, column: 8 });
    }

    #[test]
    fn what_nests_too_deep_is_refused() {
        let text = "[".repeat(101);
        assert!(read(text.as_bytes()).unwrap_err().message.starts_with("Document nesting depth (101) exceeds"));
        let text = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(read(text.as_bytes()).is_ok());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e15..1e15).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_read_as_what_it_is(value in any_json()) {
            prop_assert_eq!(&read(value.to_string().as_bytes()).unwrap(), &value);
            prop_assert_eq!(&read(format!("{value:#}").as_bytes()).unwrap(), &value);
        }

        #[test]
        fn no_text_panics_and_what_is_no_json_is_refused(text in "[\\[\\]{}:,\"a\\\\u0-9.eE+-tfn \n/é]{0,30}") {
            let read = read(text.as_bytes());
            if read.is_ok() {
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok() || text.contains("\\u"), "{}", text);
            }
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
