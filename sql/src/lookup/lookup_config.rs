//! The keys of lookup tables, and their values parsed into types.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;
use volley_api::{ConfigKey, ConfigMap, ConfigType, Error, Importance, Result, Validator, Width};

use super::table_format::TableFormat;
use crate::query::RECORDS;

/// Prefix of the keys of lookup tables.
const PREFIX: &str = "lookup.";
const LOOKUP_MAX_BYTES: &str = "lookup.max.bytes";
const MAX_BYTES: u64 = 64 << 20;
const TOPIC_SUFFIX: &str = ".topic";

/// How often the table of a topic is made anew if nothing else is said, in milliseconds.
const TOPIC_INTERVAL: u64 = 1000;

const SCHEMES: &str = "a path, file://, http://, https://, s3://, gs:// or az://";

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Local(PathBuf),
    Http(Url),
    Store(Url),
}

/// A file with the rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSource {
    pub(crate) place: Place,
    /// What of the place may be shown: it has no password and no query.
    pub(crate) shown: String,
    pub(crate) format: TableFormat,
}

/// Where the rows of a table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    File(FileSource),
    /// A compacted topic of this name.
    Topic(String),
}

/// A lookup table.
#[derive(Clone, Debug)]
pub(crate) struct LookupConfig {
    /// Name in queries.
    pub(crate) name: String,
    /// The key that says where it is, for messages.
    pub(crate) key: String,
    pub(crate) source: Source,
    /// How often the table is made anew; `None` = never.
    pub(crate) refresh: Option<Duration>,
    pub(crate) max_bytes: u64,
    /// The keys of this table, without its prefix.
    pub(crate) settings: ConfigMap,
}

impl LookupConfig {
    /// All tables of `config`.
    ///
    /// # Errors
    /// `Config`, naming the key.
    pub(crate) fn of_config(config: &ConfigMap) -> Result<Vec<Self>> {
        let max_bytes = match config.get(LOOKUP_MAX_BYTES).map(|text| text.trim()) {
            None => MAX_BYTES,
            Some(text) => {
                text.parse().map_err(|_| Error::config(format!("`{LOOKUP_MAX_BYTES}`: {text} is no number")))?
            }
        };
        let mut tables: Vec<Self> = Vec::new();
        for (key, value) in config {
            let Some(name) = table_name(key) else { continue };
            let table = Self::parse(key, name, value.trim(), config, max_bytes)?;
            if let Some(other) = tables.iter().find(|other| other.name == table.name) {
                return Err(Error::config(format!("`{key}` and `{}` give the same table: remove one", other.key)));
            }
            tables.push(table);
        }
        Ok(tables)
    }

    fn parse(key: &str, name: &str, source: &str, config: &ConfigMap, max_bytes: u64) -> Result<Self> {
        if name == RECORDS {
            return Err(Error::config(format!("`{key}`: a lookup table cannot be named `{RECORDS}`")));
        }
        let prefix = format!("{PREFIX}{name}.");
        let own = |(key, value): (&String, &String)| Some((key.strip_prefix(&prefix)?.to_owned(), value.clone()));
        let settings: ConfigMap = config.iter().filter_map(own).collect();
        let interval: Option<u64> = match settings.get("refresh.interval.ms").map(|text| text.trim()) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                Error::config(format!("`{prefix}refresh.interval.ms`: {text} is no number of milliseconds"))
            })?),
        };
        let (source, interval) = match key.ends_with(TOPIC_SUFFIX) {
            true => (Source::Topic(source.to_owned()), interval.filter(|millis| *millis > 0).or(Some(TOPIC_INTERVAL))),
            false => (Source::File(FileSource::parse(key, &prefix, source, &settings)?), interval),
        };
        let refresh = interval.filter(|millis| *millis > 0).map(Duration::from_millis);
        let (name, key) = (name.to_owned(), key.to_owned());
        Ok(Self { name, key, source, refresh, max_bytes, settings })
    }
}

