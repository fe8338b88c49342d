//! The herder of a worker in a group.

mod assigned_connector;
mod assigned_instance;
mod assigned_tasks;
mod assigned_work;
mod assignment_plan;
mod config_updates;
mod config_writer;
mod cut_off;
mod distributed_herder;
mod group_view;
mod herder_loop;
mod leader_duties;
mod membership;
mod offset_calls;
mod publishing;
#[cfg(test)]
mod race_tests;
mod rebalance;
mod run_completion;
mod signs_of_life;
mod task_config_publisher;
mod task_run_notes;
#[cfg(test)]
mod tests;
mod urgency;
mod wanted_work;

pub(crate) use config_updates::ConfigUpdates;
pub use distributed_herder::DistributedHerder;
