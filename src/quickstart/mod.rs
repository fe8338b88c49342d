//! What `volley quickstart` runs: nothing but configurations that a user could have written.

mod configs;
mod data_dir;
mod preview;

pub(crate) use configs::{ConfigFiles, QuickstartConfig, TOPIC};
pub(crate) use data_dir::DataDir;
pub(crate) use preview::{QUERY, preview};