impl FileSource {
    fn parse(key: &str, prefix: &str, place: &str, settings: &ConfigMap) -> Result<Self> {
        let (place, shown) = place_of(place).map_err(|reason| Error::config(format!("`{key}`: {reason}")))?;
        let format = match settings.get("format") {
            Some(name) => TableFormat::named(name.trim())
                .ok_or_else(|| Error::config(format!("`{prefix}format`: give csv, tsv, json or parquet")))?,
            None => TableFormat::of_file(&shown).ok_or_else(|| {
                Error::config(format!(
                    "`{key}`: `{shown}` is none of .csv, .tsv, .json, .jsonl, .ndjson and .parquet (JSON: one object on \
                     each line); rename it, or give `{prefix}format`"
                ))
            })?,
        };
        Ok(Self { place, shown, format })
    }
}

/// The name of the table whose file or topic the key gives.
fn table_name(key: &str) -> Option<&str> {
    let rest = key.strip_prefix(PREFIX)?;
    let name = [".url", ".path", TOPIC_SUFFIX].into_iter().find_map(|suffix| rest.strip_suffix(suffix))?;
    // `lookup.<name>.store.url` is none
    (!name.is_empty() && name != "<name>" && !name.contains('.')).then_some(name)
}

/// The place that a text names, and what of it may be shown.
fn place_of(text: &str) -> std::result::Result<(Place, String), String> {
    if !text.contains("://") {
        return Ok((Place::Local(PathBuf::from(text)), text.to_owned()));
    }
    let url = Url::parse(text).map_err(|error| format!("{error}; give {SCHEMES}"))?;
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let shown = format!("{}://{host}{port}{}", url.scheme(), url.path());
    match url.scheme() {
        "file" => {
            let path = url.to_file_path().map_err(|()| "a local file has three slashes: file:///directory/file")?;
            Ok((Place::Local(path), shown))
        }
        _ if host.is_empty() => Err(format!("`{shown}` names no host or bucket; give {SCHEMES}")),
        "http" | "https" => Ok((Place::Http(url), shown)),
        "s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss" => Ok((Place::Store(url), shown)),
        scheme => Err(format!("unknown scheme `{scheme}`; give {SCHEMES}")),
    }
}

