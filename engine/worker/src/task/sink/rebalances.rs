//! Forwards rebalances to the put stage.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError};
use tracing::warn;
use volley_api::{Offsets, TopicPartition};
use volley_kafka::RebalanceListener;

use crate::connector_task_id::ConnectorTaskId;
use crate::task::sink::assignment::Assignment;
use crate::task::sink::converting::Converting;
use crate::task::sink::downstream::Downstream;
use crate::task::sink::pipeline::{Fetched, Generations, Signal};
use crate::task::sink::revocation::Revocation;
use crate::task::sink::task_group::TaskGroup;

/// How long a rebalance waits for the put stage to flush and commit.
const REVOCATION_TIMEOUT: Duration = Duration::from_secs(60);
/// Interval at which a waiting rebalance checks whether the put stage still runs.
const LOOK: Duration = Duration::from_millis(50);

/// The rebalance listener of a sink task. A revocation returns only after all delivered records are committed.
pub(crate) struct PipelineRebalances {
    pub(crate) id: ConnectorTaskId,
    pub(crate) output: Converting,
    pub(crate) downstream: Downstream,
    pub(crate) group: Arc<TaskGroup>,
    pub(crate) revocation: Arc<Revocation>,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) generations: Arc<Generations>,
}

impl RebalanceListener for PipelineRebalances {
    fn assigned(&self, positions: &Offsets) {
        let generation = self.generations.next();
        self.assignment.started(positions, generation);
        self.send(Signal::Assigned(positions.clone(), generation));
    }

    fn revoked(&self, partitions: &[TopicPartition]) {
        self.group.gives_up();
        self.revocation.begins(partitions);
        let (done, is_done) = crossbeam_channel::bounded(1);
        if self.send(Signal::Revoked(partitions.to_vec(), done)) {
            self.wait(&is_done);
        }
    }

    fn lost(&self, partitions: &[TopicPartition]) {
        self.group.has_lost();
        self.revocation.begins(partitions);
        self.send(Signal::Lost(partitions.to_vec()));
    }
}

impl PipelineRebalances {
    /// Sends in order; `false` if the pipeline has ended, which happens only when the task ends.
    fn send(&self, signal: Signal) -> bool {
        let mut message = Fetched::Signal(signal);
        loop {
            match self.output.send_timeout(message, LOOK) {
                Ok(()) => return true,
                Err(SendTimeoutError::Disconnected(_)) => return false,
                Err(SendTimeoutError::Timeout(unsent)) => message = unsent,
            }
            if self.downstream.is_gone() {
                return false;
            }
        }
    }

    /// A put stage that ends meanwhile because the task stops has delivered and committed without reading the signal.
    fn wait(&self, is_done: &Receiver<()>) {
        let deadline = Instant::now() + REVOCATION_TIMEOUT;
        while let Err(RecvTimeoutError::Timeout) = is_done.recv_timeout(LOOK) {
            if self.downstream.is_gone() {
                return;
            }
            if Instant::now() >= deadline {
                warn!(task = %self.id, "the sink did not flush in time for the rebalance");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::TaskMetrics;
    use crate::task::control::Control;
    use crate::task::{StatusListener, TaskState};

    /// Much shorter than the time limit of a revocation, and much longer than it takes here.
    const SOON: Duration = Duration::from_secs(20);

    struct Unwatched;

    impl StatusListener for Unwatched {
        fn task_changed(&self, _: &ConnectorTaskId, _: TaskState) {}
    }

    fn rebalances() -> (PipelineRebalances, Receiver<Fetched>, Arc<Control>) {
        let id = ConnectorTaskId { connector: "c".into(), task: 0 };
        let control = Arc::new(Control::new(
            id.clone(),
            Arc::new(Unwatched),
            TaskMetrics::alone(volley_api::ConnectorKind::Sink),
            false,
        ));
        let (output, input) = crossbeam_channel::bounded(1);
        let revocation = Arc::<Revocation>::default();
        let rebalances = PipelineRebalances {
            id,
            output: Converting::to(output),
            downstream: Downstream::new(&control),
            group: Arc::new(TaskGroup::new(Arc::clone(&revocation))),
            revocation,
            assignment: Arc::default(),
            generations: Arc::default(),
        };
        (rebalances, input, control)
    }

    fn partitions() -> Vec<TopicPartition> {
        vec![TopicPartition::new("t", 0)]
    }

    #[test]
    fn a_revocation_does_not_wait_for_a_put_stage_that_has_ended() {
        let (rebalances, _input, _) = rebalances();
        let began = Instant::now();
        std::thread::scope(|scope| {
            let revoking = scope.spawn(|| rebalances.revoked(&partitions()));
            // ends without reading its channel
            drop(rebalances.downstream.ends_put());
            revoking.join().unwrap();
        });
        assert!(began.elapsed() < SOON);
    }

    #[test]
    fn no_rebalance_waits_for_a_task_that_is_abandoned() {
        let (rebalances, _input, control) = rebalances();
        let began = Instant::now();
        rebalances.lost(&partitions());
        assert!(!control.await_end(Duration::ZERO));
        // the full channel is not read any more
        rebalances.lost(&partitions());
        rebalances.assigned(&Offsets::new());
        rebalances.revoked(&partitions());
        assert!(began.elapsed() < SOON);
    }
}
