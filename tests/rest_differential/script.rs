//! The list of requests: text files in `tests/data/rest`, so that a case is added without compiling anything.
//!
//! Cases are separated by blank lines. A case is
//!
//! ```text
//! # why it is there
//! @distributed
//! @until 200 /connector/state=RUNNING /tasks/0/state=RUNNING
//! PUT /connectors/a/config?x=y
//! Accept: application/json
//! {"connector.class": "MockSource"}
//! ```
//!
//! | option | means |
//! |---|---|
//! | `@standalone`, `@distributed` | only for workers of this mode |
//! | `@until STATUS POINTER=VALUE…` | is repeated until the answer has this status and these members (JSON pointers; `*` as a value is any but null; `#N` an array of N); is not compared |
//! | `@settled STATUS POINTER=VALUE…` | the same, and stays so for a while: where what was waited for may be still, or again, so |
//! | `@once` | a 409 is an answer, and not a reason to ask again |
//! | `@differs PART reason` | Volley means to answer otherwise in this part (`status`, `headers`, `body`); the parts must differ |
//! | `@skip PART reason` | this part is not compared |
//!
//! A body is sent as `application/json` unless a header says otherwise (`Content-Type: none` sends no such header). The
//! body `<empty>` is one of no bytes. `$T` is the prefix of this worker's own topics, `$B` the bootstrap servers,
//! `\xHH` in a body is a byte.

use std::path::PathBuf;

use serde_json::Value;

use crate::testbed::{Answer, Mode};

/// A part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Status,
    Headers,
    Body,
}

/// What an answer must be for the script to go on.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    status: u16,
    members: Vec<(String, String)>,
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// File and line.
    pub(super) place: String,
    pub(super) title: String,
    pub(super) only: Option<Mode>,
    pub(super) until: Option<Condition>,
    /// The condition of `until` has to hold for a while.
    pub(super) settles: bool,
    pub(super) once: bool,
    /// Parts in which the answers must differ.
    pub(super) differing: Vec<Part>,
    /// Parts that are not compared.
    pub(super) skipped: Vec<Part>,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
}

impl Step {
    fn new() -> Self {
        Self {
            place: String::new(),
            title: String::new(),
            only: None,
            until: None,
            settles: false,
            once: false,
            differing: Vec::new(),
            skipped: Vec::new(),
            method: String::new(),
            target: String::new(),
            headers: Vec::new(),
            body: None,
        }
    }
}

impl Condition {
    /// Whether `answer` is what was waited for, by the worker whose topics begin with `prefix`.
    pub(super) fn holds(&self, answer: &Answer, prefix: &str) -> bool {
        let body = answer.json();
        answer.status == self.status
            && self.members.iter().all(|(pointer, wanted)| {
                let found = body.pointer(&pointer.replace("$T", prefix)).unwrap_or(&Value::Null);
                match (wanted.as_str(), found) {
                    ("*", found) => !found.is_null(),
                    (wanted, Value::String(found)) => found == wanted,
                    (wanted, Value::Array(found)) if wanted.starts_with('#') => wanted[1..] == found.len().to_string(),
                    (wanted, found) => wanted == format!("{found}"),
                }
            })
    }

    fn parse(text: &str) -> Self {
        let mut words = text.split_whitespace();
        let status = words.next().and_then(|status| status.parse().ok()).expect("@until begins with a status");
        let members = words.map(|word| {
            let (pointer, value) = word.split_once('=').expect("@until has POINTER=VALUE");
            (pointer.to_owned(), value.to_owned())
        });
        Self { status, members: members.collect() }
    }
}

/// The steps of all these files of `tests/data/rest`, in order.
pub(super) fn load(files: &[&str]) -> Vec<Step> {
    files.iter().flat_map(|file| load_file(file)).collect()
}

/// The configurations of `tests/data/validate_requests.json`, each to be validated.
pub(super) fn load_validations() -> Vec<Step> {
    let text = include_str!("../data/validate_requests.json");
    let list: Value = serde_json::from_str(text).expect("the list of configurations is JSON");
    let requests = list["requests"].as_array().expect("it has requests");
    requests.iter().map(validation).collect()
}

fn validation(request: &Value) -> Step {
    let member = |name: &str| request[name].as_str().expect("a request has a name and a type");
    let mut step = Step::new();
    step.place = "validate_requests.json".to_owned();
    step.title = format!(" {}", member("name"));
    step.method = "PUT".to_owned();
    step.target = format!("/connector-plugins/{}/config/validate", member("type"));
    step.headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    step.body = Some(request["config"].to_string().into_bytes());
    step
}

fn load_file(file: &str) -> Vec<Step> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/rest").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut steps = Vec::new();
    let mut lines = Vec::new();
    for (number, line) in text.lines().chain([""]).enumerate() {
        if !line.is_empty() {
            lines.push((number + 1, line));
            continue;
        }
        if lines.iter().any(|(_, line)| !line.starts_with('#')) {
            steps.push(parse(file, &lines));
        }
        lines.clear();
    }
    steps
}

fn parse(file: &str, lines: &[(usize, &str)]) -> Step {
    let mut step = Step::new();
    let mut lines = lines.iter();
    for (number, line) in lines.by_ref() {
        let place = format!("{file}:{number}");
        if let Some(title) = line.strip_prefix('#') {
            step.title.push_str(title);
        } else if let Some(option) = line.strip_prefix('@') {
            read_option(&mut step, option, &place);
        } else {
            let (method, target) = line.split_once(' ').unwrap_or_else(|| panic!("{place}: no METHOD TARGET"));
            (step.method, step.target, step.place) = (method.to_owned(), target.to_owned(), place);
            break;
        }
    }
    let mut body = Vec::new();
    for (_, line) in lines {
        match line.split_once(": ") {
            Some((name, value)) if body.is_empty() && is_header_name(name) => {
                step.headers.push((name.to_owned(), value.to_owned()));
            }
            _ => body.push(*line),
        }
    }
    if !body.is_empty() {
        let text = body.join("\n");
        step.body = Some(if text == "<empty>" { Vec::new() } else { unescape(&text) });
        if !step.headers.iter().any(|(name, _)| name == "Content-Type") {
            step.headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
    }
    step.headers.retain(|(name, value)| name != "Content-Type" || value != "none");
    step
}

fn read_option(step: &mut Step, option: &str, place: &str) {
    let (name, rest) = option.split_once(' ').unwrap_or((option, ""));
    let part = || match rest.split(' ').next() {
        Some("status") => Part::Status,
        Some("headers") => Part::Headers,
        Some("body") => Part::Body,
        _ => panic!("{place}: @{name} names no part"),
    };
    match name {
        "standalone" => step.only = Some(Mode::Standalone),
        "distributed" => step.only = Some(Mode::Distributed),
        "until" | "settled" => {
            step.until = Some(Condition::parse(rest));
            step.settles = name == "settled";
        }
        "once" => step.once = true,
        "differs" => step.differing.push(part()),
        "skip" => step.skipped.push(part()),
        _ => panic!("{place}: unknown option @{name}"),
    }
}

fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
}

/// `\xHH` becomes a byte.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        bytes.push(u8::from_str_radix(&rest[at + 2..at + 4], 16).expect("two hex digits follow \\x"));
        rest = &rest[at + 4..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
