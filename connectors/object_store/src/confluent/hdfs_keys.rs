//! The keys that only Confluent's sinks for HDFS have.

use volley_api::{ConfigKey, ConfigType, Importance};

use super::storage_keys::grouped;

pub(crate) const HDFS_URL: &str = "hdfs.url";
pub(crate) const STORE_URL: &str = "store.url";
pub(crate) const CONF_DIR: &str = "hadoop.conf.dir";
pub(crate) const HADOOP_HOME: &str = "hadoop.home";
pub(crate) const LOGS_DIR: &str = "logs.dir";
pub(crate) const CAPTURE_GROUPS: &str = "topic.capture.groups.regex";
pub(crate) const KERBEROS: &str = "hdfs.authentication.kerberos";
pub(crate) const PRINCIPAL: &str = "connect.hdfs.principal";
pub(crate) const KEYTAB: &str = "connect.hdfs.keytab";
pub(crate) const NAME_NODE_PRINCIPAL: &str = "hdfs.namenode.principal";
pub(crate) const TICKET_RENEWAL: &str = "kerberos.ticket.renew.period.ms";
pub(crate) const HIVE_INTEGRATION: &str = "hive.integration";

/// What is accepted without any effect. `hive.integration` is spoken of by itself.
pub(crate) const HDFS_WITHOUT_EFFECT: [&str; 8] = [
    HADOOP_HOME,
    CAPTURE_GROUPS,
    TICKET_RENEWAL,
    "hive.metastore.uris",
    "hive.conf.dir",
    "hive.home",
    "hive.database",
    "hive.table.name",
];

/// The keys of the store.
pub(crate) fn hdfs_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Long, String};
    use Importance::{High, Low};
    let keys = vec![
        ConfigKey::optional(HDFS_URL, String, High, "The older name of `store.url`, which counts more."),
        ConfigKey::optional(
            STORE_URL,
            String,
            High,
            "URL of HDFS, such as `hdfs://namenode:8020` or `hdfs://nameservice`; a directory may follow.",
        ),
        ConfigKey::with_default(
            CONF_DIR,
            String,
            "",
            High,
            "Directory of Hadoop's `core-site.xml` and `hdfs-site.xml`. Without it, the environment variables.",
        ),
        ConfigKey::with_default(HADOOP_HOME, String, "", High, "No effect: nothing of Hadoop's installation is used."),
        ConfigKey::with_default(
            LOGS_DIR,
            String,
            "logs",
            High,
            "Directory of the logs of Java's sink. No log is written here, but where one of Java's says that files have not \
             been completed, the task fails.",
        ),
        ConfigKey::optional(
            CAPTURE_GROUPS,
            String,
            Low,
            "No effect: directories are not made of parts of topic names.",
        ),
        ConfigKey::with_default(KERBEROS, Boolean, "false", High, "Whether to log in with Kerberos."),
        ConfigKey::with_default(PRINCIPAL, String, "", High, "Kerberos principal as whom to log in."),
        ConfigKey::with_default(KEYTAB, String, "", High, "File with the key of that principal."),
        ConfigKey::with_default(NAME_NODE_PRINCIPAL, String, "", High, "Kerberos principal of the name node."),
        ConfigKey::with_default(
            TICKET_RENEWAL,
            Long,
            "3600000",
            Low,
            "No effect: tickets are renewed when they need it.",
        ),
    ];
    grouped("HDFS", keys)
}

/// The keys of Hive.
pub(crate) fn hive_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, String};
    use Importance::High;
    let ignored = "No effect: nothing is registered in Hive.";
    let keys = vec![
        ConfigKey::with_default(
            HIVE_INTEGRATION,
            Boolean,
            "false",
            High,
            "Accepted, with a warning: nothing is registered in Hive.",
        ),
        ConfigKey::with_default("hive.metastore.uris", String, "", High, ignored),
        ConfigKey::with_default("hive.conf.dir", String, "", High, ignored),
        ConfigKey::with_default("hive.home", String, "", High, ignored),
        ConfigKey::with_default("hive.database", String, "default", High, ignored),
        ConfigKey::with_default("hive.table.name", String, "${topic}", High, ignored),
    ];
    grouped("Hive", keys)
}
