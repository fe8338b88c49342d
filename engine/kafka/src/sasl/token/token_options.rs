//! What Java's keys say about tokens.

use std::str::FromStr;
use std::time::Duration;

use url::Url;
use volley_api::{ConfigMap, Error, Result, Secret};
use volley_java::LoginModule;

use super::jwt::ClaimNames;
use super::refresh_times::RefreshTimes;
use super::token_endpoint::TokenEndpoint;
use super::token_request::ClientCredentials;

pub(super) const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
const CLIENT_ID: &str = "sasl.oauthbearer.client.credentials.client.id";
const CLIENT_SECRET: &str = "sasl.oauthbearer.client.credentials.client.secret";
const SCOPE: &str = "sasl.oauthbearer.scope";
const URLENCODE: &str = "sasl.oauthbearer.header.urlencode";
const HANDLER: &str = "sasl.login.callback.handler.class";
const RETRIEVER: &str = "sasl.oauthbearer.jwt.retriever.class";
const VALIDATOR: &str = "sasl.oauthbearer.jwt.validator.class";

/// Java's client waits for ever by default, which helps nobody.
const CONNECT_TIMEOUT: u64 = 10_000;
const READ_TIMEOUT: u64 = 30_000;

/// Where tokens are to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retriever {
    /// As the URL says: a file, or an endpoint.
    Default,
    ClientCredentials,
    File,
    /// Made here, without a signature.
    Unsecured,
}

/// The keys of a client, and its login module.
pub(super) struct TokenOptions<'a> {
    pub(super) properties: &'a ConfigMap,
    pub(super) module: Option<&'a LoginModule>,
}

