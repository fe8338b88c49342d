//! Refuses the ambiguous paths that Kafka Connect's web server refuses before anything else: those that two readers may
//! interpret differently. The answer is an HTML page, not JSON.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::peers::USER_AGENT;

const MALFORMED: &str = "Bad Request";

const SEPARATOR: &str = "Ambiguous URI path separator";
const ENCODING: &str = "Ambiguous URI path encoding";

/// Violations that names of connectors may contain in requests between workers.
const OF_NAMES: [&str; 2] = [SEPARATOR, ENCODING];

/// The other violations, in the order of their messages.
const VIOLATIONS: [(&str, fn(&Path<'_>) -> bool); 9] = [
    ("Ambiguous URI path segment", |path| path.segments().any(|(name, _)| is_hidden_dots(name))),
    ("Ambiguous URI empty segment", |path| path.has_empty_segment()),
    (SEPARATOR, |path| path.has_escape(b"2f")),
    ("Ambiguous URI path parameter", |path| {
        path.segments().any(|(name, has_parameters)| has_parameters && is_dots(name))
    }),
    (ENCODING, |path| path.has_escape(b"25")),
    ("UTF-16 encoding", |path| path.text.to_ascii_lowercase().contains("%u")),
    ("Bad UTF-8 encoding", |path| std::str::from_utf8(&path.decoded).is_err()),
    ("Suspicious Path Character", |path| path.decoded.iter().any(|byte| *byte == b'\\' || byte.is_ascii_control())),
    ("Illegal Path Character", |path| path.text.bytes().any(|byte| !may_stand_in_a_path(byte))),
];

struct Path<'a> {
    text: &'a str,
    decoded: Vec<u8>,
}

/// The reason to refuse a request; `None` if it is valid.
pub(crate) fn refusal(request: &Request) -> Option<String> {
    let (uri, host) = (request.uri(), request.headers().get(header::HOST));
    if request.method() == Method::CONNECT {
        return Some(MALFORMED.to_owned());
    }
    if uri.path() == "*" {
        return Some("Bad URI path".to_owned());
    }
    match (uri.authority(), host) {
        (Some(authority), Some(host)) if authority.as_str().as_bytes() != host.as_bytes() => {
            Some("Authority!=Host".to_owned())
        }
        _ => of_path(uri.path(), is_of_a_worker(request)),
    }
}

/// Whether this is an internal request between workers. In those, names of connectors may contain characters that are
/// refused to users.
fn is_of_a_worker(request: &Request) -> bool {
    let path = request.uri().path();
    let is_internal = match *request.method() {
        Method::POST => path.ends_with("/tasks"),
        Method::PUT => path.ends_with("/fence"),
        _ => false,
    };
    is_internal
        && request.headers().get(header::USER_AGENT).is_some_and(|agent| agent.as_bytes() == USER_AGENT.as_bytes())
}

fn of_path(text: &str, is_of_a_worker: bool) -> Option<String> {
    let is_utf16 = text.to_ascii_lowercase().contains("%u");
    let decoded = match decode(text) {
        Some(decoded) => decoded,
        None if is_utf16 => Vec::new(),
        None => return Some(MALFORMED.to_owned()),
    };
    let path = Path { text, decoded };
    if path.decoded.contains(&0) || path.leaves_the_root() {
        return Some(MALFORMED.to_owned());
    }
    let matters = |name: &str| !(is_of_a_worker && OF_NAMES.contains(&name));
    let violations = VIOLATIONS.iter().filter(|(name, is_violated)| matters(name) && is_violated(&path));
    let violations: Vec<_> = violations.map(|(name, _)| *name).collect();
    (!violations.is_empty()).then(|| violations.join(", "))
}

/// The answer: 400, with a page that states the reason.
pub(crate) fn answer(reason: &str) -> Response {
    let body = format!(
        "<html>\n<head>\n<title>Error 400 {reason}</title>\n</head>\n<body>\n<h2>HTTP ERROR 400 {reason}</h2>\n</body>\n</html>\n"
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html;charset=iso-8859-1"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("must-revalidate,no-cache,no-store"));
    response
}

impl Path<'_> {
    /// The name of each segment, and whether path parameters (`;a=b`) follow it.
    fn segments(&self) -> impl Iterator<Item = (&str, bool)> {
        self.text.split('/').skip(1).map(|segment| match segment.split_once(';') {
            Some((name, _)) => (name, true),
            None => (segment, false),
        })
    }

    fn has_escape(&self, digits: &[u8]) -> bool {
        self.text.as_bytes().windows(3).any(|bytes| bytes[0] == b'%' && bytes[1..].eq_ignore_ascii_case(digits))
    }

    fn has_empty_segment(&self) -> bool {
        let mut segments = self.segments().peekable();
        let mut is_any_empty = false;
        while let Some((name, has_parameters)) = segments.next() {
            is_any_empty |= name.is_empty() && (has_parameters || segments.peek().is_some());
        }
        is_any_empty
    }

    fn leaves_the_root(&self) -> bool {
        let mut depth = 0_i64;
        self.segments().any(|(name, _)| {
            depth += match name {
                ".." => -1,
                "." | "" => 0,
                _ => 1,
            };
            depth < 0
        })
    }
}

fn is_dots(name: &str) -> bool {
    matches!(name, "." | "..")
}

/// Whether a segment is an escaped `.` or `..`.
fn is_hidden_dots(name: &str) -> bool {
    name.contains('%') && is_dots(&name.to_ascii_lowercase().replace("%2e", "."))
}

/// The characters of a path in RFC 3986.
fn may_stand_in_a_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte)
}

