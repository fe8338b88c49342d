//! A herder that leaves every change to another worker.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use volley_api::ConfigMap;

use crate::error::{HerderError, HerderResult};
use crate::group::RequestSignature;
use crate::herder::{
    ConnectorInfo, ConnectorOffset, ConnectorProgress, ConnectorQueries, ConnectorStateInfo, Created, Herder, Stages,
    StandaloneHerder,
};
use crate::json_config::GivenConfig;
use crate::storage::{RestartRequest, TargetState};
use crate::validation::ConfigInfos;

/// Reads as the herder within does; says of every change that the worker at `leader` has to make it, and takes no answer at
/// all to be a sign of life.
pub(crate) struct Follower {
    herder: Arc<StandaloneHerder>,
    leader: Option<String>,
    newer: Mutex<HashMap<String, ConfigMap>>,
    is_signed: AtomicBool,
    signatures: Mutex<Vec<Option<RequestSignature>>>,
    stages: Stages,
}

impl Follower {
    /// The MAC that it takes to be right, of any body.
    pub(crate) const MAC: [u8; 3] = [0; 3];

    /// One whose leader is at this URL.
    pub(crate) fn new(herder: Arc<StandaloneHerder>, leader: Option<String>) -> Arc<Self> {
        Arc::new(Self {
            herder,
            leader,
            newer: Mutex::default(),
            is_signed: AtomicBool::new(false),
            signatures: Mutex::default(),
            stages: Stages::default(),
        })
    }

    /// From now on the configuration of a connector is another one, which this worker has not read yet.
    pub(crate) fn will_read(&self, connector: &str, config: ConfigMap) {
        self.newer.lock().insert(connector.to_owned(), config);
    }

    /// From now on internal requests have to be signed.
    pub(crate) fn wants_signatures(&self) {
        self.is_signed.store(true, Ordering::SeqCst);
    }

    /// The signatures of the internal requests so far.
    pub(crate) fn signatures(&self) -> Vec<Option<RequestSignature>> {
        self.signatures.lock().clone()
    }

    fn forward<T>(&self) -> HerderResult<T> {
        Err(HerderError::Forward(self.leader.clone()))
    }
}

#[async_trait]
impl Herder for Follower {
    fn queries(&self) -> &ConnectorQueries {
        self.herder.queries()
    }

    fn is_ready(&self) -> bool {
        self.herder.is_ready()
    }

    async fn connectors(&self) -> HerderResult<Vec<String>> {
        std::future::pending().await
    }

    async fn stored_config(&self, name: &str) -> HerderResult<Option<ConfigMap>> {
        let newer = self.newer.lock().get(name).cloned();
        match newer {
            Some(newer) => Ok(Some(newer)),
            None => self.herder.stored_config(name).await,
        }
    }

    async fn validate(&self, config: &GivenConfig) -> HerderResult<ConfigInfos> {
        self.herder.validate(config).await
    }

    async fn put_connector(&self, _: &str, _: GivenConfig, _: Option<TargetState>, _: bool) -> HerderResult<Created> {
        self.forward()
    }

    async fn patch_connector(&self, _: &str, _: GivenConfig) -> HerderResult<ConnectorInfo> {
        self.forward()
    }

    async fn delete_connector(&self, _: &str) -> HerderResult<()> {
        self.forward()
    }

    async fn set_target_state(&self, _: &str, _: TargetState) -> HerderResult<()> {
        self.forward()
    }

    async fn restart_connector(&self, _: &str) -> HerderResult<()> {
        self.forward()
    }

    async fn restart_task(&self, _: &str, _: usize) -> HerderResult<()> {
        self.forward()
    }

    async fn restart(&self, _: RestartRequest) -> HerderResult<ConnectorStateInfo> {
        self.forward()
    }

    async fn alter_offsets(&self, _: &str, _: Vec<ConnectorOffset>) -> HerderResult<String> {
        self.forward()
    }

    async fn reset_offsets(&self, _: &str) -> HerderResult<String> {
        self.forward()
    }

    fn check_may_put_task_configs(&self, signature: Option<&RequestSignature>) -> HerderResult<()> {
        self.signatures.lock().extend(signature.cloned().map(Some));
        match signature {
            _ if !self.is_signed.load(Ordering::SeqCst) => Ok(()),
            None => Err(HerderError::BadRequest("Internal request missing required signature".to_owned())),
            Some(signature) if signature.mac == Self::MAC => Ok(()),
            Some(_) => Err(HerderError::Forbidden("Internal request contained invalid signature.".to_owned())),
        }
    }

    async fn put_task_configs(&self, _: &str, _: Vec<ConfigMap>) -> HerderResult<()> {
        self.forward()
    }

    async fn fence_zombies(&self, _: &str, signature: Option<RequestSignature>) -> HerderResult<()> {
        self.signatures.lock().push(signature);
        self.forward()
    }

    async fn set_cluster_log_level(&self, namespace: &str, level: &str) -> HerderResult<()> {
        self.herder.set_cluster_log_level(namespace, level).await
    }

    async fn ping(&self) -> HerderResult<()> {
        std::future::pending().await
    }

    fn stages(&self) -> &Stages {
        &self.stages
    }

    fn metrics(&self) -> String {
        String::new()
    }

    async fn progress(&self, name: &str) -> HerderResult<ConnectorProgress> {
        self.herder.progress(name).await
    }
}
