//! The keys of `ObjectStoreSink`, and their values parsed into types.

use std::path::PathBuf;
use std::time::Duration;

use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use url::Url;
use volley_api::{
    Config, ConfigDef, ConfigIssue, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Result, Secret,
    Validator, Width,
};

use super::retry::RetryPolicy;
use super::rotation::{RotationPolicy, parse_timezone};

const STORE_URL: &str = "store.url";
const S3_ENDPOINT: &str = "store.s3.endpoint";
const S3_REGION: &str = "store.s3.region";
const S3_ACCESS_KEY_ID: &str = "store.s3.access.key.id";
const S3_SECRET_ACCESS_KEY: &str = "store.s3.secret.access.key";
const S3_SESSION_TOKEN: &str = "store.s3.session.token";
const S3_PATH_STYLE: &str = "store.s3.path.style.access.enabled";
const GCS_SERVICE_ACCOUNT_PATH: &str = "store.gcs.service.account.path";
const GCS_SERVICE_ACCOUNT_KEY: &str = "store.gcs.service.account.key";
const AZURE_ACCOUNT_NAME: &str = "store.azure.account.name";
const AZURE_ACCOUNT_KEY: &str = "store.azure.account.key";
const AZURE_ENDPOINT: &str = "store.azure.endpoint";
const REQUEST_TIMEOUT: &str = "store.request.timeout.ms";
const TOPICS_DIR: &str = "topics.dir";
const FORMAT_CLASS: &str = "format.class";
const PARQUET_CODEC: &str = "parquet.codec";
const FLUSH_SIZE: &str = "flush.size";
const ROTATE_BYTES: &str = "rotate.bytes";
const ROTATE_INTERVAL: &str = "rotate.interval.ms";
const ROTATE_SCHEDULE_INTERVAL: &str = "rotate.schedule.interval.ms";
const TIMEZONE: &str = "timezone";
const ROTATE_IDLE: &str = "rotate.idle.ms";
const NULL_VALUES: &str = "behavior.on.null.values";
const RETRY_BACKOFF: &str = "retry.backoff.ms";
const RETRY_TIMEOUT: &str = "retry.timeout.ms";

const SCHEMES: &str = "file:///directory, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix";

/// Where the files go.
#[derive(Clone, Debug)]
pub(crate) struct StoreConfig {
    pub(crate) url: Url,
    pub(crate) s3_endpoint: Option<String>,
    pub(crate) s3_region: Option<String>,
    pub(crate) s3_access_key_id: Option<String>,
    pub(crate) s3_secret_access_key: Option<Secret>,
    pub(crate) s3_session_token: Option<Secret>,
    pub(crate) s3_path_style: bool,
    pub(crate) gcs_service_account_path: Option<String>,
    pub(crate) gcs_service_account_key: Option<Secret>,
    pub(crate) azure_account_name: Option<String>,
    pub(crate) azure_account_key: Option<Secret>,
    pub(crate) azure_endpoint: Option<String>,
    pub(crate) request_timeout: Duration,
}

impl StoreConfig {
    /// The directory of a `file` URL.
    pub(crate) fn local_root(&self) -> Result<PathBuf> {
        let no_path = |()| Error::config(format!("`{STORE_URL}` {} names no local directory", self.url));
        self.url.to_file_path().map_err(no_path)
    }
}

/// What to do with a record whose value is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NullValues {
    /// Reject it.
    Fail,
    /// Leave it out.
    Ignore,
}

/// The configuration of a task.
#[derive(Clone, Debug)]
pub(crate) struct SinkConfig {
    pub(crate) store: StoreConfig,
    /// Without slashes at its ends; may be empty.
    pub(crate) topics_dir: String,
    pub(crate) compression: Compression,
    pub(crate) rotation: RotationPolicy,
    pub(crate) null_values: NullValues,
    pub(crate) retry: RetryPolicy,
}

impl SinkConfig {
    /// Parses a configuration; the first thing wrong is the error.
    pub(crate) fn parse(config: &ConfigMap) -> Result<Self> {
        let parsed = config_def().parse(config)?;
        match issues(&parsed).into_iter().next() {
            None => Self::from_config(&parsed),
            Some(issue) => Err(Error::config(issue.message)),
        }
    }

