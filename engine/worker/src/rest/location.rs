//! The `Location` of a created connector.

use axum::http::{HeaderMap, header};

/// `http://<host>/connectors/<name>`, the host as the client named it. Blanks, `%`, quotes and non-ASCII are encoded;
/// `/` and `&` are not.
pub(super) fn connector_location(headers: &HeaderMap, worker_id: &str, name: &str) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or(worker_id);
    let mut location = format!("http://{host}/connectors/");
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => location.push(byte as char),
            _ if b"-._~!$&'()*+,;=:@/".contains(&byte) => location.push(byte as char),
            _ => location.push_str(&format!("%{byte:02X}")),
        }
    }
    location
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_may_hold_stays() {
        let location = connector_location(&HeaderMap::new(), "w:8083", "sl/ash & ü%");
        assert_eq!(location, "http://w:8083/connectors/sl/ash%20&%20%C3%BC%25");
    }
}
