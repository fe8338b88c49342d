//! The keys of a worker: Kafka Connect's common ones, those of the standalone mode, and Volley's own.

use volley_api::{ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Validator};

use super::java_definition::java_keys;

use ConfigType::{Boolean, Class, Int, List, Long, String as Text};
use Importance::{High, Low, Medium};

/// The keys that standalone and distributed workers share.
pub fn common_config_def() -> ConfigDef {
    rest_keys(client_keys(java_keys(core_keys(ConfigDef::new()))))
        .key(own(
            "volley.memory.budget.bytes",
            Long,
            "268435456",
            "Bytes that batches, sink buffers and what waits in the consumers of all tasks may hold together. Fetching pauses while \
             they are used up.",
            Validator::AtLeast(1 << 20),
        ))
        .key(own(
            "volley.batch.max.rows",
            Int,
            "32768",
            "Rows at which a batch is closed. A connector may set it for itself.",
            Validator::AtLeast(1),
        ))
        .key(own(
            "volley.batch.max.bytes",
            Int,
            "4194304",
            "Bytes of keys and values at which a batch is closed. A connector may set it for itself.",
            Validator::AtLeast(1),
        ))
        .key(own(
            "volley.batch.linger.ms",
            Int,
            "50",
            "Milliseconds after which a batch is closed however small it is. A connector may set it for itself.",
            Validator::AtLeast(0),
        ))
        .key(own(
            "volley.restart.max.attempts",
            Int,
            "0",
            "How often in a row a connector or task that failed is started again without being asked; 0: never. A connector \
             may set it for itself.",
            Validator::AtLeast(0),
        ))
        .key(own(
            "volley.restart.backoff.ms",
            Long,
            "10000",
            "Milliseconds before the first such restart; doubled before each further one. A connector may set it for itself.",
            Validator::AtLeast(0),
        ))
        .key(own(
            "volley.restart.backoff.max.ms",
            Long,
            "300000",
            "Longest wait before such a restart, in milliseconds. A connector may set it for itself.",
            Validator::AtLeast(0),
        ))
}

/// The keys of a standalone worker.
pub fn standalone_config_def() -> ConfigDef {
    common_config_def().key(ConfigKey::required(
        "offset.storage.file.filename",
        Text,
        High,
        "File in which the offsets of source connectors are kept, in Kafka Connect's format.",
    ))
}

fn own(name: &str, config_type: ConfigType, default: &str, documentation: &str, validator: Validator) -> ConfigKey {
    ConfigKey::with_default(name, config_type, default, Medium, documentation).validated(validator)
}

fn core_keys(def: ConfigDef) -> ConfigDef {
    def.key(ConfigKey::with_default(
        "bootstrap.servers",
        List,
        "localhost:9092",
        High,
        "Kafka brokers to connect to first, as host:port, comma separated.",
    ))
    .key(ConfigKey::required("key.converter", Class, High, "Converter of record keys, where a connector sets none."))
    .key(ConfigKey::required(
        "value.converter",
        Class,
        High,
        "Converter of record values, where a connector sets none.",
    ))
    .key(ConfigKey::with_default(
        "header.converter",
        Class,
        "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        Low,
        "Converter of record headers, where a connector sets none.",
    ))
    .key(ConfigKey::with_default(
        "task.shutdown.graceful.timeout.ms",
        Long,
        "5000",
        Low,
        "Milliseconds that tasks which are stopped together have to end; what is left after that is abandoned.",
    ))
    .key(ConfigKey::with_default(
        "offset.flush.interval.ms",
        Long,
        "60000",
        Low,
        "Milliseconds between two offset commits of a task.",
    ))
    .key(ConfigKey::with_default(
        "offset.flush.timeout.ms",
        Long,
        "5000",
        Low,
        "Milliseconds that an offset commit may take before it counts as failed and is tried again later.",
    ))
    .key(ConfigKey::with_default(
        "config.providers",
        List,
        "",
        Low,
        "Names of config providers; each has its class under config.providers.<name>.class and its parameters under \
         config.providers.<name>.param.",
    ))
    .key(ConfigKey::with_default(
        "connector.client.config.override.policy",
        Text,
        "All",
        Medium,
        "Which client settings a connector may override: All, None, Principal, or a policy's class name.",
    ))
    .key(ConfigKey::with_default(
        "topic.creation.enable",
        Boolean,
        "true",
        Low,
        "Whether source connectors may create topics by their topic.creation keys.",
    ))
    .key(ConfigKey::with_default(
        "topic.tracking.enable",
        Boolean,
        "true",
        Low,
        "Whether the topics that a connector uses are recorded.",
    ))
    .key(ConfigKey::with_default(
        "topic.tracking.allow.reset",
        Boolean,
        "true",
        Low,
        "Whether a user may reset the recorded topics of a connector.",
    ))
    .key(
        ConfigKey::with_default("metrics.sample.window.ms", Long, "30000", Low, "Length of a metrics window, ms.")
            .validated(Validator::AtLeast(0)),
    )
    .key(
        ConfigKey::with_default("metrics.num.samples", Int, "2", Low, "Number of metrics windows.")
            .validated(Validator::AtLeast(1)),
    )
    .key(
        ConfigKey::with_default("metrics.recording.level", Text, "INFO", Low, "Which metrics are recorded.")
            .validated(Validator::one_of(["INFO", "DEBUG"])),
    )
    .key(ConfigKey::with_default("metric.reporters", List, "", Low, "Accepted and not used."))
}

