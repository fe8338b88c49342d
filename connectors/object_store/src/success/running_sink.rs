//! A started sink connector: its tasks, and what is left to do when a bounded run has ended.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tracing::info;
use volley_api::{ConfigMap, EndedRun, Error, Result, RunningConnector};

use super::SUCCESS;
use super::filled_places::filled_places;
use super::success_config::SuccessFiles;
use crate::config::SinkConfig;
use crate::store::{Storage, StorageError, look_within, open_storage};

type StoreResult<T> = std::result::Result<T, StorageError>;

/// How long it may take to find the directories and to write there.
const LIMIT: Duration = Duration::from_secs(240);

/// The connector.
pub(crate) struct RunningSink {
    /// Its name.
    connector: String,
    /// That of each task.
    task: ConfigMap,
    has_one_task: bool,
    config: SinkConfig,
}

impl RunningSink {
    /// A connector with alike tasks, whose configuration `task` means `config`.
    pub(crate) fn new(connector: &str, task: &ConfigMap, config: SinkConfig) -> Self {
        Self { connector: connector.to_owned(), task: task.clone(), has_one_task: false, config }
    }

    /// The same with one task.
    pub(crate) fn with_one_task(self) -> Self {
        Self { has_one_task: true, ..self }
    }
}

impl RunningConnector for RunningSink {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![self.task.clone(); if self.has_one_task { 1 } else { max_tasks }])
    }

    /// Writes `_SUCCESS` where it is asked for.
    fn end_of_run(&mut self, run: &EndedRun) -> Result<()> {
        if self.config.success == SuccessFiles::None {
            return Ok(());
        }
        let storage =
            open_storage(&self.config.store, &format!("{}-end", self.connector), &self.config.spool_directory)?;
        let (naming, connector, success) = (self.config.naming.clone(), self.connector.clone(), self.config.success);
        let text = success_text(&self.connector, run);
        let written = look_within(LIMIT, SUCCESS, Arc::clone(&storage), move |storage| {
            Box::pin(async move {
                let places = filled_places(storage, &naming, &connector).await?;
                let directories: Vec<_> = match success {
                    SuccessFiles::Directory => places.into_values().flatten().collect(),
                    SuccessFiles::Topic | SuccessFiles::None => places.into_keys().collect(),
                };
                write_all(storage, &directories, &text).await
            })
        });
        let written = written
            .map_err(|error| Error::retriable(format!("could not write `{SUCCESS}` in {}: {error}", storage.url())))?;
        info!(connector = self.connector, url = storage.url(), directories = written, "wrote {SUCCESS}");
        Ok(())
    }
}

async fn write_all(storage: &dyn Storage, directories: &[String], text: &Bytes) -> StoreResult<usize> {
    for directory in directories {
        storage.write_over(&format!("{directory}/{SUCCESS}"), text.clone().into()).await?;
    }
    Ok(directories.len())
}

fn success_text(connector: &str, run: &EndedRun) -> Bytes {
    let text = json!({
        "connector": connector,
        "rows": run.rows,
        "rows_delivered": run.rows_delivered,
        "rows_rejected": run.rows_rejected,
        "files": run.files,
        "written_bytes": run.written_bytes,
    });
    Bytes::from(format!("{text:#}\n"))
}
