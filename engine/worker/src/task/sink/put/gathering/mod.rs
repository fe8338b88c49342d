//! What the put stage is given next: a signal, or batches for one call of the task.
//!
//! Kafka's consumer gives a task what it has of all partitions, up to `max.poll.records`; many sinks do a transaction for each
//! put. A task with a chain of its own is given small batches together, and several puts at once where it puts quickly.

#[cfg(test)]
mod put_together_laws;

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use volley_api::SinkBatch;

use crate::task::sink::pipeline::{FetchedBatch, Prepared, Signal};

/// How long a batch that is not full waits for others, which come at once where there are any.
const LONGEST_WAIT: Duration = Duration::from_millis(2);
/// A task whose last call took less is given several puts at once: it would wait for the worker more than it puts.
const QUICK: Duration = Duration::from_millis(5);
/// Bytes of keys and values of one put of several batches, which its task has several times in memory.
const BYTES_OF_A_PUT: usize = 16 << 20;
/// Rows, and bytes of keys and values, of several puts.
const ROWS_OF_SEVERAL: usize = 2000;
const BYTES_OF_SEVERAL: usize = 1 << 20;

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
    /// Rows of one put; 0: each batch goes alone.
    rows_of_a_put: usize,
    is_quick: bool,
    /// What a call of the task has left.
    left: Vec<ToPut>,
    /// What has been gathered for the next call.
    gathered: Vec<ToPut>,
    /// Whether that is known already: nothing comes to it any more.
    is_known: bool,
    /// What came behind batches that were gathered, and does not belong to them.
    held: Option<Prepared>,
}

impl Gathering {
    /// For a task whose puts have up to so many rows; 0: each batch goes alone.
    pub(crate) fn up_to(rows_of_a_put: usize) -> Self {
        Self { rows_of_a_put, is_quick: false, left: Vec::new(), gathered: Vec::new(), is_known: false, held: None }
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
        if !self.left.is_empty() {
            return Ok(Next::Batches(std::mem::take(&mut self.left)));
        }
        if self.gathered.is_empty() {
            let first = match self.held.take() {
                Some(held) => held,
                None => input.recv_deadline(deadline)?,
            };
            if let Some(signal) = self.begin(first) {
                return Ok(Next::Signal(signal));
            }
        }
        if !std::mem::take(&mut self.is_known) {
            self.gather(self.rows_of_a_put, || input.recv_timeout(LONGEST_WAIT).ok());
            self.gather(self.rows_of_a_call(), || input.try_recv().ok());
        }
        Ok(Next::Batches(std::mem::take(&mut self.gathered)))
    }

    /// The batches that come next, where there are enough of them for a put, or no others can come to them.
    pub(crate) fn look_ahead(&mut self, input: &Receiver<Prepared>) -> Option<&[ToPut]> {
        if !self.is_known {
            if self.gathered.is_empty() {
                let first = self.held.take().or_else(|| input.try_recv().ok())?;
                if let Some(signal) = self.begin(first) {
                    self.held = Some(Prepared::Signal(signal));
                    return None;
                }
            }
            self.gather(self.rows_of_a_call(), || input.try_recv().ok());
            self.is_known = self.held.is_some() || self.rows() >= self.rows_of_a_put;
        }
        self.is_known.then_some(&self.gathered)
    }

    /// Notes how long a call of the task took, and what it has not put yet, which comes next.
    pub(crate) fn called(&mut self, took: Duration, left: Vec<ToPut>) {
        self.is_quick = took < QUICK;
        self.left = left;
    }

    fn rows_of_a_call(&self) -> usize {
        match self.is_quick && self.rows_of_a_put > 0 {
            true => self.rows_of_a_put.max(ROWS_OF_SEVERAL),
            false => self.rows_of_a_put,
        }
    }

    /// Begins with what has come; gives it back if it is a signal.
    fn begin(&mut self, first: Prepared) -> Option<Signal> {
        match first {
            Prepared::Signal(signal) => Some(signal),
            Prepared::Batch { fetched, batch } => {
                self.gathered.push(ToPut { fetched, batch });
                None
            }
        }
    }

    /// Adds what comes, until there is enough, or something else, or nothing.
    fn gather(&mut self, most_rows: usize, mut more: impl FnMut() -> Option<Prepared>) {
        while self.rows() < most_rows {
            match self.held.take().or_else(&mut more) {
                Some(Prepared::Batch { fetched, batch }) if self.has_room(&batch, most_rows) => {
                    self.gathered.push(ToPut { fetched, batch });
                }
                Some(held) => {
                    self.held = Some(held);
                    return;
                }
                None => return,
            }
        }
    }

    fn has_room(&self, batch: &SinkBatch, most_rows: usize) -> bool {
        let bytes = || self.gathered.iter().map(|one| one.batch.raw.bytes()).sum::<usize>() + batch.raw.bytes();
        let most_bytes = if most_rows == self.rows_of_a_put { BYTES_OF_A_PUT } else { BYTES_OF_SEVERAL };
        self.rows() + batch.raw.len() <= most_rows && bytes() <= most_bytes
    }

