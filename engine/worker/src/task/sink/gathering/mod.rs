//! What the put stage is given next: a signal, or batches for one call of the task.
//!
//! Kafka's consumer gives a task what it has of all partitions, up to `max.poll.records`; many sinks do a transaction for each
//! call. A task with a chain of its own is given small batches together.

#[cfg(test)]
mod put_together_laws;

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use volley_api::SinkBatch;

use crate::task::sink::pipeline::{FetchedBatch, Prepared, Signal};

/// How long a batch that is not full waits for others, which come at once where there are any.
const LONGEST_WAIT: Duration = Duration::from_millis(2);

/// A batch, and what is known of its messages.
pub(crate) struct ToPut {
    pub(crate) fetched: FetchedBatch,
    pub(crate) batch: SinkBatch,
}

/// What comes next.
pub(crate) enum Next {
    /// One batch at least, those of a partition in order.
    Batches(Vec<ToPut>),
    Signal(Signal),
}

/// Gathers batches.
pub(crate) struct Gathering {
    /// Rows that batches may have together; 0: each goes alone.
    most_rows: usize,
    /// What came behind batches that were gathered, and does not belong to them.
    held: Option<Prepared>,
}

impl Gathering {
    /// Batches go together up to so many rows; 0: each goes alone.
    pub(crate) fn up_to(most_rows: usize) -> Self {
        Self { most_rows, held: None }
    }

    /// What comes next, in the order in which it was sent.
    ///
    /// # Errors
    /// If nothing comes in time, or ever.
    pub(crate) fn next(
        &mut self,
        input: &Receiver<Prepared>,
        deadline: Instant,
    ) -> std::result::Result<Next, RecvTimeoutError> {
        let first = match self.held.take() {
            Some(held) => held,
            None => input.recv_deadline(deadline)?,
        };
        let first = match first {
            Prepared::Signal(signal) => return Ok(Next::Signal(signal)),
            Prepared::Batch { fetched, batch } => ToPut { fetched, batch },
        };
        let mut rows = first.fetched.raw.len();
        let mut batches = vec![first];
        while rows < self.most_rows {
            match input.recv_timeout(LONGEST_WAIT) {
                Ok(Prepared::Batch { fetched, batch }) if rows + fetched.raw.len() <= self.most_rows => {
                    rows += fetched.raw.len();
                    batches.push(ToPut { fetched, batch });
                }
                Ok(held) => {
                    self.held = Some(held);
                    break;
                }
                Err(_) => break,
            }
        }
        Ok(Next::Batches(batches))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crossbeam_channel::{Sender, bounded};
    use volley_api::testing::raw_batch;

    use super::*;
    use crate::memory_budget::MemoryBudget;

    fn send(sender: &Sender<Prepared>, partition: i32, first: i64, rows: usize) {
        let raw = Arc::new(raw_batch("t", partition, first, vec![Some(&b"v"[..]); rows]));
        let reservation = Arc::new(MemoryBudget::new(1)).reserve(0);
        let batch = SinkBatch { raw: Arc::clone(&raw), records: Vec::new() };
        let fetched = FetchedBatch { raw, _reservation: reservation, generation: 1 };
        assert!(sender.send(Prepared::Batch { fetched, batch }).is_ok());
    }

    /// What is given until the input is empty: the first offsets of batches that go together, or nothing for a signal.
    fn given(gathering: &mut Gathering, input: &Receiver<Prepared>) -> Vec<Vec<i64>> {
        let mut given = Vec::new();
        while let Ok(next) = gathering.next(input, Instant::now()) {
            given.push(match next {
                Next::Signal(_) => Vec::new(),
                Next::Batches(batches) => batches.iter().map(|one| one.batch.origin().range.first).collect(),
            });
        }
        given
    }

    #[test]
    fn small_batches_go_together_up_to_the_limit_and_none_passes_a_signal() {
        let (sender, input) = bounded(16);
        for (partition, first, rows) in [(0, 0, 4), (1, 10, 4), (0, 4, 2), (2, 20, 1), (3, 30, 10), (4, 40, 11)] {
            send(&sender, partition, first, rows);
        }
        send(&sender, 0, 6, 1);
        assert!(sender.send(Prepared::Signal(Signal::Commit)).is_ok());
        send(&sender, 1, 14, 1);
        send(&sender, 2, 21, 1);
        let wanted = vec![vec![0, 10, 4], vec![20], vec![30], vec![40], vec![6], vec![], vec![14, 21]];
        assert_eq!(given(&mut Gathering::up_to(10), &input), wanted);
    }

    #[test]
    fn without_a_limit_each_batch_goes_alone() {
        let (sender, input) = bounded(4);
        send(&sender, 0, 0, 1);
        send(&sender, 1, 10, 1);
        assert_eq!(given(&mut Gathering::up_to(0), &input), vec![vec![0], vec![10]]);
    }

    #[test]
    fn what_was_sent_before_the_end_is_given_before_it() {
        let (sender, input) = bounded(4);
        send(&sender, 0, 0, 1);
        assert!(sender.send(Prepared::Signal(Signal::Stop)).is_ok());
        drop(sender);
        assert_eq!(given(&mut Gathering::up_to(10), &input), vec![vec![0], vec![]]);
        let end = Gathering::up_to(10).next(&input, Instant::now() + LONGEST_WAIT);
        assert!(matches!(end, Err(RecvTimeoutError::Disconnected)));
    }
}
