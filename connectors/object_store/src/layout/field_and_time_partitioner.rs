//! `FieldAndTimeBasedPartitioner`: the values of fields, and below them the time.

use volley_api::{Records, Result};

use super::field_partitioner::FieldLayout;
use super::partitioner::{Partitioner, Split};
use super::time_partitioner::{TimeDirectories, TimeLayout};

/// Names the directory after values and the time of the record: `country=DE/year=2026/month=11`.
#[derive(Debug)]
pub(crate) struct FieldAndTimePartitioner {
    fields: FieldLayout,
    time: TimeDirectories,
    /// Stands between the fields and the time.
    delim: String,
}

impl FieldAndTimePartitioner {
    /// A partitioner with both layouts.
    pub(crate) fn new(fields: FieldLayout, time: TimeLayout, delim: String) -> Self {
        Self { fields, time: TimeDirectories::new(time), delim }
    }
}

impl Partitioner for FieldAndTimePartitioner {
    fn split(&self, records: &Records, now_ms: i64) -> Result<Split> {
        let fields = self.fields.assign(records)?;
        let (time, times) = self.time.assign(records, now_ms)?;
        Ok(fields.join(time, &self.delim).into_split(Some(times)))
    }

    fn signature(&self) -> String {
        let time = self.time.layout().signature();
        format!("field and time {} {:?} {time}", self.fields.signature(), self.delim)
    }
}
