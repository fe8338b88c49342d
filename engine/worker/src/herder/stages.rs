//! The operations of the herder, so that a request which timed out can name the one that it waited for.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use parking_lot::Mutex;

use crate::clock::now;

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

/// The stages that the herder is in, one within the other, and the one that it was in last.
#[derive(Debug, Default)]
pub struct Stages(Arc<Mutex<History>>);

#[derive(Debug, Default)]
struct History {
    open: Vec<(u64, Stage)>,
    last: Option<Stage>,
    entered: u64,
}

/// A stage that lasts until it is dropped.
#[derive(Debug)]
pub struct OpenStage {
    history: Arc<Mutex<History>>,
    number: u64,
}

impl Stages {
    /// Enters a stage; it is over when the answer is dropped.
    #[must_use]
    pub fn enter(&self, description: impl Into<String>) -> OpenStage {
        let stage = Stage { description: description.into(), started: now(), completed: None };
        let mut history = self.0.lock();
        history.entered += 1;
        let number = history.entered;
        history.open.push((number, stage));
        OpenStage { history: Arc::clone(&self.0), number }
    }

    /// The innermost stage, or the one that was over last. One within another of the same name is that one.
    pub fn latest(&self) -> Option<Stage> {
        let history = self.0.lock();
        let Some((_, innermost)) = history.open.last() else { return history.last.clone() };
        history.open.iter().map(|(_, stage)| stage).find(|stage| stage.description == innermost.description).cloned()
    }
}

impl Drop for OpenStage {
    fn drop(&mut self) {
        let mut history = self.history.lock();
        if let Some(at) = history.open.iter().position(|(number, _)| *number == self.number) {
            let (_, stage) = history.open.remove(at);
            history.last = Some(Stage { completed: Some(now()), ..stage });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_goes_on_while_another_comes_and_goes_within_it() {
        let stages = Stages::default();
        assert_eq!(stages.latest(), None);
        let outer = stages.enter("outer");
        let began = stages.latest().unwrap();
        let again = stages.enter("outer");
        assert_eq!(stages.latest().unwrap(), began, "it is the same one");
        let inner = stages.enter("inner");
        assert_eq!(stages.latest().unwrap().description, "inner");
        drop((inner, again));
        assert_eq!(stages.latest().unwrap(), began);
        drop(outer);
        let last = stages.latest().unwrap();
        assert_eq!((last.description.as_str(), last.started), ("outer", began.started));
        assert!(
            last.completed.is_some() && last.summary().starts_with("The last operation the worker completed was outer")
        );
    }
}
