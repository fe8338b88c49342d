//! Where a client's tokens come from, whichever kind of client it is.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use url::Url;
use volley_api::{ConfigMap, Error, Result};
use volley_java::LoginModule;

use super::jwt::{self, Token};
use super::token_file::TokenFile;
use super::token_keeper::TokenKeeper;
use super::token_options::{ENDPOINT, Retriever, TokenOptions};
use super::unsecured_token::{STRING_CLAIM, UnsecuredToken};

/// How long a connection that is being made waits for the first token.
const PATIENCE: Duration = Duration::from_secs(30);

/// Java's system property with the only URLs that tokens may come from: whoever may create connectors could have the worker
/// ask any. It is given as to Java's start scripts.
const ALLOWED: &str = "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=";
const OPTIONS: &str = "KAFKA_OPTS";

/// Where tokens come from. Cheap to clone. `Debug` shows no secrets.
#[derive(Clone, Debug)]
pub(crate) enum TokenSource {
    /// Made here.
    Unsecured(Arc<UnsecuredToken>),
    /// Kept by somebody else.
    File(Arc<TokenFile>),
    /// Fetched from an identity provider.
    Endpoint(Arc<TokenKeeper>),
}

impl TokenSource {
    /// What the keys and the login module say. One that fetches begins to do so, unless a client with the same settings
    /// has begun already.
    ///
    /// # Errors
    /// `Config` if they name no source, or one that cannot be had.
    pub(crate) fn read(properties: &ConfigMap, module: Option<&LoginModule>) -> Result<Self> {
        let options = TokenOptions { properties, module };
        let retriever = options.retriever()?;
        if retriever == Retriever::Unsecured {
            return unsecured(module);
        }
        let url = options.url()?;
        check_allowed(&url, env::var(OPTIONS).unwrap_or_default().as_str())?;
        match (url.scheme(), retriever) {
            ("file", Retriever::Default | Retriever::File) => {
                Ok(Self::File(Arc::new(TokenFile { path: path_of(&url)?, claims: options.claims() })))
            }
            ("http" | "https", Retriever::Default | Retriever::ClientCredentials) => keeper(&options, url),
            (scheme, Retriever::File) => Err(Error::config(format!(
                "`{ENDPOINT}` is a {scheme} URL: FileJwtRetriever needs a file (file:///path)"
            ))),
            (scheme, _) => Err(Error::config(format!(
                "`{ENDPOINT}` is a {scheme} URL: it must be https, http, or a file with a token (file:///path)"
            ))),
        }
    }

    /// A token to show now.
    ///
    /// # Errors
    /// `Retriable` if there is none for the time being, `Config` if there is none to be had.
    ///
    /// # Cancellation
    /// Without effect.
    pub(crate) async fn token(&self) -> Result<Arc<Token>> {
        match self {
            Self::Unsecured(token) => Ok(Arc::new(token.at(jwt::now()))),
            Self::File(file) => {
                let file = Arc::clone(file);
                let read = tokio::task::spawn_blocking(move || file.token()).await;
                read.unwrap_or_else(|_| Err(Error::fatal("reading a token panicked"))).map(Arc::new)
            }
            Self::Endpoint(keeper) => keeper.token(PATIENCE).await,
        }
    }

    /// As [`TokenSource::token`], for callers that block; the first one is waited for only so long.
    pub(crate) fn token_blocking(&self, time_limit: Duration) -> Result<Arc<Token>> {
        match self {
            Self::Unsecured(token) => Ok(Arc::new(token.at(jwt::now()))),
            Self::File(file) => file.token().map(Arc::new),
            Self::Endpoint(keeper) => keeper.token_blocking(time_limit),
        }
    }

