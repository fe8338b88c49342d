//! Definitions of the framework keys, in Kafka Connect's order and groups.

use volley_api::{ConfigDef, ConfigKey, ConfigType, ConnectorKind, Importance, Validator, Width};

use volley_java::validate_java_regex;

use super::bounded_range::{self, BOUNDED_END, BOUNDED_START};
use super::java_keys::java_keys;
use super::validators;

use ConfigType::{Boolean, Class, Int, List, Long, Short, String as Text};
use Importance::{High, Low, Medium};

/// The versions of the connector that a configuration wants (KIP-891).
pub(crate) const CONNECTOR_VERSION: &str = "connector.plugin.version";

const COMMON: &str = "Common";
const TRANSFORMS: &str = "Transforms";
const PREDICATES: &str = "Predicates";
const ERRORS: &str = "Error Handling";
const TOPIC_CREATION: &str = "Topic Creation";
const EXACTLY_ONCE: &str = "Exactly Once Support";
const OFFSETS_TOPIC: &str = "offsets.topic";

/// The keys that Kafka Connect gives every connector of `kind`, in its order.
pub fn framework_config_def(kind: ConnectorKind) -> ConfigDef {
    match kind {
        ConnectorKind::Sink => sink_keys(base_config_def()),
        ConnectorKind::Source => source_keys(base_config_def()),
    }
}

/// The keys among them that sinks and sources share.
pub fn base_config_def() -> ConfigDef {
    error_keys(chain_keys(converter_keys(common_keys(ConfigDef::new()))))
}

/// The keys that Volley adds for connectors of `kind`.
pub fn volley_config_def(kind: ConnectorKind) -> ConfigDef {
    let def = ConfigDef::new()
        .key(
            ConfigKey::optional(
                "volley.batch.max.rows",
                Int,
                Low,
                "Rows at which a batch is closed; default: the worker's.",
            )
            .validated(Validator::AtLeast(1))
            .grouped("Volley", 2, Width::Short, "Batch rows"),
        )
        .key(
            ConfigKey::optional(
                "volley.batch.max.bytes",
                Int,
                Low,
                "Bytes of keys and values at which a batch is closed; default: the worker's.",
            )
            .validated(Validator::AtLeast(1))
            .grouped("Volley", 3, Width::Short, "Batch bytes"),
        )
        .key(
            ConfigKey::optional(
                "volley.batch.linger.ms",
                Int,
                Low,
                "Milliseconds after which a batch is closed however small it is; default: the worker's.",
            )
            .validated(Validator::AtLeast(0))
            .grouped("Volley", 4, Width::Short, "Batch linger"),
        )
        .key(
            ConfigKey::optional(
                "volley.restart.max.attempts",
                Int,
                Low,
                "How often in a row the connector or a task that failed is started again without being asked; 0: never. \
                 Default: the worker's.",
            )
            .validated(Validator::AtLeast(0))
            .grouped("Volley", 5, Width::Short, "Restart attempts"),
        )
        .key(
            ConfigKey::optional(
                "volley.restart.backoff.ms",
                Long,
                Low,
                "Milliseconds before the first such restart; doubled before each further one. Default: the worker's.",
            )
            .validated(Validator::AtLeast(0))
            .grouped("Volley", 6, Width::Short, "Restart back-off"),
        )
        .key(
            ConfigKey::optional(
                "volley.restart.backoff.max.ms",
                Long,
                Low,
                "Longest wait before such a restart, in milliseconds. Default: the worker's.",
            )
            .validated(Validator::AtLeast(0))
            .grouped("Volley", 7, Width::Short, "Longest restart back-off"),
        );
    let def = java_keys(def, 7);
    match kind {
        ConnectorKind::Source => def,
        ConnectorKind::Sink => bounded_keys(def),
    }
}

