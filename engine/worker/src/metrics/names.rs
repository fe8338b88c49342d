//! The names of all metrics.
//!
//! Those of Kafka Connect are named after its JMX beans as the usual rules of the JMX exporter name them, so that dashboards fit:
//! `kafka.connect:type=sink-task-metrics`, attribute `put-batch-max-time-ms`, is `kafka_connect_sink_task_put_batch_max_time_ms`,
//! with the labels `connector` and `task`. What Kafka Connect does not count begins with `volley_`.

use super::exposition::{Family, Kind};

const fn counter(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Kind::Counter, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Kind::Gauge, help }
}

// connect-worker-metrics
pub(crate) const CONNECTOR_COUNT: Family =
    gauge("kafka_connect_worker_connector_count", "Connectors whose instance runs on this worker.");
pub(crate) const TASK_COUNT: Family = gauge("kafka_connect_worker_task_count", "Tasks on this worker.");
pub(crate) const CONNECTOR_STARTUP_ATTEMPTS: Family =
    counter("kafka_connect_worker_connector_startup_attempts_total", "Connector starts tried on this worker.");
pub(crate) const CONNECTOR_STARTUP_SUCCESS: Family =
    counter("kafka_connect_worker_connector_startup_success_total", "Connector starts that succeeded.");
pub(crate) const CONNECTOR_STARTUP_FAILURE: Family =
    counter("kafka_connect_worker_connector_startup_failure_total", "Connector starts that failed.");
pub(crate) const TASK_STARTUP_ATTEMPTS: Family =
    counter("kafka_connect_worker_task_startup_attempts_total", "Task starts tried on this worker.");
pub(crate) const TASK_STARTUP_SUCCESS: Family =
    counter("kafka_connect_worker_task_startup_success_total", "Task starts that succeeded.");
pub(crate) const TASK_STARTUP_FAILURE: Family =
    counter("kafka_connect_worker_task_startup_failure_total", "Task starts that failed.");

// connect-worker-metrics of one connector: the tasks of this worker only
pub(crate) const CONNECTOR_TOTAL_TASKS: Family =
    gauge("kafka_connect_worker_connector_total_task_count", "Tasks of the connector on this worker.");
pub(crate) const CONNECTOR_RUNNING_TASKS: Family =
    gauge("kafka_connect_worker_connector_running_task_count", "Running tasks of the connector on this worker.");
pub(crate) const CONNECTOR_PAUSED_TASKS: Family =
    gauge("kafka_connect_worker_connector_paused_task_count", "Paused tasks of the connector on this worker.");
pub(crate) const CONNECTOR_FAILED_TASKS: Family =
    gauge("kafka_connect_worker_connector_failed_task_count", "Failed tasks of the connector on this worker.");
pub(crate) const CONNECTOR_UNASSIGNED_TASKS: Family =
    gauge("kafka_connect_worker_connector_unassigned_task_count", "Unassigned tasks of the connector on this worker.");
pub(crate) const CONNECTOR_DESTROYED_TASKS: Family =
    gauge("kafka_connect_worker_connector_destroyed_task_count", "Destroyed tasks of the connector on this worker.");
pub(crate) const CONNECTOR_RESTARTING_TASKS: Family =
    gauge("kafka_connect_worker_connector_restarting_task_count", "Restarting tasks of the connector on this worker.");

// connector-metrics
pub(crate) const CONNECTOR_STATUS: Family =
    gauge("kafka_connect_connector_status", "1 for the state in which the connector is.");
pub(crate) const CONNECTOR_TYPE: Family = gauge("kafka_connect_connector_type", "1: source or sink.");
pub(crate) const CONNECTOR_CLASS: Family =
    gauge("kafka_connect_connector_class", "1: class and version of the plug-in.");

// connect-worker-rebalance-metrics
pub(crate) const REBALANCE_EPOCH: Family =
    gauge("kafka_connect_worker_rebalance_epoch", "Generation of the group that this worker is in.");
pub(crate) const REBALANCES_COMPLETED: Family =
    counter("kafka_connect_worker_rebalance_completed_rebalances_total", "Rebalances that this worker has completed.");
pub(crate) const REBALANCING: Family =
    gauge("kafka_connect_worker_rebalance_rebalancing", "1 while this worker waits for an assignment.");
pub(crate) const REBALANCE_MAX_TIME: Family =
    gauge("kafka_connect_worker_rebalance_rebalance_max_time_ms", "Longest recent rebalance, ms.");
pub(crate) const REBALANCE_AVG_TIME: Family =
    gauge("kafka_connect_worker_rebalance_rebalance_avg_time_ms", "Average recent rebalance, ms.");
pub(crate) const SINCE_REBALANCE: Family =
    gauge("kafka_connect_worker_rebalance_time_since_last_rebalance_ms", "Time since the last rebalance, ms.");
pub(crate) const REBALANCE_LEADER: Family =
    gauge("kafka_connect_worker_rebalance_leader_name", "1: the URL of the group's leader.");

