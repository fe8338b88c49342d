//! The worker core: herder, tasks, offsets, error handling, storage, REST.

mod clock;
mod cluster_id;
pub mod config_providers;
pub mod config_transformer;
pub mod connector_config;
pub mod connector_file;
pub mod connector_task_id;
pub mod dead_letters;
pub mod distributed_worker;
pub mod error;
pub mod group;
pub mod herder;
pub mod json_config;
pub mod loggers;
pub mod memory_budget;
pub mod metrics;
pub mod peers;
mod plugin_call;
pub mod plugins;
pub mod rest;
mod rest_frontend;
mod secret_mask;
mod secret_names;
mod similar_names;
mod spawned_task;
pub mod storage;
pub mod task;
#[cfg(test)]
mod testing;
pub mod validation;
pub mod worker;
pub mod worker_config;
pub mod worker_file;
#[cfg(test)]
mod worker_tests;
