//! While developing: the broker tests of the root's test binary, without the rest of the workspace.
#[path = "../../../tests/kafka_admin.rs"]
mod kafka_admin;
#[path = "../../../tests/kafka_fetch.rs"]
mod kafka_fetch;
#[path = "../../../tests/kafka_outage.rs"]
mod kafka_outage;
#[path = "../../../tests/kafka_produce.rs"]
mod kafka_produce;
#[path = "../../../tests/kafka_rebalance.rs"]
mod kafka_rebalance;
#[path = "../../../tests/s3_testbed.rs"]
mod s3_testbed;
#[path = "../../../tests/testbed/mod.rs"]
mod testbed;
