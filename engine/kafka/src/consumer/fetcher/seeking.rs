//! Moves the position of a partition.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use volley_api::{Error, Result, TopicPartition};

use super::Fetcher;
use super::messages::Messages;
use crate::consumer::membership::Membership;

/// How long a seek may take, and the pause between attempts while the partition is being started.
const SEEK_TIMEOUT: Duration = Duration::from_secs(10);
const SEEK_RETRY: Duration = Duration::from_millis(10);

impl Fetcher {
    /// The next batch of `partition` begins at `offset`, or at the next message after it. Buffered messages of the
    /// partition are dropped.
    ///
    /// # Errors
    /// `Retriable` when the seek did not succeed in time; `Fatal` when the partition is not assigned.
    pub fn seek(&mut self, partition: &TopicPartition, offset: i64) -> Result<()> {
        if !self.assignment.contains(partition) {
            return Err(Error::fatal(format!("could not seek in {partition}: it is not assigned")));
        }
        self.resets.forget(std::slice::from_ref(partition));
        self.assignment.drop_open(partition);
        self.ready.retain(|batch| batch.origin.partition != *partition);
        self.seek_messages(partition, offset)
    }

    pub(super) fn seek_messages(&mut self, partition: &TopicPartition, offset: i64) -> Result<()> {
        if let Messages::Native(fetch) = &mut self.messages {
            fetch.seek(partition, offset);
            return Ok(());
        }
        let Membership::Librdkafka(consumer) = &self.group else { return Ok(()) };
        let deadline = Instant::now() + SEEK_TIMEOUT;
        loop {
            let outcome = consumer.seek(&partition.topic, partition.partition, Offset::Offset(offset), SEEK_TIMEOUT);
            match outcome {
                Ok(()) => return Ok(()),
                // A partition that was just assigned is still being started, and refuses the seek as a wrong state.
                Err(_) if Instant::now() < deadline => thread::sleep(SEEK_RETRY),
                Err(error) => {
                    return Err(
                        Error::retriable(format!("could not seek in {partition} to {offset}")).with_source(error)
                    );
                }
            }
        }
    }
}
