//! `RecordIsTombstone`: whether the value is null.

use arrow::array::BooleanArray;
use arrow::compute::is_null;
use arrow::datatypes::DataType;
use volley_api::{ConfigDef, KAFKA_VERSION, Plugin, PluginFactory, Predicate, Records, Result};

/// Matches records whose value is null; key and schema do not matter. It has no keys of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordIsTombstone;

impl Predicate for RecordIsTombstone {
    fn test(&mut self, records: &Records) -> Result<BooleanArray> {
        match records.value.field.data_type() {
            DataType::Null => Ok(BooleanArray::from(vec![true; records.len()])),
            _ => Ok(is_null(&records.value.array)?),
        }
    }
}

pub(crate) fn plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
        KAFKA_VERSION,
        "Matches records whose value is null (tombstones).",
        ConfigDef::new(),
        PluginFactory::predicate(|_| Ok(RecordIsTombstone)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use volley_api::Column;
    use volley_api::testing::{records, texts};

    #[test]
    fn only_null_values_are_tombstones() {
        let matched = RecordIsTombstone.test(&records("orders", texts([Some("a"), None, Some("")]))).unwrap();
        assert_eq!(matched, BooleanArray::from(vec![false, true, false]));
    }

    #[test]
    fn values_without_type_are_tombstones() {
        let mut records = records("orders", texts([None::<&str>, None]));
        records.value = Column::nulls(2);
        assert_eq!(RecordIsTombstone.test(&records).unwrap(), BooleanArray::from(vec![true, true]));
    }
}
