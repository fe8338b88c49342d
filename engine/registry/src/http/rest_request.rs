//! Questions as REST requests.

use bytes::Bytes;
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use crate::coordinates::encoded;
use crate::question::Question;
use crate::{Schema, SchemaId, SchemaKind};

/// The registry's own media type.
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
/// What is taken for an answer, and how gladly.
const ACCEPTED: &str =
    "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json; q=0.9, application/json; q=0.5";

/// A request, without where it goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RestRequest {
    pub(super) method: Method,
    /// Path and query, behind the base URL.
    pub(super) path: String,
    /// Besides those of the login.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// What an answer may be.
    pub(super) accepted: &'static str,
    /// What the body is; of no matter where that is empty.
    pub(super) media_type: &'static str,
    pub(super) body: Bytes,
}

/// The request that asks this. `normalize`: whether schemas are to be brought into a normal form.
pub(super) fn rest_request(question: &Question<'_>, normalize: bool) -> RestRequest {
    let query = if normalize { "?normalize=true" } else { "" };
    match question {
        Question::Schema(SchemaId::Id(id)) => get(format!("/schemas/ids/{id}")),
        // messages of Confluent's clients have no such ids
        Question::Schema(SchemaId::Global(id) | SchemaId::Content(id)) => get(format!("/schemas/ids/{id}")),
        Question::Schema(SchemaId::Guid(guid)) => get(format!("/schemas/guids/{guid}")),
        Question::Version { subject, version } => get(format!("/subjects/{}/versions/{version}", encoded(subject))),
        Question::Register { subject, schema } => {
            post(format!("/subjects/{}/versions{query}", encoded(subject)), schema)
        }
        Question::LookUp { subject, schema } => post(format!("/subjects/{}{query}", encoded(subject)), schema),
    }
}

fn get(path: String) -> RestRequest {
    request(Method::GET, path, Bytes::new())
}

fn post(path: String, schema: &Schema) -> RestRequest {
    let mut body = Map::new();
    body.insert("schema".to_owned(), schema.text.as_str().into());
    // Left out for Avro, as by Confluent: registries of old know no other.
    if schema.kind != SchemaKind::Avro {
        body.insert("schemaType".to_owned(), schema.kind.to_string().into());
    }
    if !schema.references.is_empty() {
        let references = schema.references.iter();
        let references =
            references.map(|one| json!({"name": one.name, "subject": one.subject, "version": one.version}));
        body.insert("references".to_owned(), references.collect());
    }
    request(Method::POST, path, Bytes::from(Value::Object(body).to_string()))
}

fn request(method: Method, path: String, body: Bytes) -> RestRequest {
    RestRequest { method, path, headers: Vec::new(), accepted: ACCEPTED, media_type: MEDIA_TYPE, body }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reference, Uuid, Version};

    #[test]
    fn each_question_has_its_path() {
        let path = |question: Question<'_>| rest_request(&question, false).path;
        assert_eq!(path(Question::Schema(SchemaId::Id(7))), "/schemas/ids/7");
        let guid = "/schemas/guids/00000000-0000-0000-0000-000000000000";
        assert_eq!(path(Question::Schema(SchemaId::Guid(Uuid::nil()))), guid);
        let version = |version| path(Question::Version { subject: ":.ctx:a/b ü", version });
        assert_eq!(version(Version::Latest), "/subjects/%3A.ctx%3Aa%2Fb%20%C3%BC/versions/latest");
        assert_eq!(version(Version::Number(2)), "/subjects/%3A.ctx%3Aa%2Fb%20%C3%BC/versions/2");
    }

    #[test]
    fn a_schema_is_sent_with_what_it_needs() {
        let reference = Reference { name: "a.proto".into(), subject: "a".into(), version: 3 };
        let schema =
            Schema { references: vec![reference], ..Schema::new(SchemaKind::Protobuf, "syntax = \"proto3\";") };
        let request = rest_request(&Question::Register { subject: "s", schema: &schema }, true);
        assert_eq!((request.method, request.path.as_str()), (Method::POST, "/subjects/s/versions?normalize=true"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let references = json!([{"name": "a.proto", "subject": "a", "version": 3}]);
        assert_eq!(body, json!({"schema": "syntax = \"proto3\";", "schemaType": "PROTOBUF", "references": references}));
    }

    #[test]
    fn avro_is_not_named_and_normal_form_not_asked_for_unless_it_is_wanted() {
        let schema = Schema::new(SchemaKind::Avro, "\"int\"");
        let request = rest_request(&Question::LookUp { subject: "s", schema: &schema }, false);
        assert_eq!(request.path, "/subjects/s");
        assert_eq!(request.body, r#"{"schema":"\"int\""}"#);
    }
}
