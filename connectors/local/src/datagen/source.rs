//! The `Datagen` connector and its tasks.
//!
//! Task `t` of `T` makes the rows `t`, `t + T`, `t + 2T`, …. Its source partition is `{"id":t}`, its offset `{"row":n}`:
//! the number of the row that it makes next. Who changes `tasks.max` of a connector that has stored offsets deals the
//! rows anew from there: some may come twice or not at all unless the offsets are reset.

use std::time::{Duration, Instant};

use serde_json::Value;
use volley_api::{
    ConfigDef, ConfigIssue, ConfigMap, Connector, ConnectorContext, Error, Plugin, PluginFactory, Polled, Result,
    RunningConnector, SourceBatch, SourceContext, SourceOffset, SourcePartition, SourceTask, Support,
};

use super::config::{DatagenConfig, config_def, issues, task_config};
use super::row_span::RowSpan;
use crate::pace::Pace;

const PARTITION_MEMBER: &str = "id";
const OFFSET_MEMBER: &str = "row";

/// `Datagen`.
pub(crate) fn source_plugin() -> Plugin {
    Plugin::new(
        "Datagen",
        env!("CARGO_PKG_VERSION"),
        "Makes rows up: ready-made ones (orders, pageviews, sensors, wide-50) or of fields that you \
                        describe. The same seed gives the same rows.",
        config_def(),
        PluginFactory::source(DatagenConnector, DatagenTask::start),
    )
}

#[derive(Debug)]
struct DatagenConnector;

impl Connector for DatagenConnector {
    fn config_def(&self) -> ConfigDef {
        config_def()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        let config = config.clone();
        Ok(Box::new(move |max_tasks: usize| Ok(vec![task_config(&config, max_tasks); max_tasks])))
    }

    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        issues(config)
    }

    fn is_bounded(&self, config: &ConfigMap) -> bool {
        DatagenConfig::parse(config).is_ok_and(|config| config.end.is_some())
    }

    fn alter_offsets(&self, _config: &ConfigMap, offsets: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        for (partition, offset) in offsets {
            // Offsets may be forgotten whatever they are, so that nothing unwanted stays for ever.
            let Some(offset) = offset else { continue };
            if partition.get(PARTITION_MEMBER).and_then(Value::as_u64).is_none() {
                return Err(Error::config(format!("a partition needs the member `{PARTITION_MEMBER}`, a task number")));
            }
            stored_row(offset)?;
        }
        Ok(true)
    }

    fn exactly_once_support(&self, _config: &ConfigMap) -> Result<Option<Support>> {
        Ok(Some(Support::Supported))
    }
}

fn stored_row(offset: &SourceOffset) -> Result<u64> {
    offset
        .get(OFFSET_MEMBER)
        .and_then(Value::as_u64)
        .filter(|row| i64::try_from(*row).is_ok())
        .ok_or_else(|| Error::config(format!("an offset needs the member `{OFFSET_MEMBER}`, a row number from 0 on")))
}

#[derive(Debug)]
pub(super) struct DatagenTask {
    config: DatagenConfig,
    partition: SourcePartition,
    next: u64,
    pace: Option<Pace>,
}

impl SourceTask for DatagenTask {
    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        let len = self.remaining().min(self.config.batch_size as u64) as usize;
        if len == 0 {
            return Ok(Polled::Finished);
        }
        match self.pace.as_mut().map_or(len, |pace| pace.wait_for(len, max_wait)) {
            0 => Ok(Polled::Idle),
            len => Ok(Polled::Batches(vec![self.batch(len)?])),
        }
    }
}

impl DatagenTask {
    /// Starts the task.
    pub(super) fn start(context: SourceContext, config: &ConfigMap) -> Result<Self> {
        let config = DatagenConfig::parse(config)?;
        let partition = SourcePartition::from_iter([(PARTITION_MEMBER.to_owned(), Value::from(context.task))]);
        let stored = context.offset(&partition)?.map_or(Ok(0), |offset| stored_row(&offset))?;
        let pace = config.rate.map(|rate| Pace::new(rate, Instant::now()));
        let next = first_row_from(stored, context.task as u64, config.tasks);
        Ok(Self { config, partition, next, pace })
    }

    /// Rows of this task that are still to be made.
    fn remaining(&self) -> u64 {
        let end = self.config.end.unwrap_or(i64::MAX as u64);
        end.saturating_sub(self.next).div_ceil(self.config.tasks)
    }

    fn batch(&mut self, len: usize) -> Result<SourceBatch> {
        let span = RowSpan { first: self.next, step: self.config.tasks, len };
        let records = self.config.rows.records(span)?;
        self.next = span.end();
        let offset = SourceOffset::from_iter([(OFFSET_MEMBER.to_owned(), Value::from(self.next))]);
        Ok(SourceBatch { records, partition: self.partition.clone(), offset })
    }
}

/// The first row from `row` on that belongs to task `task` of `tasks`.
fn first_row_from(row: u64, task: u64, tasks: u64) -> u64 {
    let own = task % tasks;
    row + (own + tasks - row % tasks) % tasks
}
