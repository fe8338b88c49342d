//! How a source task that delivers exactly once begins (KIP-618): nobody else writes in its name from then on.
//!
//! ```text
//!  fence the tasks of earlier generations ─► take over the transactional id ─► still the latest, and ours? ─► read offsets
//! ```

use std::time::Duration;

use tracing::{debug, info, warn};
use volley_api::{Error, Result};
use volley_kafka::Producer;

use crate::task::TaskSpec;
use crate::task::control::Control;
use crate::task::source::produce::outbox::ProducerFactory;
use crate::task::source::produce::record_producer::RecordProducer;

/// How long one try to take over takes, until it is looked whether the task is to stop.
const TRY: Duration = Duration::from_secs(1);
/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// What a source task that delivers exactly once needs of its worker. Calls block.
pub trait ExactlyOnceGuard: Send + Sync {
    /// Fences the producers of all tasks of earlier generations of the connector, unless that was done. Gives up, with `false`,
    /// once `is_wanted` says so.
    ///
    /// # Errors
    /// If the cluster or the leader refuses.
    fn fence_predecessors(&self, is_wanted: &dyn Fn() -> bool) -> Result<bool>;

    /// Checks that the task is of the latest generation, and still to run here.
    ///
    /// # Errors
    /// If it is not.
    fn check_is_current(&self) -> Result<()>;
}

/// Takes over the task's `transactional.id`. Returns the maker of its one producer; `None` if the task is to stop.
///
/// # Errors
/// What the task fails with.
pub(super) fn take_over(
    spec: &TaskSpec,
    guard: &dyn ExactlyOnceGuard,
    control: &Control,
) -> Result<Option<ProducerFactory>> {
    debug!(task = %spec.id, "fencing the tasks of earlier generations");
    if !guard.fence_predecessors(&|| !control.is_stopping())? || control.is_stopping() {
        return Ok(None);
    }
    let (connector, task) = (&spec.id.connector, spec.id.task);
    let (properties, overruled) =
        spec.worker_config.transactional_producer_properties(&spec.connector_config, connector, task);
    for key in overruled {
        warn!(task = %spec.id, key, value = properties[key], "the producer's key has this value with exactly-once, whatever is configured");
    }
    let mut producer = Producer::connect(&properties)?;
    while let Err(error) = producer.init_transactions(TRY) {
        if !error.is_retriable() {
            return Err(error);
        }
        if control.is_stopping() {
            return Ok(None);
        }
        debug!(task = %spec.id, %error, "the transactional id is not taken over yet, trying on");
        control.wait(PAUSE);
    }
    guard.check_is_current()?;
    info!(task = %spec.id, "the task delivers exactly once, and alone");
    Ok(Some(once(producer)))
}

/// Gives the producer to the first who asks.
fn once(producer: Producer) -> ProducerFactory {
    let producer = std::sync::Mutex::new(Some(producer));
    Box::new(move || {
        let producer = producer.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let producer = producer.ok_or_else(|| Error::fatal("the producer of the task has been closed"))?;
        Ok(Box::new(producer) as Box<dyn RecordProducer>)
    })
}
