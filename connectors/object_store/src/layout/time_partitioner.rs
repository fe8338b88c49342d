//! `TimeBasedPartitioner`, `DailyPartitioner` and `HourlyPartitioner`: a directory for each span of time.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use volley_api::{Records, Result};

use super::assignment::{Assignment, REJECTED};
use super::partitioner::{Partitioner, Split};
use super::time::{Buckets, ExtractedTimes, PathPattern, RowTimes, TimestampExtractor, Zone};

/// More directories than these are not remembered: late records may need any number.
const MAX_KNOWN_DIRECTORIES: usize = 1024;

/// How time makes a directory.
#[derive(Clone, Debug)]
pub(crate) struct TimeLayout {
    /// Positive.
    pub(crate) duration_ms: i64,
    pub(crate) pattern: PathPattern,
    pub(crate) zone: Zone,
    pub(crate) extractor: TimestampExtractor,
}

impl TimeLayout {
    /// A text that differs for layouts that differ.
    pub(crate) fn signature(&self) -> String {
        format!("{} {} {:?} {}", self.duration_ms, self.pattern.signature(), self.zone.id(), self.extractor.signature())
    }
}

/// The directories of rows by their times.
#[derive(Debug)]
pub(crate) struct TimeDirectories {
    layout: TimeLayout,
    known: RefCell<Known>,
}

#[derive(Debug)]
struct Known {
    buckets: Buckets,
    /// The directory of each bucket, by the bucket's start.
    directories: FxHashMap<i64, Arc<str>>,
}

impl TimeDirectories {
    /// Directories in this layout.
    pub(crate) fn new(layout: TimeLayout) -> Self {
        let buckets = Buckets::new(layout.duration_ms, layout.zone.clone());
        Self { layout, known: RefCell::new(Known { buckets, directories: FxHashMap::default() }) }
    }

    /// The layout.
    pub(crate) fn layout(&self) -> &TimeLayout {
        &self.layout
    }

    /// The directory of each row, and the rows' times.
    pub(crate) fn assign(&self, records: &Records, now_ms: i64) -> Result<(Assignment, RowTimes)> {
        let ExtractedTimes { times, rejected } = self.layout.extractor.times(records, now_ms, &self.layout.zone)?;
        let known = &mut *self.known.borrow_mut();
        let rows = records.len();
        let assignment = match &times {
            _ if rejected.len() == rows => Assignment::coded(vec![REJECTED; rows], Vec::new(), rejected),
            RowTimes::Same(time) => {
                let start = known.buckets.bucket_of(*time).start;
                Assignment::uniform(rows, known.directory(&self.layout, start))
            }
            RowTimes::Each(times) => known.assign(&self.layout, times, rejected),
        };
        Ok((assignment, times))
    }
}

impl Known {
    fn assign(&mut self, layout: &TimeLayout, times: &[i64], rejected: Vec<(usize, String)>) -> Assignment {
        let mut bad_rows = rejected.iter().map(|(row, _)| *row).peekable();
        let first_good = (0..times.len()).find(|row| bad_rows.next_if_eq(row).is_none()).unwrap_or(0);
        let mut bucket = self.buckets.bucket_of(times[first_good]);
        if rejected.is_empty() && times.iter().all(|time| bucket.contains(*time)) {
            return Assignment::uniform(times.len(), self.directory(layout, bucket.start));
        }
        let mut texts = vec![self.directory(layout, bucket.start)];
        let mut code_of_start: FxHashMap<i64, u32> = [(bucket.start, 0)].into_iter().collect();
        let mut code = 0;
        let mut bad_rows = rejected.iter().map(|(row, _)| *row).peekable();
        let mut codes = Vec::with_capacity(times.len());
        // row by row, but rows of one bucket cost a comparison each
        for (row, time) in times.iter().enumerate() {
            if bad_rows.next_if_eq(&row).is_some() {
                codes.push(REJECTED);
                continue;
            }
            if !bucket.contains(*time) {
                bucket = self.buckets.bucket_of(*time);
                code = *code_of_start.entry(bucket.start).or_insert_with(|| {
                    texts.push(self.directory(layout, bucket.start));
                    texts.len() as u32 - 1
                });
            }
            codes.push(code);
        }
        Assignment::coded(codes, texts, rejected)
    }

    fn directory(&mut self, layout: &TimeLayout, start: i64) -> Arc<str> {
        if self.directories.len() >= MAX_KNOWN_DIRECTORIES {
            self.directories.clear();
        }
        let directory =
            self.directories.entry(start).or_insert_with(|| layout.pattern.format(start, &layout.zone).into());
        Arc::clone(directory)
    }
}

/// Names the directory after the record's time: `year=2026/month=11/day=30/hour=20`.
#[derive(Debug)]
pub(crate) struct TimePartitioner {
    directories: TimeDirectories,
}

impl TimePartitioner {
    /// A partitioner with this layout.
    pub(crate) fn new(layout: TimeLayout) -> Self {
        Self { directories: TimeDirectories::new(layout) }
    }
}

impl Partitioner for TimePartitioner {
    fn split(&self, records: &Records, now_ms: i64) -> Result<Split> {
        let (assignment, times) = self.directories.assign(records, now_ms)?;
        Ok(assignment.into_split(Some(times)))
    }

    fn signature(&self) -> String {
        format!("time {}", self.directories.layout().signature())
    }
}