    fn from_config(config: &Config) -> Result<Self> {
        let number = |key: &str| config.long(key).and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
        let millis = |key: &str| Duration::from_millis(number(key));
        let positive = |key: &str| config.long(key).filter(|number| *number > 0);
        let rotation = RotationPolicy {
            rows: number(FLUSH_SIZE).max(1),
            bytes: positive(ROTATE_BYTES).and_then(|bytes| usize::try_from(bytes).ok()),
            interval_ms: positive(ROTATE_INTERVAL),
            schedule_ms: positive(ROTATE_SCHEDULE_INTERVAL),
            utc_offset_ms: parse_timezone(config.string(TIMEZONE).unwrap_or_default()).unwrap_or(0),
            idle_ms: positive(ROTATE_IDLE),
        };
        let ignores_nulls = config.string(NULL_VALUES).is_some_and(|value| value.eq_ignore_ascii_case("ignore"));
        Ok(Self {
            store: store_config(config)?,
            topics_dir: config.string(TOPICS_DIR).unwrap_or_default().trim_matches('/').to_owned(),
            compression: compression(config.string(PARQUET_CODEC).unwrap_or_default()),
            rotation,
            null_values: if ignores_nulls { NullValues::Ignore } else { NullValues::Fail },
            retry: RetryPolicy { backoff: millis(RETRY_BACKOFF), timeout: millis(RETRY_TIMEOUT) },
        })
    }
}

/// What is wrong with keys that depend on each other. Single keys have been checked.
pub(crate) fn issues(config: &Config) -> Vec<ConfigIssue> {
    let mut issues = Vec::new();
    let both = [(S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY), (AZURE_ACCOUNT_NAME, AZURE_ACCOUNT_KEY)];
    let is_given = |key: &str| *config.get(key) != ConfigValue::Null;
    for (first, second) in both {
        // the account of Azure's other kinds of credentials stands alone
        if is_given(second) && !is_given(first) {
            issues.push(ConfigIssue::new(first, format!("`{first}` is needed together with `{second}`")));
        }
    }
    if is_given(S3_ACCESS_KEY_ID) && !is_given(S3_SECRET_ACCESS_KEY) {
        let message = format!("`{S3_SECRET_ACCESS_KEY}` is needed together with `{S3_ACCESS_KEY_ID}`");
        issues.push(ConfigIssue::new(S3_SECRET_ACCESS_KEY, message));
    }
    issues
}

/// The keys, in the order in which they are shown.
pub(crate) fn config_def() -> ConfigDef {
    let keys = store_keys().into_iter().chain(file_keys()).chain(rotation_keys()).chain(error_keys());
    keys.fold(ConfigDef::new(), ConfigDef::key)
}

