//! Debezium's connectors, unmodified: a snapshot, then every change, whatever is killed meanwhile.

mod capture;
mod lake;
mod mysql;
mod postgres;
mod rows;
mod snapshot;
