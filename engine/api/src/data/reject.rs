//! Rows that could not be processed. Components report them; only the worker's error handler decides what follows.

use std::fmt;

use crate::Error;

/// Where in the pipeline a row was rejected. `Display` gives Kafka Connect's name (KIP-298).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Key conversion.
    KeyConverter,
    /// Value conversion.
    ValueConverter,
    /// Header conversion.
    HeaderConverter,
    /// A transformation or its predicate.
    Transformation,
    /// Producing to Kafka (sources).
    KafkaProduce,
    /// The sink task itself (KIP-610).
    TaskPut,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::HeaderConverter => "HEADER_CONVERTER",
            Self::Transformation => "TRANSFORMATION",
            Self::KafkaProduce => "KAFKA_PRODUCE",
            Self::TaskPut => "TASK_PUT",
        })
    }
}

/// A row that a component could not process, and why.
#[derive(Debug)]
pub struct RejectedRow {
    /// Row of the INPUT batch of the pipeline (the raw batch for sinks, the polled batch for sources), not of an
    /// intermediate `Records`: see [`crate::RowIndex`].
    pub row: usize,
    /// Where it happened.
    pub stage: Stage,
    /// Class name of the component that rejected it, as configured plug-ins are named.
    pub class: String,
    /// Why. Its kind says whether a retry may help.
    pub error: Error,
}
