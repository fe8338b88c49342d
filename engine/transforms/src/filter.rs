//! `Filter`: drops every record. With a predicate it drops those that the predicate picks.

use std::sync::Arc;

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
    Plugin {
        class: "org.apache.kafka.connect.transforms.Filter",
        aliases: &[],
        version: KAFKA_VERSION,
        documentation: "Drops every record it is applied to. Give it a predicate: without one nothing is left.",
        config_def: ConfigDef::new(),
        factory: PluginFactory::Transformation(Arc::new(|_config| Ok(Box::new(Filter)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_records::records;

    #[test]
    fn filter_leaves_nothing_and_rejects_nothing() {
        let left = Filter.apply(records("orders", &[Some("a"), None])).unwrap();
        assert!(left.records.is_empty() && left.rejected.is_empty());
    }
}
