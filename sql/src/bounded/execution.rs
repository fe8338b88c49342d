//! The execution of a query over staged records, within a limit of memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{SchemaError, TableReference};
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionStateBuilder, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use tracing::info;
use volley_api::{Error, QueryResult, QuerySettings, ReadyQuery, Result};

use super::query_text::QueryText;
use super::spill_file::{Segment, SpillFile, SpillReader};
use super::staged_records::StagedTable;
use crate::absent_fields::nearest;
use crate::deep_stack::on_deep_stack;
use crate::functions;
use crate::plan::{connect_type, session_config, types_of_absent_fields};
use crate::query::RECORDS;
use crate::reason::reason_of;
use crate::wait_for::wait_for;

/// How often a running query looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);
/// Stack of the threads that execute a plan: they recurse over its expressions.
const STACK_BYTES: usize = 16 << 20;
/// With less memory, a part of the work that goes on beside others would be mostly on disk.
const MEMORY_OF_PART: usize = 32 << 20;

/// A query with its tables.
pub(super) struct StagedQuery {
    pub(super) text: QueryText,
    pub(super) settings: QuerySettings,
    pub(super) tables: BTreeMap<Arc<str>, StagedTable>,
    /// Topics without records.
    pub(super) empty: Vec<Arc<str>>,
    /// Fields that were not kept, since the query does not name them.
    pub(super) left_out: BTreeSet<String>,
    pub(super) reader: SpillReader,
}

/// How tables are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joins {
    /// By a hash table, which has to fit into memory.
    Hash,
    /// By sorting, which can use the disk.
    Sorted,
}

impl ReadyQuery for StagedQuery {
    fn execute(self: Box<Self>, is_cancelled: &(dyn Fn() -> bool + Sync)) -> Result<Box<dyn QueryResult>> {
        match self.execute_with(Joins::Hash, is_cancelled) {
            Err(Failure::OutOfMemory { hash_join: true, .. }) => {
                info!("the query joins more than fits into memory, and is executed again with tables sorted on disk");
                self.execute_with(Joins::Sorted, is_cancelled)
            }
            outcome => outcome,
        }
        .map(|result| Box::new(result) as Box<dyn QueryResult>)
        .map_err(|failure| self.error(failure))
    }
}

type Executed = std::result::Result<Rows, Failure>;

/// Why an execution ended.
enum Failure {
    OutOfMemory { hash_join: bool, reason: String },
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl StagedQuery {
    fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Other(error) => error,
            Failure::OutOfMemory { reason, .. } => Error::fatal(format!(
                "the query needs more than its {} bytes of memory: {reason}; raise `query.memory.bytes`",
                self.settings.memory_bytes
            )),
        }
    }

    fn execute_with(&self, joins: Joins, is_cancelled: &(dyn Fn() -> bool + Sync)) -> Executed {
        let plan = self.plan(joins)?;
        let hash_join = joins == Joins::Hash && count(&plan.physical, "HashJoinExec") > 0;
        let threads = plan.parts;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .max_blocking_threads(threads)
            .thread_name("volley-query")
            .thread_stack_size(STACK_BYTES)
            .enable_time()
            .build()
            .map_err(|error| Error::fatal("could not start threads for the query").with_source(error))?;
        let outcome = runtime.block_on(async {
            tokio::select! {
                outcome = self.collect(&plan) => outcome,
                () = cancelled(is_cancelled) => Err(Failure::Other(Error::retriable("the query was cancelled"))),
            }
        });
        runtime.shutdown_background();
        match outcome {
            Err(Failure::OutOfMemory { reason, .. }) => Err(Failure::OutOfMemory { hash_join, reason }),
            outcome => outcome,
        }
    }

    fn plan(&self, joins: Joins) -> Result<Plan> {
        let planned = on_deep_stack(|| {
            let mut first_error = None;
            for unknown in types_of_absent_fields().into_iter().chain([DataType::Int64]) {
                match self.plan_with(joins, &unknown) {
                    Ok(plan) => return Ok(plan),
                    Err(error) => drop(first_error.get_or_insert(error)),
                }
                if self.empty.is_empty() {
                    break;
                }
            }
            Err(first_error.unwrap_or_else(|| DataFusionError::Plan("the query was not planned".to_owned())))
        })?;
        planned.map_err(|error| self.plan_error(&error))
    }

    fn plan_error(&self, error: &DataFusionError) -> Error {
        let mut message = format!("the query does not fit the records: {}", reason_of(error));
        if let DataFusionError::SchemaError(schema_error, _) = error.find_root()
            && let SchemaError::FieldNotFound { field, valid_fields } = &**schema_error
        {
            let known = valid_fields.iter().map(|valid| valid.name.as_str());
            let near = known.chain(self.left_out.iter().map(String::as_str));
            if let Some(near) = nearest(&field.name, near) {
                message += &format!(", did you mean `{near}`?");
            }
            message += "; a field that may be missing in all records of a run has to be declared in `volley.schema`";
        }
        Error::config(message)
    }

    fn plan_with(&self, joins: Joins, unknown: &DataType) -> std::result::Result<Plan, DataFusionError> {
        let session = self.session(joins)?;
        for (topic, table) in &self.tables {
            self.register(&session, topic, table.clone())?;
        }
        for topic in &self.empty {
            let meta = self.text.meta_columns.iter().map(|column| column.name());
            let names = self.text.columns.iter().map(String::as_str).chain(meta);
            let fields: Vec<Field> = names.map(|name| Field::new(name, unknown.clone(), true)).collect();
            let schema = Arc::new(Schema::new(fields));
            self.register(&session, topic, StagedTable { schema, segments: Vec::new(), reader: self.reader.clone() })?;
        }
        let state = session.state();
        let logical = wait_for(state.statement_to_plan(self.text.statement()))?;
        let physical = wait_for(state.create_physical_plan(&logical))?;
        Ok(Plan { physical, session, parts: self.parallelism(joins) })
    }

    fn register(
        &self,
        session: &SessionContext,
        topic: &str,
        table: StagedTable,
    ) -> std::result::Result<(), DataFusionError> {
        let table = Arc::new(table);
        let bare = |name: &str| TableReference::bare(name.to_owned());
        if self.tables.len() + self.empty.len() == 1 && topic != RECORDS {
            session.register_table(bare(RECORDS), Arc::clone(&table) as _)?;
        }
        session.register_table(bare(topic), table)?;
        Ok(())
    }

    fn session(&self, joins: Joins) -> std::result::Result<SessionContext, DataFusionError> {
        let mut config = session_config().with_target_partitions(self.parallelism(joins));
        config.options_mut().optimizer.prefer_hash_join = joins == Joins::Hash;
        let mode = match &self.settings.directory {
            Some(directory) => DiskManagerMode::Directories(vec![PathBuf::from(directory)]),
            None => DiskManagerMode::OsTmpDirectory,
        };
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(self.settings.memory_bytes)))
            // the disk is the limit
            .with_disk_manager_builder(
                DiskManagerBuilder::default().with_mode(mode).with_max_temp_directory_size(u64::MAX),
            )
            .build_arc()?;
        let state =
            SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features().build();
        let mut session = SessionContext::new_with_state(state);
        functions::register(&mut session)?;
        Ok(session)
    }

    /// Each sort keeps half of its share of the memory for the keys by which it merges: these may be as large as the rows.
    fn context(&self, plan: &Plan) -> Arc<TaskContext> {
        let sorts = count(&plan.physical, "SortExec").max(1) * plan.parts;
        let mut config = plan.session.copied_config();
        config.options_mut().execution.sort_spill_reservation_bytes = self.settings.memory_bytes / sorts / 2;
        Arc::new(TaskContext::from(&plan.session.state()).with_session_config(config))
    }

    /// Parts of the work at a time: each needs memory.
    fn parallelism(&self, joins: Joins) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let parts = (self.settings.memory_bytes / MEMORY_OF_PART).clamp(1, cores);
        // the planner sorts for joins only where there are parts
        if joins == Joins::Sorted { parts.max(2) } else { parts }
    }

    async fn collect(&self, plan: &Plan) -> Executed {
        let schema = result_schema(&plan.physical.schema())?;
        let mut file = SpillFile::create(self.settings.directory.as_deref())?;
        let mut segments = Vec::new();
        let mut batches = execute_stream(Arc::clone(&plan.physical), self.context(plan)).map_err(failure)?;
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(failure)?;
            if batch.num_rows() > 0 {
                segments.push(file.append(&with_types_of(&batch, &schema)?)?);
            }
        }
        Ok(Rows { reader: file.reader(), segments, next: 0 })
    }
}

