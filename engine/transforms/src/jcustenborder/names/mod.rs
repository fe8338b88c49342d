//! Fields under other names.

mod case_format;
pub(super) mod change_case;
pub(super) mod pattern_rename;

pub(super) use case_format::{CaseFormat, case_formats, case_key};
