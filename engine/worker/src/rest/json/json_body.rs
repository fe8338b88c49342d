//! JSON bodies, and Kafka Connect's errors for invalid ones: all 500, with the messages of its JSON library.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::json_config::GivenConfig;
use crate::rest::error::{RestError, RestResult, http_message};
use crate::rest::json::json_text::{JsonText, Place, Problem, Read, Token};

/// Maximum size; a larger request is refused. No configuration is that large.
const MAX_BODY: usize = 16 << 20;

/// A larger body takes so long to parse that other requests would be delayed.
const LARGE_BODY: usize = 256 << 10;

const STRING: &str = "java.lang.String";
const STRING_MAP: &str = "java.util.LinkedHashMap<java.lang.String,java.lang.String>";
const OBJECT_MAP: &str = "java.util.LinkedHashMap<java.lang.String,java.lang.Object>";
const MAP: &str = "java.util.LinkedHashMap";

/// A body that is not parsed yet. Its content type is `application/json`, or none.
#[derive(Debug)]
pub(crate) struct JsonBody {
    bytes: Bytes,
}

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = RestError;

    async fn from_request(request: Request<Body>, _state: &S) -> RestResult<Self> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| RestError::too_large())?;
        // A missing content type is an error only if there is a body.
        if !parts.headers.contains_key(header::CONTENT_TYPE) && !bytes.is_empty() {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(RestError::Status(status, http_message(status)));
        }
        Ok(Self { bytes })
    }
}

impl JsonBody {
    /// The unchanged body, for forwarding.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The value that `read` parses from the body, which must contain nothing else; `None` for null, and for no body.
    /// `class` is Java's class of the value.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        class: &'static str,
        read: impl FnOnce(&mut JsonText<'_>, Token) -> Read<T> + Send + 'static,
    ) -> RestResult<Option<T>> {
        let bytes = self.bytes.clone();
        let value = apart_if_large(bytes.len(), move || whole(&mut JsonText::new(&bytes), class, read)).await?;
        value.map_err(|problem| RestError::internal(problem.to_string()))
    }

    /// Parses a flat configuration; `variable` is Java's name for it.
    pub(crate) async fn into_config(self, variable: &str) -> RestResult<GivenConfig> {
        let config = self.read("java.util.Map", string_map).await?;
        config.ok_or_else(|| null_map(variable))
    }
}

/// Runs work whose duration grows with the size of a body. For a large body it runs on a thread where no other request
/// waits for it.
pub(crate) async fn apart_if_large<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> RestResult<T> {
    if size <= LARGE_BODY {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|_| RestError::panicked())
}

fn whole<T>(
    text: &mut JsonText<'_>,
    class: &str,
    read: impl FnOnce(&mut JsonText<'_>, Token) -> Read<T>,
) -> Read<Option<T>> {
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
}

/// The error of Java code that gets null instead of a map.
pub(crate) fn null_map(variable: &str) -> RestError {
    RestError::internal(format!("Cannot invoke \"java.util.Map.get(Object)\" because \"{variable}\" is null"))
}

/// The element of an error's chain for a member of an object.
pub(crate) fn member_of(class: &str, member: &str) -> String {
    format!("{class}[\"{member}\"]")
}

/// Text; numbers and booleans are converted. `None` for null.
pub(crate) fn string(text: &JsonText<'_>, first: Token) -> Read<Option<String>> {
    match first {
        Token::Text(text) | Token::Integer(text) | Token::Float(text) => Ok(Some(text)),
        Token::True => Ok(Some("true".to_owned())),
        Token::False => Ok(Some("false".to_owned())),
        Token::Null => Ok(None),
        other => Err(mismatch(STRING, &other, text.place())),
    }
}

/// Parses an object whose members are text.
pub(crate) fn string_map(text: &mut JsonText<'_>, first: Token) -> Read<GivenConfig> {
    begin_map(STRING_MAP, text, first)?;
    let mut entries: IndexMap<String, Option<String>> = IndexMap::new();
    while let Token::Field(key) = text.token()? {
        let first = text.token()?;
        let value = string(text, first).map_err(|problem| problem.within(member_of(MAP, &key)))?;
        // Of equal keys the last value counts, at the place of the first.
        entries.insert(key, value);
    }
    let mut config = GivenConfig::default();
    for (key, value) in entries {
        match value {
            Some(value) => drop(config.values.insert(key, value)),
            None => config.nulls.push(key),
        }
    }
    Ok(config)
}

/// Parses an object with members of any kind.
pub(crate) fn object_map(text: &mut JsonText<'_>, first: Token) -> Read<Map<String, Value>> {
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

/// Parses an array; `None` is a null item.
pub(crate) fn array<T>(
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

/// Parses an object of Java class `class`, and passes each member in `known` to `member`. Java constructs the object
/// once it has all members. So it reports an unknown member then, or otherwise at the end.
pub(crate) fn object(
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

/// The error of a value that cannot be converted to `class`.
pub(crate) fn mismatch(class: &str, found: &Token, place: Place) -> Problem {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(body: &str) -> GivenConfig {
        let mut text = JsonText::new(body.as_bytes());
        let first = text.token().unwrap();
        string_map(&mut text, first).unwrap()
    }

    fn members(count: usize, value: impl Fn(usize) -> String) -> String {
        (0..count).map(|key| format!("\"a{key}\":{}", value(key))).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn of_equal_keys_the_last_value_counts_at_the_place_of_the_first() {
        let config = config(r#"{"a":"1","b":"2","a":"3","c":null,"c":"4","b":null}"#);
        assert_eq!(config.values.iter().map(|(key, value)| format!("{key}{value}")).collect::<Vec<_>>(), ["a3", "c4"]);
        assert_eq!(config.nulls, ["b"]);
    }

    #[tokio::test]
    async fn a_large_body_is_read_where_it_holds_up_nobody() {
        let here = std::thread::current().id();
        let reader = |size| apart_if_large(size, || std::thread::current().id());
        assert_eq!(reader(LARGE_BODY).await.unwrap(), here);
        assert_ne!(reader(LARGE_BODY + 1).await.unwrap(), here);
        let panicked = apart_if_large(LARGE_BODY + 1, || panic!("on purpose")).await;
        assert!(panicked.is_err());
    }

    /// If each key were compared with all others, this would take minutes.
    #[test]
    fn reading_takes_no_longer_for_each_key_the_more_there_are() {
        let began = std::time::Instant::now();
        let nulls = config(&format!("{{{}}}", members(200_000, |_| "null".into())));
        assert_eq!((nulls.nulls.len(), nulls.values.len()), (200_000, 0));
        let twice = format!("{{{},{}}}", members(100_000, |_| "1".into()), members(100_000, |key| format!("{key}")));
        let twice = config(&twice);
        assert_eq!((twice.values.len(), twice.values["a99999"].as_str()), (100_000, "99999"));
        let patched = crate::herder::patched(twice, nulls);
        assert_eq!(patched.values.len(), 0);
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
    }
}
