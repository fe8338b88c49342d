//! Real servers for the tests: installed by `install.sh`, started on free ports of 127.0.0.1, gone with the test process.
#![allow(clippy::unwrap_used, dead_code)]

mod deadline;
mod kafka;
mod logging;
mod rebalances;
mod s3;
mod server_process;

#[allow(unused_imports)]
pub(crate) use deadline::wait_until;
#[allow(unused_imports)]
pub(crate) use kafka::{Kafka, Message, properties};
#[allow(unused_imports)]
pub(crate) use logging::log_as_asked;
#[allow(unused_imports)]
pub(crate) use rebalances::{Rebalance, Rebalances};
#[allow(unused_imports)]
pub(crate) use s3::S3;
