//! Requests to Apicurio's registries.

use bytes::Bytes;
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use volley_api::{Error, Result};

use super::rest_request::RestRequest;
use crate::config::{ArtifactApi, ArtifactSettings, IfExists};
use crate::coordinates::{Coordinates, encoded};
use crate::{Reference, Schema, SchemaId, SchemaKind};

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";
/// A schema with what it refers to, in version 2.
const EXTENDED: &str = "application/create.extended+json";
/// Schemas come as what they are.
const ANYTHING: &str = "application/json, */*; q=0.5";

/// What one request asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum ArtifactRequest<'a> {
    /// The text of a schema.
    Content(SchemaId),
    /// What a schema refers to.
    References(SchemaId),
    /// The ids of a new version, or of the same one.
    Create { at: &'a Coordinates, schema: &'a Schema },
    /// The ids of the version with this schema.
    Find { at: &'a Coordinates, schema: &'a Schema },
    /// The ids of a version.
    Version { at: &'a Coordinates },
}

/// The request.
///
/// # Errors
/// `Data` for a name that cannot be sent.
pub(super) fn artifact_request(wanted: &ArtifactRequest<'_>, settings: ArtifactSettings) -> Result<RestRequest> {
    Ok(match *wanted {
        ArtifactRequest::Content(id) => get(id_path(id)),
        ArtifactRequest::References(id) => get(format!("{}/references", id_path(id))),
        ArtifactRequest::Version { at } => get(version_path(at, settings.api)),
        ArtifactRequest::Create { at, schema } => match settings.api {
            ArtifactApi::Two => create_in_two(at, schema, settings)?,
            ArtifactApi::Three => create_in_three(at, schema, settings),
        },
        ArtifactRequest::Find { at, schema } => {
            let Coordinates { group, artifact, .. } = at;
            let (group, artifact) = (encoded(group), encoded(artifact));
            let path = match settings.api {
                ArtifactApi::Two => format!("/groups/{group}/artifacts/{artifact}/meta?canonical=true"),
                ArtifactApi::Three => format!(
                    "/search/versions?groupId={group}&artifactId={artifact}&canonical=true&artifactType={}\
                     &orderby=globalId&order=desc&limit=100",
                    schema.kind
                ),
            };
            post(path, media_type(schema.kind), schema.text.clone())
        }
    })
}

fn id_path(id: SchemaId) -> String {
    match id {
        SchemaId::Content(id) => format!("/ids/contentIds/{id}"),
        SchemaId::Global(id) => format!("/ids/globalIds/{id}"),
        // nothing here makes such ids: the registry says that it does not know them
        SchemaId::Id(_) | SchemaId::Guid(_) => format!("/ids/globalIds/{id}"),
    }
}

fn version_path(at: &Coordinates, api: ArtifactApi) -> String {
    let path = format!("/groups/{}/artifacts/{}", encoded(&at.group), encoded(&at.artifact));
    match (api, at.version.as_deref().map(encoded)) {
        (ArtifactApi::Two, None) => format!("{path}/meta"),
        (ArtifactApi::Two, Some(version)) => format!("{path}/versions/{version}/meta"),
        (ArtifactApi::Three, None) => format!("{path}/versions/branch=latest"),
        (ArtifactApi::Three, Some(version)) => format!("{path}/versions/{version}"),
    }
}

fn create_in_two(at: &Coordinates, schema: &Schema, settings: ArtifactSettings) -> Result<RestRequest> {
    let if_exists = match settings.if_exists {
        IfExists::Fail => "FAIL",
        IfExists::Update => "UPDATE",
        IfExists::Return => "RETURN",
        IfExists::ReturnOrUpdate => "RETURN_OR_UPDATE",
    };
    let path = format!("/groups/{}/artifacts?ifExists={if_exists}&canonical=false", encoded(&at.group));
    let mut request = if schema.references.is_empty() {
        post(path, media_type(schema.kind), schema.text.clone())
    } else {
        let body = json!({"content": schema.text, "references": references(&schema.references)});
        post(path, EXTENDED, body.to_string())
    };
    let mut add = |name: &'static str, value: &str| {
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| Error::data(format!("the registry cannot be given the name {value:?} in a header")))?;
        request.headers.push((HeaderName::from_static(name), value));
        Ok::<(), Error>(())
    };
    add("x-registry-artifactid", &at.artifact)?;
    add("x-registry-artifacttype", &schema.kind.to_string())?;
    at.version.as_deref().map_or(Ok(()), |version| add("x-registry-version", version))?;
    Ok(request)
}

fn create_in_three(at: &Coordinates, schema: &Schema, settings: ArtifactSettings) -> RestRequest {
    let if_exists = match settings.if_exists {
        IfExists::Fail => "FAIL",
        IfExists::Update => "CREATE_VERSION",
        IfExists::Return | IfExists::ReturnOrUpdate => "FIND_OR_CREATE_VERSION",
    };
    let path = format!("/groups/{}/artifacts?ifExists={if_exists}&canonical=false", encoded(&at.group));
    let mut first = Map::new();
    if let Some(version) = &at.version {
        first.insert("version".to_owned(), json!(version));
    }
    let content = json!({
        "content": schema.text, "contentType": media_type(schema.kind), "references": references(&schema.references),
    });
    first.insert("content".to_owned(), content);
    let artifact_type = schema.kind.to_string();
    let body = json!({"artifactId": at.artifact, "artifactType": artifact_type, "firstVersion": first});
    post(path, JSON, body.to_string())
}

