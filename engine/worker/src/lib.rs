//! The worker core: herder, tasks, offsets, error handling, storage, REST.

pub mod task;
