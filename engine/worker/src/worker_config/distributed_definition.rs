//! The keys of a distributed worker, in addition to the common ones.

use volley_api::{ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Validator};
use volley_net::MacAlgorithm;

use ConfigType::{Int, List, Long, Short, String as Text};
use Importance::{High, Low, Medium};

use super::definition::common_config_def;

/// The keys of a distributed worker.
pub fn distributed_config_def() -> ConfigDef {
    client_keys(security_keys(session_keys(topic_keys(group_keys(common_config_def())))))
}

fn group_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::required(
            "group.id",
            Text,
            High,
            "Name of the group of workers. No consumer group may have the same name.",
        )
        .validated(Validator::NonEmpty),
    )
    .key(ConfigKey::with_default(
        "session.timeout.ms",
        Int,
        "10000",
        High,
        "Milliseconds without a sign of life after which a worker is taken out of the group.",
    ))
    .key(ConfigKey::with_default(
        "heartbeat.interval.ms",
        Int,
        "3000",
        High,
        "Milliseconds between two signs of life of a worker, at most a third of session.timeout.ms; where it is more than \
         a second, there is one every second. Also how long Kafka may be out of reach before a worker stops what it runs.",
    ))
    .key(ConfigKey::with_default(
        "rebalance.timeout.ms",
        Int,
        "60000",
        High,
        "Milliseconds that a worker has to give up its tasks and join again, once a rebalance has begun.",
    ))
    .key(
        ConfigKey::with_default(
            "connect.protocol",
            Text,
            "sessioned",
            Low,
            "Protocol of the group: eager, compatible (incremental), or sessioned (incremental, and requests between workers are \
             signed), in any case.",
        )
        .validated(Validator::custom(connect_protocol)),
    )
    .key(
        ConfigKey::with_default(
            "scheduled.rebalance.max.delay.ms",
            Int,
            "300000",
            Low,
            "Milliseconds for which the group waits for a worker that is gone to come back, before it gives its connectors \
             and tasks to others.",
        )
        .validated(Validator::Between(0, i32::MAX as i64)),
    )
    .key(ConfigKey::with_default(
        "worker.sync.timeout.ms",
        Int,
        "3000",
        Medium,
        "Milliseconds that reading the config topic to its end may take when a worker has to catch up with the others.",
    ))
    .key(ConfigKey::with_default(
        "worker.unsync.backoff.ms",
        Int,
        "300000",
        Medium,
        "Milliseconds that a worker which could not catch up stays out of the group.",
    ))
    .key(
        ConfigKey::with_default(
            "exactly.once.source.support",
            Text,
            "disabled",
            High,
            "Whether source connectors may deliver exactly once: disabled, preparing, or enabled. A running group goes from \
             disabled over preparing to enabled.",
        )
        .validated(Validator::one_of_ignore_case(["DISABLED", "ENABLED", "PREPARING"])),
    )
}

fn topic_keys(mut def: ConfigDef) -> ConfigDef {
    let topics = [
        ("offset", "the offsets of source connectors", Some("25")),
        ("config", "the configurations of connectors and tasks; it has one partition", None),
        ("status", "the states of connectors and tasks", Some("5")),
    ];
    for (topic, content, partitions) in topics {
        let documentation = format!(
            "Topic of {content}. Created if it is not there, and then with the settings under `{topic}.storage.`."
        );
        def = def.key(
            ConfigKey::required(&format!("{topic}.storage.topic"), Text, High, &documentation)
                .validated(Validator::NonEmpty),
        );
        if let Some(partitions) = partitions {
            let documentation =
                format!("Partitions of the {topic} topic where it is created; -1: the broker's default.");
            def = def.key(
                ConfigKey::with_default(&format!("{topic}.storage.partitions"), Int, partitions, Low, &documentation)
                    .validated(Validator::custom(partition_count)),
            );
        }
        let documentation = format!("Replicas of the {topic} topic where it is created; -1: the broker's default.");
        def = def.key(
            ConfigKey::with_default(&format!("{topic}.storage.replication.factor"), Short, "3", Low, &documentation)
                .validated(Validator::custom(replication_factor)),
        );
    }
    def
}

