//! What Apicurio's registries answer, read.

use serde_json::Value;

use super::rest_answer::{BadAnswer, Read, lacks};
use crate::config::ArtifactApi;
use crate::coordinates::Coordinates;
use crate::{ArtifactIds, Reference};

/// Reads a schema.
pub(super) fn text(body: &[u8]) -> Read<String> {
    let text = std::str::from_utf8(body).map_err(|_| BadAnswer::NoRegistry("its schema is not UTF-8".to_owned()))?;
    if text.trim_start().starts_with("<!") {
        return Err(BadAnswer::NoRegistry("it answers a page of HTML".to_owned()));
    }
    Ok(text.to_owned())
}

/// Reads what a schema refers to. The subject of each has its version.
pub(super) fn references(answer: &Value) -> Read<Vec<Reference>> {
    answer.as_array().ok_or_else(|| lacks("references"))?.iter().map(reference).collect()
}

fn reference(answer: &Value) -> Read<Reference> {
    let text = |name| answer.get(name).and_then(Value::as_str);
    let needed = |name| text(name).ok_or_else(|| lacks(name));
    let mut at = Coordinates::new(text("groupId"), needed("artifactId")?);
    let version = text("version");
    at.version = version.map(str::to_owned);
    let number = version.and_then(|version| version.parse().ok()).unwrap_or(0);
    Ok(Reference { name: needed("name")?.to_owned(), subject: at.to_string(), version: number })
}

/// Reads the ids of a version.
pub(super) fn ids(answer: &Value) -> Read<ArtifactIds> {
    let number = |name| answer.get(name).and_then(Value::as_i64).ok_or_else(|| lacks(name));
    Ok(ArtifactIds { global: number("globalId")?, content: number("contentId")? })
}

/// Reads the ids of a version that has been registered.
pub(super) fn created(answer: &Value, api: ArtifactApi) -> Read<ArtifactIds> {
    match api {
        ArtifactApi::Two => ids(answer),
        ArtifactApi::Three => ids(answer.get("version").ok_or_else(|| lacks("version"))?),
    }
}

/// Reads the ids of a version that has been looked for; `None` if there is none.
pub(super) fn found(answer: &Value, api: ArtifactApi) -> Read<Option<ArtifactIds>> {
    match api {
        ArtifactApi::Two => ids(answer).map(Some),
        ArtifactApi::Three => {
            let versions = answer.get("versions").and_then(Value::as_array).ok_or_else(|| lacks("versions"))?;
            let is_usable = |version: &&Value| version.get("state").is_none_or(|state| state != "DISABLED");
            versions.iter().find(is_usable).map(ids).transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_knows_where_it_is_kept() {
        let answer = json!([
            {"name": "x.A", "groupId": "g", "artifactId": "a", "version": "1.0"},
            {"name": "x.B", "groupId": null, "artifactId": "b", "version": "3"},
        ]);
        let references = references(&answer).unwrap();
        let read: Vec<_> =
            references.iter().map(|one| (one.name.as_str(), one.subject.as_str(), one.version)).collect();
        assert_eq!(read, [("x.A", "g/a@1.0", 0), ("x.B", "default/b@3", 3)]);
        assert!(super::references(&json!([{"name": "x"}])).is_err() && super::references(&json!({})).is_err());
    }

    #[test]
    fn ids_stand_elsewhere_in_each_version() {
        let version = json!({"globalId": 7, "contentId": 5});
        let expected = ArtifactIds { global: 7, content: 5 };
        assert_eq!(created(&version, ArtifactApi::Two).unwrap(), expected);
        assert_eq!(created(&json!({"version": version}), ArtifactApi::Three).unwrap(), expected);
        assert_eq!(found(&version, ArtifactApi::Two).unwrap(), Some(expected));
        let disabled = json!({"globalId": 9, "contentId": 9, "state": "DISABLED"});
        let several = json!({"versions": [disabled, version]});
        assert_eq!(found(&several, ArtifactApi::Three).unwrap(), Some(expected));
        assert_eq!(found(&json!({"versions": []}), ArtifactApi::Three).unwrap(), None);
        assert!(ids(&json!({"globalId": 7})).is_err());
    }

    #[test]
    fn a_page_is_no_schema() {
        assert!(text(b"<!doctype html>").is_err() && text(b"\xff").is_err());
        assert_eq!(text(b"\"int\"").unwrap(), "\"int\"");
    }
}