fn client_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::with_default("client.dns.lookup", Text, "use_all_dns_ips", Medium, "How broker names are resolved.")
            .validated(Validator::one_of(["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    )
}

fn rest_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::with_default(
            "listeners",
            List,
            "http://:8083",
            Low,
            "URLs that the REST server listens on. An empty host means all addresses, port 0 any free port.",
        )
        .validated(Validator::custom(at_least_one_listener)),
    )
    .key(ConfigKey::optional("rest.advertised.host.name", Text, Low, "Host under which others reach this worker."))
    .key(ConfigKey::optional("rest.advertised.port", Int, Low, "Port under which others reach this worker."))
    .key(ConfigKey::optional("rest.advertised.listener", Text, Low, "Which listener others use: http or https."))
    .key(ConfigKey::optional(
        "admin.listeners",
        List,
        Low,
        "URLs of the /admin endpoints; not given: those of `listeners`; empty: no such endpoints.",
    ))
    .key(ConfigKey::with_default("access.control.allow.origin", Text, "", Low, "CORS: allowed origins."))
    .key(ConfigKey::with_default("access.control.allow.methods", Text, "", Low, "CORS: allowed methods."))
    .key(ConfigKey::with_default("response.http.headers.config", Text, "", Low, "Rules for additional headers."))
    .key(ConfigKey::with_default(
        "rest.extension.classes",
        List,
        "",
        Low,
        "REST extensions. Known: org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension, by which \
         requests need a user and a password.",
    ))
    .key(ConfigKey::optional(
        "volley.rest.basic.auth.file",
        Text,
        Low,
        "Properties file with the users of the REST API, a line user=password each. Not given: the file that the entry \
         KafkaConnect of Java's login configuration names (java.security.auth.login.config in KAFKA_OPTS).",
    ))
    .key(
        ConfigKey::with_default(
            "volley.rest.secrets",
            Text,
            "shown",
            Low,
            "How REST shows the secrets in configurations of connectors and tasks: shown, as they are stored; or hidden, as \
             [hidden], which stands for the stored value when it is sent back.",
        )
        .validated(Validator::one_of(["shown", "hidden"])),
    )
    .key(
        ConfigKey::with_default("ssl.client.auth", Text, "none", Low, "Whether HTTPS clients need a certificate.")
            .validated(Validator::one_of(["required", "requested", "none"])),
    )
}

fn at_least_one_listener(value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::List(items) if items.is_empty() => Err("List cannot be empty".into()),
        ConfigValue::List(items) if items.iter().any(String::is_empty) => {
            Err("Listeners cannot contain empty values".into())
        }
        _ => Ok(()),
    }
}
