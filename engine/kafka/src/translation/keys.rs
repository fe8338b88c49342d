//! What becomes of each key that is neither TLS nor SASL.

use super::ClientRole;

/// What to do with a key of a Java client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A number, kept within librdkafka's limits.
    Number { name: &'static str, min: i64, max: i64 },
    /// Seconds of metadata age: two keys of librdkafka.
    MetadataAge,
    /// Bytes, which librdkafka counts in KiB.
    Kibibytes(&'static str),
    /// `acks`, `auto.offset.reset` and the like: the text in lower case.
    Lower(&'static str),
    /// `auto.offset.reset`.
    OffsetReset,
    /// `partition.assignment.strategy`.
    Assignors,
    /// `partitioner.class`.
    Partitioner,
    /// `partitioner.ignore.keys`.
    IgnoreKeys,
    /// `compression.<codec>.level`, which counts only for that codec.
    CompressionLevel(&'static str),
    /// Forced to `false`: offsets are committed by the worker only.
    AutoCommit,
    /// Of no meaning here, and harmless to leave out.
    Ignore,
    /// Has an effect in Java that cannot be had here; the text says so.
    Unsupported(&'static str),
}

/// The rule for `key`; `None` for a key that Java's clients do not have, or whose name and values are librdkafka's too.
pub(super) fn rule(key: &str, role: ClientRole) -> Option<Rule> {
    common(key, role).or_else(|| match role {
        ClientRole::Consumer => consumer(key),
        ClientRole::Producer => producer(key),
        ClientRole::Admin => None,
    })
}

const fn number(name: &'static str, min: i64, max: i64) -> Option<Rule> {
    Some(Rule::Number { name, min, max })
}

fn common(key: &str, role: ClientRole) -> Option<Rule> {
    match key {
        "metadata.max.age.ms" => Some(Rule::MetadataAge),
        "send.buffer.bytes" => number("socket.send.buffer.bytes", 0, 100_000_000),
        "receive.buffer.bytes" => number("socket.receive.buffer.bytes", 0, 100_000_000),
        "reconnect.backoff.ms" => number("reconnect.backoff.ms", 0, 3_600_000),
        "reconnect.backoff.max.ms" => number("reconnect.backoff.max.ms", 0, 3_600_000),
        "retry.backoff.ms" => number("retry.backoff.ms", 1, 300_000),
        "retry.backoff.max.ms" => number("retry.backoff.max.ms", 1, 300_000),
        "connections.max.idle.ms" => number("connections.max.idle.ms", 0, 2_147_483_647),
        "socket.connection.setup.timeout.ms" => number("socket.connection.setup.timeout.ms", 1000, 2_147_483_647),
        "request.timeout.ms" if role == ClientRole::Producer => number("request.timeout.ms", 1, 900_000),
        "request.timeout.ms" => number("socket.timeout.ms", 10, 300_000),
        "interceptor.classes" => Some(Rule::Unsupported("interceptors are Java classes")),
        "socket.connection.setup.timeout.max.ms"
        | "default.api.timeout.ms"
        | "bootstrap.controllers"
        | "metric.reporters"
        | "metrics.num.samples"
        | "metrics.recording.level"
        | "metrics.sample.window.ms"
        | "auto.include.jmx.reporter"
        | "security.providers"
        | "config.providers" => Some(Rule::Ignore),
        _ if key.starts_with("metrics.context.") || key.starts_with("config.providers.") => Some(Rule::Ignore),
        _ => None,
    }
}

fn consumer(key: &str) -> Option<Rule> {
    match key {
        "auto.offset.reset" => Some(Rule::OffsetReset),
        "partition.assignment.strategy" => Some(Rule::Assignors),
        "enable.auto.commit" | "enable.auto.offset.store" => Some(Rule::AutoCommit),
        "isolation.level" => Some(Rule::Lower("isolation.level")),
        "group.protocol" => Some(Rule::Lower("group.protocol")),
        "fetch.max.wait.ms" => number("fetch.wait.max.ms", 0, 300_000),
        "fetch.min.bytes" => number("fetch.min.bytes", 1, 100_000_000),
        "fetch.max.bytes" => number("fetch.max.bytes", 0, 2_147_483_135),
        "max.partition.fetch.bytes" => number("max.partition.fetch.bytes", 1, 1_000_000_000),
        "session.timeout.ms" => number("session.timeout.ms", 1, 3_600_000),
        "heartbeat.interval.ms" => number("heartbeat.interval.ms", 1, 3_600_000),
        "max.poll.interval.ms" => number("max.poll.interval.ms", 1, 86_400_000),
        // read where the consumer is made
        "volley.fetch.client"
        | "max.poll.records"
        | "key.deserializer"
        | "value.deserializer"
        | "exclude.internal.topics"
        | "auto.commit.interval.ms"
        | "internal.leave.group.on.close"
        | "internal.throw.on.fetch.stable.offset.unsupported" => Some(Rule::Ignore),
        _ => None,
    }
}

fn producer(key: &str) -> Option<Rule> {
    match key {
        "max.request.size" => number("message.max.bytes", 1000, 1_000_000_000),
        "buffer.memory" => Some(Rule::Kibibytes("queue.buffering.max.kbytes")),
        "linger.ms" => number("linger.ms", 0, 900_000),
        "batch.size" => number("batch.size", 1, 2_147_483_647),
        "delivery.timeout.ms" => number("delivery.timeout.ms", 0, 2_147_483_647),
        "max.in.flight.requests.per.connection" => number("max.in.flight.requests.per.connection", 1, 1_000_000),
        "acks" => Some(Rule::Lower("acks")),
        "compression.type" => Some(Rule::Lower("compression.type")),
        "compression.gzip.level" => Some(Rule::CompressionLevel("gzip")),
        "compression.lz4.level" => Some(Rule::CompressionLevel("lz4")),
        "compression.zstd.level" => Some(Rule::CompressionLevel("zstd")),
        "partitioner.class" => Some(Rule::Partitioner),
        "partitioner.ignore.keys" => Some(Rule::IgnoreKeys),
        "max.block.ms"
        | "key.serializer"
        | "value.serializer"
        | "metadata.max.idle.ms"
        | "partitioner.adaptive.partitioning.enable"
        | "partitioner.availability.timeout.ms"
        | "internal.auto.downgrade.txn.commit" => Some(Rule::Ignore),
        _ => None,
    }
}

/// Which client a librdkafka key is for; `None` = any.
pub(super) fn only_for(key: &str) -> Option<ClientRole> {
    const CONSUMER: &[&str] = &[
        "allow.auto.create.topics",
        "auto.offset.reset",
        "check.crcs",
        "coordinator.query.interval.ms",
        "enable.partition.eof",
        "fetch.error.backoff.ms",
        "fetch.max.bytes",
        "fetch.max.wait.ms",
        "fetch.message.max.bytes",
        "fetch.min.bytes",
        "fetch.queue.backoff.ms",
        "fetch.wait.max.ms",
        "group.id",
        "group.instance.id",
        "group.protocol",
        "group.protocol.type",
        "group.remote.assignor",
        "heartbeat.interval.ms",
        "isolation.level",
        "max.partition.fetch.bytes",
        "max.poll.interval.ms",
        "partition.assignment.strategy",
        "queued.max.messages.kbytes",
        "queued.min.messages",
        "session.timeout.ms",
    ];
    const PRODUCER: &[&str] = &[
        "acks",
        "batch.num.messages",
        "batch.size",
        "compression.codec",
        "compression.level",
        "compression.type",
        "delivery.timeout.ms",
        "enable.gapless.guarantee",
        "enable.idempotence",
        "linger.ms",
        "message.send.max.retries",
        "message.timeout.ms",
        "partitioner",
        "queue.buffering.backpressure.threshold",
        "queue.buffering.max.kbytes",
        "queue.buffering.max.messages",
        "queue.buffering.max.ms",
        "queuing.strategy",
        "request.required.acks",
        "retries",
        "sticky.partitioning.linger.ms",
        "transaction.timeout.ms",
        "transactional.id",
    ];
    if CONSUMER.contains(&key) {
        Some(ClientRole::Consumer)
    } else if PRODUCER.contains(&key) {
        Some(ClientRole::Producer)
    } else {
        None
    }
}

/// Keys of librdkafka that must not be set from outside: callbacks, and what this crate depends on.
pub(super) fn is_reserved(key: &str) -> bool {
    key.ends_with("_cb")
        || matches!(
            key,
            "opaque"
                | "default_topic_conf"
                | "enabled_events"
                | "log.queue"
                | "plugin.library.paths"
                | "interceptors"
                | "builtin.features"
                | "enable.partition.eof"
                | "delivery.report.only.error"
                | "offset.store.method"
                | "internal.termination.signal"
                | "ssl_engine_callback_data"
        )
}
