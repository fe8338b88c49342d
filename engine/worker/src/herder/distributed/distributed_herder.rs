//! The herder of a distributed worker: answers requests, and sends those that others have to answer to the right worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use volley_api::{ConfigMap, Error, Result};
use volley_kafka::{GroupMember, GroupSettings};

use super::config_updates::ConfigUpdates;
use super::config_writer::{ConfigWriter, WriteTurn};
use super::fencing_rounds::FencingRounds;
use super::group_view::{GroupState, GroupView};
use super::herder_loop::{HerderLoop, LoopParts};
use super::leader_duties::LeaderDuties;
use super::leader_publisher::LeaderPublisher;
use super::membership::Membership;
use super::signs_of_life::Ping;
use crate::connector_task_id::ConnectorTaskId;
use crate::error::{HerderError, HerderResult};
use crate::group::RequestSignature;
use crate::group::{ConnectProtocol, GroupLeader, SessionKeys, SessionSigner, SignatureVerifier, SyncBackoff};
use crate::herder::connector_calls::ConnectorCalls;
use crate::herder::connector_queries::ConnectorQueries;
use crate::herder::herder::{Created, Herder, delete_records, patched, put_records};
use crate::herder::lifecycle::{AssignedWork, Part, check_takes_tasks};
use crate::herder::{
    ConnectorInfo, ConnectorOffset, ConnectorProgress, ConnectorStateInfo, RestartPlan, Stages, WorkerContext,
};
use crate::json_config::GivenConfig;
use crate::peers::{LeaderClient, PeerClient};
use crate::spawned_task::SpawnedTask;
use crate::storage::{ConfigRecord, RestartRequest, TargetState};
use crate::validation::{ConfigInfos, ConnectorValidator};

const FENCING_FAILED: &str = "Failed to perform zombie fencing for source connector prior to modifying offsets";

/// Requests for a sign of life that may wait at a time.
const PINGS: usize = 16;

/// Answers requests to a worker of a group.
pub struct DistributedHerder {
    context: Arc<WorkerContext>,
    queries: ConnectorQueries,
    validator: ConnectorValidator,
    group: Arc<GroupView>,
    writer: Arc<ConfigWriter>,
    fencing: Arc<FencingRounds>,
    offset_calls: ConnectorCalls,
    work: Arc<AssignedWork>,
    stages: Arc<Stages>,
    is_ready: Arc<AtomicBool>,
    verifier: SignatureVerifier,
    pings: mpsc::Sender<Ping>,
    end: CancellationToken,
}

impl std::fmt::Debug for DistributedHerder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DistributedHerder").field("context", &self.context).finish_non_exhaustive()
    }
}

fn no_such_connector(name: &str) -> HerderError {
    HerderError::NotFound(format!("Unknown connector: {name}"))
}

