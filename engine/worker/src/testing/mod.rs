//! What tests run on: plug-ins that do as they are told, and a worker's parts in memory.

mod fake_config_provider;
mod fake_connectors;
mod fake_plugins;
mod follower;
mod wait;
mod worker_context;

pub(crate) use fake_config_provider::fake_transformer;
pub(crate) use fake_connectors::{FakeSourceTask, Gate};
pub(crate) use fake_plugins::{FakeHeaderConverter, fake_plugins};
pub(crate) use follower::Follower;
pub(crate) use wait::eventually;
pub(crate) use worker_context::{distributed_config, test_context, test_herder};