fn bounded_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::with_default(
            "volley.mode",
            Text,
            "continuous",
            Medium,
            "bounded: read each partition to an end (`volley.bounded.end`), complete and commit everything, and stop. \
                 continuous: go on until stopped.",
        )
        .validated(Validator::one_of(["continuous", "bounded"]))
        .grouped("Volley", 1, Width::Short, "Mode"),
    )
    .key(
        ConfigKey::with_default(
            BOUNDED_START,
            Text,
            "committed",
            Medium,
            "Where a bounded sink begins with a partition of which its group has committed nothing: committed (where \
                 `auto.offset.reset` says), earliest, an offset, or a time such as 2026-11-30T08:00:00Z, 2026-11-30 or \
                 timestamp:<ms>.",
        )
        .validated(Validator::custom(bounded_range::check_start))
        .grouped("Volley", 8, Width::Medium, "Start"),
    )
    .key(
        ConfigKey::with_default(
            BOUNDED_END,
            Text,
            "now",
            Medium,
            "Where a bounded sink ends: now (the end that a partition has when the run begins), before an offset, or \
                 before the first record of a time or later. It never waits for records to come.",
        )
        .validated(Validator::custom(bounded_range::check_end))
        .grouped("Volley", 9, Width::Medium, "End"),
    )
}

fn common_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::required("name", Text, High, "Name of the connector; no two connectors of a cluster may share it.")
            .validated(Validator::custom(validators::connector_name))
            .grouped(COMMON, 1, Width::Medium, "Connector name"),
    )
    .key(
        ConfigKey::required(
            "connector.class",
            Text,
            High,
            "Class of the connector: its full name, its simple name, or that without `Connector`.",
        )
        .grouped(COMMON, 2, Width::Long, "Connector class"),
    )
    .key(ConfigKey::optional(CONNECTOR_VERSION, Text, Medium, "Version of the connector to use.").grouped(
        COMMON,
        3,
        Width::Medium,
        "Connector version",
    ))
    .key(
        ConfigKey::with_default("tasks.max", Int, "1", High, "How many tasks the connector may have at most.")
            .validated(Validator::AtLeast(1))
            .grouped(COMMON, 4, Width::Short, "Tasks max"),
    )
    .key(
        ConfigKey::with_default(
            "tasks.max.enforce",
            Boolean,
            "true",
            Low,
            "Whether a connector that makes more tasks than tasks.max fails. Deprecated.",
        )
        .grouped(COMMON, 5, Width::Short, "Enforce tasks max"),
    )
}

fn converter_keys(mut def: ConfigDef) -> ConfigDef {
    let sides = [("key.converter", "Key"), ("value.converter", "Value"), ("header.converter", "Header")];
    for (index, (key, side)) in sides.into_iter().enumerate() {
        let order = 6 + 2 * index as i32;
        let lower = side.to_lowercase();
        let documentation =
            format!("Converter of record {lower}s. Not given: the worker's, with the worker's settings.");
        let version = format!("Version of the {lower} converter to use.");
        def = def
            .key(ConfigKey::optional(key, Class, Low, &documentation).grouped(
                COMMON,
                order,
                Width::Short,
                &format!("{side} converter class"),
            ))
            .key(ConfigKey::optional(&format!("{key}.plugin.version"), Text, Low, &version).grouped(
                COMMON,
                order + 1,
                Width::Short,
                &format!("{side} converter version"),
            ));
    }
    def
}

fn chain_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::with_default(
            "transforms",
            List,
            "",
            Low,
            "Aliases of the transformations, in the order of the chain.",
        )
        .validated(Validator::custom(validators::unique_aliases))
        .grouped(TRANSFORMS, 12, Width::Long, "Transforms"),
    )
    .key(
        ConfigKey::with_default("predicates", List, "", Low, "Aliases of the predicates that transformations use.")
            .validated(Validator::custom(validators::unique_aliases))
            .grouped(PREDICATES, 13, Width::Long, "Predicates"),
    )
    .key(
        ConfigKey::with_default(
            "config.action.reload",
            Text,
            "restart",
            Low,
            "What to do when a value from a config provider has expired: restart the connector, or none.",
        )
        .validated(Validator::one_of(["none", "restart"]))
        .grouped(COMMON, 14, Width::Medium, "Reload Action"),
    )
}

