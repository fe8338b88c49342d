//! The range of a bounded sink, which means nothing to one that is not bounded.

use super::section::Section;
use crate::connector_config::{BOUNDED_END, BOUNDED_START};
use crate::json_config::GivenConfig;

/// Checks that a range is given only to a sink that ends.
pub(super) fn check_sink_range(section: &mut Section, given: &GivenConfig) {
    if section.text("volley.mode").is_none_or(|mode| mode.trim() == "bounded") {
        return;
    }
    for key in [BOUNDED_START, BOUNDED_END].into_iter().filter(|key| given.values.contains_key(*key)) {
        section.error(key, format!("`{key}` counts only for a sink that ends: give it `volley.mode=bounded`, too"));
    }
}
