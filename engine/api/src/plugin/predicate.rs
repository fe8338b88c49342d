//! Predicates: which rows a transformation applies to (KIP-585).

use arrow::array::BooleanArray;

use crate::{Records, Result};

/// Decides row by row. Configured at creation: see [`crate::PluginFactory::Predicate`].
pub trait Predicate: Send {
    /// For each row whether it matches; no nulls.
    fn test(&mut self, records: &Records) -> Result<BooleanArray>;
}
