//! Numbered messages of one task: where the numbers go on after a restart, and how fast they come.

use std::ops::Range;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use volley_api::{ConfigMap, Error, Result, SourceContext, SourceOffset, SourcePartition};

use crate::pace::Pace;

const ID: &str = "id";
const SEQNO: &str = "seqno";
const THROUGHPUT: &str = "throughput";
/// Most messages of a batch.
const BATCH_SIZE: usize = 1000;

/// The numbers of one task: source partition `{"id":<task>}`, offset `{"seqno":<last number>}`.
#[derive(Debug)]
pub(super) struct Sequence {
    /// Number of the task.
    pub(super) id: i32,
    /// Its source partition.
    pub(super) partition: SourcePartition,
    next: i64,
    /// `None`: as fast as can be.
    pace: Option<Pace>,
}

impl Sequence {
    /// Goes on behind the stored offset. `class` is named in errors.
    pub(super) fn resume(context: &SourceContext, config: &ConfigMap, class: &str) -> Result<Self> {
        let id = number(config, ID, class)?;
        let throughput: i64 = number(config, THROUGHPUT, class)?;
        let partition = SourcePartition::from_iter([(ID.to_owned(), Value::from(id))]);
        let next = match context.offset(&partition)? {
            Some(stored) => stored_seqno(&stored)?.saturating_add(1),
            None => 0,
        };
        Ok(Self { id, partition, next, pace: Pace::of_throughput(throughput) })
    }

    /// The number that comes next.
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    /// Waits at most `max_wait` for numbers to be due, and gives them out, at most `most`.
    pub(super) fn take(&mut self, most: usize, max_wait: Duration) -> Range<i64> {
        let most = most.min(BATCH_SIZE);
        let len = match &mut self.pace {
            _ if most == 0 => {
                thread::sleep(max_wait);
                0
            }
            Some(pace) => pace.wait_for(most, max_wait),
            None => most,
        };
        let first = self.next;
        self.next += len as i64;
        first..self.next
    }
}

/// The offset of the message `seqno`.
pub(super) fn offset(seqno: i64) -> SourceOffset {
    SourceOffset::from_iter([(SEQNO.to_owned(), Value::from(seqno))])
}

/// The number in an offset.
pub(super) fn stored_seqno(offset: &SourceOffset) -> Result<i64> {
    let seqno = offset.get(SEQNO).and_then(Value::as_i64);
    seqno.ok_or_else(|| Error::fatal(format!("the stored offset has no member `{SEQNO}` that is a whole number")))
}

/// A number that the configuration of a task must have.
pub(super) fn number<T: std::str::FromStr>(config: &ConfigMap, key: &str, class: &str) -> Result<T> {
    let number = config.get(key).and_then(|text| text.parse().ok());
    number.ok_or_else(|| Error::fatal(format!("Invalid {class} configuration: `{key}` must be a whole number")))
}
