//! The keys that say where files go, and their values parsed into types.

use std::path::PathBuf;
use std::time::Duration;

use object_store::path::Path;
use url::Url;
use volley_api::{
    Config, ConfigIssue, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Result, Secret, Validator,
};

use crate::azure_options::{AzureOptions, azure_option_issues, azure_option_keys};
use crate::hdfs_config::{HdfsConfig, hdfs_issues, hdfs_keys};
use crate::proxy::{proxy_issues, proxy_keys, proxy_url};
use crate::s3_options::{S3Options, s3_option_issues, s3_option_keys};

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
const GCS_ENDPOINT: &str = "store.gcs.endpoint";
const REQUEST_TIMEOUT: &str = "store.request.timeout.ms";

/// `viewfs`: several name services under one tree, by the mount table in Hadoop's configuration.
const HDFS_SCHEMES: [&str; 2] = ["hdfs", "viewfs"];
const SCHEMES: &str = "file:///directory, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or \
    hdfs://name-node-or-service/directory";

/// Where files are, and how to get at them.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The store, and the path in it.
    pub url: Url,
    pub(crate) s3_endpoint: Option<String>,
    pub(crate) s3_region: Option<String>,
    pub(crate) s3_access_key_id: Option<String>,
    pub(crate) s3_secret_access_key: Option<Secret>,
    pub(crate) s3_session_token: Option<Secret>,
    pub(crate) s3_path_style: bool,
    pub(crate) s3_options: S3Options,
    pub(crate) gcs_service_account_path: Option<String>,
    pub(crate) gcs_service_account_key: Option<Secret>,
    pub(crate) gcs_endpoint: Option<String>,
    pub(crate) azure_account_name: Option<String>,
    pub(crate) azure_account_key: Option<Secret>,
    pub(crate) azure_endpoint: Option<String>,
    /// What only HDFS needs.
    pub hdfs: HdfsConfig,
    pub(crate) azure_options: AzureOptions,
    pub(crate) proxy_url: Option<Secret>,
    /// How long one request may take.
    pub request_timeout: Duration,
}

impl StoreConfig {
    /// From keys that have been checked.
    ///
    /// # Errors
    /// `Config` if `store.url` is none.
    pub fn from_config(config: &Config) -> Result<Self> {
        let text = |key: &str| config.string(key).filter(|text| !text.is_empty()).map(str::to_owned);
        let url = parse_url(config.string(STORE_URL).unwrap_or_default())
            .map_err(|reason| Error::config(format!("invalid `{STORE_URL}`: {reason}")))?;
        Ok(Self {
            url,
            s3_endpoint: text(S3_ENDPOINT),
            s3_region: text(S3_REGION),
            s3_access_key_id: text(S3_ACCESS_KEY_ID),
            s3_secret_access_key: config.password(S3_SECRET_ACCESS_KEY).cloned(),
            s3_session_token: config.password(S3_SESSION_TOKEN).cloned(),
            s3_path_style: config.boolean(S3_PATH_STYLE),
            s3_options: S3Options::from_config(config),
            gcs_service_account_path: text(GCS_SERVICE_ACCOUNT_PATH),
            gcs_service_account_key: config.password(GCS_SERVICE_ACCOUNT_KEY).cloned(),
            gcs_endpoint: text(GCS_ENDPOINT),
            azure_account_name: text(AZURE_ACCOUNT_NAME),
            azure_account_key: config.password(AZURE_ACCOUNT_KEY).cloned(),
            azure_endpoint: text(AZURE_ENDPOINT),
            hdfs: HdfsConfig::from_config(config),
            azure_options: AzureOptions::from_config(config),
            proxy_url: proxy_url(config),
            request_timeout: Duration::from_millis(config.long(REQUEST_TIMEOUT).unwrap_or(120_000).unsigned_abs()),
        })
    }

    /// With the keys of Hadoop that `config`, as the user wrote it, hands through (`store.hdfs.config.…`).
    #[must_use]
    pub fn with_hadoop_keys(mut self, config: &ConfigMap) -> Self {
        self.hdfs.add_hadoop_keys(config);
        self
    }

    /// Whether the URL is one of HDFS.
    pub fn is_hdfs(&self) -> bool {
        HDFS_SCHEMES.contains(&self.url.scheme())
    }

    /// The directory of a URL of HDFS: `/`, or a path that does not end with one.
    ///
    /// # Errors
    /// `Config` if the URL's path is none.
    pub fn hdfs_root(&self) -> Result<String> {
        let path = Path::from_url_path(self.url.path())
            .map_err(|error| Error::config(format!("`{STORE_URL}` {} has a bad path: {error}", self.url)))?;
        Ok(format!("/{path}"))
    }

