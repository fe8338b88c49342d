//! `access.control.allow.*`: the web pages that may read the answers (CORS).

use std::fmt;

use axum::http::{HeaderMap, HeaderValue, Method, header};
use volley_api::{Error, Result};
use volley_java::JavaRegex;

use crate::worker_config::WorkerConfig;

const ORIGINS: &str = "access.control.allow.origin";
const METHODS: &str = "access.control.allow.methods";
const DEFAULT_METHODS: &str = "GET,POST,HEAD";
/// How long a browser may cache the answer to a preflight request, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("60");
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static("Content-Type");

/// The allowed origins and methods.
#[derive(Clone)]
pub(crate) struct Cors {
    /// Patterns of origins; `None` = every origin.
    origins: Option<Vec<JavaRegex>>,
    methods: HeaderValue,
}

/// The parts of a request that CORS needs.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    origin: Option<HeaderValue>,
    is_preflight: bool,
}

impl Asked {
    /// Takes them from a request.
    pub(crate) fn new(method: &Method, headers: &HeaderMap) -> Self {
        let is_preflight = method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        Self { origin: headers.get(header::ORIGIN).cloned(), is_preflight }
    }
}

impl Cors {
    /// The rules of a worker; `None` if none is configured. An origin is a regular expression, in any case, or `*` for
    /// all.
    ///
    /// # Errors
    /// `Config`, naming the key that is wrong.
    pub(crate) fn of_worker(config: &WorkerConfig) -> Result<Option<Self>> {
        let origins = items(config.parsed().string(ORIGINS).unwrap_or_default());
        if origins.is_empty() {
            return Ok(None);
        }
        let pattern = |origin: &&str| {
            JavaRegex::compile(&format!("(?i){origin}")).map_err(|error| {
                Error::config(format!(
                    "could not use `{origin}` in `{ORIGINS}`: give an origin, a regular expression or *"
                ))
                .with_source(error)
            })
        };
        let is_any = origins.contains(&"*");
        let origins = if is_any { None } else { Some(origins.iter().map(pattern).collect::<Result<_>>()?) };
        let methods = items(config.parsed().string(METHODS).unwrap_or_default()).join(",");
        let methods = if methods.is_empty() { DEFAULT_METHODS.to_owned() } else { methods };
        let methods = HeaderValue::try_from(methods)
            .map_err(|_| Error::config(format!("could not use `{METHODS}`: give names of methods, comma separated")))?;
        Ok(Some(Self { origins, methods }))
    }

    /// Adds the CORS headers to an answer.
    pub(crate) fn apply(&self, asked: &Asked, headers: &mut HeaderMap) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = asked.origin.as_ref().filter(|origin| self.allows(origin)) else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if asked.is_preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        let Some(patterns) = &self.origins else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        let is_allowed = |origin: &str| patterns.iter().any(|pattern| pattern.matches(origin).unwrap_or_default());
        origin.split(' ').any(is_allowed)
    }
}

impl fmt::Debug for Cors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cors").field("methods", &self.methods).finish_non_exhaustive()
    }
}

fn items(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    fn cors(origins: &str, methods: &str) -> Result<Option<Cors>> {
        let config = config_map(&[
            ("key.converter", "x"),
            ("value.converter", "x"),
            ("offset.storage.file.filename", "x"),
            (ORIGINS, origins),
            (METHODS, methods),
        ]);
        Cors::of_worker(&WorkerConfig::standalone(config).unwrap())
    }

    fn answer(cors: &Cors, method: Method, asked: &[(&'static str, &'static str)]) -> HeaderMap {
        let asked = asked.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        cors.apply(&Asked::new(&method, &asked.collect()), &mut headers);
        headers
    }

    #[test]
    fn only_allowed_origins_are_named_in_the_answer() {
        let cors = cors("http://example.com, https://.*\\.other\\.com", "").unwrap().unwrap();
        for (origin, is_allowed) in [
            ("http://example.com", true),
            ("HTTP://EXAMPLE.COM", true),
            ("https://a.other.com", true),
            ("http://evil.com http://example.com", true),
            ("http://evil.com", false),
            ("http://example.com.evil.com", false),
            ("null", false),
        ] {
            let headers = answer(&cors, Method::GET, &[("origin", origin)]);
            assert_eq!(headers["vary"], "Origin");
            assert_eq!(headers.get("access-control-allow-origin").is_some(), is_allowed, "{origin}");
            assert!(!headers.contains_key("access-control-allow-methods"));
        }
        assert_eq!(answer(&cors, Method::GET, &[]).len(), 1);
    }

    #[test]
    fn a_preflight_request_is_told_the_methods() {
        let asked = [("origin", "http://a"), ("access-control-request-method", "PUT")];
        let headers = answer(&cors("*", "GET, PUT").unwrap().unwrap(), Method::OPTIONS, &asked);
        assert_eq!(headers["access-control-allow-origin"], "http://a");
        assert_eq!(headers["access-control-allow-methods"], "GET,PUT");
        assert_eq!(headers["access-control-allow-headers"], "Content-Type");
        assert_eq!(headers["access-control-max-age"], "60");
        let headers = answer(&cors("*", "").unwrap().unwrap(), Method::OPTIONS, &asked);
        assert_eq!(headers["access-control-allow-methods"], "GET,POST,HEAD");
        assert!(!answer(&cors("*", "").unwrap().unwrap(), Method::GET, &asked).contains_key("access-control-max-age"));
    }

    #[test]
    fn without_origins_there_is_no_cors() {
        assert!(cors("", "GET").unwrap().is_none());
        assert!(cors("[", "").unwrap_err().to_string().contains(ORIGINS));
    }
}
