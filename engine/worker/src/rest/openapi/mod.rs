//! `/openapi.json`: this API, described for programs (OpenAPI 3.0).

mod document;
mod operation;
mod operations;
mod schemas;
#[cfg(test)]
mod tests;

pub(super) use document::document;
