//! Finds the key of a client in the tables.

use volley_api::ConfigKey;

use super::client_key::{Client, ClientDefault, ClientKey};
use super::consumer::CONSUMER_KEYS;
use super::general::GENERAL;
use super::producer::PRODUCER_KEYS;
use super::sasl::SASL;
use super::tls::TLS;

/// The key `name` of `client`; `None` if the client does not have it.
pub(in crate::validation) fn client_key(client: Client, name: &str) -> Option<ConfigKey> {
    let mut keys = [GENERAL, PRODUCER_KEYS, CONSUMER_KEYS, SASL, TLS].into_iter().flatten();
    let ClientKey { name, config_type, default, importance, documentation, .. } =
        keys.find(|key| key.name == name && key.clients.contains(&client))?;
    let key = ConfigKey::required(name, *config_type, *importance, documentation);
    Some(match default {
        ClientDefault::Required => key,
        ClientDefault::Null => key.defaulting_to(None),
        ClientDefault::Is(text) => key.defaulting_to(Some(text)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_have_defaults_of_their_own_for_the_same_key() {
        let default = |client| client_key(client, "client.id").unwrap().importance.to_string();
        assert_eq!((default(Client::Producer), default(Client::Consumer)), ("MEDIUM".to_owned(), "LOW".to_owned()));
        assert!(client_key(Client::Consumer, "linger.ms").is_none());
        assert_eq!(client_key(Client::Producer, "linger.ms").unwrap().default_value(), Some("5"));
        assert!(client_key(Client::Consumer, "group.id").unwrap().default_value().is_none());
    }

    #[test]
    fn no_client_has_a_key_twice_and_every_default_is_of_its_type() {
        for client in [Client::Producer, Client::Consumer, Client::Admin] {
            let keys = [GENERAL, PRODUCER_KEYS, CONSUMER_KEYS, SASL, TLS].into_iter().flatten();
            let mut names: Vec<&str> = keys.filter(|key| key.clients.contains(&client)).map(|key| key.name).collect();
            for name in &names {
                let key = client_key(client, name).unwrap();
                assert!(key.is_required() || key.parse(None).1.is_empty(), "{name}");
            }
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }
}