fn error_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::with_default(
            "errors.retry.timeout",
            Long,
            "0",
            Medium,
            "Milliseconds for which a failed operation is retried; 0: not at all, -1: for ever.",
        )
        .grouped(ERRORS, 1, Width::Medium, "Retry Timeout for Errors"),
    )
    .key(
        ConfigKey::with_default(
            "errors.retry.delay.max.ms",
            Long,
            "60000",
            Medium,
            "Longest wait between two retries, in milliseconds.",
        )
        .grouped(ERRORS, 2, Width::Medium, "Maximum Delay Between Retries for Errors"),
    )
    .key(
        ConfigKey::with_default(
            "errors.tolerance",
            Text,
            "none",
            Medium,
            "none: the first bad record fails the task; all: bad records are skipped (and dead-lettered).",
        )
        .validated(Validator::one_of(["none", "all"]))
        .grouped(ERRORS, 3, Width::Short, "Error Tolerance"),
    )
    .key(
        ConfigKey::with_default("errors.log.enable", Boolean, "false", Medium, "Whether bad records are logged.")
            .grouped(ERRORS, 4, Width::Short, "Log Errors"),
    )
    .key(
        ConfigKey::with_default(
            "errors.log.include.messages",
            Boolean,
            "false",
            Medium,
            "Whether the log says where a bad record stands.",
        )
        .grouped(ERRORS, 5, Width::Short, "Log Error Details"),
    )
}

fn sink_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::with_default("topics", List, "", High, "Topics to consume.")
            .validated(Validator::DistinctItems)
            .grouped(COMMON, 4, Width::Long, "Topics"),
    )
    .key(
        ConfigKey::with_default(
            "topics.regex",
            Text,
            "",
            High,
            "Regular expression of the topics to consume, instead of `topics`. It must match the whole name.",
        )
        .validated(Validator::custom(validate_java_regex))
        .grouped(COMMON, 4, Width::Long, "Topics regex"),
    )
    .key(
        ConfigKey::with_default(
            "errors.deadletterqueue.topic.name",
            Text,
            "",
            Medium,
            "Topic to which bad records are written; empty: none.",
        )
        .grouped(ERRORS, 6, Width::Medium, "Dead Letter Queue Topic Name"),
    )
    .key(
        ConfigKey::with_default(
            "errors.deadletterqueue.topic.replication.factor",
            Short,
            "3",
            Medium,
            "Replication factor of the dead letter topic, where it has to be created.",
        )
        .grouped(ERRORS, 7, Width::Medium, "Dead Letter Queue Topic Replication Factor"),
    )
    .key(
        ConfigKey::with_default(
            "errors.deadletterqueue.context.headers.enable",
            Boolean,
            "false",
            Medium,
            "Whether dead letters carry headers that say where they come from and what was wrong.",
        )
        .grouped(ERRORS, 8, Width::Medium, "Enable Error Context Headers"),
    )
}

fn source_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::with_default("topic.creation.groups", List, "", Low, "Groups of topics that are created with own settings.")
            .validated(Validator::custom(validators::unique_aliases))
            .grouped(TOPIC_CREATION, 1, Width::Long, "Topic Creation Groups"),
    )
    .key(
        ConfigKey::with_default(
            "exactly.once.support",
            Text,
            "requested",
            Medium,
            "Whether exactly-once delivery is a wish or a condition.",
        )
        .validated(Validator::one_of_ignore_case(["REQUIRED", "REQUESTED"]))
        .grouped(EXACTLY_ONCE, 2, Width::Short, "Exactly once support"),
    )
    .key(
        ConfigKey::with_default("transaction.boundary", Text, "poll", Medium, "What ends a transaction, with exactly-once.")
            .validated(Validator::one_of_ignore_case(["INTERVAL", "POLL", "CONNECTOR"]))
            .grouped(EXACTLY_ONCE, 3, Width::Short, "Transaction Boundary"),
    )
    .key(
        ConfigKey::optional(
            "transaction.boundary.interval.ms",
            Long,
            Low,
            "Milliseconds between transactions where `transaction.boundary` is interval; default: offset.flush.interval.ms.",
        )
        .validated(Validator::AtLeast(0))
        .grouped(EXACTLY_ONCE, 4, Width::Short, "Transaction boundary interval"),
    )
    .key(
        ConfigKey::optional(
            "offsets.storage.topic",
            Text,
            Low,
            "Topic of this connector's own offsets, on a distributed worker.",
        )
        .validated(Validator::NonEmpty)
        .grouped(OFFSETS_TOPIC, 1, Width::Long, "Offsets topic"),
    )
}
