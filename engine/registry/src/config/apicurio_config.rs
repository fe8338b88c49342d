//! The settings of a client of Apicurio's registries, parsed.

use std::time::Duration;

use tracing::warn;
use volley_api::{Config, ConfigMap, Error, Result, Secret, Side};

use super::apicurio_keys::{self as keys, apicurio_config_def, simple_name};
use super::connection::{Connection, Place, RetryLimits, millis, place, tls_properties};
use super::credentials::{Credentials, OAuthClient, endpoint};
use super::key_words::APICURIO;
use super::registry_config::{ClientSettings, Dialect, RegistryConfig, WriterSchema};
use crate::artifact_naming::{ArtifactNaming, ArtifactStrategy};
use crate::wire::{IdHeaders, IdWidth};
use crate::{ApicurioFraming, DataEncoding, Framing, Naming, SchemaKind};

/// Where the interface of version 2 begins, and that of version 3.
const PATHS: [&str; 2] = ["/apis/registry/v2", "/apis/registry/v3"];
/// Apicurio says nothing about these.
const TIMEOUT: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// How long before its end a token is replaced.
const RENEWAL: Duration = Duration::from_secs(30);
const SCHEMAS: usize = 1000;

/// Which version of Apicurio's interface is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArtifactApi {
    Two,
    Three,
}

/// What becomes of a schema whose artifact is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfExists {
    Fail,
    /// It becomes a new version.
    Update,
    /// The artifact stays as it is.
    Return,
    /// It becomes a new version, unless it is one.
    ReturnOrUpdate,
}

/// How artifacts are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArtifactSettings {
    pub(crate) api: ArtifactApi,
    /// The registry does not say what a schema is.
    pub(crate) kind: SchemaKind,
    pub(crate) if_exists: IfExists,
}

impl RegistryConfig {
    /// Reads the settings of the converter of one side with Apicurio's keys, without its prefix. Its schemas are of this kind,
    /// and data that does not say how it is encoded is encoded so. `known` are the keys of the converter itself. Keys of
    /// Apicurio's that have no meaning here are named in a warning.
    ///
    /// # Errors
    /// `Config`, naming the key, for the first one that is wrong.
    pub fn parse_apicurio(
        properties: &ConfigMap,
        side: Side,
        kind: SchemaKind,
        encoding: DataEncoding,
        known: &[&str],
    ) -> Result<Self> {
        let config = apicurio_config_def().parse(properties)?;
        warn_of_unknown(properties, known);
        let (place, api) = place_of(&config)?;
        let retries = config.long(keys::RETRIES).and_then(|count| u32::try_from(count).ok());
        let connection = Connection {
            place,
            credentials: credentials(&config)?,
            headers: further_headers(properties),
            tls: tls_properties(properties, keys::TLS_PREFIX),
            proxy: None,
            connect_timeout: TIMEOUT,
            answer_timeout: TIMEOUT,
            retry: RetryLimits {
                retries: retries.unwrap_or(0),
                first_pause: millis(&config, keys::RETRY_WAIT),
                longest_pause: LONGEST_PAUSE,
            },
            words: &APICURIO,
        };
        let naming = Naming::Apicurio(naming(&config));
        let period =
            if config.boolean(keys::CACHE_LATEST) { millis(&config, keys::CHECK_PERIOD) } else { Duration::ZERO };
        Ok(Self {
            writer_schema: writer_schema(&config),
            key_subject: naming.clone(),
            value_subject: naming,
            framing: Framing::Apicurio(framing(&config, side, api, encoding)),
            client: ClientSettings {
                connection,
                dialect: Dialect::Apicurio(ArtifactSettings { api, kind, if_exists: if_exists(&config) }),
                schemas_per_subject: SCHEMAS,
                latest_size: SCHEMAS,
                latest_life: Some(period),
            },
        })
    }
}

