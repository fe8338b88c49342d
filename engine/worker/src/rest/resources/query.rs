//! Query parameters. As in Kafka Connect none is refused: unknown ones are ignored, and values other than `true` are
//! false.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;
use url::form_urlencoded;

/// The parameters of a request, in order; a name may occur several times.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueryParams(Vec<(String, String)>);

impl QueryParams {
    /// Whether the parameter is `true`; `default` if it is missing or empty.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.first(name).filter(|value| !value.is_empty()).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }

    /// The first value of a parameter.
    pub(crate) fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for QueryParams {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}
