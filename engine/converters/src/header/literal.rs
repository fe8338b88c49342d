//! Parses text as a value by the rules of Connect's `Values.parseString`.
//!
//! | text | value |
//! |---|---|
//! | `null`, `true`, `false` | null, BOOLEAN |
//! | `7`, `-300`, `1.0` | the smallest of INT8 … INT64 that holds it, Decimal beyond |
//! | `1.5` | FLOAT32 if finite as such, else FLOAT64, else Decimal |
//! | `2024-05-06`, `10:11:12.123Z`, `2024-05-06T10:11:12.123Z` | Date, Time, Timestamp |
//! | `[…]`, `{k:v}` | array, map; strings within must be quoted |
//! | anything else | the whole text |

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use volley_api::Value;

use crate::decimal::unscaled_at;

/// Maximum depth; deeper containers are text.
const MAX_DEPTH: usize = 64;

/// Parses `text` by these rules.
pub(crate) fn parse_literal(text: &str) -> Value {
    let trimmed = text.trim();
    let value = match trimmed.as_bytes().first() {
        None => None,
        Some(b'[' | b'{') => {
            let mut parser = Parser { text: trimmed, pos: 0 };
            parser.value(0).filter(|_| parser.pos == trimmed.len())
        }
        Some(_) => scalar(trimmed),
    };
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn scalar(token: &str) -> Option<Value> {
    match token {
        "null" => Some(Value::Null),
        "true" => Some(Value::Boolean(true)),
        "false" => Some(Value::Boolean(false)),
        _ => temporal(token).or_else(|| number(token)),
    }
}

fn temporal(token: &str) -> Option<Value> {
    if !token.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    match token.len() {
        24 => {
            let time = NaiveDateTime::parse_from_str(token, "%Y-%m-%dT%H:%M:%S%.3fZ").ok()?;
            Some(Value::Timestamp(time.and_utc().timestamp_millis()))
        }
        13 => {
            let time = NaiveTime::parse_from_str(token, "%H:%M:%S%.3fZ").ok()?;
            let millis = time.num_seconds_from_midnight() * 1000 + time.nanosecond() / 1_000_000;
            i32::try_from(millis).ok().map(Value::Time)
        }
        10 => {
            let date = NaiveDate::parse_from_str(token, "%Y-%m-%d").ok()?;
            let days = date.signed_duration_since(NaiveDate::default()).num_days();
            i32::try_from(days).ok().map(Value::Date)
        }
        _ => None,
    }
}

fn number(token: &str) -> Option<Value> {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    if !is_decimal(unsigned) {
        return None;
    }
    if let Some(whole) = unscaled_at(token, 0) {
        return Some(match whole.to_i128().and_then(|whole| i64::try_from(whole).ok()) {
            Some(whole) => smallest_integer(whole),
            None => Value::Decimal { unscaled: whole.to_string(), scale: 0 },
        });
    }
    let double: f64 = token.parse().ok()?;
    if (double as f32).is_finite() {
        token.parse().ok().map(Value::Float32)
    } else if double.is_finite() {
        Some(Value::Float64(double))
    } else {
        None
    }
}

/// `12`, `1.5`, `1.`, `1e5`: the numbers that Java's BigDecimal reads, without the sign.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !exponent.is_empty() && digits(exponent) && digits(whole) && digits(fraction) && whole.len() + fraction.len() > 0
}

fn smallest_integer(number: i64) -> Value {
    if let Ok(number) = i8::try_from(number) {
        Value::Int8(number)
    } else if let Ok(number) = i16::try_from(number) {
        Value::Int16(number)
    } else if let Ok(number) = i32::try_from(number) {
        Value::Int32(number)
    } else {
        Value::Int64(number)
    }
}

/// Parses containers; `None` = malformed.
#[derive(Debug)]
struct Parser<'a> {
    text: &'a str,
    pos: usize,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_spaces();
        match self.peek()? {
            b'[' => self.array(depth),
            b'{' => self.map(depth),
            b'"' => self.quoted(),
            _ => self.bare(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.pos += 1;
        let mut items = Vec::new();
        if !self.take(b']') {
            loop {
                items.push(self.value(depth + 1)?);
                if self.take(b']') {
                    break;
                }
                self.take(b',').then_some(())?;
            }
        }
        align(items.iter_mut());
        Some(Value::Array(items))
    }

    fn map(&mut self, depth: usize) -> Option<Value> {
        self.pos += 1;
        let mut entries = Vec::new();
        if !self.take(b'}') {
            loop {
                let key = self.value(depth + 1)?;
                self.take(b':').then_some(())?;
                entries.push((key, self.value(depth + 1)?));
                if self.take(b'}') {
                    break;
                }
                self.take(b',').then_some(())?;
            }
        }
        align(entries.iter_mut().map(|(key, _)| key));
        align(entries.iter_mut().map(|(_, value)| value));
        Some(Value::Map(entries))
    }

    fn quoted(&mut self) -> Option<Value> {
        let mut text = String::new();
        let mut chars = self.text[self.pos + 1..].char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.pos += at + 2;
                    return Some(temporal(&text).unwrap_or(Value::String(text)));
                }
                '\\' => text.push(chars.next()?.1),
                other => text.push(other),
            }
        }
        None
    }

    fn bare(&mut self) -> Option<Value> {
        let rest = &self.text[self.pos..];
        let token = &rest[..rest.find([',', ':', ']', '}', '[', '{', '"'])?];
        self.pos += token.len();
        scalar(token.trim())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_spaces();
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.pos += 1;
        }
    }
}

