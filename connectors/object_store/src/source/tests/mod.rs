//! The task against local directories and a store in memory.

mod bad_files;
mod changed_files;
mod conformance;
mod large_files;
mod layouts;
mod partition_columns;
mod reading;
mod round_trip;
mod stores;
mod watching;
