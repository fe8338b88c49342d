//! The one integration-test binary: the whole program against real servers.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod bad_records;
mod bounce;
mod bounded_sink;
mod custom_connector;
mod delivered_rows;
mod exactly_once;
mod java_worker;
mod kafka_admin;
mod kafka_fetch;
mod kafka_group;
mod kafka_login;
mod kafka_outage;
mod kafka_produce;
mod kafka_rebalance;
mod kafka_storage;
mod kafka_tls;
mod kafka_topic_log;
mod life_cycle;
mod memory;
mod mixed_group;
mod plugin_definitions;
mod probes;
mod python_client;
mod quickstart;
mod rest_differential;
mod rest_front;
mod s3_testbed;
mod secrets;
mod source_tasks;
mod storage_java;
mod takeover;
mod testbed;
mod worker_group;
mod worker_process;
