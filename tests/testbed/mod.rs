//! Real servers for the tests: installed by `install.sh`, started on free ports of 127.0.0.1, gone with the test process.
#![allow(clippy::unwrap_used, dead_code)]

mod certificate;
mod connect_worker;
mod deadline;
mod http;
mod identity_provider;
mod java_host;
mod kafka;
mod logging;
mod mariadb;
mod mysql;
mod postgres;
mod rebalances;
mod registry;
mod server_process;
mod small_disk;
mod sql_session;
mod stores;
mod worker_properties;

#[allow(unused_imports)]
pub(crate) use connect_worker::{ConnectWorker, Mode, Vendor, volley_binary};
#[allow(unused_imports)]
pub(crate) use deadline::wait_until;
#[allow(unused_imports)]
pub(crate) use http::{Answer, send};
#[allow(unused_imports)]
pub(crate) use identity_provider::{IdentityProvider, TokenKey};
#[allow(unused_imports)]
pub(crate) use java_host::{compile_plugin, compiled_sink, host_directory, host_of, hosts_of, java_properties, signal};
#[allow(unused_imports)]
pub(crate) use kafka::{BROKERS, HIDDEN, Kafka, KafkaCluster, Message, SESSION, properties};
#[allow(unused_imports)]
pub(crate) use logging::log_as_asked;
#[allow(unused_imports)]
pub(crate) use mariadb::{MariaDatabase, MariaDb};
#[allow(unused_imports)]
pub(crate) use mysql::MySql;
#[allow(unused_imports)]
pub(crate) use postgres::{Database, Postgres};
#[allow(unused_imports)]
pub(crate) use rebalances::{Rebalance, Rebalances};
#[allow(unused_imports)]
pub(crate) use registry::Registry;
#[allow(unused_imports)]
pub(crate) use server_process::{ServerProcess, data_directory, free_port, installed};
#[allow(unused_imports)]
pub(crate) use small_disk::SmallDisk;
#[allow(unused_imports)]
pub(crate) use sql_session::SqlSession;
#[allow(unused_imports)]
pub(crate) use stores::{Azurite, Fault, FaultyStore, GoogleStorage, Hdfs, S3, write_hadoop_configuration};
#[allow(unused_imports)]
pub(crate) use worker_properties::{WorkerProperties, distributed_properties, standalone_properties};
