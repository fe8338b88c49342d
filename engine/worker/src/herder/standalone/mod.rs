//! The herder of a standalone worker.

mod connector_actor;
mod standalone_herder;
#[cfg(test)]
mod tests;

pub use standalone_herder::StandaloneHerder;
