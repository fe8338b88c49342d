//! Reads MongoDB's extended JSON, canonical and relaxed, and its older form.
//!
//! | JSON | value |
//! |---|---|
//! | `5`, `{"$numberInt": "5"}` | INT32; beyond 32 bits INT64, as `{"$numberLong": "5"}` |
//! | `1.5`, `{"$numberDouble": "1.5"}` | FLOAT64 |
//! | `{"$oid": …}`, `{"$numberDecimal": …}`, `{"$code": …}` | text |
//! | `{"$date": …}`, `{"$timestamp": {"t": …, "i": …}}` | time |
//! | `{"$binary": …, "$type": …}`, `{"$binary": {"base64": …, "subType": …}}`, `{"$uuid": …}` | bytes |
//! | `{"$regex": …, "$options": …}`, `{"$regularExpression": {…}}` | expression |

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use serde_json::{Map, Number, Value};

use super::bson::{Bson, Kind};

/// # Errors
/// Why the text is no value.
pub(super) fn read(text: &str) -> Result<Bson, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    value(json)
}

fn value(json: Value) -> Result<Bson, String> {
    Ok(match json {
        Value::Null => Bson::Null,
        Value::Bool(flag) => Bson::Flag(flag),
        Value::Number(written) => number(&written),
        Value::String(text) => Bson::Text(Kind::String, text),
        Value::Array(items) => Bson::Array(items.into_iter().map(value).collect::<Result<_, _>>()?),
        Value::Object(members) => match special(&members)? {
            Some(special) => special,
            None => {
                let members = members.into_iter().map(|(name, member)| Ok((name, value(member)?)));
                Bson::Document(members.collect::<Result<_, String>>()?)
            }
        },
    })
}

fn number(number: &Number) -> Bson {
    match number.as_i64() {
        Some(whole) => i32::try_from(whole).map_or(Bson::Int64(whole), Bson::Int32),
        None => Bson::Double(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// The value that an object stands for whose first name says so.
fn special(members: &Map<String, Value>) -> Result<Option<Bson>, String> {
    let Some((name, first)) = members.iter().next().filter(|(name, _)| name.starts_with('$')) else { return Ok(None) };
    let wrong = || format!("`{name}` has a value that it cannot have");
    let text = || first.as_str().map(str::to_owned).ok_or_else(wrong);
    Ok(Some(match name.as_str() {
        "$oid" => Bson::Text(Kind::ObjectId, text()?),
        "$numberDecimal" => Bson::Text(Kind::Decimal, text()?),
        "$numberInt" => Bson::Int32(text()?.parse().map_err(|_| wrong())?),
        "$numberLong" => Bson::Int64(text()?.parse().map_err(|_| wrong())?),
        "$numberDouble" => Bson::Double(double(&text()?).ok_or_else(wrong)?),
        "$code" if members.len() == 1 => Bson::Text(Kind::Code, text()?),
        "$date" => Bson::Time(Kind::Date, date(first).ok_or_else(wrong)?),
        "$timestamp" => {
            let seconds = first.get("t").and_then(Value::as_i64).ok_or_else(wrong)?;
            Bson::Time(Kind::Timestamp, seconds.saturating_mul(1000))
        }
        "$binary" => {
            let base64 = first.get("base64").unwrap_or(first).as_str().ok_or_else(wrong)?;
            Bson::Bytes(STANDARD.decode(base64).map_err(|_| wrong())?)
        }
        "$uuid" => Bson::Bytes(uuid(&text()?).ok_or_else(wrong)?),
        "$regex" => Bson::Regex { pattern: text()?, options: member_text(members, "$options") },
        "$regularExpression" => {
            let inner = first.as_object().ok_or_else(wrong)?;
            Bson::Regex { pattern: member_text(inner, "pattern"), options: member_text(inner, "options") }
        }
        "$undefined" => Bson::Undefined,
        "$code" | "$minKey" | "$maxKey" | "$symbol" | "$dbPointer" => Bson::Unsupported,
        _ => return Ok(None),
    }))
}

fn member_text(members: &Map<String, Value>, name: &str) -> String {
    members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn double(text: &str) -> Option<f64> {
    match text {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        text => text.parse().ok(),
    }
}

/// Milliseconds, also as `{"$numberLong": …}`, or ISO 8601.
fn date(written: &Value) -> Option<i64> {
    match written {
        Value::Number(millis) => millis.as_i64(),
        Value::String(text) => Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis()),
        Value::Object(members) => members.get("$numberLong")?.as_str()?.parse().ok(),
        _ => None,
    }
}

fn uuid(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|digit| *digit != '-').collect();
    let is_uuid = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    if is_uuid { (0..32).step_by(2).map(byte).collect() } else { None }
}
