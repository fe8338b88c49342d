//! Which file, and what is set about it: parameters of SQLite's Java driver, and what they are here.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use volley_api::{Error, Result};
use volley_jdbc::ConnectionSettings;

use crate::time_form::TimeUnit;

/// The Java driver's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);
const MEMORY: &str = ":memory:";
const RESOURCE: &str = ":resource:";
const URI: &str = "file:";

/// Parameters that only matter to who writes, or that say how the Java driver works inside.
const INTERNAL: [&str; 26] = [
    "auto_vacuum",
    "cache",
    "cache_size",
    "case_sensitive_like",
    "count_changes",
    "default_cache_size",
    "defer_foreign_keys",
    "empty_result_callbacks",
    "enable_load_extension",
    "enable_shared_cache",
    "encoding",
    "full_column_names",
    "fullsync",
    "incremental_vacuum",
    "jdbc.explicit_readonly",
    "legacy_alter_table",
    "legacy_file_format",
    "locking_mode",
    "mmap_size",
    "mode",
    "open_mode",
    "page_size",
    "read_uncommitted",
    "shared_cache",
    "temp_store",
    "transaction_mode",
];
/// Parameters of files that are encrypted.
const ENCRYPTION: [&str; 5] = ["cipher", "hexkey_mode", "key", "legacy", "password_mode"];

/// Parameters that matter to who writes, and are pragmas of SQLite.
const PRAGMAS: [&str; 5] = ["foreign_keys", "journal_mode", "journal_size_limit", "recursive_triggers", "synchronous"];

/// A file and how it is read.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// How long to wait for who writes.
    pub(crate) busy_timeout: Duration,
    /// What numbers count that are points in time.
    pub(crate) unit: TimeUnit,
    /// What points in time are written as, if it is set.
    pub(crate) class: Option<TimeClass>,
    /// What is set for who writes.
    pub(crate) pragmas: Vec<(&'static str, String)>,
    /// Parameters that have no effect.
    pub(crate) unknown: Vec<String>,
}

/// `date_class`: what points in time are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeClass {
    Integer,
    Text,
    Real,
}

impl File {
    /// What the settings say.
    ///
    /// # Errors
    /// `Config`, naming the parameter, for what is wrong or cannot be done.
    pub(crate) fn from_settings(settings: &ConnectionSettings) -> Result<Self> {
        let refused = |why: &str| Error::config(format!("invalid `connection.url`: {why}"));
        let (name, parameters) = settings.url.rest.split_once('?').unwrap_or((&settings.url.rest, ""));
        let path = match name.strip_prefix(URI) {
            _ if name.is_empty() || name.contains(MEMORY) => {
                return Err(refused(
                    "a database in memory is empty for whoever opens it: name a file, as in jdbc:sqlite:/path/file.db",
                ));
            }
            _ if name.starts_with(RESOURCE) => {
                return Err(refused(
                    "a resource of Java cannot be opened: name a file, as in jdbc:sqlite:/path/file.db",
                ));
            }
            None => name.to_owned(),
            Some(uri) => {
                let uri = uri.strip_prefix("//localhost").or_else(|| uri.strip_prefix("//")).unwrap_or(uri);
                decoded(uri).ok_or_else(|| refused("a part with %-codes that are no UTF-8"))?
            }
        };
        let mut all = settings.properties.0.clone();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
                return Err(refused("a part with %-codes that are no UTF-8"));
            };
            all.insert(name, value);
        }
        let mut file = Self {
            path: PathBuf::from(path),
            busy_timeout: BUSY_TIMEOUT,
            unit: TimeUnit::Millis,
            class: None,
            pragmas: Vec::new(),
            unknown: Vec::new(),
        };
        for (name, value) in &all {
            match name.to_ascii_lowercase().as_str() {
                "busy_timeout" => {
                    let millis = value.trim().parse().map_err(|_| wrong(name, value, "a number of milliseconds"))?;
                    file.busy_timeout = Duration::from_millis(millis);
                }
                "date_precision" => {
                    file.unit = match value.to_ascii_uppercase().as_str() {
                        "MILLISECONDS" => TimeUnit::Millis,
                        "SECONDS" => TimeUnit::Seconds,
                        _ => return Err(wrong(name, value, "SECONDS or MILLISECONDS")),
                    };
                }
                "date_class" => {
                    file.class = Some(match value.to_ascii_uppercase().as_str() {
                        "INTEGER" => TimeClass::Integer,
                        "TEXT" => TimeClass::Text,
                        "REAL" => TimeClass::Real,
                        _ => return Err(wrong(name, value, "INTEGER, TEXT or REAL")),
                    });
                }
                name if ENCRYPTION.contains(&name) => {
                    return Err(Error::config(format!(
                        "parameter `{name}` of `connection.url`: encrypted files cannot be read; decrypt a copy of it"
                    )));
                }
                "user" | "password" => {}
                name if let Some(pragma) = PRAGMAS.into_iter().find(|known| *known == name) => {
                    if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                        return Err(wrong(name, value, "a word or a number"));
                    }
                    file.pragmas.push((pragma, value.clone()));
                }
                name if INTERNAL.contains(&name) || name.starts_with("limit_") => {}
                _ => file.unknown.push(name.clone()),
            }
        }
        Ok(file)
    }
}