/// The keys, as templates.
pub(crate) fn lookup_keys() -> Vec<ConfigKey> {
    use ConfigType::{Long, String};
    use Importance::{Low, Medium};
    let optional =
        |name: &str, importance, documentation: &str| ConfigKey::optional(name, String, importance, documentation);
    let keys = vec![
        optional(
            "lookup.<name>.url",
            Medium,
            "File of the lookup table <name>, which the query can join: a path, or a URL with file://, http://, https://, \
             s3://, gs:// or az://. .csv or .tsv with a header row; .json, .jsonl or .ndjson with one object on each line; \
             .parquet. It is read when the task starts, into memory.",
        ),
        optional("lookup.<name>.path", Low, "The same as `lookup.<name>.url`."),
        optional(
            "lookup.<name>.format",
            Low,
            "Format of the file: csv, tsv, json or parquet. Without it, as the name of the file ends.",
        ),
        ConfigKey::optional(
            "lookup.<name>.refresh.interval.ms",
            Long,
            Medium,
            "How often the file is looked at and, if it has changed, read again in the background; 0 = never. Where that \
             fails the table stays as it is. For a topic how often what has come is taken into the table: without it every \
             second.",
        )
        .validated(Validator::AtLeast(0)),
        optional(
            "lookup.<name>.topic",
            Medium,
            "Compacted topic of the lookup table <name>: the last value of each key, read to the end before the first record \
             is transformed, then kept current. `_key` is the key, the fields of the value are the other columns.",
        ),
        optional(
            "lookup.<name>.key.converter",
            Low,
            "Converter of the topic's keys, with its settings behind `lookup.<name>.key.converter.`. Without it, the \
             StringConverter.",
        ),
        optional(
            "lookup.<name>.value.converter",
            Low,
            "Converter of the topic's values, with its settings behind `lookup.<name>.value.converter.`. Without it, the \
             JsonConverter without schemas.",
        ),
        optional(
            "lookup.<name>.bootstrap.servers",
            Low,
            "The cluster of the topic. Without it, the worker's.",
        ),
        optional(
            "lookup.<name>.consumer.*",
            Low,
            "Settings of the topic's consumer. Without them, the worker's (`consumer.`) and the connector's \
             (`consumer.override.`).",
        ),
        optional(
            "lookup.<name>.store.*",
            Low,
            "Credentials and settings of the object store: the keys `store.s3.*`, `store.gcs.*`, `store.azure.*` and \
             `store.request.timeout.ms` of the connector ObjectStoreSink.",
        ),
        optional("lookup.<name>.ssl.*", Low, "TLS settings for https://, such as `lookup.<name>.ssl.truststore.location`."),
        ConfigKey::with_default(
            LOOKUP_MAX_BYTES,
            Long,
            "67108864",
            Low,
            "Largest lookup table, in bytes: of its file, and of its rows in memory if it is Parquet; for a topic of its keys \
             and values.",
        )
        .validated(Validator::AtLeast(1)),
    ];
    let grouped = (10..).zip(keys).map(|(order, key)| {
        let name = key.name.clone();
        key.grouped("Lookup tables", order, Width::Medium, &name)
    });
    grouped.collect()
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn a_table_is_what_its_keys_say() {
        let config = config_map(&[
            ("query", "SELECT 1"),
            ("lookup.a.path", "/tables/a.csv"),
            ("lookup.b.url", "https://user:secret@host:8443/b?token=secret"),
            ("lookup.b.format", "JSON"),
            ("lookup.b.refresh.interval.ms", "500"),
            ("lookup.c.url", "s3://bucket/c.parquet"),
            ("lookup.c.store.s3.region", "eu-central-1"),
            ("lookup.d.topic", "customers"),
            ("lookup.d.refresh.interval.ms", "0"),
            ("lookup.<name>.url", "never"),
        ]);
        let tables = LookupConfig::of_config(&config).unwrap();
        assert_eq!(tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        let files: Vec<&FileSource> = tables[..3]
            .iter()
            .map(|table| match &table.source {
                Source::File(file) => file,
                Source::Topic(_) => panic!("{table:?} is a topic"),
            })
            .collect();
        assert_eq!(files[0].place, Place::Local("/tables/a.csv".into()));
        assert_eq!((tables[1].refresh, files[1].format), (Some(Duration::from_millis(500)), TableFormat::JsonLines));
        assert_eq!(files[1].shown, "https://host:8443/b");
        assert_eq!(tables[3].source, Source::Topic("customers".to_owned()));
        assert_eq!(tables[3].refresh, Some(Duration::from_millis(1000)));
        assert_eq!(tables[2].settings["store.s3.region"], "eu-central-1");
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_key() {
        for (key, value, reason) in [
            ("lookup.t.url", "ftp://host/t.csv", "unknown scheme `ftp`"),
            ("lookup.t.url", "file://t.csv", "three slashes"),
            ("lookup.t.url", "s3:///t.csv", "names no host or bucket"),
            ("lookup.t.url", "/t.xml", "is none of .csv"),
            ("lookup.records.url", "/t.csv", "cannot be named `records`"),
        ] {
            let error = LookupConfig::of_config(&config_map(&[(key, value)])).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{key}`: ")) && error.contains(reason), "{value}: {error}");
        }
        let twice = config_map(&[("lookup.t.url", "/t.csv"), ("lookup.t.path", "/t.csv")]);
        assert!(LookupConfig::of_config(&twice).unwrap_err().to_string().contains("the same table"));
        let format = config_map(&[("lookup.t.url", "/t"), ("lookup.t.format", "xml")]);
        assert!(LookupConfig::of_config(&format).unwrap_err().to_string().starts_with("`lookup.t.format`: "));
    }
}