impl DistributedHerder {
    /// Starts the herder and its loop, which ends when `end` is cancelled. `url` is where others reach this worker. MUST be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// `Config` if a key of the group's client is wrong.
    pub(crate) fn start(
        context: Arc<WorkerContext>,
        validator: ConnectorValidator,
        updates: Arc<ConfigUpdates>,
        peers: Arc<PeerClient>,
        url: String,
        end: CancellationToken,
    ) -> Result<(Self, SpawnedTask)> {
        let config = &context.config;
        let settings = GroupSettings {
            session_timeout: config.session_timeout(),
            rebalance_timeout: config.rebalance_timeout(),
            heartbeat_interval: config.heartbeat_interval(),
            ..GroupSettings::new(config.group_id(), ConnectProtocol::TYPE)
        };
        let member = GroupMember::start(&config.group_member_properties(&context.worker_id()), settings)?;
        let max_delay = i32::try_from(config.scheduled_rebalance_max_delay().as_millis()).unwrap_or(i32::MAX);
        let membership = Membership::new(member, config.connect_protocol(), GroupLeader::new(max_delay), url);
        let group = Arc::new(GroupView::default());
        let writer = Arc::new(ConfigWriter::new(Arc::clone(&context.configs)));
        let fencing = Arc::new(FencingRounds::new(Arc::clone(&context), Arc::clone(&group), Arc::clone(&writer)));
        let publisher = LeaderPublisher {
            context: Arc::clone(&context),
            group: Arc::clone(&group),
            writer: Arc::clone(&writer),
            client: LeaderClient::new(peers),
            signer: SessionSigner::new(config.inter_worker_signature_algorithm())?,
            fencing: Arc::clone(&fencing),
        };
        let work = Arc::new(AssignedWork::new(Arc::clone(&context), Arc::new(publisher)));
        let (stages, is_ready) = (Arc::new(Stages::default()), Arc::new(AtomicBool::new(false)));
        let parts = LoopParts {
            context: Arc::clone(&context),
            group: Arc::clone(&group),
            writer: Arc::clone(&writer),
            work: Arc::clone(&work),
            updates,
            stages: Arc::clone(&stages),
            is_ready: Arc::clone(&is_ready),
        };
        let session_keys = SessionKeys::new(
            config.inter_worker_key_generation_algorithm(),
            config.inter_worker_key_size(),
            config.inter_worker_key_ttl(),
        )?;
        let duties = LeaderDuties::new(Arc::clone(&context), Arc::clone(&writer), session_keys);
        let sync_backoff = SyncBackoff::new(max_delay, config.worker_unsync_backoff());
        let verifier = SignatureVerifier::new(config.inter_worker_verification_algorithms());
        let (pings, received) = mpsc::channel(PINGS);
        let herder_loop = HerderLoop::new(parts, membership, duties, sync_backoff).run(received, end.clone());
        let herder_loop = SpawnedTask::start_here("the loop of the herder", herder_loop);
        let queries = ConnectorQueries::new(Arc::clone(&context));
        let herder = Self {
            context,
            queries,
            validator,
            group,
            writer,
            fencing,
            offset_calls: ConnectorCalls::default(),
            work,
            stages,
            is_ready,
            verifier,
            pings,
            end,
        };
        Ok((herder, herder_loop))
    }

    /// Once this worker is known to be the leader, its turn to write.
    async fn leader_turn(&self) -> HerderResult<WriteTurn<'_>> {
        self.settled().await?.check_leader()?;
        let turn = self.writer.turn().await;
        self.group.current().check_leader()?;
        Ok(turn)
    }

    async fn settled(&self) -> HerderResult<GroupState> {
        if self.end.is_cancelled() {
            return Err(HerderError::shutting_down());
        }
        Ok(self.group.settled().await)
    }

    async fn put(
        &self,
        turn: WriteTurn<'_>,
        name: &str,
        config: GivenConfig,
        initial_state: Option<TargetState>,
        may_replace: bool,
    ) -> HerderResult<Created> {
        let (is_new, records) = put_records(&self.queries.snapshot(), name, config, initial_state, may_replace)?;
        turn.write(records).await?;
        Ok(Created { is_new, info: self.queries.info(name)? })
    }

    /// Internal requests are signed where the group's protocol is one that signs.
    fn verify(&self, group: &GroupState, signature: Option<&RequestSignature>) -> HerderResult<()> {
        if !group.protocol.is_some_and(|protocol| protocol.is_signed()) {
            return Ok(());
        }
        self.verifier.verify(self.queries.snapshot().session_key(), signature)
    }

    /// Who fences before the offsets of a connector are changed; `None` if nobody may write them in a transaction.
    fn offsets_fence(&self, name: &str) -> Option<Arc<FencingRounds>> {
        let is_exactly_once =
            self.context.config.exactly_once_source_enabled() && self.queries.kind_of(name) == "source";
        is_exactly_once.then(|| Arc::clone(&self.fencing))
    }

    async fn restarted(&self, name: &str, part: Part) -> HerderResult<()> {
        self.work.restart(name, part)?.await.unwrap_or(Err(HerderError::Forward(None)))
    }
}

