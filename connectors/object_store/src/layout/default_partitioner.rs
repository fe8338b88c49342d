//! `DefaultPartitioner`: a directory for each Kafka partition.

use volley_api::{Error, Records, Result};

use super::assignment::Assignment;
use super::partitioner::{Partitioner, Split};

/// Names the directory after the consumed partition: `partition=3`.
#[derive(Debug)]
pub(crate) struct DefaultPartitioner;

impl Partitioner for DefaultPartitioner {
    fn split(&self, records: &Records, _now_ms: i64) -> Result<Split> {
        let Some(origin) = &records.origin else {
            return Err(Error::fatal(format!("records of topic `{}` have no origin", records.topic)));
        };
        let directory = format!("partition={}", origin.partition.partition);
        Ok(Assignment::uniform(records.len(), directory.into()).into_split(None))
    }

    fn signature(&self) -> String {
        "default".to_owned()
    }
}
