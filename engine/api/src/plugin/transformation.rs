//! Transformations: Connect's SMTs, on batches.

use crate::{RecordFields, Records, RejectedRow, Result};

/// What became of some records.
#[derive(Debug, Default)]
pub struct Transformed {
    /// The rows that remain. Several where rows were rerouted or schemas differ; each keeps its rows in order.
    pub records: Vec<Records>,
    /// Rows that could not be transformed: `row` is the row of the pipeline's INPUT batch, which
    /// [`crate::RowIndex::input_row`] gives.
    pub rejected: Vec<RejectedRow>,
}

impl Transformed {
    /// All rows transformed.
    pub fn of(records: Records) -> Self {
        Self { records: vec![records], rejected: Vec::new() }
    }
}

/// A step of a transformation chain. A row that is in neither part of the answer was filtered. Configured at creation:
/// see [`crate::PluginFactory::Transformation`]. One instance serves one task, on one thread at a time.
pub trait Transformation: Send {
    /// Transforms a batch. `records` is never empty.
    ///
    /// # Errors
    /// Only what concerns the whole batch; a bad row is a rejected row.
    fn apply(&mut self, records: Records) -> Result<Transformed>;

    /// The fields that records of `topic` with the fields `input` get. `None` if that is not known before they come: then
    /// nobody says what records become.
    ///
    /// # Errors
    /// `Config` if such records cannot be transformed.
    fn output_fields(&mut self, _topic: &str, _input: &RecordFields) -> Result<Option<RecordFields>> {
        Ok(None)
    }
}
