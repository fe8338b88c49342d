//! The integration tests: one binary, real servers. `make test` installs what they need.

mod kafka_admin;
mod kafka_fetch;
mod kafka_outage;
mod kafka_produce;
mod kafka_rebalance;
mod s3_testbed;
mod testbed;
