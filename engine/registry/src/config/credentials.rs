//! Who the client says it is.

use std::fmt;
use std::time::Duration;

use url::Url;
use volley_api::{Config, Error, Result, Secret};
use volley_java::LoginModule;

use super::keys;

/// Who the client says it is. `Debug` shows no secrets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Credentials {
    /// What stands in the URL of each registry, if anything.
    Url,
    /// `user:password`.
    Basic(Secret),
    /// A token that does not change.
    Token(Secret),
    /// Tokens of an identity provider.
    OAuth(OAuthClient),
}

/// How tokens are asked for. `Debug` shows neither the secret nor the URL, which may have another one in it.
#[derive(Clone, PartialEq)]
pub(crate) struct OAuthClient {
    pub(crate) endpoint: Url,
    /// The key that the endpoint was given by.
    pub(crate) endpoint_key: &'static str,
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) scope: Option<String>,
    /// How long before its end a token is replaced.
    pub(crate) renewal: Duration,
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClient").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Headers that Confluent Cloud wants beside a token.
type CloudHeaders = Vec<(String, Secret)>;

impl Credentials {
    pub(super) fn read(config: &Config) -> Result<(Self, CloudHeaders)> {
        let Some(source) = config.string(keys::BEARER_SOURCE) else { return Ok((Self::basic(config)?, Vec::new())) };
        if config.string(keys::BASIC_SOURCE).is_some_and(|basic| basic != "URL") {
            return Err(Error::config(format!(
                "`{}` and `{}` are both set: remove one of them",
                keys::BASIC_SOURCE,
                keys::BEARER_SOURCE
            )));
        }
        match source {
            "STATIC_TOKEN" => {
                let token = needed(secret(config, keys::TOKEN).cloned(), keys::TOKEN, keys::BEARER_SOURCE, source)?;
                Ok((Self::Token(token), cloud_headers(text(config, keys::CLUSTER), text(config, keys::POOL))))
            }
            "OAUTHBEARER" => {
                let cloud = cloud_headers(text(config, keys::CLUSTER), text(config, keys::POOL));
                Ok((Self::OAuth(own_client(config, source)?), cloud))
            }
            _ => {
                let module = login_module(config, keys::BEARER_SOURCE, source)?;
                let cluster = option(&module, "extension_logicalCluster").or_else(|| text(config, keys::CLUSTER));
                let pool = option(&module, "extension_identityPoolId").or_else(|| text(config, keys::POOL));
                Ok((Self::OAuth(inherited_client(config, &module, source)?), cloud_headers(cluster, pool)))
            }
        }
    }

    fn basic(config: &Config) -> Result<Self> {
        match config.string(keys::BASIC_SOURCE) {
            Some(source @ "USER_INFO") => {
                let given = secret(config, keys::USER_INFO).or_else(|| secret(config, keys::OLD_USER_INFO));
                needed(given.cloned(), keys::USER_INFO, keys::BASIC_SOURCE, source).map(Self::Basic)
            }
            Some(source @ "SASL_INHERIT") => {
                let module = login_module(config, keys::BASIC_SOURCE, source)?;
                match (option(&module, "username"), option(&module, "password")) {
                    (Some(user), Some(password)) => Ok(Self::Basic(Secret::new(format!("{user}:{password}")))),
                    _ => Err(Error::config(format!(
                        "`{}` has no `username` or no `password`, which `{}={source}` takes from it",
                        keys::JAAS,
                        keys::BASIC_SOURCE
                    ))),
                }
            }
            _ => Ok(Self::Url),
        }
    }
}

fn own_client(config: &Config, source: &str) -> Result<OAuthClient> {
    let needs = |value: Option<&str>, key| needed(value.map(str::to_owned), key, keys::BEARER_SOURCE, source);
    Ok(OAuthClient {
        endpoint: endpoint(&needs(text(config, keys::ISSUER), keys::ISSUER)?, keys::ISSUER)?,
        endpoint_key: keys::ISSUER,
        id: needs(text(config, keys::CLIENT_ID), keys::CLIENT_ID)?,
        secret: needed(secret(config, keys::CLIENT_SECRET).cloned(), keys::CLIENT_SECRET, keys::BEARER_SOURCE, source)?,
        scope: text(config, keys::SCOPE).map(str::to_owned),
        renewal: renewal(config),
    })
}

fn inherited_client(config: &Config, module: &LoginModule, source: &str) -> Result<OAuthClient> {
    let needs = |name: &str| {
        option(module, name).map(str::to_owned).ok_or_else(|| {
            Error::config(format!("`{}` has no `{name}`, which `{}={source}` needs", keys::JAAS, keys::BEARER_SOURCE))
        })
    };
    let url = text(config, keys::SASL_ENDPOINT).map(str::to_owned);
    let url = needed(url, keys::SASL_ENDPOINT, keys::BEARER_SOURCE, source)?;
    Ok(OAuthClient {
        endpoint: endpoint(&url, keys::SASL_ENDPOINT)?,
        endpoint_key: keys::SASL_ENDPOINT,
        id: needs("clientId")?,
        secret: Secret::new(needs("clientSecret")?),
        scope: option(module, "scope").map(str::to_owned),
        renewal: renewal(config),
    })
}

/// The URL of a token endpoint.
pub(super) fn endpoint(text: &str, key: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|error| Error::config(format!("`{key}` is no URL: {error}")))?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(Error::config(format!("`{key}` must begin with https:// or http://")))
    }
}

fn login_module(config: &Config, source_key: &str, source: &str) -> Result<LoginModule> {
    let jaas = needed(secret(config, keys::JAAS), keys::JAAS, source_key, source)?;
    LoginModule::parse(jaas.reveal())
        .map_err(|reason| Error::config(format!("could not read `{}`: {reason}", keys::JAAS)))
}

fn cloud_headers(cluster: Option<&str>, pool: Option<&str>) -> CloudHeaders {
    let headers = [("target-sr-cluster", cluster), ("confluent-identity-pool-id", pool)];
    headers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Secret::new(value?)))).collect()
}

fn renewal(config: &Config) -> Duration {
    Duration::from_secs(config.long(keys::RENEWAL).and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0))
}

fn needed<T>(value: Option<T>, key: &str, source_key: &str, source: &str) -> Result<T> {
    value.ok_or_else(|| Error::config(format!("`{source_key}={source}` needs `{key}`")))
}

fn text<'a>(config: &'a Config, key: &str) -> Option<&'a str> {
    config.string(key).filter(|text| !text.is_empty())
}

fn secret<'a>(config: &'a Config, key: &str) -> Option<&'a Secret> {
    config.password(key).filter(|secret| !secret.reveal().is_empty())
}

fn option<'a>(module: &'a LoginModule, name: &str) -> Option<&'a str> {
    module.options.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}
