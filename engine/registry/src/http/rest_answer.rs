//! What a registry answers, read.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use crate::{Reference, RegisteredSchema, Schema, SchemaKind};

/// Longest part of what a registry says about an error that is repeated: reasons of incompatibility are long.
const LONGEST_MESSAGE: usize = 2_000;

/// Why an answer cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadAnswer {
    /// No registry answers so; what is wrong with it.
    NoRegistry(String),
    /// The schema is of a kind that is not known.
    UnknownKind(String),
}

/// What has been read, or why it cannot be.
pub(super) type Read<T> = Result<T, BadAnswer>;

/// Parses a body.
pub(super) fn json(body: &[u8]) -> Read<Value> {
    serde_json::from_slice(body).map_err(|_| BadAnswer::NoRegistry("it is not JSON".to_owned()))
}

/// Reads a schema.
pub(super) fn schema(answer: &Value) -> Read<Schema> {
    let text = answer.get("schema").and_then(Value::as_str).ok_or_else(|| lacks("schema"))?;
    let kind = answer.get("schemaType").and_then(Value::as_str);
    let kind = SchemaKind::named(kind).ok_or_else(|| BadAnswer::UnknownKind(kind.unwrap_or_default().to_owned()))?;
    let references = match answer.get("references") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(references)) => references.iter().map(reference).collect::<Read<_>>()?,
        Some(_) => return Err(lacks("references")),
    };
    Ok(Schema { kind, text: text.to_owned(), references })
}

fn reference(answer: &Value) -> Read<Reference> {
    let text = |name| answer.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| lacks(name));
    Ok(Reference {
        name: text("name")?,
        subject: text("subject")?,
        version: number(answer, "version").ok_or_else(|| lacks("version"))?,
    })
}

/// Reads the place of a schema; `schema` is the schema.
pub(super) fn registered(answer: &Value, subject: &str, schema: Arc<Schema>) -> Read<RegisteredSchema> {
    Ok(RegisteredSchema {
        subject: subject.to_owned(),
        id: number(answer, "id").ok_or_else(|| lacks("id"))?,
        guid: answer.get("guid").and_then(Value::as_str).and_then(|guid| Uuid::parse_str(guid).ok()),
        version: number(answer, "version").filter(|version| *version > 0),
        artifact: None,
        schema,
    })
}

fn number(answer: &Value, name: &str) -> Option<i32> {
    answer.get(name).and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok())
}

/// The answer of a registry has this.
pub(super) fn lacks(name: &str) -> BadAnswer {
    BadAnswer::NoRegistry(format!("its JSON has no `{name}` as registries write it"))
}

/// What a registry says about an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Its own number, which begins with the status.
    pub(super) code: Option<i64>,
    /// Its words; may be empty.
    pub(super) message: String,
    /// What Apicurio's calls it.
    name: Option<String>,
}

impl Complaint {
    /// Whether Apicurio's says that it does not have what it is asked for. A path that it does not have has another name.
    pub(super) fn is_missing(&self) -> bool {
        self.name.as_deref().is_some_and(|name| name.ends_with("NotFoundException") && name != "NotFoundException")
    }

    /// Whether Apicurio's says that it has what it is given already.
    pub(super) fn is_conflict(&self) -> bool {
        self.name.as_deref().is_some_and(|name| name.ends_with("AlreadyExistsException"))
    }
}

/// Reads the body of an error. Whatever it is, it is no further error.
pub(super) fn complaint(body: &[u8]) -> Complaint {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |member| answer.get(member).and_then(Value::as_str);
    let message = text("message").or_else(|| text("title")).unwrap_or_default();
    let message = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_MESSAGE);
    Complaint {
        code: answer.get("error_code").and_then(Value::as_i64),
        message: message.collect(),
        name: text("name").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_read_with_what_it_needs() {
        let answer = json!({
            "schema": "s", "schemaType": "JSON", "references": [{"name": "n", "subject": "t", "version": 2}], "other": 1
        });
        let reference = Reference { name: "n".into(), subject: "t".into(), version: 2 };
        let expected = Schema { references: vec![reference], ..Schema::new(SchemaKind::Json, "s") };
        assert_eq!(schema(&answer).unwrap(), expected);
        let plain = Schema::new(SchemaKind::Avro, "s");
        assert_eq!(schema(&json!({"schema": "s"})).unwrap(), plain);
        assert_eq!(schema(&json!({"schema": "s", "schemaType": null, "references": []})).unwrap(), plain);
    }

    #[test]
    fn what_no_registry_answers_is_told_from_what_is_not_known() {
        for answer in [json!([]), json!({}), json!({"schema": 1}), json!({"schema": "s", "references": [{}]})] {
            assert!(matches!(schema(&answer), Err(BadAnswer::NoRegistry(_))), "{answer}");
        }
        let unknown = schema(&json!({"schema": "s", "schemaType": "THRIFT"}));
        assert_eq!(unknown, Err(BadAnswer::UnknownKind("THRIFT".into())));
        assert_eq!(json(b"<html>").unwrap_err(), BadAnswer::NoRegistry("it is not JSON".into()));
    }

    #[test]
    fn a_place_may_lack_all_but_the_id() {
        let read = |answer: Value| registered(&answer, "s", Arc::new(Schema::new(SchemaKind::Avro, "")));
        let place = read(json!({"id": 7})).unwrap();
        assert_eq!((place.id, place.version, place.guid), (7, None, None));
        let guid = "00112233-4455-6677-8899-aabbccddeeff";
        let place = read(json!({"id": 7, "version": 2, "guid": guid})).unwrap();
        assert_eq!((place.version, place.guid), (Some(2), Uuid::parse_str(guid).ok()));
        assert!(read(json!({"id": "7"})).is_err() && read(json!({"id": 1_i64 << 40})).is_err());
    }

    proptest! {
        #[test]
        fn no_complaint_panics_or_is_too_long(body in proptest::collection::vec(any::<u8>(), 0..100), message in ".{0,3000}") {
            let _ = complaint(&body);
            let said = complaint(json!({"error_code": 1, "message": message}).to_string().as_bytes());
            prop_assert!(said.message.chars().count() <= LONGEST_MESSAGE);
            prop_assert!(!said.message.contains(char::is_control));
        }
    }
}
