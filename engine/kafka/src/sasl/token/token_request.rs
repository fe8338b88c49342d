//! The request of OAuth's client credentials grant (RFC 6749, 4.4), as Java's client writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;
use volley_api::Secret;

/// Who asks for a token, and for what. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub(super) struct ClientCredentials {
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    pub(super) scope: Option<String>,
    /// `sasl.oauthbearer.header.urlencode`: RFC 6749 wants id and secret encoded, most servers want them as they are.
    pub(super) urlencode: bool,
}

impl ClientCredentials {
    /// The value of the header `Authorization`.
    pub(super) fn authorization(&self) -> Secret {
        let secret = self.client_secret.reveal();
        let both = if self.urlencode {
            format!("{}:{}", encoded(&self.client_id), encoded(secret))
        } else {
            format!("{}:{secret}", self.client_id)
        };
        Secret::new(format!("Basic {}", STANDARD.encode(both)))
    }

    /// The form that is posted.
    pub(super) fn body(&self) -> String {
        match &self.scope {
            Some(scope) => format!("grant_type=client_credentials&scope={}", encoded(scope)),
            None => "grant_type=client_credentials".to_owned(),
        }
    }
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(urlencode: bool) -> ClientCredentials {
        let scope = Some("api://a/.default b".to_owned());
        ClientCredentials { client_id: "vol ley".to_owned(), client_secret: Secret::new("a:b/ü"), scope, urlencode }
    }

    #[test]
    fn id_and_secret_are_encoded_only_where_it_is_asked_for() {
        let shown = |credentials: ClientCredentials| {
            let header = credentials.authorization();
            String::from_utf8(STANDARD.decode(header.reveal().strip_prefix("Basic ").unwrap()).unwrap()).unwrap()
        };
        assert_eq!(shown(credentials(false)), "vol ley:a:b/ü");
        assert_eq!(shown(credentials(true)), "vol+ley:a%3Ab%2F%C3%BC");
        assert!(!format!("{:?}", credentials(true)).contains("a:b"));
    }

    #[test]
    fn the_body_is_a_form() {
        assert_eq!(credentials(false).body(), "grant_type=client_credentials&scope=api%3A%2F%2Fa%2F.default+b");
        let without = ClientCredentials { scope: None, ..credentials(false) };
        assert_eq!(without.body(), "grant_type=client_credentials");
    }
}
