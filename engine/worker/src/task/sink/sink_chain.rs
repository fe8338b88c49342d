//! Who converts and transforms what a sink task consumes: the worker, or the task by itself.

use std::sync::Arc;

use crossbeam_channel::Sender;
use volley_api::SinkBatch;

use crate::task::control::Control;
use crate::task::sink::convert_stage::ConvertStage;
use crate::task::sink::pipeline::{Fetched, Prepared};

/// The second stage of a sink task.
pub(crate) enum SinkChain {
    /// The worker's converters and transformations.
    OfWorker(Box<ConvertStage>),
    /// The task's own: it is given the messages as consumed.
    OfTask(Arc<Control>),
}

impl SinkChain {
    /// Passes on what comes, in order. `false` if nothing can come after it.
    pub(crate) fn pass_on(&mut self, fetched: Fetched, output: &Sender<Prepared>) -> bool {
        match self {
            Self::OfWorker(stage) => stage.pass_on(fetched, output),
            Self::OfTask(control) => output.send(as_consumed(control, fetched)).is_ok(),
        }
    }
}

fn as_consumed(control: &Control, fetched: Fetched) -> Prepared {
    match fetched {
        Fetched::Signal(signal) => Prepared::Signal(signal),
        Fetched::Batch(fetched) => {
            control.uses_topic(&fetched.raw.origin.partition.topic);
            let batch = SinkBatch { raw: Arc::clone(&fetched.raw), records: Vec::new() };
            Prepared::Batch { fetched, batch }
        }
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::raw_batch;

    use super::*;
    use crate::memory_budget::MemoryBudget;
    use crate::task::sink::convert_stage::test_control;
    use crate::task::sink::pipeline::{FetchedBatch, Signal};

    #[test]
    fn a_task_with_its_own_chain_is_given_the_messages_as_consumed() {
        let (output, prepared) = crossbeam_channel::bounded(2);
        let mut chain = SinkChain::OfTask(test_control());
        let raw = Arc::new(raw_batch("t", 0, 5, [Some(&b"not JSON"[..]), None]));
        let reservation = Arc::new(MemoryBudget::new(1)).reserve(0);
        let fetched = FetchedBatch { raw: Arc::clone(&raw), _reservation: reservation, generation: 3 };
        assert!(chain.pass_on(Fetched::Batch(fetched), &output));
        assert!(chain.pass_on(Fetched::Signal(Signal::Commit), &output));
        let Ok(Prepared::Batch { fetched, batch }) = prepared.try_recv() else { panic!("no batch") };
        assert!(Arc::ptr_eq(&batch.raw, &raw) && batch.records.is_empty());
        assert_eq!(fetched.generation, 3);
        assert!(matches!(prepared.try_recv(), Ok(Prepared::Signal(Signal::Commit))));
        drop(prepared);
        assert!(!chain.pass_on(Fetched::Signal(Signal::Commit), &output));
    }
}
