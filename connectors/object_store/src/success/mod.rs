//! `_SUCCESS`: tells whoever waits for the files of a bounded run that it has ended, as Spark does.

mod filled_places;
mod running_sink;
mod success_config;

pub(crate) use running_sink::RunningSink;
pub(crate) use success_config::{SuccessFiles, success_issues, success_key};

/// Name of the file.
pub(crate) const SUCCESS: &str = "_SUCCESS";