fn session_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::with_default(
            "inter.worker.key.ttl.ms",
            Int,
            "3600000",
            Low,
            "Milliseconds after which the leader makes a new key for requests between workers; 0: never.",
        )
        .validated(Validator::Between(0, i32::MAX as i64)),
    )
    .key(
        ConfigKey::with_default(
            "inter.worker.key.generation.algorithm",
            Text,
            "HmacSHA256",
            Low,
            "Algorithm of that key.",
        )
        .validated(Validator::custom(mac_algorithm)),
    )
    .key(ConfigKey::optional(
        "inter.worker.key.size",
        Int,
        Low,
        "Bits of that key, 40 or more; not given: what the algorithm suggests.",
    ))
    .key(
        ConfigKey::with_default(
            "inter.worker.signature.algorithm",
            Text,
            "HmacSHA256",
            Low,
            "Algorithm with which this worker signs requests to others.",
        )
        .validated(Validator::custom(mac_algorithm)),
    )
    .key(
        ConfigKey::with_default(
            "inter.worker.verification.algorithms",
            List,
            "HmacSHA256",
            Low,
            "Algorithms of signatures that this worker accepts; the one that it signs with must be among them.",
        )
        .validated(Validator::custom(verification_algorithms)),
    )
}

fn security_keys(def: ConfigDef) -> ConfigDef {
    def.key(
        ConfigKey::with_default("security.protocol", Text, "PLAINTEXT", Medium, "How the worker talks to the brokers.")
            .validated(Validator::one_of_ignore_case(["SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"])),
    )
    .key(ConfigKey::with_default(
        "client.id",
        Text,
        "",
        Low,
        "Part of the name that the worker's clients give to the brokers.",
    ))
}

fn client_keys(mut def: ConfigDef) -> ConfigDef {
    let numbers = [
        (
            "metadata.max.age.ms",
            Long,
            "300000",
            Low,
            0,
            "Milliseconds after which what is known of the cluster is asked anew.",
        ),
        ("send.buffer.bytes", Int, "131072", Medium, -1, "TCP send buffer; -1: the system's default."),
        ("receive.buffer.bytes", Int, "32768", Medium, -1, "TCP receive buffer; -1: the system's default."),
        ("reconnect.backoff.ms", Long, "50", Low, 0, "Milliseconds before the first attempt to connect again."),
        (
            "reconnect.backoff.max.ms",
            Long,
            "1000",
            Low,
            0,
            "Longest wait between two attempts to connect, in milliseconds.",
        ),
        ("socket.connection.setup.timeout.ms", Long, "10000", Low, 0, "Milliseconds that connecting may take."),
        (
            "socket.connection.setup.timeout.max.ms",
            Long,
            "30000",
            Low,
            0,
            "Milliseconds that connecting may take at most, after attempts that took too long.",
        ),
        ("retry.backoff.ms", Long, "100", Low, 0, "Milliseconds before a failed request is made again."),
        (
            "retry.backoff.max.ms",
            Long,
            "1000",
            Low,
            0,
            "Longest wait between two attempts of a request, in milliseconds.",
        ),
        ("request.timeout.ms", Int, "40000", Medium, 0, "Milliseconds that the answer to a request may take."),
    ];
    for (name, config_type, default, importance, min, documentation) in numbers {
        def = def.key(
            ConfigKey::with_default(name, config_type, default, importance, documentation)
                .validated(Validator::AtLeast(min)),
        );
    }
    def.key(ConfigKey::with_default(
        "connections.max.idle.ms",
        Long,
        "540000",
        Medium,
        "Milliseconds after which an idle connection is closed.",
    ))
    .key(
        ConfigKey::with_default(
            "metadata.recovery.strategy",
            Text,
            "rebootstrap",
            Low,
            "What a client does that reaches none of the brokers it knows: none, or rebootstrap.",
        )
        .validated(Validator::one_of_ignore_case(["REBOOTSTRAP", "NONE"])),
    )
}

fn connect_protocol(value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::String(text) if crate::group::ConnectProtocol::from_config(text).is_none() => {
            Err("Invalid Connect protocol compatibility".into())
        }
        _ => Ok(()),
    }
}

fn partition_count(value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::Long(number) if *number < 1 && *number != -1 => {
            Err("Number of partitions must be positive, or -1 to use the broker's default".into())
        }
        _ => Ok(()),
    }
}

fn replication_factor(value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::Long(number) if *number < 1 && *number != -1 => Err("Replication factor must be positive and not \
                                                                          larger than the number of brokers in the Kafka \
                                                                          cluster, or -1 to use the broker's default"
            .into()),
        _ => Ok(()),
    }
}

fn check_algorithm(name: &str) -> Result<(), String> {
    MacAlgorithm::named(name).map(drop).map_err(|error| error.to_string())
}

fn mac_algorithm(value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::String(name) => check_algorithm(name),
        _ => Ok(()),
    }
}

fn verification_algorithms(value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::List(names) if names.is_empty() => {
            Err("At least one signature verification algorithm must be provided".into())
        }
        ConfigValue::List(names) => names.iter().try_for_each(|name| check_algorithm(name)),
        _ => Ok(()),
    }
}
