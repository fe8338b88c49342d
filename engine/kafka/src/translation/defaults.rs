//! What a client gets that its configuration does not say: Java's defaults where librdkafka's differ in effect, and limits
//! that keep memory bounded.

use rdkafka::ClientConfig;

use super::ClientRole;

const COMMON: &[(&str, &str)] = &[
    ("bootstrap.servers", "localhost:9092"),
    // goes to the debugging log, and says why a broker hangs up
    ("log.connection.close", "true"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    ("socket.keepalive.enable", "true"),
    ("statistics.interval.ms", "0"),
];

// One queue holds what is fetched ahead of all partitions: at most `queued.min.messages` (a small message costs 400 bytes
// or so there) or `queued.max.messages.kbytes`, plus one answer of `fetch.max.bytes` from each broker, unpacked: with
// small lz4 messages about 40 MB, whatever the number of partitions. Larger answers cost memory and bring no speed.
// `fetch.queue.backoff.ms` is how long fetching sleeps when that queue is full: at librdkafka's default of a second a
// drain takes six times as long.
const CONSUMER: &[(&str, &str)] = &[
    ("auto.offset.reset", "latest"),
    ("check.crcs", "true"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("fetch.max.bytes", "1048576"),
    ("fetch.queue.backoff.ms", "5"),
    ("isolation.level", "read_uncommitted"),
    ("queued.max.messages.kbytes", "16384"),
    ("queued.min.messages", "30000"),
    ("topic.metadata.refresh.interval.ms", "10000"),
];

const PRODUCER: &[(&str, &str)] =
    &[("message.max.bytes", "1048576"), ("partitioner", "murmur2_random"), ("queue.buffering.max.kbytes", "32768")];

const ADMIN: &[(&str, &str)] = &[("allow.auto.create.topics", "false")];

/// Java's and librdkafka's, in milliseconds.
const DEFAULT_SESSION: i64 = 45_000;
const DEFAULT_POLL_INTERVAL: i64 = 300_000;
const DEFAULT_TRANSACTION: i64 = 60_000;

/// librdkafka's, in bytes.
const DEFAULT_MESSAGE: i64 = 1_000_000;

/// Sets every default that `config` does not set.
pub(super) fn fill(config: &mut ClientConfig, role: ClientRole) {
    let own = match role {
        ClientRole::Consumer => CONSUMER,
        ClientRole::Producer => PRODUCER,
        ClientRole::Admin => ADMIN,
    };
    for (key, value) in COMMON.iter().chain(own) {
        if config.get(key).is_none() && !alias_is_set(config, key) {
            config.set(*key, *value);
        }
    }
    raise_to_be_consistent(config, role);
}

fn alias_is_set(config: &ClientConfig, key: &str) -> bool {
    match key {
        "bootstrap.servers" => config.get("metadata.broker.list").is_some(),
        _ => false,
    }
}

/// librdkafka refuses pairs of limits that contradict each other where Java does not; the one not given yields.
fn raise_to_be_consistent(config: &mut ClientConfig, role: ClientRole) {
    raise(config, "reconnect.backoff.max.ms", "reconnect.backoff.ms");
    if role == ClientRole::Producer && config.get("transactional.id").is_some() {
        lower_delivery_timeout(config);
    }
    if role == ClientRole::Consumer {
        lower_message_size(config);
        raise(config, "fetch.max.bytes", "message.max.bytes");
        raise_poll_interval(config);
    }
}

/// The size of messages is one for those that are sent; librdkafka holds it against a consumer's fetches all the same. Its range
/// begins at 1000.
fn lower_message_size(config: &mut ClientConfig) {
    if config.get("message.max.bytes").is_none()
        && let Some(fetched) = number(config, "fetch.max.bytes")
    {
        config.set("message.max.bytes", fetched.clamp(1000, DEFAULT_MESSAGE).to_string());
    }
}

/// Here a limit contradicts the default of the other too. The defaults are left unsaid, as librdkafka refuses to hear of a
/// session in the newer group protocol.
fn raise_poll_interval(config: &mut ClientConfig) {
    let session = number(config, "session.timeout.ms").unwrap_or(DEFAULT_SESSION);
    if number(config, "max.poll.interval.ms").unwrap_or(DEFAULT_POLL_INTERVAL) < session {
        config.set("max.poll.interval.ms", session.to_string());
    }
}

/// A message of a transaction is of no use after the transaction's end; Java waits for it nevertheless.
fn lower_delivery_timeout(config: &mut ClientConfig) {
    let limit = number(config, "transaction.timeout.ms").unwrap_or(DEFAULT_TRANSACTION);
    for key in ["delivery.timeout.ms", "message.timeout.ms"] {
        // zero is for ever
        if number(config, key).is_some_and(|timeout| timeout > limit || timeout == 0) {
            config.set(key, limit.to_string());
        }
    }
}

fn number(config: &ClientConfig, key: &str) -> Option<i64> {
    config.get(key).and_then(|value| value.parse().ok())
}

fn raise(config: &mut ClientConfig, key: &str, at_least: &str) {
    if let (Some(value), Some(floor)) = (number(config, key), number(config, at_least))
        && value < floor
    {
        config.set(key, floor.to_string());
    }
}