// connector-task-metrics
pub(crate) const TASK_STATUS: Family =
    gauge("kafka_connect_connector_task_status", "1 for the state in which the task is.");
pub(crate) const RUNNING_RATIO: Family =
    gauge("kafka_connect_connector_task_running_ratio", "Share of its life that the task was RUNNING.");
pub(crate) const PAUSE_RATIO: Family =
    gauge("kafka_connect_connector_task_pause_ratio", "Share of its life that the task was PAUSED.");
pub(crate) const COMMIT_MAX_TIME: Family =
    gauge("kafka_connect_connector_task_offset_commit_max_time_ms", "Longest recent offset commit, ms.");
pub(crate) const COMMIT_AVG_TIME: Family =
    gauge("kafka_connect_connector_task_offset_commit_avg_time_ms", "Average recent offset commit, ms.");
pub(crate) const COMMIT_SUCCESS: Family = gauge(
    "kafka_connect_connector_task_offset_commit_success_percentage",
    "Share of the offset commits that succeeded, from 0 to 1.",
);
pub(crate) const COMMIT_FAILURE: Family = gauge(
    "kafka_connect_connector_task_offset_commit_failure_percentage",
    "Share of the offset commits that failed, from 0 to 1.",
);
pub(crate) const BATCH_MAX: Family =
    gauge("kafka_connect_connector_task_batch_size_max", "Records of the largest recent batch.");
pub(crate) const BATCH_AVG: Family =
    gauge("kafka_connect_connector_task_batch_size_avg", "Records of an average recent batch.");

// source-task-metrics
pub(crate) const POLL_TOTAL: Family =
    counter("kafka_connect_source_task_source_record_poll_total", "Records polled, before transformations.");
pub(crate) const POLL_RATE: Family =
    gauge("kafka_connect_source_task_source_record_poll_rate", "Records polled per second, before transformations.");
pub(crate) const WRITE_TOTAL: Family =
    counter("kafka_connect_source_task_source_record_write_total", "Records written to Kafka, after transformations.");
pub(crate) const WRITE_RATE: Family = gauge(
    "kafka_connect_source_task_source_record_write_rate",
    "Records written to Kafka per second, after transformations.",
);
pub(crate) const POLL_MAX_TIME: Family =
    gauge("kafka_connect_source_task_poll_batch_max_time_ms", "Longest recent poll, ms.");
pub(crate) const POLL_AVG_TIME: Family =
    gauge("kafka_connect_source_task_poll_batch_avg_time_ms", "Average recent poll, ms.");
pub(crate) const SOURCE_ACTIVE: Family = gauge(
    "kafka_connect_source_task_source_record_active_count",
    "Records that are polled and not yet acknowledged by Kafka.",
);
pub(crate) const SOURCE_ACTIVE_MAX: Family =
    gauge("kafka_connect_source_task_source_record_active_count_max", "The most such records at once, recently.");
pub(crate) const SOURCE_ACTIVE_AVG: Family =
    gauge("kafka_connect_source_task_source_record_active_count_avg", "Such records at once on average, recently.");

pub(crate) const TRANSACTION_MIN: Family = gauge(
    "kafka_connect_source_task_transaction_size_min",
    "Records of the smallest transaction of late, with exactly-once.",
);
pub(crate) const TRANSACTION_MAX: Family = gauge(
    "kafka_connect_source_task_transaction_size_max",
    "Records of the largest transaction of late, with exactly-once.",
);
pub(crate) const TRANSACTION_AVG: Family = gauge(
    "kafka_connect_source_task_transaction_size_avg",
    "Records of an average transaction of late, with exactly-once.",
);

// sink-task-metrics
pub(crate) const READ_TOTAL: Family =
    counter("kafka_connect_sink_task_sink_record_read_total", "Records consumed, before transformations.");
pub(crate) const READ_RATE: Family =
    gauge("kafka_connect_sink_task_sink_record_read_rate", "Records consumed per second, before transformations.");
pub(crate) const SEND_TOTAL: Family =
    counter("kafka_connect_sink_task_sink_record_send_total", "Records put to the sink, after transformations.");
pub(crate) const SEND_RATE: Family = gauge(
    "kafka_connect_sink_task_sink_record_send_rate",
    "Records put to the sink per second, after transformations.",
);
pub(crate) const SINK_ACTIVE: Family = gauge(
    "kafka_connect_sink_task_sink_record_active_count",
    "Offsets between what was put and what is committed, over all partitions.",
);
pub(crate) const SINK_ACTIVE_MAX: Family =
    gauge("kafka_connect_sink_task_sink_record_active_count_max", "The most such offsets at once, recently.");
pub(crate) const SINK_ACTIVE_AVG: Family =
    gauge("kafka_connect_sink_task_sink_record_active_count_avg", "Such offsets at once on average, recently.");
pub(crate) const PARTITION_COUNT: Family =
    gauge("kafka_connect_sink_task_partition_count", "Partitions assigned to the task.");
pub(crate) const COMMIT_SEQ_NO: Family =
    gauge("kafka_connect_sink_task_offset_commit_seq_no", "Number of the last offset commit.");