/// Tasks that still write shall not write offsets after the change.
async fn fence_before_change(fence: Option<Arc<FencingRounds>>, connector: &str) -> HerderResult<()> {
    let Some(fence) = fence else { return Ok(()) };
    fence.hold(connector).await.map_err(|error| match error {
        HerderError::Plugin(error) => HerderError::Plugin(
            Error::new(error.kind(), FENCING_FAILED)
                .with_exception("org.apache.kafka.connect.errors.ConnectException")
                .with_source(error),
        ),
        other => other,
    })
}

#[async_trait]
impl Herder for DistributedHerder {
    fn queries(&self) -> &ConnectorQueries {
        &self.queries
    }

    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    async fn stored_config(&self, name: &str) -> HerderResult<Option<ConfigMap>> {
        // This worker may not have read yet what the leader has written.
        self.writer.refresh(self.context.config.worker_sync_timeout()).await?;
        Ok(self.queries.snapshot().connector_config(name).cloned())
    }

    async fn validate(&self, config: &GivenConfig) -> HerderResult<ConfigInfos> {
        self.validator.validate(config).await
    }

    async fn put_connector(
        &self,
        name: &str,
        config: GivenConfig,
        initial_state: Option<TargetState>,
        may_replace: bool,
    ) -> HerderResult<Created> {
        loop {
            let position = self.queries.snapshot().config_position(name);
            // A bad configuration is refused by the first worker that it comes to.
            let valid = self.queries.validated(&self.validator, name, config.clone()).await?;
            let turn = self.leader_turn().await?;
            if self.queries.snapshot().config_position(name) == position {
                return self.put(turn, name, valid, initial_state, may_replace).await;
            }
        }
    }

    async fn patch_connector(&self, name: &str, patch: GivenConfig) -> HerderResult<ConnectorInfo> {
        loop {
            self.settled().await?.check_leader()?;
            let snapshot = self.queries.check_exists(name, HerderError::connector_not_found)?;
            let config = snapshot.given_connector_config(name).unwrap_or_default();
            let config = self.queries.validated(&self.validator, name, patched(config, patch.clone())).await?;
            let turn = self.leader_turn().await?;
            // another may have changed it meanwhile, and that should not be lost
            if self.queries.snapshot().config_position(name) == snapshot.config_position(name) {
                return Ok(self.put(turn, name, config, None, true).await?.info);
            }
        }
    }

    async fn delete_connector(&self, name: &str) -> HerderResult<()> {
        let turn = self.leader_turn().await?;
        self.queries.check_exists(name, HerderError::connector_not_found)?;
        Ok(turn.write(delete_records(name)).await?)
    }

    async fn set_target_state(&self, name: &str, state: TargetState) -> HerderResult<()> {
        let target = |name: &str| ConfigRecord::TargetState(name.to_owned(), Some(state));
        if state == TargetState::Stopped {
            let turn = self.leader_turn().await?;
            self.queries.check_exists(name, HerderError::unknown_connector)?;
            let mut records = ConfigRecord::tasks(name, &[]);
            records.push(target(name));
            return Ok(turn.write(records).await?);
        }
        self.queries.check_exists(name, HerderError::unknown_connector)?;
        // Not while its offsets are being changed, which only a STOPPED connector allows for.
        let _turn = self.offset_calls.turn_of(name).await;
        Ok(self.writer.turn().await.write(vec![target(name)]).await?)
    }

    async fn restart_connector(&self, name: &str) -> HerderResult<()> {
        let group = self.settled().await?;
        self.queries.check_exists(name, no_such_connector)?;
        if self.work.has_connector(name) {
            return self.restarted(name, Part::Connector).await;
        }
        Err(group.forward_to(group.owners.connector_url(name)))
    }

