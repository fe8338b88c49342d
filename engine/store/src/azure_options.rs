//! How to log in to Azure other than with the account's key.

use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use volley_api::{Config, ConfigIssue, ConfigKey, ConfigType, Importance, Secret};

const SAS_TOKEN: &str = "store.azure.sas.token";
const CLIENT_ID: &str = "store.azure.client.id";
const CLIENT_SECRET: &str = "store.azure.client.secret";
const TENANT_ID: &str = "store.azure.tenant.id";

/// The settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct AzureOptions {
    sas_token: Option<Secret>,
    client: Option<ServicePrincipal>,
}

#[derive(Clone, Debug)]
struct ServicePrincipal {
    id: String,
    secret: Secret,
    tenant: String,
}

impl AzureOptions {
    /// From keys that have been checked.
    pub(crate) fn from_config(config: &Config) -> Self {
        let text = |key: &str| config.string(key).filter(|text| !text.is_empty()).map(str::to_owned);
        let secret = |key: &str| config.password(key).filter(|secret| !secret.reveal().is_empty()).cloned();
        let principal = || {
            Some(ServicePrincipal { id: text(CLIENT_ID)?, secret: secret(CLIENT_SECRET)?, tenant: text(TENANT_ID)? })
        };
        Self { sas_token: secret(SAS_TOKEN), client: principal() }
    }

    /// The client with these settings.
    pub(crate) fn apply(&self, mut builder: MicrosoftAzureBuilder) -> MicrosoftAzureBuilder {
        if let Some(token) = &self.sas_token {
            builder = builder.with_config(AzureConfigKey::SasKey, token.reveal());
        }
        if let Some(client) = &self.client {
            builder = builder
                .with_config(AzureConfigKey::ClientId, &client.id)
                .with_config(AzureConfigKey::ClientSecret, client.secret.reveal())
                .with_config(AzureConfigKey::AuthorityId, &client.tenant);
        }
        builder
    }
}

/// What is wrong with keys that depend on each other.
pub(crate) fn azure_option_issues(config: &Config) -> Vec<ConfigIssue> {
    let text = |key: &str| config.string(key).is_some_and(|text| !text.is_empty());
    let secret = config.password(CLIENT_SECRET).is_some_and(|secret| !secret.reveal().is_empty());
    let given = [(CLIENT_ID, text(CLIENT_ID)), (CLIENT_SECRET, secret), (TENANT_ID, text(TENANT_ID))];
    let Some((first, _)) = given.iter().find(|(_, is_given)| *is_given) else { return Vec::new() };
    let missing = given.iter().filter(|(_, is_given)| !is_given);
    missing.map(|(key, _)| ConfigIssue::new(*key, format!("`{key}` is needed together with `{first}`"))).collect()
}

/// The keys, in the order in which they are shown.
pub(crate) fn azure_option_keys() -> Vec<ConfigKey> {
    use ConfigType::{Password, String};
    use Importance::Low;
    vec![
        ConfigKey::optional(
            SAS_TOKEN,
            Password,
            Low,
            "Shared access signature for the container, in place of the account's key. Write it as Azure shows it.",
        ),
        ConfigKey::optional(CLIENT_ID, String, Low, "Client id of a service principal, in place of the account's key."),
        ConfigKey::optional(CLIENT_SECRET, Password, Low, "Secret of that service principal."),
        ConfigKey::optional(TENANT_ID, String, Low, "Tenant (directory) id of that service principal."),
    ]
}

#[cfg(test)]
mod tests {
    use volley_api::ConfigDef;
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn a_service_principal_has_three_parts() {
        let def = azure_option_keys().into_iter().fold(ConfigDef::new(), ConfigDef::key);
        let issues = |entries: &[(&str, &str)]| -> Vec<String> {
            let config = def.parse(&config_map(entries)).unwrap();
            azure_option_issues(&config).into_iter().map(|issue| issue.key).collect()
        };
        assert_eq!(issues(&[(SAS_TOKEN, "sv=1")]), Vec::<String>::new());
        assert_eq!(issues(&[(CLIENT_ID, "a")]), [CLIENT_SECRET, TENANT_ID]);
        assert_eq!(issues(&[(CLIENT_SECRET, "a"), (TENANT_ID, "b")]), [CLIENT_ID]);
        let config = def.parse(&config_map(&[(SAS_TOKEN, "hunter2")])).unwrap();
        assert!(!format!("{:?}", AzureOptions::from_config(&config)).contains("hunter2"));
    }
}
