//! The task against local directories and a store in memory.