/// The decoded bytes of a path; `None` if an escape is malformed.
fn decode(path: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let digit = |at: usize| rest.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        decoded.push(u8::try_from(digit(0)? * 16 + digit(1)?).ok()?);
        rest = &rest[2..];
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_with_two_meanings_are_refused_in_kafka_connect_s_words() {
        for (path, reason) in [
            ("/connectors/a%2Fb", "Ambiguous URI path separator"),
            ("/connectors/a%25b", "Ambiguous URI path encoding"),
            ("/connectors/a%5Cb", "Suspicious Path Character"),
            ("/connectors/a\\b", "Suspicious Path Character, Illegal Path Character"),
            ("/connectors/%2e%2e/x", "Ambiguous URI path segment"),
            ("/connectors/%2E", "Ambiguous URI path segment"),
            ("/connectors//", "Ambiguous URI empty segment"),
            ("/connectors/;a/x", "Ambiguous URI empty segment"),
            ("/connectors/..;/x", "Ambiguous URI path parameter"),
            ("/connectors/a%u0041", "UTF-16 encoding"),
            ("/connectors/a%ffb", "Bad UTF-8 encoding"),
            ("/connectors/a%C0%AFb", "Bad UTF-8 encoding"),
            ("/connectors/a%0Ab", "Suspicious Path Character"),
            ("/connectors/a%7Fb", "Suspicious Path Character"),
            ("/connectors/a|b", "Illegal Path Character"),
            ("/connectors/é", "Illegal Path Character"),
            ("/connectors/a%zz", "Bad Request"),
            ("/connectors/a%f", "Bad Request"),
            ("/connectors/a%00b", "Bad Request"),
            ("/../connectors", "Bad Request"),
        ] {
            assert_eq!(of_path(path, false).as_deref(), Some(reason), "{path}");
        }
    }

    #[test]
    fn all_other_paths_pass() {
        let paths =
            ["/", "/connectors/", "/connectors/a%20b", "/connectors/%C3%BC", "/connectors/a+b", "/a%22", "/a;b=c/d"];
        for path in
            paths.into_iter().chain(["/connectors/%3Ba", "/connectors/a%23b", "/./connectors", "/a/../b", "/a%2e"])
        {
            assert_eq!(of_path(path, false), None, "{path}");
        }
    }

    #[test]
    fn a_worker_may_name_any_connector_in_what_only_workers_ask() {
        let refused = |method: &str, uri: &str, agent: &str| {
            let request = Request::builder().method(method).uri(uri).header("user-agent", agent).header("host", "h:1");
            refusal(&request.body(Body::empty()).unwrap())
        };
        assert_eq!(refused("POST", "/connectors/a%2Fb%25/tasks", "kafka-connect"), None);
        assert_eq!(refused("PUT", "/connectors/a%2Fb/fence", "kafka-connect"), None);
        for (method, uri, agent) in [
            ("POST", "/connectors/a%2Fb/tasks", "curl"),
            ("GET", "/connectors/a%2Fb/tasks", "kafka-connect"),
            ("PUT", "/connectors/a%2Fb/config", "kafka-connect"),
            ("PUT", "/connectors/%2e%2e/fence", "kafka-connect"),
            ("CONNECT", "h:1", "curl"),
            ("GET", "http://other/", "curl"),
        ] {
            assert!(refused(method, uri, agent).is_some(), "{method} {uri} {agent}");
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "/\\PC*") {
            let _ = of_path(&path, false);
        }

        #[test]
        fn what_is_escaped_as_it_should_be_passes(name in "[a-zA-Z0-9 üß\"<>|^`{}\\[\\]#?&=+;,@:!$'()*_~-]{1,20}") {
            let escaped: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(of_path(&format!("/connectors/{escaped}/status"), false), None);
        }
    }
}