struct Plan {
    physical: Arc<dyn ExecutionPlan>,
    session: SessionContext,
    /// Parts of the work at a time.
    parts: usize,
}

async fn cancelled(is_cancelled: &(dyn Fn() -> bool + Sync)) {
    while !is_cancelled() {
        tokio::time::sleep(LOOK).await;
    }
}

/// How many operators of this name a plan has.
fn count(plan: &Arc<dyn ExecutionPlan>, name: &str) -> usize {
    usize::from(plan.name() == name) + plan.children().into_iter().map(|child| count(child, name)).sum::<usize>()
}

fn failure(error: DataFusionError) -> Failure {
    let reason = reason_of(&error);
    let root = error.find_root();
    if matches!(root, DataFusionError::ResourcesExhausted(_)) {
        return Failure::OutOfMemory { hash_join: false, reason };
    }
    if let DataFusionError::External(source) = root
        && let Some(own) = source.downcast_ref::<Error>()
    {
        return Failure::Other(Error::new(own.kind(), own.to_string()));
    }
    let message = format!("could not execute the query: {reason}");
    match root {
        DataFusionError::IoError(_) => Failure::Other(Error::fatal(message)),
        _ => Failure::Other(Error::data(message)),
    }
}

/// The columns of the result, with types of Connect's data model.
fn result_schema(schema: &Schema) -> Result<SchemaRef> {
    let mut names = HashSet::new();
    let fields = schema.fields().iter().map(|field| {
        if !names.insert(field.name()) {
            let name = field.name();
            return Err(Error::config(format!(
                "two columns of the query are named `{name}`: give one another name with AS"
            )));
        }
        let data_type = connect_type(field.data_type()).map_err(|unknown| {
            Error::config(format!(
                "the column `{}` is of type {unknown}, which cannot be written: cast it",
                field.name()
            ))
        })?;
        Ok(field.as_ref().clone().with_data_type(data_type))
    });
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<Field>>>()?)))
}

fn with_types_of(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        if column.data_type() == field.data_type() {
            return Ok(Arc::clone(column));
        }
        let message = || format!("a value of `{}` does not fit into {}", field.name(), field.data_type());
        cast(column, field.data_type()).map_err(|error| Error::data(message()).with_source(error))
    });
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// A result on disk.
#[derive(Debug)]
struct Rows {
    reader: SpillReader,
    segments: Vec<Segment>,
    next: usize,
}

impl QueryResult for Rows {
    fn rows(&self) -> u64 {
        self.segments.iter().map(|segment| segment.rows as u64).sum()
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Some(segment) = self.segments.get(self.next) else { return Ok(None) };
        let batch = self.reader.read(*segment, None)?;
        self.next += 1;
        Ok(Some(batch))
    }
}
