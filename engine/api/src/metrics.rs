//! Counters and gauges of a plug-in, by name. The worker shows them beside its own.
//!
//! ```
//! use volley_api::metrics::{Metrics, WRITTEN_BYTES};
//!
//! let metrics = Metrics::default();
//! let written = metrics.counter(WRITTEN_BYTES);
//! written.add(512);
//! assert_eq!(metrics.value(WRITTEN_BYTES), Some(512));
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Gauge: files being written. Progress displays know it.
pub const OPEN_FILES: &str = "open_files";
/// Counter: files completed since the task started. Progress displays know it.
pub const COMPLETE_FILES: &str = "complete_files";
/// Counter: bytes written since the task started. Progress displays know it.
pub const WRITTEN_BYTES: &str = "written_bytes";

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A number that only grows.
    Counter,
    /// A number that goes up and down.
    Gauge,
}

/// One metric as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricReading {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: MetricKind,
    /// Its value.
    pub value: i64,
}

#[derive(Debug)]
struct Metric {
    kind: MetricKind,
    value: Arc<AtomicI64>,
}

/// The metrics of one task or connector. A clone is the same metrics.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Mutex<BTreeMap<Cow<'static, str>, Metric>>>);

impl Metrics {
    /// The counter `name`, which begins at 0. The same name gives the same counter. A name keeps the kind of its first use.
    pub fn counter(&self, name: impl Into<Cow<'static, str>>) -> Counter {
        Counter(self.metric(name.into(), MetricKind::Counter))
    }

    /// The gauge `name`, which begins at 0. The same name gives the same gauge. A name keeps the kind of its first use.
    pub fn gauge(&self, name: impl Into<Cow<'static, str>>) -> Gauge {
        Gauge(self.metric(name.into(), MetricKind::Gauge))
    }

    fn metric(&self, name: Cow<'static, str>, kind: MetricKind) -> Arc<AtomicI64> {
        let mut metrics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let metric = metrics.entry(name).or_insert_with(|| Metric { kind, value: Arc::default() });
        Arc::clone(&metric.value)
    }

    /// The value of the metric `name`; `None` if nobody has asked for it.
    pub fn value(&self, name: &str) -> Option<i64> {
        let metrics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        metrics.get(name).map(|metric| metric.value.load(Ordering::Relaxed))
    }

    /// All metrics as they stand, by name.
    pub fn read(&self) -> Vec<MetricReading> {
        let metrics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = |(name, metric): (&Cow<'static, str>, &Metric)| MetricReading {
            name: name.clone().into_owned(),
            kind: metric.kind,
            value: metric.value.load(Ordering::Relaxed),
        };
        metrics.iter().map(reading).collect()
    }
}

/// A number that only grows. A clone is the same counter.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicI64>);

impl Counter {
    /// Adds `amount`.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(i64::try_from(amount).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// The sum so far.
    pub fn value(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }
}

/// A number that goes up and down. A clone is the same gauge.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    /// Sets the value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value.
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_metric_of_the_kind_of_its_first_use() {
        let metrics = Metrics::default();
        metrics.counter("rows").add(2);
        metrics.clone().counter("rows").add(3);
        metrics.gauge("depth".to_owned()).set(-7);
        metrics.gauge("rows").set(6);
        let reading = |name: &str, kind, value| MetricReading { name: name.to_owned(), kind, value };
        assert_eq!(metrics.read(), [reading("depth", MetricKind::Gauge, -7), reading("rows", MetricKind::Counter, 6)]);
        assert_eq!((metrics.value("rows"), metrics.value("none")), (Some(6), None));
    }
}
