//! Answers without what may differ between two workers: names, addresses, times, stack traces, documentation.

use serde_json::Value;

use super::conversation::Names;
use crate::testbed::Answer;

/// The headers that clients look at. All others (Date, Server, Content-Length, Connection …) are the web server's own.
const HEADERS: [&str; 6] = ["content-type", "location", "allow", "www-authenticate", "content-encoding", "vary"];

/// Keys that Volley's file connectors have beyond Java's: a line may not grow without bounds, and a full disk is waited for.
const OWN_KEYS: [&str; 2] = ["max.line.bytes", "retry.timeout.ms"];

/// What is compared of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NormalForm {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
}

/// The normal form of the answer of the worker at `address` with these names.
pub(super) fn normal_form(answer: &Answer, address: &str, names: &Names) -> NormalForm {
    let plain = |text: &str| text.replace(address, "WORKER").replace(&names.topics, "TOPIC");
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| HEADERS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), plain_header(name, &plain(value))))
        .collect();
    headers.sort();
    NormalForm { status: answer.status, headers, body: body(answer, plain) }
}

/// The order of methods in `Allow` means nothing.
fn plain_header(name: &str, value: &str) -> String {
    if name == "allow" { sorted_list(value) } else { value.to_owned() }
}

fn sorted_list(text: &str) -> String {
    let mut items: Vec<&str> = text.split(',').map(str::trim).collect();
    items.sort_unstable();
    items.join(",")
}

fn body(answer: &Answer, plain: impl Fn(&str) -> String) -> Value {
    let text = plain(&answer.text());
    if text.is_empty() {
        return Value::Null;
    }
    let content_type = answer.header("content-type").unwrap_or_default();
    if content_type.starts_with("text/html") {
        // the web server's own page; its words are no interface
        return Value::from("HTML");
    }
    if content_type.starts_with("text/plain") {
        // of `OPTIONS`: the methods
        return Value::from(sorted_list(&text));
    }
    match serde_json::from_str(&text) {
        Ok(mut value) => {
            normalise(&mut value);
            value
        }
        Err(_) => Value::from(text),
    }
}

fn normalise(value: &mut Value) {
    match value {
        Value::Object(members) => {
            // who has logged something so far: classes there, crates here
            members.retain(|name, _| !name.starts_with("org.") && name != "volley" && !name.starts_with("volley_"));
            // texts for humans, in Volley's own words
            members.remove("documentation");
            // which file a position is of: Volley's FileStreamSource says so beside it, and takes offsets that do not
            if members.contains_key("position") {
                members.remove("file");
            }
            for (name, member) in members.iter_mut() {
                match (name.as_str(), &mut *member) {
                    ("trace", Value::String(text)) => *text = first_line(text).to_owned(),
                    ("message", Value::String(text)) => *text = message(text),
                    ("last_modified", Value::Number(_)) => *member = Value::from("TIME"),
                    ("errors", Value::Array(texts)) => texts.iter_mut().for_each(normalise_message),
                    // which plug-ins there are differs
                    ("recommended_values", Value::Array(values)) => values.retain(|value| !is_class(value)),
                    _ => normalise(member),
                }
            }
        }
        Value::Array(values) => {
            values.retain(|value| !is_own_key(value));
            values.iter_mut().for_each(normalise);
            if values.iter().all(is_unordered) {
                values.sort_by_cached_key(Value::to_string);
            }
        }
        _ => {}
    }
}

/// A key that only Volley's connectors have, in a list of definitions.
fn is_own_key(value: &Value) -> bool {
    let name = value.pointer("/definition/name").or_else(|| value.get("name")).and_then(Value::as_str);
    name.is_some_and(|name| OWN_KEYS.contains(&name) || name.contains("volley."))
}

/// Elements of arrays that have no order of their own: names, tasks, offsets.
fn is_unordered(value: &Value) -> bool {
    let has = |member: &str| value.get(member).is_some();
    value.is_string() || has("id") || (has("partition") && has("offset"))
}

fn is_class(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        let vendors =
            ["org.apache.kafka.", "io.confluent.", "io.debezium.", "io.aiven.", "io.apicurio.", "com.github."];
        vendors.iter().any(|vendor| text.starts_with(vendor)) || text == "Sql"
    })
}

fn normalise_message(value: &mut Value) {
    if let Value::String(text) = value {
        *text = message(text);
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// A message without what only the plug-ins at hand, or Java and its JSON library, can say.
fn message(text: &str) -> String {
    if text.starts_with("Cannot invoke \"") {
        return "a NullPointerException's".to_owned();
    }
    if NO_JSON.iter().any(|prefix| text.starts_with(prefix)) {
        return "the body is no JSON".to_owned();
    }
    // Volley shows no values of a configuration that may hold secrets
    if text.starts_with("Connector config {") && text.ends_with("} contains no connector type") {
        return "Connector config {…} contains no connector type".to_owned();
    }
    // of a class that was asked for before, Java remembers the error and wraps it
    let text = text.strip_prefix("org.apache.kafka.connect.errors.ConnectException: ").unwrap_or(text);
    let ends = [
        "available connectors are:",
        "Invalid regex:",
        "\n at [Source:",
        " (through reference chain:",
        " (although at least one",
    ];
    let end = ends.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
    text[..end].trim_end().to_owned()
}

/// How messages about texts that are no JSON begin: Volley's, then those of Java's library.
const NO_JSON: [&str; 9] = [
    "Cannot parse the body as JSON",
    "Unrecognized token",
    "Unexpected end-of-input",
    "Unexpected character",
    "Illegal unquoted character",
    "Invalid UTF-8",
    "Invalid numeric value",
    "Non-standard token",
    "Trailing token",
];
