//! Publishes in a standalone worker.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use volley_api::ConfigMap;

use super::local_group::LocalGroup;
use crate::error::{HerderError, HerderResult};
use crate::herder::lifecycle::{TaskConfigPublisher, check_takes_tasks, is_current};
use crate::storage::{Completion, ConfigRecord};

/// Writes to the config store of this worker.
pub(super) struct LocalPublisher {
    /// Weak, since the group owns the instances, and they own this.
    group: Weak<LocalGroup>,
}

impl LocalPublisher {
    pub(super) fn new(group: Weak<LocalGroup>) -> Self {
        Self { group }
    }

    fn group(&self) -> HerderResult<Arc<LocalGroup>> {
        self.group.upgrade().ok_or_else(HerderError::shutting_down)
    }
}

#[async_trait]
impl TaskConfigPublisher for LocalPublisher {
    async fn publish(&self, connector: &str, configs: Vec<ConfigMap>) -> HerderResult<()> {
        let group = self.group()?;
        group.write(|state| {
            check_takes_tasks(state, connector, &configs)?;
            Ok(((), ConfigRecord::tasks(connector, &configs)))
        })?;
        group.clean_up(connector).await;
        Ok(())
    }

    async fn complete(&self, connector: &str, run: i64, completion: Completion) -> HerderResult<bool> {
        self.group()?.write(|state| match is_current(state, connector, run) {
            true => Ok((true, vec![ConfigRecord::Completed(connector.to_owned(), completion)])),
            false => Ok((false, Vec::new())),
        })
    }

    async fn refresh(&self) -> HerderResult<()> {
        // Nobody else writes.
        Ok(())
    }

    fn shares_runs(&self) -> bool {
        false
    }
}
