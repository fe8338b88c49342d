//! What the herder is doing, so that a request which timed out can say what it waited for.

use chrono::{DateTime, SecondsFormat, Utc};
use parking_lot::Mutex;

/// One thing that the herder did or does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What, as in "The worker is currently …".
    pub description: String,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it was over; `None` while it goes on.
    pub completed: Option<DateTime<Utc>>,
}

impl Stage {
    /// Kafka Connect's sentence about it.
    pub fn summary(&self) -> String {
        let iso = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        match self.completed {
            None => {
                format!("The worker is currently {}, which began at {}.", self.description, iso(self.started))
            }
            Some(completed) => format!(
                "The last operation the worker completed was {}, which began at {} and completed at {}.",
                self.description,
                iso(self.started),
                iso(completed)
            ),
        }
    }
}

/// The stage that the herder is in, or was in last.
#[derive(Debug, Default)]
pub struct Stages {
    latest: Mutex<Option<Stage>>,
}

/// A stage that lasts until it is dropped.
#[derive(Debug)]
pub struct OpenStage<'a> {
    stages: &'a Stages,
}

impl Stages {
    /// Enters a stage; it is over when the answer is dropped.
    #[must_use]
    pub fn enter(&self, description: impl Into<String>) -> OpenStage<'_> {
        *self.latest.lock() = Some(Stage { description: description.into(), started: Utc::now(), completed: None });
        OpenStage { stages: self }
    }

    /// The latest stage.
    pub fn latest(&self) -> Option<Stage> {
        self.latest.lock().clone()
    }
}

impl Drop for OpenStage<'_> {
    fn drop(&mut self) {
        if let Some(stage) = &mut *self.stages.latest.lock() {
            stage.completed.get_or_insert_with(Utc::now);
        }
    }
}
