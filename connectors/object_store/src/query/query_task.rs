//! The sink task of a query.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{info, warn};
use volley_api::{
    BoundedQuery, Error, OffsetRange, Offsets, QueryEngine, RejectedRow, Result, SinkBatch, SinkContext, SinkTask,
    TopicPartition,
};

use super::attempt::Attempt;
use super::query_config::QueryConfig;
use super::result_writer::ResultWriter;
use super::running_query::RunningQuery;
use super::success_file::{Input, Relation, SuccessFile};
use crate::config::SinkConfig;
use crate::store::{Patience, Storage, StorageError, check_error, look, open_storage};

/// How long the task writes before it looks for what the worker wants.
const STRETCH: Duration = Duration::from_millis(300);

/// Keeps the records of the run, and writes the result of the query once all are there.
pub(crate) struct QueryTask {
    context: SinkContext,
    config: SinkConfig,
    query: QueryConfig,
    storage: Arc<dyn Storage>,
    patience: Patience,
    records: Box<dyn BoundedQuery>,
    /// What was read of each partition that is assigned.
    input: Input,
    /// Once the store is ready: what this run has to do with the result that is there, if one is.
    relation: Option<Option<Relation>>,
    stage: Stage,
}

enum Stage {
    /// Records come.
    Reading,
    /// All are there.
    Executing(RunningQuery),
    /// The result is there.
    Writing(Attempt, Box<ResultWriter>),
    /// The result is in the store.
    Done,
}

impl QueryTask {
    /// Opens the store, and a place for the records.
    pub(crate) fn start(
        context: SinkContext,
        config: SinkConfig,
        query: QueryConfig,
        engine: &dyn QueryEngine,
    ) -> Result<Self> {
        let storage =
            open_storage(&config.store, &format!("{}-{}", context.connector, context.task), &config.spool_directory)?;
        let records = engine.open(&query.text, query.settings.clone())?;
        info!(
            connector = context.connector,
            url = storage.url(),
            result = &*query.name,
            "reading the records of a query"
        );
        Ok(Self {
            patience: Patience::new(config.retry),
            context,
            config,
            query,
            storage,
            records,
            input: BTreeMap::new(),
            relation: None,
            stage: Stage::Reading,
        })
    }

    /// Whatever is under way is of records that are no longer all.
    fn read_on(&mut self) {
        if matches!(self.stage, Stage::Executing(_) | Stage::Writing(..)) {
            warn!(connector = self.context.connector, "more records came: the query begins anew");
        }
        self.stage = Stage::Reading;
    }

    /// Makes the store ready, and refuses a place with the result of another run, before anything is read for nothing.
    fn prepare(&mut self) -> Result<Option<Relation>> {
        if let Some(relation) = self.relation {
            return Ok(relation);
        }
        let (storage, mut hopeless) = (Arc::clone(&self.storage), None);
        let url = storage.url().to_owned();
        let outcome = self.patience.attempt(&format!("reach {url}"), || {
            look(&url, Arc::clone(&storage), |storage| storage.prepare())
                .inspect_err(|error| hopeless = check_error(&url, error))
        });
        if let Some(error) = hopeless {
            return Err(error);
        }
        outcome?;
        let relation = self.success_file()?.map(|success| success.relation(&self.query.text, &self.input));
        if relation == Some(Relation::Other) {
            return Err(self.place_is_taken());
        }
        self.relation = Some(relation);
        Ok(relation)
    }

    fn attempt(&self) -> (Attempt, SinkConfig) {
        Attempt::new(&self.query.name, &self.config)
    }

    fn place_is_taken(&self) -> Error {
        let (attempt, _) = self.attempt();
        Error::config(format!(
            "{} in {} has the result of an earlier run: give this one another name (`query.name`) or another place \
             (`topics.dir`, `store.url`), or remove that directory",
            attempt.directory(),
            self.storage.url()
        ))
    }

    /// What says that there is a result.
    fn success_file(&mut self) -> Result<Option<SuccessFile>> {
        let path = self.attempt().0.success_path();
        let (storage, shared) = (Arc::clone(&self.storage), path.clone());
        let found = self.patience.attempt(&format!("read {path}"), || {
            look(&path, storage, move |storage| Box::pin(async move { storage.read_all(&shared).await }))
        })?;
        match found.map(|text| SuccessFile::parse(&text)) {
            None => Ok(None),
            Some(Some(success)) => Ok(Some(success)),
            Some(None) => Err(self.place_is_taken()),
        }
    }

    /// Goes on with what comes after the records.
    fn advance(&mut self) -> Result<()> {
        let until = Instant::now() + STRETCH;
        if let Stage::Executing(running) = &mut self.stage {
            let Some(result) = running.result()? else { return Ok(()) };
            info!(connector = self.context.connector, rows = result.rows(), "the result of the query is written");
            let (attempt, config) = self.attempt();
            let storage = Arc::clone(&self.storage);
            let writer = ResultWriter::new(&self.context, config, storage, &self.query.name, result)?;
            self.stage = Stage::Writing(attempt, Box::new(writer));
        }
        if let Stage::Writing(_, writer) = &mut self.stage
            && writer.advance(until)?
        {
            self.complete()?;
        }
        Ok(())
    }

