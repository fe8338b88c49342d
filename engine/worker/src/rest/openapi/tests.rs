//! The document describes exactly the routes that exist.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use tower::ServiceExt;

use super::document::openapi;
use crate::rest::routes::{admin_routes, main_routes};
use crate::rest::tests::test_router;
use crate::testing::test_herder;

/// The routes that the router serves.
async fn served() -> BTreeSet<String> {
    let router = test_router(test_herder());
    let mut served = BTreeSet::new();
    for route in main_routes().into_iter().chain(admin_routes()) {
        let path = route.path.replace("{task}", "0").replace(['{', '}'], "");
        let request = Request::builder().method("OPTIONS").uri(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let allow = answer.headers()["allow"].to_str().unwrap().to_lowercase();
        let methods = allow.split(',').filter(|method| !["head", "options"].contains(method));
        served.extend(methods.map(|method| format!("{method} {}", route.path)));
    }
    served
}

#[tokio::test]
async fn every_route_is_in_the_document_and_nothing_else_is() {
    let document = openapi();
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        described.extend(operations.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    assert_eq!(described, served().await);
}

#[test]
fn every_reference_has_a_schema_and_every_schema_a_reference() {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| collect(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let document = openapi();
    let mut referenced = BTreeSet::new();
    collect(&document, &mut referenced);
    let schemas = document["components"]["schemas"].as_object().unwrap().keys();
    let schemas: BTreeSet<String> = schemas.map(|name| format!("#/components/schemas/{name}")).collect();
    assert_eq!(referenced, schemas);
}

#[test]
fn every_operation_has_its_own_name_an_answer_and_all_parameters_of_its_path() {
    let document = openapi();
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{path}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{path}");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
            assert_eq!(in_path, path.matches('{').count(), "{path}");
        }
    }
}