fn store_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Long, Password, String};
    use Importance::{High, Low, Medium};
    let keys = vec![
        ConfigKey::required(
            STORE_URL,
            String,
            High,
            "Where the files go: `file:///directory`, `s3://bucket/prefix`, `gs://bucket/prefix` or \
             `az://container/prefix`. A local directory is created if it is missing, a bucket is not. One connector per \
             place: two that write the same topic into one `topics.dir` are refused.",
        )
        .validated(Validator::Custom(check_url)),
        ConfigKey::optional(
            S3_ENDPOINT,
            String,
            Medium,
            "URL of a server that speaks S3, such as `http://localhost:9000`. Without it, Amazon's of the region, or the \
             environment variable AWS_ENDPOINT.",
        )
        .validated(Validator::Custom(check_http_url)),
        ConfigKey::optional(
            S3_REGION,
            String,
            Medium,
            "Region of the bucket. Without it, the environment variable AWS_REGION, or us-east-1.",
        ),
        ConfigKey::optional(
            S3_ACCESS_KEY_ID,
            String,
            Medium,
            "Access key id. Without it, the environment variables (AWS_ACCESS_KEY_ID and the others) or the machine's \
             own role.",
        ),
        ConfigKey::optional(S3_SECRET_ACCESS_KEY, Password, Medium, "Secret access key of the access key id."),
        ConfigKey::optional(S3_SESSION_TOKEN, Password, Low, "Session token of temporary credentials."),
        ConfigKey::with_default(
            S3_PATH_STYLE,
            Boolean,
            "true",
            Low,
            "Whether the bucket stands in the path of requests (`true`) or in the host name.",
        ),
        ConfigKey::optional(
            GCS_SERVICE_ACCOUNT_PATH,
            String,
            Medium,
            "File with the service account's key for Google Cloud Storage. Without it, the environment variables \
             (GOOGLE_SERVICE_ACCOUNT, GOOGLE_APPLICATION_CREDENTIALS).",
        ),
        ConfigKey::optional(GCS_SERVICE_ACCOUNT_KEY, Password, Medium, "The service account's key itself, as JSON."),
        ConfigKey::optional(
            AZURE_ACCOUNT_NAME,
            String,
            Medium,
            "Storage account for `az://`. Without it, the environment variable AZURE_STORAGE_ACCOUNT_NAME.",
        ),
        ConfigKey::optional(
            AZURE_ACCOUNT_KEY,
            Password,
            Medium,
            "Key of the storage account. Without it, the environment variables (AZURE_STORAGE_ACCOUNT_KEY and others).",
        ),
        ConfigKey::optional(AZURE_ENDPOINT, String, Low, "URL of the blob service, where it is not Azure's own.")
            .validated(Validator::Custom(check_http_url)),
        ConfigKey::with_default(
            REQUEST_TIMEOUT,
            Long,
            "120000",
            Low,
            "How long one request to the store may take, in milliseconds, the upload of a whole file included.",
        )
        .validated(Validator::AtLeast(1000)),
    ];
    grouped("Store", keys)
}

fn file_keys() -> Vec<ConfigKey> {
    use ConfigType::String;
    use Importance::{High, Low, Medium};
    let keys = vec![
        ConfigKey::with_default(
            TOPICS_DIR,
            String,
            "topics",
            High,
            "Directory below `store.url` under which each topic has its own; may be empty. Files are named \
             `<topics.dir>/<topic>/partition=<n>/<topic>+<n>+<offset of the first row, 10 digits>.parquet`.",
        )
        .validated(Validator::Custom(check_topics_dir)),
        ConfigKey::with_default(FORMAT_CLASS, String, "Parquet", Low, "Format of the files: `Parquet`.")
            .validated(Validator::Custom(check_format)),
        ConfigKey::with_default(
            PARQUET_CODEC,
            String,
            "zstd",
            Medium,
            "Compression: none, snappy, gzip, lz4_raw, brotli or zstd.",
        )
        .validated(Validator::OneOfIgnoreCase(&["none", "snappy", "gzip", "lz4_raw", "brotli", "zstd"])),
        ConfigKey::with_default(
            NULL_VALUES,
            String,
            "fail",
            Medium,
            "What to do with a record whose value is null: `fail` (an error, subject to `errors.tolerance`) or `ignore`.",
        )
        .validated(Validator::OneOfIgnoreCase(&["fail", "ignore"])),
    ];
    grouped("Files", keys)
}

fn rotation_keys() -> Vec<ConfigKey> {
    use ConfigType::{Long, String};
    use Importance::{High, Low, Medium};
    let keys = vec![
        ConfigKey::with_default(FLUSH_SIZE, Long, "1000000", High, "A file is completed when it has this many rows.")
            .validated(Validator::AtLeast(1)),
        ConfigKey::with_default(
            ROTATE_BYTES,
            Long,
            "134217728",
            Medium,
            "A file is completed when its encoded size reaches about this many bytes; -1 = never. Files are held in \
             memory until they are complete; when the worker's memory budget is used up, the largest is completed early.",
        )
        .validated(Validator::Custom(check_positive_or_off)),
        ConfigKey::with_default(
            ROTATE_INTERVAL,
            Long,
            "-1",
            Medium,
            "A file is completed before a record whose timestamp is this many milliseconds or more after that of the \
             file's first record; -1 = never. It takes such a record: see `rotate.idle.ms` and \
             `rotate.schedule.interval.ms` for the clock on the wall.",
        )
        .validated(Validator::Custom(check_positive_or_off)),
        ConfigKey::with_default(
            ROTATE_SCHEDULE_INTERVAL,
            Long,
            "-1",
            Medium,
            "All open files are completed at multiples of this many milliseconds since midnight in `timezone`, whether \
             or not records arrive; -1 = never. Records are still written exactly once.",
        )
        .validated(Validator::Custom(check_positive_or_off)),
        ConfigKey::with_default(
            TIMEZONE,
            String,
            "UTC",
            Low,
            "Whose midnight counts for `rotate.schedule.interval.ms`: `UTC` or a fixed difference such as `+02:00`.",
        )
        .validated(Validator::Custom(check_timezone)),
        ConfigKey::with_default(
            ROTATE_IDLE,
            Long,
            "60000",
            Medium,
            "A file is completed when it has had no new row for this many milliseconds; -1 = never.",
        )
        .validated(Validator::Custom(check_positive_or_off)),
    ];
    grouped("Rotation", keys)
}

