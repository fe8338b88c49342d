//! The clients of this process, by their settings.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use volley_api::Result;

use super::registry_client::RegistryClient;
use crate::config::ClientSettings;

/// Clients in use.
static CLIENTS: Mutex<Vec<(ClientSettings, Weak<RegistryClient>)>> = Mutex::new(Vec::new());

/// The client with these settings. It goes when nobody has it any more.
pub(super) fn shared(settings: &ClientSettings) -> Result<Arc<RegistryClient>> {
    let mut clients = CLIENTS.lock();
    clients.retain(|(_, client)| client.strong_count() > 0);
    let found = clients.iter().find(|(those, _)| those == settings).and_then(|(_, client)| client.upgrade());
    if let Some(client) = found {
        return Ok(client);
    }
    let client = Arc::new(RegistryClient::of_settings(settings)?);
    clients.push((settings.clone(), Arc::downgrade(&client)));
    Ok(client)
}
