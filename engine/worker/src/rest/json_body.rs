//! JSON bodies, and the errors that Kafka Connect gives for bad ones: all 500, in its JSON library's words.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::error::{RestError, RestResult, http_message};
use super::json_text::{JsonText, Place, Problem, Read, Token};
use crate::json_config::GivenConfig;

/// More than any configuration; a request beyond it is refused.
const MAX_BODY: usize = 16 << 20;

const STRING: &str = "java.lang.String";
const STRING_MAP: &str = "java.util.LinkedHashMap<java.lang.String,java.lang.String>";
const OBJECT_MAP: &str = "java.util.LinkedHashMap<java.lang.String,java.lang.Object>";
const MAP: &str = "java.util.LinkedHashMap";

/// A body, not yet read. That it is `application/json` where it says what it is, is known.
#[derive(Debug)]
pub(super) struct JsonBody {
    bytes: Bytes,
}

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = RestError;

    async fn from_request(request: Request<Body>, _state: &S) -> RestResult<Self> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| RestError::too_large())?;
        // To say no type is no error unless there is something to read.
        if !parts.headers.contains_key(header::CONTENT_TYPE) && !bytes.is_empty() {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(RestError::Status(status, http_message(status)));
        }
        Ok(Self { bytes })
    }
}

impl JsonBody {
    /// The body as it came, to be sent on.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.bytes.to_vec()
    }

    /// The value that `read` makes of the body, which must be all there is; `None` for null, and for no body. `class` is
    /// what Java makes of it.
    pub(super) fn read<T>(
        &self,
        class: &str,
        read: impl FnOnce(&mut JsonText<'_>, Token) -> Read<T>,
    ) -> RestResult<Option<T>> {
        let mut text = JsonText::new(&self.bytes);
        let whole = |text: &mut JsonText<'_>| -> Read<Option<T>> {
            let value = match text.next_token()? {
                None | Some(Token::Null) => None,
                Some(first) => Some(read(text, first)?),
            };
            match text.next_token()? {
                None => Ok(value),
                Some(token) => Err(Problem::new(
                    format!(
                        "Trailing token (of type {}) found after value (bound as `{class}`): not allowed as per \
                         `DeserializationFeature.FAIL_ON_TRAILING_TOKENS`",
                        token.name()
                    ),
                    text.place(),
                )),
            }
        };
        whole(&mut text).map_err(|problem| RestError::internal(problem.to_string()))
    }

    /// A flat configuration; `variable` is what Java calls it.
    pub(super) fn into_config(self, variable: &str) -> RestResult<GivenConfig> {
        let config = self.read("java.util.Map", string_map)?;
        config.ok_or_else(|| null_map(variable))
    }
}

/// The error of Java code that meets null where it wants a map.
pub(super) fn null_map(variable: &str) -> RestError {
    RestError::internal(format!("Cannot invoke \"java.util.Map.get(Object)\" because \"{variable}\" is null"))
}

/// The link of a chain that stands for a member of an object.
pub(super) fn member_of(class: &str, member: &str) -> String {
    format!("{class}[\"{member}\"]")
}

/// Text; numbers and booleans become theirs. `None` for null.
pub(super) fn string(text: &JsonText<'_>, first: Token) -> Read<Option<String>> {
    match first {
        Token::Text(text) | Token::Integer(text) | Token::Float(text) => Ok(Some(text)),
        Token::True => Ok(Some("true".to_owned())),
        Token::False => Ok(Some("false".to_owned())),
        Token::Null => Ok(None),
        other => Err(mismatch(STRING, &other, text.place())),
    }
}

/// An object whose members are text.
pub(super) fn string_map(text: &mut JsonText<'_>, first: Token) -> Read<GivenConfig> {
    begin_map(STRING_MAP, text, first)?;
    let mut config = GivenConfig::default();
    while let Token::Field(key) = text.token()? {
        let first = text.token()?;
        let value = string(text, first).map_err(|problem| problem.within(member_of(MAP, &key)))?;
        // Of equal keys the last one counts.
        config.nulls.retain(|null| *null != key);
        config.values.shift_remove(&key);
        match value {
            Some(value) => drop(config.values.insert(key, value)),
            None => config.nulls.push(key),
        }
    }
    Ok(config)
}

