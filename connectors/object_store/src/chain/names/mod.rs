//! Names of files and directories.

mod file_name;
mod file_template;
mod template_text;

pub(crate) use file_name::{FileNaming, RowSpan, StreamFiles, StreamKey, is_legal_topic, joined};
pub(crate) use file_template::{FileTemplate, PARTITION_DIGITS};
pub(crate) use template_text::{TemplatePart, is_padded, template_parts};
