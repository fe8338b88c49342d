//! Names of files and directories.

mod file_name;
mod file_template;

pub(crate) use file_name::{FileNaming, RowSpan, StreamFiles, StreamKey, is_legal_topic, joined};
pub(crate) use file_template::FileTemplate;
