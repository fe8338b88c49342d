//! Rounds of fencing, which the leader holds for exactly-once sources (KIP-618).
//!
//! ```text
//!  tasks-fencing-orders {"task-count":3}      three tasks may be writing
//!  commit-orders {"tasks":2}                  a new generation: a round is due
//!  fence group-orders-0, -1, -2
//!  tasks-fencing-orders {"task-count":2}      now two may
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, info};
use volley_kafka::{Admin, ClientRole, check_bootstrap_servers};

use super::config_writer::ConfigWriter;
use super::group_view::GroupView;
use crate::error::{HerderError, HerderResult};
use crate::herder::WorkerContext;
use crate::herder::connector_calls::ConnectorCalls;
use crate::plugin_call::{Deadline, call_plugin};
use crate::storage::ConfigRecord;

/// How long reading to the end of the config topic may take.
const REFRESH: Duration = Duration::from_secs(60);
/// How long the coordinators of the producers may take.
const FENCING: Duration = Duration::from_secs(90);

const NEW_TASKS: &str = "Fencing failed because new task configurations were generated for the connector";

/// Holds rounds, one at a time for each connector. Whoever asks meanwhile waits, and finds that nothing is left to do.
pub(super) struct FencingRounds {
    round: Arc<Round>,
    calls: ConnectorCalls,
}

struct Round {
    context: Arc<WorkerContext>,
    group: Arc<GroupView>,
    writer: Arc<ConfigWriter>,
}

impl FencingRounds {
    pub(super) fn new(context: Arc<WorkerContext>, group: Arc<GroupView>, writer: Arc<ConfigWriter>) -> Self {
        Self { round: Arc::new(Round { context, group, writer }), calls: ConnectorCalls::default() }
    }

    /// Fences all tasks of earlier generations of a connector, unless that was done.
    ///
    /// # Errors
    /// `Forward` on another worker than the leader; `Conflict` if there are new tasks meanwhile; if the cluster refuses.
    ///
    /// # Cancellation
    /// The round goes on.
    pub(super) async fn hold(&self, connector: &str) -> HerderResult<()> {
        let (round, name) = (Arc::clone(&self.round), connector.to_owned());
        self.calls.run(connector, async move { round.hold(&name).await }).await
    }
}

impl Round {
    async fn hold(&self, connector: &str) -> HerderResult<()> {
        self.group.current().check_leader()?;
        self.writer.refresh(REFRESH).await?;
        let state = self.context.configs.snapshot();
        if !state.contains(connector) {
            return Err(HerderError::connector_not_found(connector));
        }
        if !state.is_fencing_pending(connector) {
            debug!(connector, "all former tasks are fenced already");
            return Ok(());
        }
        let (former, tasks) = (state.fenced_task_count(connector), state.task_count(connector));
        match former {
            // the task that takes over the one transactional id fences its predecessor
            None | Some(0) => {}
            Some(1) if tasks == 1 => {}
            Some(former) => self.fence(connector, former).await?,
        }
        self.writer.refresh(REFRESH).await?;
        let turn = self.writer.turn().await;
        self.group.current().check_leader()?;
        let now = self.context.configs.snapshot();
        if now.task_config_generation(connector) != state.task_config_generation(connector)
            || now.tasks_position(connector) != state.tasks_position(connector)
        {
            return Err(HerderError::Conflict(NEW_TASKS.to_owned()));
        }
        Ok(turn.write(vec![ConfigRecord::TaskCount(connector.to_owned(), tasks)]).await?)
    }

    async fn fence(&self, connector: &str, tasks: usize) -> HerderResult<()> {
        info!(connector, tasks, "fencing the producers of former tasks");
        let raw = self.context.configs.snapshot().connector_config(connector).cloned().unwrap_or_default();
        let (context, name) = (Arc::clone(&self.context), connector.to_owned());
        let what = format!("fencing the producers of connector `{connector}`");
        let deadline = Instant::now() + FENCING;
        call_plugin(&what, Deadline::after(FENCING), move || {
            let properties = context.config.offsets_admin_properties(&context.transformer.resolve(&raw)?, &name);
            check_bootstrap_servers(&properties, ClientRole::Admin)?;
            let admin = Admin::connect(&properties)?;
            for task in 0..tasks {
                admin.fence_producer(&context.config.task_transactional_id(&name, task))?;
                if Instant::now() >= deadline {
                    return Err(volley_api::Error::retriable("the producers of all tasks could not be fenced in time"));
                }
            }
            Ok(())
        })
        .await??;
        info!(connector, tasks, "fenced the producers of former tasks");
        Ok(())
    }
}
