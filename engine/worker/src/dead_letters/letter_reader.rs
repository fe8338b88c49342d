//! Reads a dead letter topic from its beginning to the end that it has now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use volley_api::{Error, Offsets, RawBatch, Result, TopicPartition};
use volley_kafka::{FetchSettings, Fetcher, RebalanceListener, TopicSelection, subscribed_end_offsets};

use super::clients::DeadLetterClients;
use crate::task::{ReadPositions, Unread};

/// One wait for messages.
const POLL: Duration = Duration::from_millis(100);

/// Limits of a batch.
const BATCH_ROWS: usize = 1000;
const BATCH_BYTES: usize = 4 << 20;
const LINGER: Duration = Duration::from_millis(20);

/// How long nothing may come before it is checked whether anything is left: the last offsets may be transaction markers, or
/// compacted.
const QUIET: Duration = Duration::from_secs(1);

/// How long reading may make no progress.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Calls `each` with all batches, those of each partition in order.
///
/// # Errors
/// Those of `each`; `Retriable` when the brokers do not answer for long, `Config` when they refuse.
pub(crate) fn read_letters(
    clients: &DeadLetterClients,
    topic: &str,
    mut each: impl FnMut(&RawBatch) -> Result<()>,
) -> Result<()> {
    let topics = TopicSelection::Topics(vec![topic.to_owned()]);
    let ends = subscribed_end_offsets(&clients.consumer, &topics)?;
    let starts = Arc::new(Starts::default());
    let settings = FetchSettings { topics, max_rows: BATCH_ROWS, max_bytes: BATCH_BYTES, linger: LINGER };
    let mut fetcher = Fetcher::connect(&clients.consumer, settings, Arc::clone(&starts) as _)?;
    let partitions: Vec<TopicPartition> = ends.keys().cloned().collect();
    let mut positions = ReadPositions::default();
    let mut progress = Instant::now();
    loop {
        let batches = fetcher.poll(POLL)?;
        for (partition, first) in std::mem::take(&mut *starts.0.lock()) {
            positions.start(partition, first, 0);
        }
        for batch in batches {
            progress = Instant::now();
            if let Some(batch) = positions.accept(batch, 0, Some(&ends)) {
                each(&batch)?;
                // whatever that took
                progress = Instant::now();
            }
        }
        if !positions.reach(fetcher.positions(), Some(&ends)).is_empty() {
            progress = Instant::now();
        }
        let rest = match positions.unread(&partitions, &ends) {
            Unread::Nothing => return Ok(()),
            Unread::Rest { partition, position, end } => Some((partition, position, end)),
            Unread::Unknown => None,
        };
        if let Some((partition, position, end)) = rest
            && progress.elapsed() >= QUIET
            && fetcher.committer().is_drained(&partition, position, end)?
        {
            positions.skip_to(&partition, end);
            progress = Instant::now();
        }
        if progress.elapsed() >= TIME_LIMIT {
            let seconds = TIME_LIMIT.as_secs();
            return Err(Error::retriable(format!("could not read topic {topic}: nothing came for {seconds} s")));
        }
    }
}

/// Where the partitions begin that were assigned since it was looked at last.
#[derive(Default)]
struct Starts(Mutex<Offsets>);

impl RebalanceListener for Starts {
    fn assigned(&self, positions: &Offsets) {
        self.0.lock().extend(positions.clone());
    }

    /// There is no group that could take them.
    fn revoked(&self, _: &[TopicPartition]) {}

    fn lost(&self, _: &[TopicPartition]) {}
}
