//! `response.http.headers.config`: headers that are added to every answer.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, TimeDelta, Utc};
use volley_api::{Error, Result};

use crate::clock::now;
use crate::worker_config::WorkerConfig;

const KEY: &str = "response.http.headers.config";
const ACTIONS: &str = "[set, add, setDate, addDate]";

/// The rules of `response.http.headers.config`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ResponseHeaders(Vec<Rule>);

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    name: HeaderName,
    value: Value,
    /// Whether it replaces the values that earlier rules gave the header.
    replaces: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(HeaderValue),
    /// Time after the date of the answer.
    Date(TimeDelta),
}

impl ResponseHeaders {
    /// The rules of a worker.
    ///
    /// # Errors
    /// `Config`, with Kafka Connect's message, if a rule is malformed.
    pub(crate) fn of_worker(config: &WorkerConfig) -> Result<Self> {
        Self::parse(config.parsed().string(KEY).unwrap_or_default())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut rules = split_at_commas(text);
        while rules.last().is_some_and(String::is_empty) {
            rules.pop();
        }
        rules.iter().map(|rule| parse_rule(rule)).collect::<Result<_>>().map(Self)
    }

    /// Adds the headers to an answer. Headers that the answer already has stay as they are.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        let own: Vec<HeaderName> = headers.keys().cloned().collect();
        for rule in self.0.iter().filter(|rule| !own.contains(&rule.name)) {
            let value = match &rule.value {
                Value::Text(text) => text.clone(),
                Value::Date(after) => http_date(now() + *after),
            };
            match rule.replaces {
                true => drop(headers.insert(rule.name.clone(), value)),
                false => drop(headers.append(rule.name.clone(), value)),
            }
        }
    }
}

fn http_date(time: DateTime<Utc>) -> HeaderValue {
    let text = time.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// `action name:value`
fn parse_rule(rule: &str) -> Result<Rule> {
    let Some((action, header)) = rule.split_once(char::is_whitespace) else {
        return Err(Error::config(format!(
            "Invalid format of header config '{rule}'. Expected: '[action] [header name]:[header value]'"
        )));
    };
    let (is_date, replaces) = match action.to_ascii_lowercase().as_str() {
        "set" => (false, true),
        "add" => (false, false),
        "setdate" => (true, true),
        "adddate" => (true, false),
        _ => return Err(Error::config(format!("Invalid header config action: '{action}'. Expected one of {ACTIONS}"))),
    };
    let header = header.trim();
    let parts: Vec<&str> = header.split(':').map(str::trim).collect();
    let [name, value] = parts[..] else { return Err(malformed_header(header)) };
    if name.is_empty() || name.contains(char::is_whitespace) {
        let message = format!("Invalid header name '{name}'. The '[header name]' cannot contain whitespace");
        return Err(Error::config(message));
    }
    if value.is_empty() {
        return Err(malformed_header(header));
    }
    let name = HeaderName::try_from(name).map_err(|_| {
        Error::config(format!("`{name}` in `{KEY}` is no name of a header: use letters, digits and `-`"))
    })?;
    let value = if is_date { Value::Date(offset(value)?) } else { Value::Text(text(value)?) };
    Ok(Rule { name, value, replaces })
}

fn malformed_header(header: &str) -> Error {
    Error::config(format!(
        "Invalid format of header name and header value pair '{header}'. Expected: '[header name]:[header value]'"
    ))
}

fn text(value: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(value).map_err(|_| {
        Error::config(format!("`{value}` in `{KEY}` is no value of a header: leave out control characters"))
    })
}

fn offset(value: &str) -> Result<TimeDelta> {
    let wrong = || Error::config(format!("`{value}` in `{KEY}` is no date: give the milliseconds from now"));
    let offset = value.parse().ok().and_then(TimeDelta::try_milliseconds).ok_or_else(wrong)?;
    // A value beyond a century is a mistake, and may exceed the range of dates.
    if offset.num_days().abs() > 36_525 { Err(wrong()) } else { Ok(offset) }
}

/// The items of a comma separated list. An item that begins with a quote ends with the next quote, and may contain
/// commas.
fn split_at_commas(text: &str) -> Vec<String> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let mut items = vec![String::new()];
    let (mut in_quotes, mut is_escaped) = (false, false);
    for c in text.chars() {
        let last = items.len() - 1;
        let item = &mut items[last];
        match c {
            _ if is_escaped => {
                item.push(c);
                is_escaped = false;
            }
            '\\' if in_quotes => is_escaped = true,
            '"' if in_quotes => in_quotes = false,
            '"' if item.trim().is_empty() => {
                item.clear();
                in_quotes = true;
            }
            ',' if !in_quotes => items.push(String::new()),
            _ => item.push(c),
        }
    }
    items.iter().map(|item| item.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(config: &str) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        ResponseHeaders::parse(config).unwrap().apply(&mut headers);
        let shown = |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), value.to_str().unwrap().to_owned());
        headers.iter().map(shown).filter(|(name, _)| name != "content-type").collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn headers_are_set_and_added() {
        let expected = [pair("x-frame-options", "DENY"), pair("cache-control", "no-cache, no-store")];
        let config = "add X-Frame-Options: DENY,\"add Cache-Control: no-cache, no-store\",";
        assert_eq!(headers(config), expected);
        assert_eq!(headers("add X: a, add X: b"), [pair("x", "a"), pair("x", "b")]);
        assert_eq!(headers("add X: a, SET  X : b"), [pair("x", "b")]);
        assert_eq!(headers("set Content-Type: text/html"), []);
        assert_eq!(headers("  "), []);
    }

    #[test]
    fn dates_count_from_the_answer() {
        let shown = headers("setDate Expires: 3600000");
        let expires = DateTime::parse_from_rfc2822(&shown[0].1.replace("GMT", "+0000")).unwrap();
        let minutes = (expires.with_timezone(&Utc) - now()).num_minutes();
        assert!((58..=60).contains(&minutes), "{minutes}");
    }

    #[test]
    fn wrong_rules_are_refused_in_kafka_connect_s_words() {
        let pair = |header: &str| {
            format!(
                "Invalid format of header name and header value pair '{header}'. Expected: '[header name]:[header value]'"
            )
        };
        let rule = |rule: &str| {
            format!("Invalid format of header config '{rule}'. Expected: '[action] [header name]:[header value]'")
        };
        let name = |name: &str| format!("Invalid header name '{name}'. The '[header name]' cannot contain whitespace");
        for (config, message) in [
            ("add", rule("add")),
            (",add X: y", rule("")),
            ("add X: \"a, b\"", rule("b\"")),
            ("ad X: y", "Invalid header config action: 'ad'. Expected one of [set, add, setDate, addDate]".to_owned()),
            ("add X", pair("X")),
            ("add X:", pair("X:")),
            ("add X: a:b", pair("X: a:b")),
            ("add : y", name("")),
            ("add X Y: z", name("X Y")),
        ] {
            assert_eq!(ResponseHeaders::parse(config).unwrap_err().to_string(), message, "{config}");
        }
        for config in ["setDate X: soon", "addDate X: 9223372036854775807", "add (X): y"] {
            assert!(ResponseHeaders::parse(config).is_err(), "{config}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            if let Ok(rules) = ResponseHeaders::parse(&text) {
                rules.apply(&mut HeaderMap::new());
            }
        }
    }
}
