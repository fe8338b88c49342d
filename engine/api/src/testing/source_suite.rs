//! What the worker relies on in a source: it resumes from every offset.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::row_text::{check_shape, row_texts};
use crate::{Polled, Result, SourceContext, SourceOffset, SourcePartition, SourceTask};

/// How long a source that has given something may have nothing before it counts as at its end.
const QUIET: Duration = Duration::from_millis(500);
/// How long records are waited for that have to come.
const LATE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// One batch as the suite keeps it.
struct Seen {
    partition: SourcePartition,
    offset: SourceOffset,
    rows: Vec<String>,
}

/// What a source gave.
struct Run {
    batches: Vec<Seen>,
    is_finished: bool,
}

/// A source that is started with the offset of any of its batches stored goes on with the first record behind it: none is
/// lost and none comes twice. Where a source has several partitions, that holds whichever of them have their offsets stored.
///
/// Reads about `rows` records, or all if it ends before or has nothing more for half a second; then starts the task anew for
/// each batch. Timestamps are not compared.
///
/// # Panics
/// If the law is broken.
pub fn resumes_from_every_offset<T: SourceTask>(rows: usize, start: impl Fn(SourceContext) -> Result<T>) {
    let whole = read(&start, &BTreeMap::new(), rows, QUIET);
    assert!(!whole.batches.is_empty(), "the source gave no records");
    for place in 0..whole.batches.len() {
        let newest = whole.batches[..=place].iter().map(|batch| (key_of(&batch.partition), batch.offset.clone()));
        check_from(&start, &whole, &newest.collect());
        let batch = &whole.batches[place];
        check_from(&start, &whole, &BTreeMap::from([(key_of(&batch.partition), batch.offset.clone())]));
    }
}

type Stored = BTreeMap<String, SourceOffset>;

fn check_from<T: SourceTask>(start: &impl Fn(SourceContext) -> Result<T>, whole: &Run, stored: &Stored) {
    let expected = rest(whole, stored);
    let wanted = expected.values().map(Vec::len).sum();
    let resumed = read(start, stored, wanted, LATE);
    for (partition, rows) in expected {
        let come = of_partition(&resumed, &partition);
        let compared = if whole.is_finished { come.len() } else { come.len().min(rows.len()) };
        assert_eq!(
            come[..compared],
            rows,
            "started from {stored:?}, partition {partition} must go on with the first record behind its offset"
        );
    }
}

/// The rows of each partition that come behind what is stored.
fn rest(whole: &Run, stored: &Stored) -> BTreeMap<String, Vec<String>> {
    let mut rest: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for batch in &whole.batches {
        let key = key_of(&batch.partition);
        let rows = rest.entry(key.clone()).or_default();
        rows.extend(batch.rows.iter().cloned());
        if stored.get(&key) == Some(&batch.offset) {
            rows.clear();
        }
    }
    rest
}

fn of_partition(run: &Run, partition: &str) -> Vec<String> {
    let batches = run.batches.iter().filter(|batch| key_of(&batch.partition) == partition);
    batches.flat_map(|batch| batch.rows.iter().cloned()).collect()
}

fn key_of(partition: &SourcePartition) -> String {
    Value::from(partition.clone()).to_string()
}

fn read<T: SourceTask>(
    start: &impl Fn(SourceContext) -> Result<T>,
    stored: &Stored,
    rows: usize,
    patience: Duration,
) -> Run {
    let offsets = stored.clone();
    let reader = move |partition: &SourcePartition| Ok(offsets.get(&key_of(partition)).cloned());
    let context = SourceContext::new("conformance", 0).with_offsets(std::sync::Arc::new(reader));
    let mut task = start(context).expect("a source that starts");
    let mut run = Run { batches: Vec::new(), is_finished: false };
    // to read the first takes more on a busy machine than to go on
    let (mut missing, mut deadline) = (rows, Instant::now() + LATE);
    while missing > 0 && !run.is_finished && Instant::now() < deadline {
        match task.poll(POLL) {
            Ok(Polled::Batches(batches)) => {
                for batch in batches {
                    check_shape(&batch.records);
                    missing = missing.saturating_sub(batch.records.len());
                    let rows = row_texts(&batch.records);
                    run.batches.push(Seen { partition: batch.partition, offset: batch.offset, rows });
                    deadline = Instant::now() + patience;
                }
            }
            Ok(Polled::Idle) => {}
            Ok(Polled::IdleFor(wait)) => std::thread::sleep(wait.min(POLL)),
            Ok(Polled::Finished) => run.is_finished = true,
            Err(error) => assert!(error.is_retriable(), "poll failed: {error:?}"),
        }
    }
    task.stop();
    run
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{json_object, records, texts};
    use crate::{Error, SourceBatch};

    /// Counts to 9 in batches of 4; `skew` is added to what it resumes from.
    struct Counter {
        next: u64,
        fails: bool,
    }

    fn counter(skew: i64) -> impl Fn(SourceContext) -> Result<Counter> {
        move |context| {
            let stored = context.offset(&json_object("{}"))?;
            let next = stored.map_or(0, |offset| offset["next"].as_u64().unwrap().saturating_add_signed(skew));
            Ok(Counter { next, fails: false })
        }
    }

    impl SourceTask for Counter {
        fn poll(&mut self, _: Duration) -> Result<Polled> {
            if self.next >= 10 {
                return Ok(Polled::Finished);
            }
            let numbers: Vec<String> = (self.next..10.min(self.next + 4)).map(|number| number.to_string()).collect();
            self.next += numbers.len() as u64;
            if self.fails {
                return Err(Error::fatal("broken"));
            }
            let records = records("t", texts(numbers.iter().map(String::as_str)));
            let offset = json_object(&format!("{{\"next\":{}}}", self.next));
            Ok(Polled::Batches(vec![SourceBatch { records, partition: json_object("{}"), offset }]))
        }
    }

    #[test]
    fn a_source_that_resumes_conforms() {
        resumes_from_every_offset(100, counter(0));
        resumes_from_every_offset(6, counter(0));
    }

    #[test]
    #[should_panic(expected = "must go on with the first record behind its offset")]
    fn a_source_that_loses_a_record_is_found_out() {
        resumes_from_every_offset(100, counter(1));
    }

    #[test]
    #[should_panic(expected = "must go on with the first record behind its offset")]
    fn a_source_that_repeats_a_record_is_found_out() {
        resumes_from_every_offset(100, counter(-1));
    }

    #[test]
    #[should_panic(expected = "must go on with the first record behind its offset")]
    fn a_source_that_begins_anew_is_found_out() {
        resumes_from_every_offset(8, |_| Ok(Counter { next: 0, fails: false }));
    }

    #[test]
    #[should_panic(expected = "poll failed")]
    fn a_source_that_fails_is_found_out() {
        resumes_from_every_offset(8, |_| Ok(Counter { next: 0, fails: true }));
    }
}