    /// The end of a token's life, to tell librdkafka, which asks for the next token after 80 % of what is left: sooner than
    /// it is, if the next token is expected sooner.
    pub(crate) fn told_expiry(&self, token: &Token) -> i64 {
        match self {
            Self::Unsecured(_) | Self::File(_) => token.expires_at,
            Self::Endpoint(keeper) => told_expiry(token.expires_at, keeper.renewed_at(), jwt::now()),
        }
    }
}

/// How long after a token is renewed it is asked for, and how soon at the earliest, in milliseconds.
const AFTER_RENEWAL: i64 = 500;
const EARLIEST: i64 = 1_000;

fn told_expiry(expires_at: i64, renewed_at: i64, now: i64) -> i64 {
    let ask_in = renewed_at.saturating_add(AFTER_RENEWAL).saturating_sub(now).max(EARLIEST);
    now.saturating_add(ask_in.saturating_mul(10) / 8).min(expires_at)
}

fn unsecured(module: Option<&LoginModule>) -> Result<TokenSource> {
    let claims = module.map(UnsecuredToken::read).transpose()?.flatten();
    claims.map(|claims| TokenSource::Unsecured(Arc::new(claims))).ok_or_else(|| {
        Error::config(format!(
            "OAUTHBEARER has no token: set `{ENDPOINT}` to the token endpoint of the identity provider (https://…) or to a \
             file with a token (file:///path), or for trying things out the option `{STRING_CLAIM}sub` in \
             `sasl.jaas.config`"
        ))
    })
}

fn path_of(url: &Url) -> Result<PathBuf> {
    url.to_file_path().map_err(|()| Error::config(format!("`{ENDPOINT}` must name an absolute path: file:///path")))
}

fn check_allowed(url: &Url, options: &str) -> Result<()> {
    let mut options = options.split_whitespace().map(|option| option.trim_matches(['"', '\'']));
    let Some(allowed) = options.find_map(|option| option.strip_prefix(ALLOWED)) else { return Ok(()) };
    let is_allowed = allowed.split(',').filter_map(|text| Url::parse(text.trim()).ok()).any(|one| one == *url);
    if is_allowed {
        return Ok(());
    }
    Err(Error::config(format!(
        "`{ENDPOINT}` names a URL that the worker's environment does not allow: add it to \
         `org.apache.kafka.sasl.oauthbearer.allowed.urls` in {OPTIONS}"
    )))
}

type Settings = BTreeMap<String, String>;

/// Keepers in use, under the settings that they were made from.
static KEEPERS: Mutex<Vec<(Settings, Weak<TokenKeeper>)>> = Mutex::new(Vec::new());

