//! Detects secrets by the name of their key, for keys that no class of this worker defines.

/// Endings of the last word of such a key.
const LAST_WORDS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "credentials",
    "authorization",
    "userinfo",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
];

/// The same, for the last two words.
const LAST_TWO_WORDS: [[&str; 2]; 5] =
    [["jaas", "config"], ["user", "info"], ["key", "pem"], ["credentials", "json"], ["connection", "string"]];

/// A key that ends with `key` is a secret, unless one of these words precedes it: then it is the key of a record, or
/// public.
const BEFORE_PLAIN_KEYS: [&str; 22] = [
    "primary",
    "foreign",
    "unique",
    "partition",
    "partitioning",
    "routing",
    "ordering",
    "sort",
    "group",
    "message",
    "record",
    "header",
    "row",
    "document",
    "object",
    "schema",
    "format",
    "field",
    "event",
    "map",
    "hash",
    "public",
];

/// Whether the last words of a key are those of a secret: `aws.secret.access.key` and `accessToken`, and neither
/// `credentials.provider.class` nor `token.endpoint.url`.
pub(crate) fn is_named_like_a_secret(key: &str) -> bool {
    let words = words(key);
    let mut words = words.iter().rev().map(String::as_str);
    let (last, before) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match last {
        "key" => !BEFORE_PLAIN_KEYS.contains(&before),
        _ => LAST_TWO_WORDS.contains(&[before, last]) || LAST_WORDS.iter().any(|word| last.ends_with(word)),
    }
}

/// The words of a key in lower case. A new word begins with a capital after a small letter, and after a punctuation
/// character.
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_after_small = false;
    for char in key.chars() {
        if !char.is_alphanumeric() || (char.is_uppercase() && is_after_small) {
            words.push(String::new());
        }
        if char.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(char.to_lowercase());
        }
        is_after_small = char.is_lowercase() || char.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_known_by_their_last_words() {
        for key in [
            "password",
            "database.password",
            "CONNECT_SSL_KEY_PASSWORD",
            "connection.dbPassword",
            "github.accessToken",
            "oauth.access_token",
            "sas.token",
            "secret",
            "sasl.oauthbearer.client.credentials.client.secret",
            "sasl.oauthbearer.assertion.private.key.passphrase",
            "aws.secret.access.key",
            "aws.secret.access-key",
            "iceberg.catalog.s3.secret-access-key",
            "iceberg.catalog.credential",
            "ssl.keystore.key",
            "ssl.key.pem",
            "ssl.openssl.privateKey",
            "snowflake.private.key",
            "azure.storage.account.key",
            "azure.storage.connection.string",
            "api.key",
            "apikey",
            "x-api-key",
            "gcs.credentials.json",
            "http.headers.authorization",
            "schema.history.internal.producer.sasl.jaas.config",
            "schema.registry.basic.auth.user.info",
        ] {
            assert!(is_named_like_a_secret(key), "{key}");
        }
    }

    #[test]
    fn what_only_speaks_of_a_secret_is_none() {
        for key in [
            "value.converter.basic.auth.credentials.source",
            "s3.credentials.provider.class",
            "gcs.credentials.path",
            "sasl.oauthbearer.client.credentials.client.id",
            "sasl.oauthbearer.token.endpoint.url",
            "sasl.oauthbearer.assertion.private.key.file",
            "sasl.mechanism",
            "aws.access.key.id",
            "config.providers.secrets.class",
            "ssl.keystore.location",
            "ssl.openssl.keyCertChain",
            "database.allowPublicKeyRetrieval",
            "database.hostname",
            "auth.gssapi.keyTab",
            "keyspace",
            "key.converter",
            "message.key.columns",
            "output.schema.key",
            "output.format.key",
            "table.primary.key",
            "tasks.max",
            "",
        ] {
            assert!(!is_named_like_a_secret(key), "{key}");
        }
    }

    proptest! {
        #[test]
        fn no_key_panics(key in ".{0,40}") {
            let _ = is_named_like_a_secret(&key);
        }
    }
}
