//! Keys under a prefix.

use volley_api::ConfigMap;

/// The entries whose key starts with `prefix`, without the prefix, in order. A key equal to the prefix is left out.
pub fn without_prefix(config: &ConfigMap, prefix: &str) -> ConfigMap {
    config
        .iter()
        .filter_map(|(key, value)| {
            let rest = key.strip_prefix(prefix).filter(|rest| !rest.is_empty())?;
            Some((rest.to_owned(), value.clone()))
        })
        .collect()
}