    /// The directory of a `file` URL.
    ///
    /// # Errors
    /// `Config` for another URL.
    pub fn local_root(&self) -> Result<PathBuf> {
        let no_path = |()| Error::config(format!("`{STORE_URL}` {} names no local directory", self.url));
        self.url.to_file_path().map_err(no_path)
    }
}

/// What is wrong with keys that depend on each other. Single keys have been checked.
pub fn store_issues(config: &Config) -> Vec<ConfigIssue> {
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
    issues.extend(hdfs_issues(config));
    issues.extend(s3_option_issues(config));
    issues.extend(azure_option_issues(config));
    issues.extend(proxy_issues(config));
    issues
}

/// The keys, in the order in which they are shown. `url_documentation`: what `store.url` means to the plug-in.
pub fn store_keys(url_documentation: &str) -> Vec<ConfigKey> {
    let further = [s3_option_keys(), gcs_endpoint_key(), azure_option_keys(), proxy_keys()];
    main_keys(url_documentation).into_iter().chain(further.into_iter().flatten()).collect()
}

fn gcs_endpoint_key() -> Vec<ConfigKey> {
    let documentation =
        "URL of a server that speaks the protocol of Google Cloud Storage, where it is not Google's own.";
    let key = ConfigKey::optional(GCS_ENDPOINT, ConfigType::String, Importance::Low, documentation);
    vec![key.validated(Validator::custom(check_http_url))]
}

fn main_keys(url_documentation: &str) -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Long, Password, String};
    use Importance::{High, Low, Medium};
    let mut keys = vec![
        ConfigKey::required(
            STORE_URL,
            String,
            High,
            url_documentation,
        )
        .validated(Validator::custom(check_url)),
        ConfigKey::optional(
            S3_ENDPOINT,
            String,
            Medium,
            "URL of a server that speaks S3, such as `http://localhost:9000`. Without it, Amazon's of the region, or the \
             environment variable AWS_ENDPOINT.",
        )
        .validated(Validator::custom(check_http_url)),
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
            .validated(Validator::custom(check_http_url)),
    ];
    keys.extend(hdfs_keys());
    keys.push(
        ConfigKey::with_default(
            REQUEST_TIMEOUT,
            Long,
            "120000",
            Low,
            "How long one request to the store may take, in milliseconds, the upload of a whole file included.",
        )
        .validated(Validator::AtLeast(1000)),
    );
    keys
}

fn parse_url(text: &str) -> std::result::Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; give {SCHEMES}"))?;
    let host = url.host_str().filter(|host| !host.is_empty());
    match (url.scheme(), host) {
        ("file", None) if url.to_file_path().is_ok() => Ok(url),
        ("file", _) => Err("a local directory has three slashes: file:///directory".to_owned()),
        ("s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss", Some(_)) => Ok(url),
        // without a host: that of `fs.defaultFS`
        ("hdfs" | "viewfs", _) => Ok(url),
        ("s3" | "s3a" | "gs", None) => Err(format!("it names no bucket; give {SCHEMES}")),
        ("az" | "azure" | "abfs" | "abfss", None) => Err(format!("it names no container; give {SCHEMES}")),
        (scheme, _) => Err(format!("unknown scheme `{scheme}`; give {SCHEMES}")),
    }
}

type Checked = std::result::Result<(), String>;

fn check_url(value: &ConfigValue) -> Checked {
    let ConfigValue::String(text) = value else { return Ok(()) };
    parse_url(text).map(|_| ())
}

fn check_http_url(value: &ConfigValue) -> Checked {
    let ConfigValue::String(text) = value else { return Ok(()) };
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err("not a URL such as http://localhost:9000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use volley_api::ConfigDef;
    use volley_api::testing::config_map;

    use super::*;

    fn parsed(url: &str) -> Result<StoreConfig> {
        let def = store_keys("").into_iter().fold(ConfigDef::new(), ConfigDef::key);
        StoreConfig::from_config(&def.parse(&config_map(&[("store.url", url)]))?)
    }

    #[test]
    fn a_url_of_hdfs_names_a_host_or_service_and_a_directory() {
        let cases = [
            ("hdfs://node:8020/a/b/", "node", "/a/b"),
            ("hdfs://Service/", "Service", "/"),
            ("hdfs://service", "service", "/"),
            ("viewfs://cluster/a%20b", "cluster", "/a b"),
            ("hdfs:///only/a/path", "", "/only/a/path"),
        ];
        for (url, host, root) in cases {
            let config = parsed(url).unwrap();
            assert!(config.is_hdfs(), "{url}");
            assert_eq!(config.url.host_str().unwrap_or_default(), host);
            assert_eq!(config.hdfs_root().unwrap(), root);
        }
        assert!(!parsed("s3://bucket/x").unwrap().is_hdfs());
        let error = parsed("hdfs://node/a//b").unwrap().hdfs_root().unwrap_err().to_string();
        assert!(error.contains("`store.url` hdfs://node/a//b has a bad path"), "{error}");
    }
}