fn error_keys() -> Vec<ConfigKey> {
    use ConfigType::Long;
    use Importance::{Low, Medium};
    let keys = vec![
        ConfigKey::with_default(
            RETRY_BACKOFF,
            Long,
            "500",
            Low,
            "Wait before a failed write is tried again, in milliseconds; doubles with each try, up to 30 seconds.",
        )
        .validated(Validator::AtLeast(1)),
        ConfigKey::with_default(
            RETRY_TIMEOUT,
            Long,
            "300000",
            Medium,
            "How long a write that fails (store out of reach, disk full) is tried again, in milliseconds, before the \
             task fails. Nothing is lost by that: offsets are committed only for complete files.",
        )
        .validated(Validator::AtLeast(0)),
    ];
    grouped("Errors", keys)
}

fn grouped(group: &str, keys: Vec<ConfigKey>) -> Vec<ConfigKey> {
    let numbered = (1..).zip(keys);
    numbered
        .map(|(order, key)| {
            let name = key.name.clone();
            key.grouped(group, order, Width::Medium, &name)
        })
        .collect()
}

fn store_config(config: &Config) -> Result<StoreConfig> {
    let text = |key: &str| config.string(key).filter(|text| !text.is_empty()).map(str::to_owned);
    let url = parse_url(config.string(STORE_URL).unwrap_or_default())
        .map_err(|reason| Error::config(format!("invalid `{STORE_URL}`: {reason}")))?;
    Ok(StoreConfig {
        url,
        s3_endpoint: text(S3_ENDPOINT),
        s3_region: text(S3_REGION),
        s3_access_key_id: text(S3_ACCESS_KEY_ID),
        s3_secret_access_key: config.password(S3_SECRET_ACCESS_KEY).cloned(),
        s3_session_token: config.password(S3_SESSION_TOKEN).cloned(),
        s3_path_style: config.boolean(S3_PATH_STYLE),
        gcs_service_account_path: text(GCS_SERVICE_ACCOUNT_PATH),
        gcs_service_account_key: config.password(GCS_SERVICE_ACCOUNT_KEY).cloned(),
        azure_account_name: text(AZURE_ACCOUNT_NAME),
        azure_account_key: config.password(AZURE_ACCOUNT_KEY).cloned(),
        azure_endpoint: text(AZURE_ENDPOINT),
        request_timeout: Duration::from_millis(config.long(REQUEST_TIMEOUT).unwrap_or(120_000).unsigned_abs()),
    })
}

fn compression(name: &str) -> Compression {
    match name.to_ascii_lowercase().as_str() {
        "none" => Compression::UNCOMPRESSED,
        "snappy" => Compression::SNAPPY,
        "gzip" => Compression::GZIP(GzipLevel::default()),
        "lz4_raw" => Compression::LZ4_RAW,
        "brotli" => Compression::BROTLI(BrotliLevel::default()),
        // level 1: with encodings chosen per column the higher ones gain little and cost much
        _ => Compression::ZSTD(ZstdLevel::default()),
    }
}

fn parse_url(text: &str) -> std::result::Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; give {SCHEMES}"))?;
    let host = url.host_str().filter(|host| !host.is_empty());
    match (url.scheme(), host) {
        ("file", None) if url.to_file_path().is_ok() => Ok(url),
        ("file", _) => Err("a local directory has three slashes: file:///directory".to_owned()),
        ("s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss", Some(_)) => Ok(url),
        ("s3" | "s3a" | "gs", None) => Err(format!("it names no bucket; give {SCHEMES}")),
        ("az" | "azure" | "abfs" | "abfss", None) => Err(format!("it names no container; give {SCHEMES}")),
        (scheme, _) => Err(format!("unknown scheme `{scheme}`; give {SCHEMES}")),
    }
}