fn place_of(config: &Config) -> Result<(Place, ArtifactApi)> {
    let urls = match place(config.list(keys::URL), &APICURIO)? {
        Place::Http(urls) => urls,
        mock @ Place::Mock(_) => return Ok((mock, ArtifactApi::Two)),
    };
    let key = keys::URL;
    if urls.iter().any(|url| url.contains("/apis/ccompat/")) {
        return Err(Error::config(format!(
            "`{key}` is the interface for Confluent's clients: give it …{}, or use Confluent's converter with \
             `schema.registry.url`",
            PATHS[0]
        )));
    }
    let [two, three] = PATHS;
    let of_three = urls.iter().filter(|url| url.contains(three)).count();
    if of_three == urls.len() {
        return Ok((Place::Http(urls), ArtifactApi::Three));
    }
    if of_three > 0 {
        return Err(Error::config(format!(
            "`{key}` has URLs of versions 2 and 3: ids differ between them, so use one"
        )));
    }
    Ok((Place::Http(urls.into_iter().map(|url| url.within(two)).collect()), ArtifactApi::Two))
}

/// What a login key says, under either of its names.
fn said<T>(of: impl Fn(&str) -> Option<T>, name: &str) -> Option<T> {
    keys::AUTH.iter().find_map(|prefix| of(&format!("{prefix}{name}")))
}

fn credentials(config: &Config) -> Result<Credentials> {
    let text = |name: &str| said(|key| config.string(key).filter(|text| !text.is_empty()), name);
    let secret = |name: &str| said(|key| config.password(key).filter(|secret| !secret.reveal().is_empty()), name);
    let needed = |name: &str, other: &str| {
        let [prefix, _] = keys::AUTH;
        Error::config(format!("`{prefix}{other}` needs `{prefix}{name}`"))
    };
    let url = match (text(keys::SERVICE_URL), text(keys::TOKEN_ENDPOINT)) {
        (Some(service), _) => {
            let realm = text(keys::REALM).ok_or_else(|| needed(keys::REALM, keys::SERVICE_URL))?;
            let service = service.trim_end_matches('/');
            Some((format!("{service}/realms/{realm}/protocol/openid-connect/token"), "apicurio.auth.service.url"))
        }
        (None, Some(endpoint)) => Some((endpoint.to_owned(), "apicurio.auth.service.token.endpoint")),
        (None, None) => None,
    };
    if let Some((url, key)) = url {
        let missing = |name| needed(name, key.trim_start_matches(keys::AUTH[0]));
        return Ok(Credentials::OAuth(OAuthClient {
            endpoint: endpoint(&url, key)?,
            endpoint_key: key,
            id: text(keys::CLIENT_ID).ok_or_else(|| missing(keys::CLIENT_ID))?.to_owned(),
            secret: secret(keys::CLIENT_SECRET).ok_or_else(|| missing(keys::CLIENT_SECRET))?.clone(),
            scope: text(keys::CLIENT_SCOPE).map(str::to_owned),
            renewal: RENEWAL,
        }));
    }
    let Some(user) = text(keys::USERNAME) else { return Ok(Credentials::Url) };
    let password = secret(keys::PASSWORD).ok_or_else(|| needed(keys::PASSWORD, keys::USERNAME))?;
    Ok(Credentials::Basic(Secret::new(format!("{user}:{}", password.reveal()))))
}

fn further_headers(properties: &ConfigMap) -> Vec<(String, Secret)> {
    let headers = properties.iter().filter_map(|(key, value)| {
        let name = key.strip_prefix(keys::HEADERS_PREFIX)?;
        Some((name.to_owned(), Secret::new(value.trim())))
    });
    headers.collect()
}

