//! Schemas that were made of others, so that batches of one schema share one.

use std::sync::Arc;

use arrow::datatypes::FieldRef;

use super::Outcome;

/// Number of schemas that are kept, as in Kafka Connect.
const KEPT: usize = 16;

/// Made schemas by what they were made of, the last used at the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct SchemaCache(Vec<(FieldRef, FieldRef)>);

impl SchemaCache {
    /// The schema made of `input`.
    pub(crate) fn get(&mut self, input: &FieldRef, make: impl FnOnce() -> Outcome<FieldRef>) -> Outcome<FieldRef> {
        let same = self.0.iter().position(|(known, _)| Arc::ptr_eq(known, input));
        let known = same.or_else(|| self.0.iter().position(|(known, _)| known == input));
        let entry = match known {
            Some(place) => self.0.remove(place),
            None => (Arc::clone(input), make()?),
        };
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        let output = Arc::clone(&entry.1);
        self.0.push(entry);
        Ok(output)
    }
}

/// Schemas as they came out, so that equal ones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedFields(Vec<FieldRef>);

impl SharedFields {
    /// The field, or one that is equal and came before.
    pub(crate) fn share(&mut self, field: &FieldRef) -> FieldRef {
        let same = self.0.iter().find(|known| Arc::ptr_eq(known, field));
        if let Some(known) = same.or_else(|| self.0.iter().find(|known| *known == field)) {
            return Arc::clone(known);
        }
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        self.0.push(Arc::clone(field));
        Arc::clone(field)
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn field(name: &str) -> FieldRef {
        Arc::new(Field::new(name, DataType::Int8, true))
    }

    #[test]
    fn a_schema_is_made_once_while_few_are_in_use() {
        let mut cache = SchemaCache::default();
        let first = cache.get(&field("a"), || Ok(field("made"))).unwrap();
        for number in 0..KEPT - 1 {
            cache.get(&field(&number.to_string()), || Ok(field("other"))).unwrap();
        }
        assert!(Arc::ptr_eq(&first, &cache.get(&field("a"), || panic!("is made again")).unwrap()));
        cache.get(&field("new"), || Ok(field("other"))).unwrap();
        assert!(Arc::ptr_eq(&first, &cache.get(&field("a"), || panic!("is made again")).unwrap()));
        assert_eq!(cache.0.len(), KEPT);
    }
}