/// If all values are numbers or null, converts them to the widest type among them.
fn align<'a>(values: impl Iterator<Item = &'a mut Value>) {
    let values: Vec<_> = values.collect();
    let ranks: Option<Vec<u8>> =
        values.iter().filter(|value| ***value != Value::Null).map(|value| number_rank(value)).collect();
    let Some(widest) = ranks.and_then(|ranks| ranks.into_iter().max()) else { return };
    for value in values {
        *value = widened(value, widest);
    }
}

fn number_rank(value: &Value) -> Option<u8> {
    match value {
        Value::Int8(_) => Some(0),
        Value::Int16(_) => Some(1),
        Value::Int32(_) => Some(2),
        Value::Int64(_) => Some(3),
        Value::Float32(_) => Some(4),
        Value::Float64(_) => Some(5),
        _ => None,
    }
}

fn widened(value: &Value, rank: u8) -> Value {
    let whole = match value {
        Value::Int8(number) => i64::from(*number),
        Value::Int16(number) => i64::from(*number),
        Value::Int32(number) => i64::from(*number),
        Value::Int64(number) => *number,
        Value::Float32(number) if rank == 5 => return Value::Float64(f64::from(*number)),
        other => return other.clone(),
    };
    match rank {
        0 => value.clone(),
        1 => i16::try_from(whole).map_or_else(|_| value.clone(), Value::Int16),
        2 => i32::try_from(whole).map_or_else(|_| value.clone(), Value::Int32),
        3 => Value::Int64(whole),
        4 => Value::Float32(whole as f32),
        _ => Value::Float64(whole as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn scalars_take_the_type_they_look_like() {
        let cases = [
            ("", text("")),
            ("  ", text("  ")),
            ("null", Value::Null),
            (" true ", Value::Boolean(true)),
            ("TRUE", text("TRUE")),
            ("7", Value::Int8(7)),
            ("+7", Value::Int8(7)),
            ("1.0", Value::Int8(1)),
            ("-129", Value::Int16(-129)),
            ("32768", Value::Int32(32768)),
            ("2147483648", Value::Int64(2_147_483_648)),
            ("9223372036854775808", Value::Decimal { unscaled: "9223372036854775808".into(), scale: 0 }),
            ("1.5", Value::Float32(1.5)),
            // A whole number of 301 digits: more than a Decimal of Arrow holds.
            ("1.5e300", Value::Float64(1.5e300)),
            ("2024-05-06", Value::Date(19849)),
            ("00:00:01.002Z", Value::Time(1002)),
            ("2024-13-06", text("2024-13-06")),
            ("-", text("-")),
            ("1e", text("1e")),
            ("0x10", text("0x10")),
            ("NaN", text("NaN")),
        ];
        for (literal, expected) in cases {
            assert_eq!(parse_literal(literal), expected, "{literal}");
        }
    }

    #[test]
    fn containers_align_numbers_and_malformed_ones_stay_text() {
        assert_eq!(parse_literal("[1, 300]"), Value::Array(vec![Value::Int16(1), Value::Int16(300)]));
        assert_eq!(
            parse_literal("[1, 1.5, null]"),
            Value::Array(vec![Value::Float32(1.0), Value::Float32(1.5), Value::Null])
        );
        assert_eq!(parse_literal("{\"a\":1}"), Value::Map(vec![(text("a"), Value::Int8(1))]));
        assert_eq!(parse_literal("{}"), Value::Map(vec![]));
        assert_eq!(parse_literal("[\"1970-01-02\"]"), Value::Array(vec![Value::Date(1)]));
        for malformed in ["[1,", "[abc]", "[1] x", "{1}", "[1,]", "{", "[\"a]"] {
            assert_eq!(parse_literal(malformed), text(malformed));
        }
    }

    #[test]
    fn deep_nesting_stays_text() {
        let deep = "[".repeat(100_000);
        assert_eq!(parse_literal(&deep), text(&deep));
    }
}