fn keeper(options: &TokenOptions<'_>, url: Url) -> Result<TokenSource> {
    let endpoint = options.endpoint(url)?;
    let (retry, refresh) = (options.retry()?, options.refresh()?);
    let settings: Settings = options
        .properties
        .iter()
        .filter(|(key, _)| key.starts_with("sasl."))
        .map(|(key, value)| (key.clone(), value.trim().to_owned()))
        .collect();
    let mut keepers = KEEPERS.lock();
    keepers.retain(|(_, keeper)| keeper.strong_count() > 0);
    let found = keepers.iter().find(|(those, _)| *those == settings);
    if let Some(keeper) = found.and_then(|(_, keeper)| keeper.upgrade()) {
        return Ok(TokenSource::Endpoint(keeper));
    }
    let keeper = Arc::new(TokenKeeper::start(endpoint, retry, refresh)?);
    keepers.push((settings, Arc::downgrade(&keeper)));
    Ok(TokenSource::Endpoint(keeper))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = "x.OAuthBearerLoginModule required";

    fn read(pairs: &[(&str, &str)], options: &str) -> Result<TokenSource> {
        let properties = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let module = LoginModule::parse(&format!("{LOGIN} {options};")).unwrap();
        TokenSource::read(&properties, Some(&module))
    }

    #[test]
    fn the_source_is_what_keys_and_options_name() {
        let handler = "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler";
        let handler = ("sasl.login.callback.handler.class", handler);
        let unsecured = read(&[], "unsecuredLoginStringClaim_sub=a").unwrap();
        assert!(matches!(unsecured, TokenSource::Unsecured(_)));
        let file = read(&[handler, (ENDPOINT, "file:///tmp/token")], "").unwrap();
        assert!(matches!(file, TokenSource::File(file) if file.path.to_str() == Some("/tmp/token")));
        let id = ("sasl.oauthbearer.client.credentials.client.id", "a");
        let secret = ("sasl.oauthbearer.client.credentials.client.secret", "hush");
        let endpoint = (ENDPOINT, "http://127.0.0.1:1/token?x=hush");
        let first = read(&[handler, endpoint, id, secret], "").unwrap();
        let again = read(&[secret, id, endpoint, handler], "").unwrap();
        let other = read(&[endpoint], "clientId=a clientSecret=hush").unwrap();
        let (TokenSource::Endpoint(first), TokenSource::Endpoint(again)) = (&first, &again) else { panic!() };
        assert!(Arc::ptr_eq(first, again));
        assert!(matches!(&other, TokenSource::Endpoint(other) if !Arc::ptr_eq(first, other)));
        assert!(!format!("{other:?}").contains("hush"), "{other:?}");
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let endpoint = (ENDPOINT, "https://x/token");
        let handler = "sasl.login.callback.handler.class";
        let retriever = "sasl.oauthbearer.jwt.retriever.class";
        for (pairs, options, named) in [
            (&[][..], "", "unsecuredLoginStringClaim_sub"),
            (&[endpoint], "clientSecret=hush", "client.id"),
            (&[endpoint], "clientId=hush", "client.secret"),
            (&[(ENDPOINT, "x")], "", "no URL"),
            (&[(ENDPOINT, "ftp://x/hush")], "", "ftp"),
            (&[(handler, "software.amazon.IAMLoginCallbackHandler")], "", "IAMLoginCallbackHandler"),
            (&[(handler, "x.OAuthBearerLoginCallbackHandler")], "", ENDPOINT),
            (&[endpoint, (retriever, "x.JwtBearerJwtRetriever")], "", "JwtBearerJwtRetriever"),
            (&[endpoint, (retriever, "x.FileJwtRetriever")], "", "FileJwtRetriever"),
            (&[(ENDPOINT, "file:///x"), (retriever, "x.ClientCredentialsJwtRetriever")], "", "file"),
            (&[endpoint, ("sasl.login.refresh.window.factor", "2")], "clientId=a clientSecret=hush", "window.factor"),
            (&[endpoint, ("sasl.login.retry.backoff.max.ms", "5")], "clientId=a clientSecret=hush", "backoff.ms"),
            (&[endpoint, ("sasl.oauthbearer.header.urlencode", "x")], "clientId=a clientSecret=hush", "urlencode"),
        ] {
            let error = read(pairs, options).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains("hush"), "{named}: {error}");
        }
    }

    #[test]
    fn librdkafka_asks_just_after_the_renewal() {
        assert_eq!(told_expiry(3_600_000, 3_000_000, 0), 3_600_000);
        assert_eq!(told_expiry(3_600_000, 2_400_000, 0), 3_000_625);
        assert_eq!(told_expiry(3_600_000, 1_000_000, 2_000_000), 2_001_250);
    }

    #[test]
    fn a_list_of_allowed_urls_allows_no_other() {
        let url = Url::parse("https://a/token").unwrap();
        let options = |list: &str| format!("-Xmx1g {ALLOWED}{list} -Dx=y");
        assert!(check_allowed(&url, "-Xmx1g").is_ok());
        assert!(check_allowed(&url, &options("file:///x,https://a/token")).is_ok());
        for list in ["", "https://a/", "https://a/token2"] {
            assert!(check_allowed(&url, &options(list)).unwrap_err().to_string().contains("allowed.urls"));
        }
    }
}