impl TokenOptions<'_> {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.module?.options.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// What the classes say that are named, if any.
    pub(super) fn retriever(&self) -> Result<Retriever> {
        if let Some(class) = self.text(VALIDATOR)
            && !["DefaultJwtValidator", "ClientJwtValidator"].contains(&simple(class))
        {
            return Err(unknown_class(
                VALIDATOR,
                class,
                "remove it: tokens are checked as DefaultJwtValidator does it",
            ));
        }
        match self.text(HANDLER).map(|class| (class, simple(class))) {
            Some((_, "OAuthBearerUnsecuredLoginCallbackHandler")) => return Ok(Retriever::Unsecured),
            None | Some((_, "OAuthBearerLoginCallbackHandler")) => {}
            Some((class, _)) => {
                return Err(unknown_class(HANDLER, class, "use OAuthBearerLoginCallbackHandler with a token endpoint"));
            }
        }
        match self.text(RETRIEVER).map(|class| (class, simple(class))) {
            None | Some((_, "DefaultJwtRetriever"))
                if self.text(ENDPOINT).is_none() && self.text(HANDLER).is_none() =>
            {
                Ok(Retriever::Unsecured)
            }
            None | Some((_, "DefaultJwtRetriever")) => Ok(Retriever::Default),
            Some((_, "ClientCredentialsJwtRetriever")) => Ok(Retriever::ClientCredentials),
            Some((_, "FileJwtRetriever")) => Ok(Retriever::File),
            Some((class, _)) => Err(unknown_class(
                RETRIEVER,
                class,
                "use DefaultJwtRetriever, ClientCredentialsJwtRetriever or FileJwtRetriever; to log in with a signed \
                 assertion, let something else keep a token in a file",
            )),
        }
    }

    /// The URL of the endpoint, or of the file.
    pub(super) fn url(&self) -> Result<Url> {
        let text = self.text(ENDPOINT).ok_or_else(|| {
            Error::config(format!(
                "OAUTHBEARER has no token: set `{ENDPOINT}` to the token endpoint of the identity provider \
                 (https://…), or to a file with a token (file:///path)"
            ))
        })?;
        Url::parse(text).map_err(|error| Error::config(format!("`{ENDPOINT}` is no URL: {error}")))
    }

    /// An endpoint at `url`.
    pub(super) fn endpoint(&self, url: Url) -> Result<TokenEndpoint> {
        let needed = |value: Option<&str>, key: &str, option: &str| {
            value.map(str::to_owned).ok_or_else(|| {
                Error::config(format!(
                    "OAUTHBEARER with a token endpoint needs `{key}` (or the option `{option}` in `sasl.jaas.config`)"
                ))
            })
        };
        let id = self.text(CLIENT_ID).or_else(|| self.option("clientId"));
        let secret = self.text(CLIENT_SECRET).or_else(|| self.option("clientSecret"));
        let credentials = ClientCredentials {
            client_id: needed(id, CLIENT_ID, "clientId")?,
            client_secret: Secret::new(needed(secret, CLIENT_SECRET, "clientSecret")?),
            scope: self.text(SCOPE).or_else(|| self.option("scope")).map(str::to_owned),
            urlencode: self.flag(URLENCODE)?,
        };
        let options = self.module.iter().flat_map(|module| &module.options);
        let tls_properties = options.filter(|(name, _)| name.starts_with("ssl."));
        let tls_properties = tls_properties.map(|(name, value)| (name.clone(), value.clone())).collect();
        let connect_timeout = self.millis("sasl.login.connect.timeout.ms", CONNECT_TIMEOUT)?;
        let read_timeout = self.millis("sasl.login.read.timeout.ms", READ_TIMEOUT)?;
        Ok(TokenEndpoint {
            url,
            credentials,
            claims: self.claims(),
            http: TokenEndpoint::http(tls_properties, connect_timeout, read_timeout),
        })
    }

    pub(super) fn claims(&self) -> ClaimNames {
        let name = |key: &str, default: &str| self.text(key).unwrap_or(default).to_owned();
        ClaimNames {
            subject: name("sasl.oauthbearer.sub.claim.name", "sub"),
            scope: name("sasl.oauthbearer.scope.claim.name", "scope"),
        }
    }

    /// First and longest pause between two requests that fail.
    pub(super) fn retry(&self) -> Result<(Duration, Duration)> {
        let (first, longest) = ("sasl.login.retry.backoff.ms", "sasl.login.retry.backoff.max.ms");
        let pauses = (self.millis(first, 100)?, self.millis(longest, 10_000)?);
        if pauses.1 < pauses.0 {
            return Err(Error::config(format!("`{longest}` must not be less than `{first}`")));
        }
        Ok(pauses)
    }

    pub(super) fn refresh(&self) -> Result<RefreshTimes> {
        let seconds = |key, default, most| self.number::<i64>(key, default, 0, most).map(|seconds| seconds * 1000);
        Ok(RefreshTimes {
            window_factor: self.number("sasl.login.refresh.window.factor", 0.8, 0.5, 1.0)?,
            window_jitter: self.number("sasl.login.refresh.window.jitter", 0.05, 0.0, 0.25)?,
            min_period: seconds("sasl.login.refresh.min.period.seconds", 60, 900)?,
            buffer: seconds("sasl.login.refresh.buffer.seconds", 300, 3600)?,
        })
    }

    fn flag(&self, key: &str) -> Result<bool> {
        match self.text(key).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Error::config(format!("`{key}` must be true or false"))),
        }
    }

    fn millis(&self, key: &str, default: u64) -> Result<Duration> {
        self.number(key, default, 1, i32::MAX as u64).map(Duration::from_millis)
    }

    fn number<T: FromStr + PartialOrd + std::fmt::Display + Copy>(
        &self,
        key: &str,
        default: T,
        least: T,
        most: T,
    ) -> Result<T> {
        let Some(text) = self.text(key) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| Error::config(format!("`{key}` is `{text}`: it must be a number from {least} to {most}")))
    }
}

fn simple(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

fn unknown_class(key: &str, class: &str, advice: &str) -> Error {
    Error::config(format!("`{key}` names the Java class {class}, which has no equivalent here: {advice}"))
}
