//! What Java's `sasl.*` keys say.

use volley_api::{ConfigMap, Error, Result, Secret};
use volley_java::LoginModule;

use super::scram::ScramHash;
use super::token::TokenSource;

/// A mechanism with what it needs. `Debug` shows no secrets.
#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    /// RFC 4616.
    Plain { username: String, password: Secret },
    /// RFC 5802. `is_token`: the user is a delegation token.
    Scram { hash: ScramHash, username: String, password: Secret, is_token: bool },
    /// RFC 7628, with the extensions of the login module.
    OAuthBearer { source: TokenSource, extensions: Vec<(String, String)> },
}

impl Credentials {
    /// Reads `sasl.mechanism` and `sasl.jaas.config`, or in place of the latter librdkafka's `sasl.username` and
    /// `sasl.password`.
    ///
    /// # Errors
    /// `Config` for a mechanism that is not known, and for options that are missing.
    pub(crate) fn read(properties: &ConfigMap) -> Result<Self> {
        let mechanism = text(properties, "sasl.mechanism").unwrap_or("GSSAPI").to_ascii_uppercase();
        match mechanism.as_str() {
            "PLAIN" => {
                let (username, password, _) = login(properties)?;
                Ok(Self::Plain { username, password })
            }
            "SCRAM-SHA-256" => Self::scram(ScramHash::Sha256, properties),
            "SCRAM-SHA-512" => Self::scram(ScramHash::Sha512, properties),
            "OAUTHBEARER" => {
                let module = module(properties)?;
                let extensions = extensions(module.as_ref())?;
                Ok(Self::OAuthBearer { source: TokenSource::read(properties, module.as_ref())?, extensions })
            }
            "GSSAPI" => Err(Error::config(
                "`sasl.mechanism` is GSSAPI (Java's default), which is not supported here: use PLAIN, SCRAM-SHA-256, \
                 SCRAM-SHA-512 or OAUTHBEARER",
            )),
            _ => Err(Error::config(format!(
                "`sasl.mechanism` {mechanism} is not known: use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"
            ))),
        }
    }

    fn scram(hash: ScramHash, properties: &ConfigMap) -> Result<Self> {
        let (username, password, is_token) = login(properties)?;
        Ok(Self::Scram { hash, username, password, is_token })
    }

    /// Its name on the wire.
    pub(crate) fn mechanism(&self) -> &'static str {
        match self {
            Self::Plain { .. } => "PLAIN",
            Self::Scram { hash, .. } => hash.mechanism(),
            Self::OAuthBearer { .. } => "OAUTHBEARER",
        }
    }
}

/// Where the tokens of a client come from; `None` if it shows none, or librdkafka is told to make them itself.
///
/// # Errors
/// `Config` if there are none to be had.
pub(crate) fn token_source(properties: &ConfigMap) -> Result<Option<TokenSource>> {
    let is = |key: &str, wanted: &str| text(properties, key).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    let is_sasl = is("security.protocol", "SASL_PLAINTEXT") || is("security.protocol", "SASL_SSL");
    let shows_tokens = is("sasl.mechanism", "OAUTHBEARER") || is("sasl.mechanisms", "OAUTHBEARER");
    if !is_sasl || !shows_tokens || is("enable.sasl.oauthbearer.unsecure.jwt", "true") {
        return Ok(None);
    }
    TokenSource::read(properties, module(properties)?.as_ref()).map(Some)
}

fn text<'a>(properties: &'a ConfigMap, key: &str) -> Option<&'a str> {
    properties.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn module(properties: &ConfigMap) -> Result<Option<LoginModule>> {
    let Some(jaas) = text(properties, "sasl.jaas.config") else { return Ok(None) };
    let module = LoginModule::parse(jaas)
        .map_err(|reason| Error::config(format!("could not read `sasl.jaas.config`: {reason}")))?;
    Ok(Some(module))
}

fn login(properties: &ConfigMap) -> Result<(String, Secret, bool)> {
    let Some(module) = module(properties)? else {
        return match (text(properties, "sasl.username"), text(properties, "sasl.password")) {
            (Some(username), Some(password)) => Ok((username.to_owned(), Secret::new(password), false)),
            _ => Err(Error::config("SASL needs `sasl.jaas.config` with a login module, username and password")),
        };
    };
    let option = |name: &str| {
        module.options.get(name).cloned().ok_or_else(|| Error::config(format!("`sasl.jaas.config` has no `{name}`")))
    };
    let is_token = module.options.get("tokenauth").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    Ok((option("username")?, Secret::new(option("password")?), is_token))
}

const EXTENSION: &str = "extension_";

/// Options `extension_NAME`, which RFC 7628 lets a client add: names of letters, values without control characters.
fn extensions(module: Option<&LoginModule>) -> Result<Vec<(String, String)>> {
    let options = module.iter().flat_map(|module| &module.options);
    let given = options.filter_map(|(key, value)| Some((key.strip_prefix(EXTENSION)?.to_owned(), value.clone())));
    given
        .map(|(name, value)| {
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic()) && name != "auth";
            if is_name && !value.chars().any(|c| c.is_control() && !c.is_ascii_whitespace()) {
                Ok((name, value))
            } else {
                Err(Error::config(format!(
                    "`sasl.jaas.config` has the option `{EXTENSION}{name}`: an extension has a name of letters other than \
                     auth, and a value without control characters"
                )))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mechanism: &str, jaas: &str) -> Result<Credentials> {
        let pairs = [("sasl.mechanism", mechanism), ("sasl.jaas.config", jaas)];
        Credentials::read(&pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn mechanisms_take_their_options_from_the_login_module() {
        let module = "x.ScramLoginModule required username=\"a\" password=\"hush\" tokenauth=true;";
        for (mechanism, name) in
            [("plain", "PLAIN"), ("SCRAM-SHA-256", "SCRAM-SHA-256"), ("scram-sha-512", "SCRAM-SHA-512")]
        {
            let credentials = read(mechanism, module).unwrap();
            assert_eq!(credentials.mechanism(), name);
            assert!(!format!("{credentials:?}").contains("hush"));
        }
        assert!(matches!(read("SCRAM-SHA-256", module).unwrap(), Credentials::Scram { is_token: true, .. }));
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        for (mechanism, jaas, named) in [
            ("PLAIN", "x.PlainLoginModule required username=a;", "password"),
            ("PLAIN", "x.PlainLoginModule required username=a password=hush", "semicolon"),
            ("PLAIN", "", "sasl.jaas.config"),
            ("GSSAPI", "x required;", "GSSAPI"),
            ("DIGEST-MD5", "x required;", "DIGEST-MD5"),
            ("OAUTHBEARER", "x required unsecuredLoginStringClaim_sub=a extension_auth=b;", "extension_auth"),
        ] {
            let error = read(mechanism, jaas).unwrap_err();
            assert!(error.to_string().contains(named) && !error.to_string().contains("hush"), "{error}");
        }
    }
}
