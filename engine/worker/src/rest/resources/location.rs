//! The `Location` of a created connector.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::rest::server::listener::Scheme;
use crate::rest::state::RestState;

/// `http://host:port`, as the client addressed this worker.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(String);

impl FromRequestParts<RestState> for BaseUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &RestState) -> Result<Self, Infallible> {
        let scheme = parts.extensions.get().copied().unwrap_or(Scheme::Http);
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.map_or_else(|| state.herder.worker_id(), str::to_owned);
        Ok(Self(format!("{scheme}://{host}")))
    }
}

impl BaseUrl {
    /// The URL of a connector. Blanks, `%`, quotes and non-ASCII are encoded; `/` and `&` are not.
    pub(crate) fn connector(&self, name: &str) -> String {
        let mut location = format!("{}/connectors/", self.0);
        for byte in name.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => location.push(byte as char),
                _ if b"-._~!$&'()*+,;=:@/".contains(&byte) => location.push(byte as char),
                _ => location.push_str(&format!("%{byte:02X}")),
            }
        }
        location
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_may_hold_stays() {
        let location = BaseUrl("https://w:8083".to_owned()).connector("sl/ash & ü%");
        assert_eq!(location, "https://w:8083/connectors/sl/ash%20&%20%C3%BC%25");
    }
}
