//! The keys that only HDFS needs.

use std::collections::BTreeMap;

use volley_api::{Config, ConfigIssue, ConfigKey, ConfigMap, ConfigType, Importance};

const CONF_DIR: &str = "store.hdfs.conf.dir";
const USER: &str = "store.hdfs.user";
const KERBEROS_PRINCIPAL: &str = "store.hdfs.kerberos.principal";
const KERBEROS_KEYTAB: &str = "store.hdfs.kerberos.keytab";
/// Before a key of Hadoop's own.
const HADOOP_PREFIX: &str = "store.hdfs.config.";
const AUTHENTICATION: &str = "hadoop.security.authentication";

/// How to get at an HDFS, beside its URL.
#[derive(Clone, Debug, Default)]
pub struct HdfsConfig {
    /// Directory of `core-site.xml` and `hdfs-site.xml`.
    pub conf_dir: Option<String>,
    /// As whom to act there.
    pub user: Option<String>,
    /// As whom to log in.
    pub kerberos_principal: Option<String>,
    /// File with the principal's key.
    pub kerberos_keytab: Option<String>,
    /// Keys of Hadoop that count more than those of its files.
    pub hadoop: BTreeMap<String, String>,
}

impl HdfsConfig {
    pub(crate) fn from_config(config: &Config) -> Self {
        let text = |key: &str| config.string(key).filter(|text| !text.is_empty()).map(str::to_owned);
        let kerberos_principal = text(KERBEROS_PRINCIPAL);
        // who names a principal wants to be asked for it
        let wants_kerberos = kerberos_principal.iter().map(|_| (AUTHENTICATION.to_owned(), "kerberos".to_owned()));
        Self {
            conf_dir: text(CONF_DIR),
            user: text(USER),
            hadoop: wants_kerberos.collect(),
            kerberos_principal,
            kerberos_keytab: text(KERBEROS_KEYTAB),
        }
    }

    pub(crate) fn add_hadoop_keys(&mut self, config: &ConfigMap) {
        let handed = config.iter().filter_map(|(key, value)| Some((key.strip_prefix(HADOOP_PREFIX)?, value)));
        self.hadoop.extend(handed.map(|(key, value)| (key.to_owned(), value.clone())));
    }
}

/// What is wrong with keys that depend on each other.
pub(crate) fn hdfs_issues(config: &Config) -> Option<ConfigIssue> {
    let is_given = |key: &str| config.string(key).is_some_and(|text| !text.is_empty());
    (is_given(KERBEROS_KEYTAB) && !is_given(KERBEROS_PRINCIPAL)).then(|| {
        let message = format!("`{KERBEROS_PRINCIPAL}` is needed together with `{KERBEROS_KEYTAB}`");
        ConfigIssue::new(KERBEROS_PRINCIPAL, message)
    })
}

/// The keys, in the order in which they are shown.
pub(crate) fn hdfs_keys() -> Vec<ConfigKey> {
    use ConfigType::String;
    use Importance::{Low, Medium};
    vec![
        ConfigKey::optional(
            CONF_DIR,
            String,
            Medium,
            "Directory of Hadoop's `core-site.xml` and `hdfs-site.xml`: they say where the name nodes of a name service \
             are. Without it, the environment variable HADOOP_CONF_DIR, or `etc/hadoop` in HADOOP_HOME. Single keys of \
             Hadoop can be given as `store.hdfs.config.<key>`; they count more than those of the files.",
        ),
        ConfigKey::optional(
            USER,
            String,
            Low,
            "User as whom to act in HDFS. Without it, the environment variable HADOOP_USER_NAME, or the worker's user. \
             With Kerberos: the user for whom the principal acts, as a proxy user.",
        ),
        ConfigKey::optional(
            KERBEROS_PRINCIPAL,
            String,
            Medium,
            "Kerberos principal as whom to log in, such as `volley@EXAMPLE.COM`. The machine's library \
             libgssapi_krb5.so.2 is loaded for that when it is needed (Debian: libgssapi-krb5-2, Red Hat: krb5-libs), \
             and reads /etc/krb5.conf, or the file that the environment variable KRB5_CONFIG names.",
        ),
        ConfigKey::optional(
            KERBEROS_KEYTAB,
            String,
            Medium,
            "File with the key of the Kerberos principal. Without it, the tickets that `kinit` has put into the cache of \
             the worker's user.",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use volley_api::ConfigDef;
    use volley_api::testing::config_map;

    use super::*;

    fn parsed(entries: &[(&str, &str)]) -> (HdfsConfig, Option<ConfigIssue>) {
        let entries = config_map(entries);
        let config = hdfs_keys().into_iter().fold(ConfigDef::new(), ConfigDef::key).parse(&entries).unwrap();
        let mut hdfs = HdfsConfig::from_config(&config);
        hdfs.add_hadoop_keys(&entries);
        (hdfs, hdfs_issues(&config))
    }

    #[test]
    fn keys_of_hadoop_are_handed_through_as_they_are() {
        let (config, issue) = parsed(&[
            ("store.hdfs.config.dfs.ha.namenodes.s", "nn1,nn2"),
            ("store.hdfs.user", "etl"),
            ("dfs.nameservices", "no"),
        ]);
        assert_eq!(config.hadoop, BTreeMap::from([("dfs.ha.namenodes.s".to_owned(), "nn1,nn2".to_owned())]));
        assert_eq!((config.user.as_deref(), config.conf_dir, issue), (Some("etl"), None, None));
    }

    #[test]
    fn a_principal_asks_for_kerberos_unless_hadoop_s_key_says_otherwise() {
        let principal = ("store.hdfs.kerberos.principal", "v@R");
        let (config, _) = parsed(&[principal]);
        assert_eq!(config.hadoop[AUTHENTICATION], "kerberos");
        let (config, _) = parsed(&[principal, ("store.hdfs.config.hadoop.security.authentication", "simple")]);
        assert_eq!(config.hadoop[AUTHENTICATION], "simple");
    }

    #[test]
    fn a_keytab_needs_a_principal() {
        let (_, issue) = parsed(&[("store.hdfs.kerberos.keytab", "/k")]);
        assert_eq!(issue.unwrap().key, KERBEROS_PRINCIPAL);
        let (_, issue) = parsed(&[("store.hdfs.kerberos.keytab", "/k"), ("store.hdfs.kerberos.principal", "v@R")]);
        assert_eq!(issue, None);
    }
}