/// An object with members of any kind.
pub(super) fn object_map(text: &mut JsonText<'_>, first: Token) -> Read<Map<String, Value>> {
    begin_map(OBJECT_MAP, text, first)?;
    match text.value_of(Token::StartObject)? {
        Value::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

fn begin_map(class: &str, text: &JsonText<'_>, first: Token) -> Read<()> {
    match first {
        Token::StartObject => Ok(()),
        Token::Text(found) if found.is_empty() => Err(empty(&format!("to element of `{MAP}`"), text.place())),
        Token::Text(_) => Err(no_constructor(MAP, &first, text.place())),
        other => Err(mismatch(class, &other, text.place())),
    }
}

/// Reads an array by what reads one of its items; the item of null is `None`.
pub(super) fn array<T>(
    class: &str,
    text: &mut JsonText<'_>,
    first: Token,
    mut item: impl FnMut(&mut JsonText<'_>, Token) -> Read<T>,
) -> Read<Vec<Option<T>>> {
    if first != Token::StartArray {
        return Err(mismatch(class, &first, text.place()));
    }
    let mut items = Vec::new();
    loop {
        match text.token()? {
            Token::EndArray => return Ok(items),
            Token::Null => items.push(None),
            first => {
                let link = format!("java.util.ArrayList[{}]", items.len());
                items.push(Some(item(text, first).map_err(|problem| problem.within(link))?));
            }
        }
    }
}

/// Reads an object of Java class `class`, each of whose members `known` is given to `member`. Java makes the object once it
/// has all members, and complains of one that it does not know then, or else at the end.
pub(super) fn object(
    class: &str,
    known: &[&str],
    text: &mut JsonText<'_>,
    first: Token,
    mut member: impl FnMut(&str, &mut JsonText<'_>, Token) -> Read<()>,
) -> Read<()> {
    match &first {
        Token::StartObject => {}
        Token::StartArray => return Err(mismatch(class, &first, text.place())),
        Token::Text(found) if found.is_empty() => return Err(empty(&format!("to `{class}` value"), text.place())),
        _ => return Err(no_constructor(class, &first, text.place())),
    }
    let mut missing = known.to_vec();
    let mut unknown: Option<String> = None;
    while let Token::Field(name) = text.token()? {
        let first = text.token()?;
        if known.contains(&name.as_str()) {
            missing.retain(|other| *other != name);
            member(&name, text, first).map_err(|problem| problem.within(member_of(class, &name)))?;
        } else if missing.is_empty() && unknown.is_none() {
            return Err(unrecognized(class, known, &name, text.here()));
        } else {
            text.value_of(first)?;
            unknown.get_or_insert(name);
        }
    }
    match unknown {
        None => Ok(()),
        Some(name) => Err(unrecognized(class, known, &name, text.here())),
    }
}

fn unrecognized(class: &str, known: &[&str], name: &str, place: Place) -> Problem {
    let count = match known.len() {
        1 => "one known property".to_owned(),
        count => format!("{count} known properties"),
    };
    let known: Vec<String> = known.iter().map(|name| format!("\"{name}\"")).collect();
    let message = format!(
        "Unrecognized field \"{name}\" (class {class}), not marked as ignorable ({count}: {})",
        known.join(", ")
    );
    Problem::new(message, place).within(member_of(class, name))
}

/// A value of another kind than `class` can be made of.
pub(super) fn mismatch(class: &str, found: &Token, place: Place) -> Problem {
    let (kind, name) = (found.kind(), found.name());
    Problem::new(format!("Cannot deserialize value of type `{class}` from {kind} (token `JsonToken.{name}`)"), place)
}

fn empty(what: &str, place: Place) -> Problem {
    let message =
        format!("Cannot coerce empty String (\"\") {what} (but could if coercion was enabled using `CoercionConfig`)");
    Problem::new(message, place)
}

fn no_constructor(class: &str, found: &Token, place: Place) -> Problem {
    let (argument, value) = match found {
        Token::Text(text) => ("String", format!("String value ('{text}')")),
        Token::Integer(text) => ("int/Int", format!("Number value ({text})")),
        Token::Float(text) => ("double/Double", format!("Number value ({text})")),
        Token::True => ("boolean/Boolean", "boolean value (true)".to_owned()),
        _ => ("boolean/Boolean", "boolean value (false)".to_owned()),
    };
    let message = format!(
        "Cannot construct instance of `{class}` (although at least one Creator exists): no {argument}-argument \
         constructor/factory method to deserialize from {value}"
    );
    Problem::new(message, place)
}