fn wrong(name: &str, value: &str, expected: &str) -> Error {
    Error::config(format!("parameter `{name}` of `connection.url` is `{value}`: it must be {expected}"))
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use volley_jdbc::{JdbcUrl, Parameters};

    use super::*;

    fn file(url: &str) -> Result<File> {
        File::from_settings(&ConnectionSettings {
            url: JdbcUrl::parse(url).unwrap(),
            user: None,
            password: None,
            properties: Parameters::default(),
        })
    }

    #[test]
    fn files_are_those_that_java_opens() {
        for (url, path) in [
            ("jdbc:sqlite:/data/shop.db", "/data/shop.db"),
            ("jdbc:sqlite:shop%20.db?cache=shared", "shop%20.db"),
            ("jdbc:sqlite:file:/data/a%20b.db?mode=ro", "/data/a b.db"),
            ("jdbc:sqlite:file:///data/shop.db", "/data/shop.db"),
        ] {
            assert_eq!(file(url).unwrap().path, PathBuf::from(path), "{url}");
        }
    }

    #[test]
    fn parameters_of_the_java_driver_are_followed_or_named() {
        let file = file("jdbc:sqlite:a.db?busy_timeout=7&date_class=text&date_precision=seconds&journal_mode=WAL&x=1");
        let file = file.unwrap();
        assert_eq!((file.busy_timeout, file.unit), (Duration::from_millis(7), TimeUnit::Seconds));
        assert_eq!(file.pragmas, [("journal_mode", "WAL".to_owned())]);
        assert_eq!((file.class, &file.unknown[..]), (Some(TimeClass::Text), &["x".to_owned()][..]));
    }

    #[test]
    fn what_cannot_be_followed_is_refused_and_named() {
        for (url, named) in [
            ("jdbc:sqlite:", "in memory"),
            ("jdbc:sqlite::memory:", "in memory"),
            ("jdbc:sqlite:file::memory:?cache=shared", "in memory"),
            ("jdbc:sqlite::resource:org/x.db", "resource"),
            ("jdbc:sqlite:a.db?busy_timeout=soon", "busy_timeout"),
            ("jdbc:sqlite:a.db?date_class=number", "date_class"),
            ("jdbc:sqlite:a.db?date_precision=days", "date_precision"),
            ("jdbc:sqlite:a.db?cipher=aes256cbc", "cipher"),
            ("jdbc:sqlite:a.db?journal_mode=WAL;DROP", "journal_mode"),
        ] {
            let error = file(url).unwrap_err();
            assert!(!error.is_retriable() && error.to_string().contains(named), "{url}: {error}");
        }
    }
}
