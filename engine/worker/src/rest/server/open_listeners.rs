//! Finds listeners that show secrets to unauthenticated clients.

use std::net::SocketAddr;

use tracing::warn;
use volley_api::ConfigMap;

use crate::rest::front::settings::RestSettings;

/// Warns if REST shows secrets to unauthenticated clients from other machines. `tls` are the settings of the https
/// listeners.
pub(crate) fn warn_of_open_listeners(listeners: &[(SocketAddr, bool)], tls: &ConfigMap, settings: &RestSettings) {
    let open = open_listeners(listeners, tls, settings);
    if !open.is_empty() {
        warn!(
            listeners = ?open,
            "REST shows the secrets of connector configurations to whoever reaches it: ask for users \
             (rest.extension.classes) or for client certificates (ssl.client.auth=required), listen on 127.0.0.1 only, or set \
             volley.rest.secrets=hidden"
        );
    }
}

/// `listeners` are addresses, and whether they use https.
fn open_listeners(listeners: &[(SocketAddr, bool)], tls: &ConfigMap, settings: &RestSettings) -> Vec<SocketAddr> {
    if settings.hides_secrets || settings.auth.is_some() {
        return Vec::new();
    }
    let knows_clients = tls.get("ssl.client.auth").is_some_and(|auth| auth.trim() == "required");
    let open =
        listeners.iter().filter(|(address, is_https)| !(address.ip().is_loopback() || *is_https && knows_clients));
    open.map(|(address, _)| *address).collect()
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn a_listener_is_open_that_others_reach_without_saying_who_they_are() {
        let [all, local, secure] = ["[::]:8083", "127.0.0.1:8083", "10.0.0.1:8443"].map(|text| text.parse().unwrap());
        let listeners = [(all, false), (local, false), (secure, true)];
        let open = |auth: &str, settings: &RestSettings| {
            open_listeners(&listeners, &config_map(&[("ssl.client.auth", auth)]), settings)
        };
        assert_eq!(open("none", &RestSettings::default()), [all, secure]);
        assert_eq!(open("required", &RestSettings::default()), [all]);
        let hidden = RestSettings { hides_secrets: true, ..RestSettings::default() };
        assert!(open("none", &hidden).is_empty());
    }
}
