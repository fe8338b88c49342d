//! The configuration of the source, from its keys into types.

pub(in crate::source) mod column_choice;
pub(in crate::source) mod config_keys;
mod key_columns;
mod reading;
mod source_config;
mod source_query;

pub(in crate::source) use key_columns::KeyColumns;
pub(in crate::source) use reading::{Mode, Reading};
pub(in crate::source) use source_config::{InitialTimestamp, SourceConfig, issues};
pub(in crate::source) use source_query::{SourceQuery, query_task_configs};
