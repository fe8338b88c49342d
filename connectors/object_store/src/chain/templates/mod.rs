//! Templates of the names of files.

mod file_template;
mod template_text;

pub(crate) use file_template::{AroundOffset, FileTemplate, PARTITION_DIGITS};
pub(crate) use template_text::{TemplatePart, is_padded, template_parts};