    fn rows(&self) -> usize {
        self.gathered.iter().map(|one| one.fetched.raw.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crossbeam_channel::{Sender, bounded};
    use volley_api::RawBatch;
    use volley_api::testing::raw_batch;

    use super::*;
    use crate::memory_budget::MemoryBudget;

    fn send(sender: &Sender<Prepared>, partition: i32, first: i64, rows: usize) {
        send_batch(sender, raw_batch("t", partition, first, vec![Some(&b"v"[..]); rows]));
    }

    fn send_batch(sender: &Sender<Prepared>, raw: RawBatch) {
        let raw = Arc::new(raw);
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
    fn only_what_nothing_can_come_to_is_known_ahead_and_it_comes_next() {
        let (sender, input) = bounded(16);
        let mut gathering = Gathering::up_to(10);
        let ahead = |gathering: &mut Gathering| {
            let ahead = gathering.look_ahead(&input);
            ahead.map(|batches| batches.iter().map(|one| one.batch.origin().range.first).collect::<Vec<_>>())
        };
        assert_eq!(ahead(&mut gathering), None);
        send(&sender, 0, 0, 4);
        assert_eq!(ahead(&mut gathering), None, "others may come");
        send(&sender, 1, 10, 6);
        assert_eq!(ahead(&mut gathering), Some(vec![0, 10]));
        send(&sender, 0, 4, 1);
        assert!(sender.send(Prepared::Signal(Signal::Commit)).is_ok());
        assert_eq!(ahead(&mut gathering), Some(vec![0, 10]));
        assert!(matches!(gathering.next(&input, Instant::now()), Ok(Next::Batches(batches)) if batches.len() == 2));
        assert_eq!(ahead(&mut gathering), Some(vec![4]), "a signal is behind it");
        assert_eq!(given(&mut gathering, &input), vec![vec![4], vec![]]);
        assert!(sender.send(Prepared::Signal(Signal::Commit)).is_ok());
        assert_eq!(ahead(&mut gathering), None);
        assert_eq!(given(&mut gathering, &input), vec![Vec::<i64>::new()]);
    }

    #[test]
    fn without_a_limit_each_batch_goes_alone() {
        let (sender, input) = bounded(4);
        send(&sender, 0, 0, 1);
        send(&sender, 1, 10, 1);
        let mut gathering = Gathering::up_to(0);
        gathering.called(Duration::ZERO, Vec::new());
        assert_eq!(given(&mut gathering, &input), vec![vec![0], vec![10]]);
    }

    #[test]
    fn a_quick_task_is_given_several_puts_at_once_and_a_slow_one_is_not() {
        let (sender, input) = bounded(16);
        let mut gathering = Gathering::up_to(10);
        let mut after = |took| {
            gathering.called(took, Vec::new());
            for (first, rows) in [(0, 8), (8, 10), (18, 4)] {
                send(&sender, 0, first, rows);
            }
            given(&mut gathering, &input)
        };
        assert_eq!(after(QUICK), vec![vec![0], vec![8], vec![18]]);
        assert_eq!(after(Duration::ZERO), vec![vec![0, 8, 18]]);
    }

    #[test]
    fn several_puts_have_no_more_rows_and_bytes_than_they_may_and_one_put_may_have_more() {
        let (sender, input) = bounded(16);
        let mut gathering = Gathering::up_to(ROWS_OF_SEVERAL / 2);
        gathering.called(Duration::ZERO, Vec::new());
        for first in 0..3 {
            send(&sender, 0, first * 1000, ROWS_OF_SEVERAL / 2);
        }
        assert_eq!(given(&mut gathering, &input), vec![vec![0, 1000], vec![2000]]);
        let large = vec![b'v'; BYTES_OF_SEVERAL];
        for first in 0..3 {
            send_batch(&sender, raw_batch("t", 0, first, vec![Some(&*large)]));
        }
        assert_eq!(given(&mut gathering, &input), vec![vec![0, 1, 2]], "of one put");
        let half = vec![b'v'; BYTES_OF_A_PUT / 2];
        for first in 0..3 {
            send_batch(&sender, raw_batch("t", 0, first, vec![Some(&*half)]));
        }
        assert_eq!(given(&mut gathering, &input), vec![vec![0, 1], vec![2]], "of one put, where they are large");
        let mut gathering = Gathering::up_to(1);
        gathering.called(Duration::ZERO, Vec::new());
        for first in 0..3 {
            send_batch(&sender, raw_batch("t", 0, first, vec![Some(&*large)]));
        }
        assert_eq!(given(&mut gathering, &input), vec![vec![0], vec![1], vec![2]]);
    }

    #[test]
    fn what_a_call_has_left_comes_next_before_what_is_known_and_before_a_signal() {
        let (sender, input) = bounded(16);
        let mut gathering = Gathering::up_to(10);
        for first in [0, 10, 20] {
            send(&sender, 0, first, 10);
        }
        assert!(sender.send(Prepared::Signal(Signal::Commit)).is_ok());
        let Ok(Next::Batches(batches)) = gathering.next(&input, Instant::now()) else { panic!("no batches") };
        assert_eq!(gathering.look_ahead(&input).map(<[ToPut]>::len), Some(1));
        gathering.called(Duration::ZERO, batches);
        assert_eq!(gathering.look_ahead(&input).map(<[ToPut]>::len), Some(1), "nothing comes to what is known");
        assert_eq!(given(&mut gathering, &input), vec![vec![0], vec![10], vec![20], vec![]]);
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