fn references(references: &[Reference]) -> Value {
    let references = references.iter().map(|reference| {
        let at = Coordinates::parse(&reference.subject);
        let version = at.version.unwrap_or_else(|| reference.version.to_string());
        json!({"name": reference.name, "groupId": at.group, "artifactId": at.artifact, "version": version})
    });
    references.collect()
}

fn media_type(kind: SchemaKind) -> &'static str {
    match kind {
        SchemaKind::Avro | SchemaKind::Json | SchemaKind::Connect => JSON,
        SchemaKind::Protobuf => PROTOBUF,
    }
}

fn get(path: String) -> RestRequest {
    request(Method::GET, path, JSON, String::new())
}

fn post(path: String, media_type: &'static str, body: String) -> RestRequest {
    request(Method::POST, path, media_type, body)
}

fn request(method: Method, path: String, media_type: &'static str, body: String) -> RestRequest {
    RestRequest { method, path, headers: Vec::new(), accepted: ANYTHING, media_type, body: Bytes::from(body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(api: ArtifactApi) -> ArtifactSettings {
        ArtifactSettings { api, kind: SchemaKind::Avro, if_exists: IfExists::ReturnOrUpdate }
    }

    fn at(version: Option<&str>) -> Coordinates {
        Coordinates { version: version.map(str::to_owned), ..Coordinates::new(Some("g h"), "a/ü") }
    }

    #[test]
    fn a_version_has_a_path_in_each_interface() {
        let path = |version, api| {
            artifact_request(&ArtifactRequest::Version { at: &at(version) }, settings(api)).unwrap().path
        };
        assert_eq!(path(None, ArtifactApi::Two), "/groups/g%20h/artifacts/a%2F%C3%BC/meta");
        assert_eq!(path(Some("1.0"), ArtifactApi::Two), "/groups/g%20h/artifacts/a%2F%C3%BC/versions/1.0/meta");
        assert_eq!(path(None, ArtifactApi::Three), "/groups/g%20h/artifacts/a%2F%C3%BC/versions/branch=latest");
        assert_eq!(path(Some("1.0"), ArtifactApi::Three), "/groups/g%20h/artifacts/a%2F%C3%BC/versions/1.0");
    }

    #[test]
    fn ids_have_paths() {
        let path = |request| artifact_request(&request, settings(ArtifactApi::Two)).unwrap().path;
        assert_eq!(path(ArtifactRequest::Content(SchemaId::Global(7))), "/ids/globalIds/7");
        assert_eq!(path(ArtifactRequest::References(SchemaId::Content(7))), "/ids/contentIds/7/references");
    }

    #[test]
    fn a_schema_is_registered_with_what_it_needs() {
        let reference = Reference { name: "x.A".into(), subject: "default/a@1.0".into(), version: 0 };
        let plain = Schema::new(SchemaKind::Avro, "\"int\"");
        let needing = Schema { references: vec![reference], ..plain.clone() };
        let create = |schema, version, api| {
            artifact_request(&ArtifactRequest::Create { at: &at(version), schema }, settings(api)).unwrap()
        };
        let request = create(&plain, Some("1.0"), ArtifactApi::Two);
        assert_eq!(request.path, "/groups/g%20h/artifacts?ifExists=RETURN_OR_UPDATE&canonical=false");
        let names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-registry-artifactid", "x-registry-artifacttype", "x-registry-version"]);
        assert_eq!((request.media_type, &*request.body), (JSON, &b"\"int\""[..]));
        let request = create(&needing, None, ArtifactApi::Two);
        let sent: Value = serde_json::from_slice(&request.body).unwrap();
        let references = json!([{"name": "x.A", "groupId": "default", "artifactId": "a", "version": "1.0"}]);
        assert_eq!((request.media_type, sent), (EXTENDED, json!({"content": "\"int\"", "references": references})));
        let request = create(&needing, Some("2"), ArtifactApi::Three);
        let sent: Value = serde_json::from_slice(&request.body).unwrap();
        let content = json!({"content": "\"int\"", "contentType": JSON, "references": references});
        let first = json!({"version": "2", "content": content});
        assert_eq!(sent, json!({"artifactId": "a/ü", "artifactType": "AVRO", "firstVersion": first}));
        assert!(request.path.contains("ifExists=FIND_OR_CREATE_VERSION"));
    }

    #[test]
    fn a_name_that_no_header_may_have_is_the_datas_fault() {
        let schema = Schema::new(SchemaKind::Avro, "\"int\"");
        let at = Coordinates::new(None, "a\nb");
        let wanted = ArtifactRequest::Create { at: &at, schema: &schema };
        let error = artifact_request(&wanted, settings(ArtifactApi::Two)).unwrap_err();
        assert_eq!(error.kind(), volley_api::ErrorKind::Data);
    }
}
