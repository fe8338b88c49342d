//! All rows in the directory of their topic.

use volley_api::{Records, Result};

use super::assignment::Assignment;
use super::partitioner::{Partitioner, Split};

/// Names no directory.
#[derive(Debug)]
pub(crate) struct OneDirectory;

impl Partitioner for OneDirectory {
    fn split(&self, records: &Records, _now_ms: i64) -> Result<Split> {
        Ok(Assignment::uniform(records.len(), "".into()).into_split(None))
    }

    fn signature(&self) -> String {
        "one".to_owned()
    }
}
