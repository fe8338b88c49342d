//! `Filter`: drops every record. With a predicate it drops those that the predicate picks.

use volley_api::{ConfigDef, KAFKA_VERSION, Plugin, PluginFactory, Records, Result, Transformation, Transformed};

/// Drops every record it is applied to. It has no keys of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter;

impl Transformation for Filter {
    fn apply(&mut self, _records: Records) -> Result<Transformed> {
        Ok(Transformed::default())
    }
}

pub(crate) fn plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.transforms.Filter",
        KAFKA_VERSION,
        "Drops every record it is applied to. Give it a predicate: without one nothing is left.",
        ConfigDef::new(),
        PluginFactory::transformation(|_| Ok(Filter)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use volley_api::testing::{records, texts};

    #[test]
    fn filter_leaves_nothing_and_rejects_nothing() {
        let left = Filter.apply(records("orders", texts([Some("a"), None]))).unwrap();
        assert!(left.records.is_empty() && left.rejected.is_empty());
    }
}
