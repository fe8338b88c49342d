//! Rejected records, by the stage that rejected them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use volley_api::{ConnectorKind, Stage};

/// All stages, in the order of a record's way.
const STAGES: [Stage; 6] = [
    Stage::KeyConverter,
    Stage::ValueConverter,
    Stage::HeaderConverter,
    Stage::Transformation,
    Stage::TaskPut,
    Stage::KafkaProduce,
];

/// A counter for each stage.
#[derive(Debug, Default)]
pub(crate) struct StageCounters([AtomicU64; STAGES.len()]);

impl StageCounters {
    /// Counts one record.
    pub(crate) fn count(&self, stage: Stage) {
        let known = STAGES.iter().zip(&self.0).find(|(known, _)| **known == stage);
        if let Some((_, counter)) = known {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counters of the stages that a task of this kind has.
    pub(crate) fn of(&self, kind: ConnectorKind) -> impl Iterator<Item = (Stage, u64)> {
        let foreign = match kind {
            ConnectorKind::Sink => Stage::KafkaProduce,
            ConnectorKind::Source => Stage::TaskPut,
        };
        let counted = STAGES.iter().zip(&self.0).filter(move |(stage, _)| **stage != foreign);
        counted.map(|(stage, counter)| (*stage, counter.load(Ordering::Relaxed)))
    }

    /// Those that are not zero, by the stage's name.
    pub(crate) fn counted(&self) -> BTreeMap<String, u64> {
        let counted = STAGES.iter().zip(&self.0);
        let counted = counted.map(|(stage, counter)| (stage.to_string(), counter.load(Ordering::Relaxed)));
        counted.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_a_counter_of_its_own() {
        let counters = StageCounters::default();
        for (times, stage) in (1..).zip(STAGES) {
            (0..times).for_each(|_| counters.count(stage));
        }
        let counted: Vec<_> = counters.counted().into_values().collect();
        assert_eq!(counted.iter().sum::<u64>(), 21);
        assert_eq!(counted.len(), STAGES.len(), "names differ, too");
    }

    #[test]
    fn a_task_shows_the_stages_that_it_has_and_what_is_zero_too() {
        let counters = StageCounters::default();
        counters.count(Stage::TaskPut);
        let sink: Vec<_> = counters.of(ConnectorKind::Sink).collect();
        assert_eq!(sink.len(), 5);
        assert!(sink.contains(&(Stage::TaskPut, 1)) && sink.contains(&(Stage::Transformation, 0)));
        assert!(counters.of(ConnectorKind::Source).all(|(stage, count)| stage != Stage::TaskPut && count == 0));
        assert_eq!(counters.counted(), [("TASK_PUT".to_owned(), 1)].into());
    }
}
