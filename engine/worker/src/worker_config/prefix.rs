//! Keys under a prefix.

use volley_api::ConfigMap;

/// The entries whose key starts with `prefix`, prefix stripped, in order. The prefix alone is no key.
pub fn without_prefix(config: &ConfigMap, prefix: &str) -> ConfigMap {
    config
        .iter()
        .filter_map(|(key, value)| {
            let rest = key.strip_prefix(prefix).filter(|rest| !rest.is_empty())?;
            Some((rest.to_owned(), value.clone()))
        })
        .collect()
}