    async fn restart_task(&self, name: &str, task: usize) -> HerderResult<()> {
        let group = self.settled().await?;
        let snapshot = self.queries.check_exists(name, no_such_connector)?;
        if !snapshot.had_task(name, task) {
            return Err(HerderError::NotFound(format!("Unknown task: {name}-{task}")));
        }
        if self.work.has_task(name, task) {
            return self.restarted(name, Part::Task(task)).await;
        }
        let id = ConnectorTaskId { connector: name.to_owned(), task };
        Err(group.forward_to(group.owners.task_url(&id)))
    }

    async fn restart(&self, request: RestartRequest) -> HerderResult<ConnectorStateInfo> {
        let name = request.connector.clone();
        let turn = self.leader_turn().await?;
        self.queries.check_exists(&name, no_such_connector)?;
        let plan = RestartPlan::new(&request, self.queries.states(&name)?);
        if plan.connector || !plan.tasks.is_empty() {
            turn.write(vec![ConfigRecord::Restart(request)]).await?;
        }
        Ok(plan.states)
    }

    async fn alter_offsets(&self, name: &str, offsets: Vec<ConnectorOffset>) -> HerderResult<String> {
        self.settled().await?.check_leader()?;
        let (queries, connector, fence) = (self.queries.clone(), name.to_owned(), self.offsets_fence(name));
        let change = async move {
            queries.check_offsets_may_change(&connector)?;
            fence_before_change(fence, &connector).await?;
            queries.alter_offsets(&connector, offsets).await
        };
        self.offset_calls.run(name, change).await
    }

    async fn reset_offsets(&self, name: &str) -> HerderResult<String> {
        self.settled().await?.check_leader()?;
        let (queries, connector, fence) = (self.queries.clone(), name.to_owned(), self.offsets_fence(name));
        let change = async move {
            queries.check_offsets_may_change(&connector)?;
            fence_before_change(fence, &connector).await?;
            queries.reset_offsets(&connector).await
        };
        self.offset_calls.run(name, change).await
    }

    fn check_may_put_task_configs(&self, signature: Option<&RequestSignature>) -> HerderResult<()> {
        self.verify(&self.group.current(), signature)
    }

    async fn put_task_configs(&self, name: &str, configs: Vec<ConfigMap>) -> HerderResult<()> {
        // Not once the rebalance is over: it may wait for the worker that asks.
        self.group.current().check_leader()?;
        let turn = self.writer.turn().await;
        self.group.current().check_leader()?;
        check_takes_tasks(&self.queries.snapshot(), name, &configs)?;
        Ok(turn.write(ConfigRecord::tasks(name, &configs)).await?)
    }

    async fn fence_zombies(&self, name: &str, signature: Option<RequestSignature>) -> HerderResult<()> {
        let group = self.group.current();
        self.verify(&group, signature.as_ref())?;
        group.check_leader()?;
        self.queries.check_exists(name, HerderError::connector_not_found)?;
        if self.queries.kind_of(name) != "source" {
            return Err(HerderError::BadRequest(format!("Connector {name} is not a source connector")));
        }
        self.fencing.hold(name).await
    }

    async fn set_cluster_log_level(&self, namespace: &str, level: &str) -> HerderResult<()> {
        let record = ConfigRecord::LoggerLevel(namespace.to_owned(), level.to_owned());
        Ok(self.writer.turn().await.write(vec![record]).await?)
    }

    async fn ping(&self) -> HerderResult<()> {
        let (pong, answer) = oneshot::channel();
        if self.pings.send(pong).await.is_err() || answer.await.is_err() {
            return Err(HerderError::shutting_down());
        }
        Ok(())
    }

    fn stages(&self) -> &Stages {
        &self.stages
    }

    fn metrics(&self) -> String {
        self.context.metrics_text()
    }

    async fn progress(&self, name: &str) -> HerderResult<ConnectorProgress> {
        let view = self.work.view(name);
        let tasks = view.as_ref().map(|view| view.tasks.snapshots()).unwrap_or_default();
        self.queries.progress(name, tasks, view.as_ref().map(|view| &view.meter))
    }
}