pub(crate) const COMMIT_COMPLETION_TOTAL: Family =
    counter("kafka_connect_sink_task_offset_commit_completion_total", "Offset commits that succeeded.");
pub(crate) const COMMIT_SKIP_TOTAL: Family =
    counter("kafka_connect_sink_task_offset_commit_skip_total", "Offset commits that the sink was not ready for.");
pub(crate) const PUT_MAX_TIME: Family =
    gauge("kafka_connect_sink_task_put_batch_max_time_ms", "Longest recent put, ms.");
pub(crate) const PUT_AVG_TIME: Family =
    gauge("kafka_connect_sink_task_put_batch_avg_time_ms", "Average recent put, ms.");

// task-error-metrics
pub(crate) const RECORD_FAILURES: Family =
    counter("kafka_connect_task_error_total_record_failures", "Failures to process a record, retries included.");
pub(crate) const RECORD_ERRORS: Family =
    counter("kafka_connect_task_error_total_record_errors", "Records that failed the task.");
pub(crate) const RECORDS_SKIPPED: Family =
    counter("kafka_connect_task_error_total_records_skipped", "Records skipped because of an error.");
pub(crate) const RETRIES: Family = counter("kafka_connect_task_error_total_retries", "Operations tried again.");
pub(crate) const ERRORS_LOGGED: Family =
    counter("kafka_connect_task_error_total_errors_logged", "Errors of records that were logged.");
pub(crate) const DEAD_LETTERS: Family =
    counter("kafka_connect_task_error_deadletterqueue_produce_requests", "Records sent to the dead letter topic.");
pub(crate) const DEAD_LETTER_FAILURES: Family =
    counter("kafka_connect_task_error_deadletterqueue_produce_failures", "Records that the dead letter topic refused.");
pub(crate) const LAST_ERROR: Family = gauge(
    "kafka_connect_task_error_last_error_timestamp",
    "Time of the last error of a record, ms since 1970-01-01 UTC; 0 before the first.",
);

// Volley's own
pub(crate) const REJECTED: Family = counter(
    "volley_task_rejected_records_total",
    "Records rejected, by the stage that rejected them: skipped, or the reason why the task has failed.",
);
pub(crate) const DEAD_LETTERS_WRITTEN: Family =
    counter("volley_task_dead_letters_written_total", "Dead letters that Kafka has acknowledged.");
pub(crate) const BUILD_INFO: Family = gauge("volley_build_info", "1: the version of the worker.");
pub(crate) const BYTES_TOTAL: Family =
    counter("volley_task_bytes_total", "Bytes of keys and values consumed (sink) or produced (source).");
pub(crate) const LAG: Family = gauge(
    "volley_sink_task_lag_records",
    "Offsets between the task's position and the end of its partitions; no sample where unknown.",
);
pub(crate) const BUFFERED_BYTES: Family =
    gauge("volley_task_buffered_bytes", "Bytes that the task's plug-in holds in memory.");
pub(crate) const LAST_COMMIT: Family = gauge(
    "volley_task_last_commit_timestamp_seconds",
    "Time of the last offset commit, s since 1970-01-01 UTC; no sample before the first.",
);
pub(crate) const BUDGET_BYTES: Family =
    gauge("volley_memory_budget_bytes", "What batches and buffers may hold in memory, bytes.");
pub(crate) const BUDGET_USED_BYTES: Family =
    gauge("volley_memory_budget_used_bytes", "What batches and buffers hold in memory, bytes.");
pub(crate) const PROCESS_MEMORY: Family =
    gauge("process_resident_memory_bytes", "Resident memory of the process, bytes.");
pub(crate) const PROCESS_CPU: Family =
    counter("process_cpu_seconds_total", "CPU time of the process, user and system, s.");
pub(crate) const PROCESS_START: Family =
    gauge("process_start_time_seconds", "Start of the process, s since 1970-01-01 UTC.");
pub(crate) const JAVA_PROCESS: Family = gauge(
    "volley_java_process_info",
    "1: a connector that has an instance or tasks in a Java process, and its process id.",
);
pub(crate) const JAVA_RESIDENT: Family =
    gauge("volley_java_resident_memory_bytes", "Resident memory of a Java process, bytes.");
pub(crate) const JAVA_HEAP_USED: Family =
    gauge("volley_java_heap_used_bytes", "Heap in use of a Java process, garbage included, bytes.");
pub(crate) const JAVA_HEAP_MAX: Family =
    gauge("volley_java_heap_max_bytes", "The most that the heap of a Java process may be, bytes.");
pub(crate) const JAVA_THREADS: Family = gauge("volley_java_threads", "Threads of a Java process.");
pub(crate) const JAVA_CPU: Family =
    counter("volley_java_cpu_seconds_total", "CPU time of a Java process, user and system, s.");
pub(crate) const JAVA_GC: Family =
    counter("volley_java_gc_seconds_total", "Time that a Java process has collected garbage for, s.");