    /// All files are there: says so, which only one attempt can.
    fn complete(&mut self) -> Result<()> {
        let Stage::Writing(attempt, writer) = &self.stage else { return Ok(()) };
        let (connector, query) = (&self.context.connector, &self.query.text);
        let text = SuccessFile::new_text(&attempt.id, connector, query, &self.input, writer.files());
        let (attempt, path) = (attempt.clone(), attempt.success_path());
        let (storage, id, shared) = (Arc::clone(&self.storage), attempt.id.clone(), path.clone());
        let created = self.patience.attempt(&format!("write {path}"), || {
            let outcome = look(&path, storage, move |storage| {
                Box::pin(async move { storage.create(&shared, text.into(), &id, None).await })
            });
            match outcome {
                Err(StorageError::AlreadyExists { .. }) => Ok(false),
                outcome => outcome.map(|()| true),
            }
        })?;
        let winner = match created {
            true => attempt.id.clone(),
            // an answer may have been lost
            false => self.success_file()?.map_or_else(String::new, |success| success.attempt),
        };
        if winner.is_empty() {
            return Err(Error::retriable(format!("{path} was there, and is not there any more")));
        }
        self.remove_attempts_but(&winner);
        if winner != attempt.id {
            return Err(self.place_is_taken());
        }
        self.stage = Stage::Done;
        self.context.request_commit();
        Ok(())
    }

    /// Removes what other attempts than `winner` have left. What cannot be removed is named in `_SUCCESS` by nobody.
    fn remove_attempts_but(&self, winner: &str) {
        let (mut attempt, _) = self.attempt();
        attempt.id = winner.to_owned();
        let (storage, directory) = (Arc::clone(&self.storage), attempt.directory().to_owned());
        let outcome = look(&directory, storage, move |storage| {
            Box::pin(async move {
                let mut removed = 0_usize;
                for path in storage.list_below(attempt.directory()).await? {
                    if attempt.is_of_another(&path) {
                        storage.remove(&path).await?;
                        removed += 1;
                    }
                }
                Ok(removed)
            })
        });
        match outcome {
            Ok(0) => {}
            Ok(removed) => info!(directory, removed, "removed files of attempts that had been interrupted"),
            Err(error) => warn!(
                directory, %error,
                "could not remove all files of attempts that had been interrupted; those of the result stand in _SUCCESS"
            ),
        }
    }
}

impl SinkTask for QueryTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        if self.prepare()? == Some(Relation::Behind) {
            return Err(self.place_is_taken());
        }
        self.read_on();
        for records in &batch.records {
            self.records.add(records)?;
        }
        if let Some(range) = self.input.get_mut(batch.partition()) {
            range.end = batch.origin().range.end;
        }
        Ok(Vec::new())
    }

    /// Nothing before the whole result is there.
    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        Ok(match self.stage {
            Stage::Done => current.clone(),
            _ => self.input.iter().map(|(partition, range)| (partition.clone(), range.first)).collect(),
        })
    }

    fn open(&mut self, partitions: &Offsets) -> Result<()> {
        self.read_on();
        self.relation = None;
        for (partition, offset) in partitions {
            self.records.forget(partition);
            self.input.insert(partition.clone(), OffsetRange { first: *offset, end: *offset });
        }
        Ok(())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.read_on();
        for partition in partitions {
            self.records.forget(partition);
            self.input.remove(partition);
        }
        Ok(())
    }

    fn end_of_input(&mut self) -> Result<bool> {
        if !matches!(self.stage, Stage::Reading) {
            self.advance()?;
            return Ok(matches!(self.stage, Stage::Done));
        }
        let is_behind = self.prepare()? == Some(Relation::Behind);
        if let Some(success) = self.success_file()? {
            // behind it no record has come
            if !is_behind && !success.is_of(&self.query.text, &self.input) {
                return Err(self.place_is_taken());
            }
            info!(connector = self.context.connector, "the result of this run is there already");
            // whoever wrote it may have ended before this
            self.remove_attempts_but(&success.attempt);
            self.stage = Stage::Done;
            return Ok(true);
        }
        let mut topics: Vec<String> = self.input.keys().map(|partition| partition.topic.to_string()).collect();
        topics.dedup();
        info!(connector = self.context.connector, "all records are there, the query is executed");
        self.stage = Stage::Executing(RunningQuery::start(self.records.ready(&topics)?)?);
        Ok(false)
    }

    fn flush(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        self.advance()
    }

    fn tick(&mut self) -> Result<()> {
        self.advance()
    }

    fn buffered_bytes(&self) -> usize {
        match &self.stage {
            Stage::Writing(_, writer) => writer.buffered_bytes(),
            _ => 0,
        }
    }

    fn relieve(&mut self) -> Result<()> {
        match &mut self.stage {
            Stage::Writing(_, writer) => writer.relieve(),
            _ => Ok(()),
        }
    }
}
