//! One operation of the API, and its form in the document.

use serde_json::{Map, Value, json};

/// An operation: a method of a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    /// Lower case.
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: &'static [Parameter],
    /// Schema of the request's body.
    pub(super) body: Option<Shape>,
    /// Successful answers: status, meaning, schema of the body.
    pub(super) answers: &'static [(u16, &'static str, Option<Shape>)],
    /// Statuses of errors, besides 500.
    pub(super) errors: &'static [u16],
}

/// A parameter of the query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) kind: ParameterKind,
}

/// The values of a parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum ParameterKind {
    /// With its default.
    Boolean(bool),
    Text,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Any of these, the parameter repeated.
    AnyOf(&'static [&'static str]),
}

/// Schema of a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// The named schema.
    Of(&'static str),
    /// A list of the named schema.
    ListOf(&'static str),
    /// A list of strings.
    Names,
    /// Any object.
    Object,
    /// Not JSON, but text.
    PlainText,
}

impl Shape {
    fn to_json(self) -> Value {
        match self {
            Self::Of(name) => json!({ "$ref": format!("#/components/schemas/{name}") }),
            Self::ListOf(name) => json!({ "type": "array", "items": Self::Of(name).to_json() }),
            Self::Names => json!({ "type": "array", "items": { "type": "string" } }),
            Self::Object => json!({ "type": "object" }),
            Self::PlainText => json!({ "type": "string" }),
        }
    }

    fn content(self) -> Value {
        let media_type = if matches!(self, Self::PlainText) { "text/plain" } else { "application/json" };
        json!({ media_type: { "schema": self.to_json() } })
    }
}

impl Parameter {
    fn to_json(self) -> Value {
        let words = |words: &[&str]| json!({ "type": "string", "enum": words });
        let schema = match self.kind {
            ParameterKind::Boolean(default) => json!({ "type": "boolean", "default": default }),
            ParameterKind::Text => json!({ "type": "string" }),
            ParameterKind::OneOf(allowed) => words(allowed),
            ParameterKind::AnyOf(allowed) => json!({ "type": "array", "items": words(allowed) }),
        };
        json!({ "name": self.name, "in": "query", "description": self.description, "schema": schema })
    }
}

impl Operation {
    /// The operation's entry under its path.
    pub(super) fn to_json(self) -> Value {
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "responses": self.responses(),
        });
        let parameters: Vec<Value> =
            self.path_parameters().chain(self.query.iter().map(|parameter| parameter.to_json())).collect();
        if !parameters.is_empty() {
            operation["parameters"] = Value::Array(parameters);
        }
        if let Some(body) = self.body {
            operation["requestBody"] = json!({ "required": true, "content": body.content() });
        }
        operation
    }

    fn path_parameters(self) -> impl Iterator<Item = Value> {
        let names = self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        names.map(|name| {
            let (description, kind) = match name {
                "task" => ("Number of the task, from 0.", "integer"),
                "plugin" => ("Class of the plug-in: its full name, or a short form that no other has.", "string"),
                "logger" => ("Name of the logger, with dots; `root` is the root logger.", "string"),
                _ => ("Name of the connector.", "string"),
            };
            json!({ "name": name, "in": "path", "required": true, "description": description, "schema": { "type": kind } })
        })
    }

    fn responses(self) -> Value {
        let mut responses = Map::new();
        for (status, description, shape) in self.answers {
            let mut response = json!({ "description": description });
            if let Some(shape) = shape {
                response["content"] = shape.content();
            }
            if *status == 201 {
                let location = json!({ "description": "Where the connector is.", "schema": { "type": "string" } });
                response["headers"] = json!({ "Location": location });
            }
            responses.insert(status.to_string(), response);
        }
        for status in self.errors.iter().chain(&[500]) {
            let answer = json!({ "description": meaning(*status), "content": Shape::Of("ErrorMessage").content() });
            responses.entry(status.to_string()).or_insert(answer);
        }
        Value::Object(responses)
    }
}

/// The meaning of an error's status.
fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request makes no sense, or not in this state; the message says why.",
        403 => "Switched off, or signed wrongly.",
        404 => "There is no such thing.",
        409 => "It exists already, or something else is in its way for the moment: try again.",
        415 => "The body is not application/json.",
        503 => "Not yet: try again.",
        _ => "It failed, or took too long; the message says why.",
    }
}
