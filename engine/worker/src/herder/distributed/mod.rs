//! The herder of a worker in a group.

mod config_updates;
mod config_writer;
mod cut_off;
mod distributed_herder;
mod fencing_rounds;
mod group_view;
mod herder_loop;
mod leader_duties;
mod leader_publisher;
mod membership;
mod rebalance;
mod signs_of_life;

pub(crate) use config_updates::ConfigUpdates;
pub use distributed_herder::DistributedHerder;