/// Registering comes before finding, as in Java. The strategies of version 1 count where neither is set.
fn writer_schema(config: &Config) -> WriterSchema {
    let is_set = config.boolean(keys::AUTO_REGISTER) || config.boolean(keys::FIND_LATEST);
    let old = config.string(keys::OLD_STRATEGY).filter(|_| !is_set).map(simple_name);
    let registers = ["GetOrCreateIdStrategy", "AutoRegisterIdStrategy", "CachedSchemaIdStrategy"];
    if config.boolean(keys::AUTO_REGISTER) || old.is_some_and(|old| registers.contains(&old)) {
        WriterSchema::Registered
    } else if config.boolean(keys::FIND_LATEST)
        || old == Some("FindLatestIdStrategy")
        || config.string(keys::VERSION).is_some_and(|version| !version.is_empty())
    {
        WriterSchema::Latest { strict: false }
    } else {
        WriterSchema::LookedUp
    }
}

fn if_exists(config: &Config) -> IfExists {
    match config.string(keys::IF_EXISTS) {
        Some("FAIL") => IfExists::Fail,
        Some("UPDATE" | "CREATE_VERSION") => IfExists::Update,
        Some("RETURN") => IfExists::Return,
        _ => IfExists::ReturnOrUpdate,
    }
}

fn naming(config: &Config) -> ArtifactNaming {
    let text = |key: &str| config.string(key).filter(|text| !text.is_empty());
    let class = text(keys::STRATEGY).map(simple_name);
    let strategy = ArtifactStrategy::CLASSES.into_iter().find(|(name, _)| Some(*name) == class);
    ArtifactNaming {
        strategy: strategy.map_or(ArtifactStrategy::Topic, |(_, strategy)| strategy),
        group: text(keys::GROUP).map(str::to_owned),
        artifact: text(keys::ARTIFACT).map(str::to_owned),
        version: text(keys::VERSION).map(str::to_owned),
    }
}

fn framing(config: &Config, side: Side, api: ArtifactApi, encoding: DataEncoding) -> ApicurioFraming {
    let is_two = api == ArtifactApi::Two;
    let class = config.string(keys::ID_HANDLER).map(simple_name);
    let width = IdWidth::CLASSES.into_iter().find(|(name, _)| Some(*name) == class).map(|(_, width)| width);
    let width = match width {
        _ if config.boolean(keys::AS_CONFLUENT) => IdWidth::Four,
        Some(width) => width,
        None if is_two => IdWidth::Eight,
        None => IdWidth::Four,
    };
    let has_headers = if *config.get(keys::HEADERS) == volley_api::ConfigValue::Null {
        is_two
    } else {
        config.boolean(keys::HEADERS)
    };
    let name = |key: &str| config.string(key).unwrap_or_default().into();
    let headers = match side {
        Side::Key => IdHeaders {
            global: name(keys::KEY_GLOBAL),
            content: name(keys::KEY_CONTENT),
            coordinates: ["apicurio.key.groupId", "apicurio.key.artifactId"],
            encoding: "apicurio.key.encoding",
        },
        Side::Value => IdHeaders {
            global: name(keys::VALUE_GLOBAL),
            content: name(keys::VALUE_CONTENT),
            coordinates: ["apicurio.value.groupId", "apicurio.value.artifactId"],
            encoding: "apicurio.value.encoding",
        },
    };
    let use_id = config.string(keys::USE_ID);
    ApicurioFraming {
        width,
        names_content: use_id.map_or(!is_two, |id| id == "contentId"),
        headers: has_headers.then_some(headers),
        encoding,
    }
}

fn warn_of_unknown(properties: &ConfigMap, known: &[&str]) {
    let def = apicurio_config_def();
    let is_known = |key: &str| {
        def.find(key).is_some()
            || known.contains(&key)
            || key.starts_with(keys::HEADERS_PREFIX)
            || key.strip_prefix(keys::TLS_PREFIX).is_some_and(|key| key.starts_with("ssl."))
    };
    let unknown = properties.keys().filter(|key| key.starts_with(keys::PREFIX) && !is_known(key));
    let unknown: Vec<_> = unknown.map(String::as_str).collect();
    if !unknown.is_empty() {
        warn!(keys = unknown.join(", "), "keys of Apicurio's converter that have no meaning here");
    }
}