type Checked = std::result::Result<(), String>;

fn check_text(value: &ConfigValue, check: impl FnOnce(&str) -> Checked) -> Checked {
    match value {
        ConfigValue::String(text) => check(text),
        _ => Ok(()),
    }
}

fn check_url(value: &ConfigValue) -> Checked {
    check_text(value, |text| parse_url(text).map(|_| ()))
}

fn check_http_url(value: &ConfigValue) -> Checked {
    check_text(value, |text| match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err("not a URL such as http://localhost:9000".to_owned()),
    })
}

fn check_topics_dir(value: &ConfigValue) -> Checked {
    check_text(value, |text| {
        let inner = text.trim_matches('/');
        let is_bad = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(char::is_control);
        if !inner.is_empty() && inner.split('/').any(is_bad) {
            return Err("a path of plain names, parted by /, is needed".to_owned());
        }
        Ok(())
    })
}

fn check_format(value: &ConfigValue) -> Checked {
    check_text(value, |text| match text.rsplit('.').next() {
        Some("Parquet" | "parquet" | "ParquetFormat") => Ok(()),
        _ => Err("the format must be Parquet".to_owned()),
    })
}

fn check_timezone(value: &ConfigValue) -> Checked {
    check_text(value, |text| match parse_timezone(text) {
        Some(_) => Ok(()),
        None => Err("give UTC or a fixed difference such as +02:00".to_owned()),
    })
}

fn check_positive_or_off(value: &ConfigValue) -> Checked {
    match value {
        ConfigValue::Long(number) if *number < -1 || *number == 0 => Err("Value must be at least 1, or -1".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> ConfigMap {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_url_alone_is_enough() {
        let config = SinkConfig::parse(&map(&[("store.url", "file:///tmp/a%20b")])).unwrap();
        assert_eq!(config.store.local_root().unwrap(), PathBuf::from("/tmp/a b"));
        assert_eq!(config.topics_dir, "topics");
        assert_eq!(config.compression, Compression::ZSTD(ZstdLevel::try_new(1).unwrap()));
        assert_eq!(config.null_values, NullValues::Fail);
        assert_eq!((config.rotation.interval_ms, config.rotation.idle_ms), (None, Some(60_000)));
    }

    #[test]
    fn bad_values_are_refused_with_their_key() {
        let cases = [
            ("store.url", "", "relative URL"),
            ("store.url", "/tmp/x", "relative URL"),
            ("store.url", "file://relative/x", "three slashes"),
            ("store.url", "s3:///x", "names no bucket"),
            ("store.url", "ftp://host/x", "unknown scheme `ftp`"),
            ("store.s3.endpoint", "localhost:9000", "not a URL such as"),
            ("topics.dir", "../up", "plain names"),
            ("format.class", "io.confluent.connect.s3.format.avro.AvroFormat", "must be Parquet"),
            ("parquet.codec", "lzo", "must be one of"),
            ("flush.size", "0", "at least 1"),
            ("rotate.idle.ms", "0", "at least 1, or -1"),
            ("timezone", "Mars/Olympus", "such as +02:00"),
            ("store.s3.access.key.id", "AKIA", "`store.s3.secret.access.key` is needed"),
        ];
        for (key, value, expected) in cases {
            let mut config = map(&[("store.url", "file:///tmp/x")]);
            config.insert(key.to_owned(), value.to_owned());
            let message = SinkConfig::parse(&config).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(key), "{key}={value}: {message}");
        }
        let message = SinkConfig::parse(&map(&[])).unwrap_err().to_string();
        assert!(message.contains("\"store.url\""), "{message}");
    }

    #[test]
    fn secrets_do_not_show() {
        let entries =
            [("store.url", "s3://b/p"), ("store.s3.access.key.id", "AKIA"), ("store.s3.secret.access.key", "hunter2")];
        let config = SinkConfig::parse(&map(&entries)).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
