//! The heart of the task: batches to streams, files to the store, and what may be committed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, warn};
use volley_api::metrics::{COMPLETE_FILES, Counter, Gauge, OPEN_FILES, WRITTEN_BYTES};
use volley_api::{Error, Offsets, RejectedRow, Result, SinkBatch, SinkContext, TopicPartition};

use super::adoption::{AdoptedFiles, find_files};
use super::chain_ends::ChainEnds;
use super::checkpoints::Checkpoints;
use super::names::{StreamFiles, StreamKey};
use super::partition::Partition;
use super::pieces::{Cutter, Piece};
use super::stream::Stream;
use super::takeover::JavaPlaces;
use super::uploads::{UploadOutcome, Uploads};
use super::waiting::Waiting;
use super::writing::Writing;
use crate::config::SinkConfig;
use crate::format::{FileIdentity, Format};
use crate::layout::{Partitioner, PartitionerConfig};
use crate::siblings::Sibling;
use crate::store::{Preparation, Storage, look};

/// How long a put waits for room before it gives up: a fraction of the worker's own pause.
const ROOM_WAIT: Duration = Duration::from_millis(50);
/// A commit is asked for at most this often.
const COMMIT_PAUSE_MS: i64 = 1000;

/// Wall-clock time in ms since 1970-01-01 UTC.
pub(crate) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The state of a running task.
pub(crate) struct Delivery {
    context: SinkContext,
    config: SinkConfig,
    storage: Arc<dyn Storage>,
    uploads: Box<dyn Uploads>,
    clock: Clock,
    preparation: Preparation,
    format: Format,
    /// Files beside each file.
    siblings: Vec<Sibling>,
    partitioner: Box<dyn Partitioner>,
    checkpoints: Checkpoints,
    /// Of files that are named as those of Java's sink for HDFS.
    java_places: Option<JavaPlaces>,
    partitions: BTreeMap<TopicPartition, Partition>,
    /// What the uploads on their way belong to.
    tickets: HashMap<u64, (TopicPartition, StreamKey)>,
    next_ticket: u64,
    open_files: Gauge,
    complete_files: Counter,
    written_bytes: Counter,
    last_commit_request_ms: i64,
    /// Of the first writing of rows that nobody has written before: its files so far.
    new_files: Option<Vec<NewFile>>,
}

/// A file that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewFile {
    /// Its path in the store.
    pub(crate) path: String,
    /// Number of rows.
    pub(crate) rows: u64,
    /// Number of bytes.
    pub(crate) bytes: u64,
}

impl Delivery {
    /// A task without partitions.
    ///
    /// # Errors
    /// `Config` if no directories can be made as configured.
    pub(crate) fn new(
        context: SinkContext,
        config: SinkConfig,
        storage: Arc<dyn Storage>,
        uploads: Box<dyn Uploads>,
        clock: Clock,
    ) -> Result<Self> {
        let metrics = context.metrics();
        let partitioner = config.partitioner.partitioner()?;
        let is_one_directory = matches!(config.partitioner, PartitionerConfig::Default);
        let layout = (!is_one_directory).then(|| partitioner.signature());
        let checkpoints = Checkpoints::new(Arc::clone(&storage), &context.connector, layout);
        let java_places = JavaPlaces::new(&storage, &context.connector, &config.naming, config.java_logs_dir.as_ref());
        let preparation = Preparation::new(Arc::clone(&storage), config.retry);
        Ok(Self {
            open_files: metrics.gauge(OPEN_FILES),
            complete_files: metrics.counter(COMPLETE_FILES),
            written_bytes: metrics.counter(WRITTEN_BYTES),
            context,
            storage,
            uploads,
            clock,
            preparation,
            format: Format::new(config.format.clone()),
            siblings: config.siblings.iter().cloned().map(Sibling::new).collect(),
            checkpoints,
            java_places,
            partitioner,
            config,
            partitions: BTreeMap::new(),
            tickets: HashMap::new(),
            next_ticket: 0,
            last_commit_request_ms: 0,
            new_files: None,
        })
    }

    /// For rows whose files have names that no file has had before: looks for no earlier ones, and notes those that are created.
    pub(crate) fn of_new_files(mut self) -> Self {
        self.java_places = None;
        self.checkpoints = Checkpoints::new(Arc::clone(&self.storage), &self.context.connector, None);
        self.new_files = Some(Vec::new());
        self
    }

    /// The files created so far, of a delivery [of new files](Self::of_new_files).
    pub(crate) fn new_files(&self) -> &[NewFile] {
        self.new_files.as_deref().unwrap_or_default()
    }

    /// See [`Preparation::prepare`].
    pub(crate) fn prepare(&mut self) -> Result<()> {
        self.preparation.prepare()
    }

    /// See [`volley_api::SinkTask::open`].
    pub(crate) fn open(&mut self, partitions: &Offsets) {
        self.java_places.iter_mut().for_each(JavaPlaces::forget);
        for (partition, offset) in partitions {
            self.forget(partition);
            self.partitions.insert(partition.clone(), Partition::new(*offset, self.config.retry));
        }
    }

    /// See [`volley_api::SinkTask::close`].
    pub(crate) fn close(&mut self, partitions: &[TopicPartition]) {
        let vouched = partitions.iter().filter_map(|name| Some((name.clone(), self.partitions.get(name)?.vouched()?)));
        let vouched: Offsets = vouched.collect();
        self.write_checkpoints(&vouched, true);
        partitions.iter().for_each(|partition| self.forget(partition));
    }

    /// See [`volley_api::SinkTask::put`].
    pub(crate) fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        self.prepare()?;
        let partition = batch.partition();
        let rewinds = self.partition(partition)?.rewinds();
        self.make_room()?;
        self.find_java_place(partition)?;
        if self.partition(partition)?.rewinds() != rewinds {
            // rows before this batch have to come again, and then it does too
            return Ok(Vec::new());
        }
        self.partition(partition)?.check_order(batch)?;
        let mut rejected = Vec::new();
        let cutter = Cutter {
            format: &self.format,
            partitioner: self.partitioner.as_ref(),
            null_values: &self.config.null_values,
            compatibility: self.config.compatibility,
            siblings: &self.siblings,
            now: (self.clock)(),
        };
        let Some(cut) = self.partitions.get_mut(partition) else { return Ok(rejected) };
        let pieces = cutter.pieces(batch, cut, &mut rejected)?;
        for piece in &pieces {
            self.find_stream(partition, &piece.key)?;
        }
        for piece in pieces {
            self.write(partition, piece)?;
        }
        if let Some((opened, writing)) = self.writing(partition) {
            opened.end_batch(batch.origin().range.end, &writing)?;
        }
        self.begin_uploads()?;
        Ok(rejected)
    }

    /// See [`volley_api::SinkTask::pre_commit`].
    pub(crate) fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        self.collect()?;
        let committable = current.iter().filter_map(|(partition, offset)| {
            Some((partition.clone(), self.partitions.get(partition)?.committable(*offset)))
        });
        let committable: Offsets = committable.collect();
        self.write_checkpoints(&committable, false);
        for (name, offset) in &committable {
            if let Some(partition) = self.partitions.get_mut(name) {
                partition.vouch(*offset);
            }
        }
        Ok(committable)
    }

    /// See [`volley_api::SinkTask::flush`].
    pub(crate) fn flush(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.collect()?;
        for name in partitions {
            self.close_open(name, |_| true)?;
            if let Some(file) = self.partitions.get(name).and_then(Partition::unverified) {
                warn!(
                    partition = %name, file = file.path, offset = file.identity.start,
                    "nothing is committed before this offset has come by: if the partition ends before it, the topic was \
                     deleted and created again, and the files of the old one have to be moved away"
                );
            }
        }
        self.begin_uploads()
    }

    /// See [`volley_api::SinkTask::tick`].
    pub(crate) fn tick(&mut self) -> Result<()> {
        self.prepare()?;
        self.collect()?;
        let (now, policy) = ((self.clock)(), self.config.rotation.clone());
        let names: Vec<_> = self.partitions.keys().cloned().collect();
        for name in names {
            self.close_open(&name, |stream| stream.is_due(&policy, now))?;
        }
        self.begin_uploads()?;
        let open: usize = self.streams().map(Stream::unfinished_files).sum();
        self.open_files.set(i64::try_from(open).unwrap_or(i64::MAX));
        Ok(())
    }

    /// See [`volley_api::SinkTask::relieve`].
    pub(crate) fn relieve(&mut self) -> Result<()> {
        self.collect()?;
        let streams = self.partitions.iter().flat_map(|(name, partition)| partition.streams().map(move |s| (name, s)));
        let largest = streams.max_by_key(|(_, stream)| stream.open_memory());
        let Some((name, files, memory)) =
            largest.map(|(name, stream)| (name.clone(), Arc::clone(stream.files()), stream.open_memory()))
        else {
            return Ok(());
        };
        // what is on its way will free as much
        if memory == 0 || self.waiting().memory >= memory {
            return Ok(());
        }
        if let Some(place) = self.storage.spool_place()
            && let Some(stream) = self.partitions.get_mut(&name).and_then(|partition| partition.stream(&files.key))
        {
            let freed = stream.relieve(&place)?;
            if freed >= memory / 2 {
                debug!(file_topic = %files.key.topic, directory = files.directory, partition = %name, freed, "the bytes of the largest file wait on disk");
                return Ok(());
            }
        }
        debug!(file_topic = %files.key.topic, directory = files.directory, partition = %name, memory, "completing the largest file to free memory");
        self.close_open(&name, |stream| Arc::ptr_eq(stream.files(), &files))?;
        self.begin_uploads()
    }

    /// See [`volley_api::SinkTask::buffered_bytes`].
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.streams().map(|stream| stream.open_memory() + stream.waiting().memory).sum()
    }

    fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.partitions.values().flat_map(Partition::streams)
    }

    fn partition(&mut self, name: &TopicPartition) -> Result<&mut Partition> {
        let missing = || Error::fatal(format!("records of {name} came before the partition was opened"));
        self.partitions.get_mut(name).ok_or_else(missing)
    }

    fn forget(&mut self, name: &TopicPartition) {
        self.checkpoints.forget(name);
        let Some(partition) = self.partitions.remove(name) else { return };
        for ticket in partition.streams().filter_map(Stream::uploading) {
            self.tickets.remove(&ticket);
            self.uploads.abandon(ticket);
        }
    }

    fn find_stream(&mut self, partition: &TopicPartition, key: &StreamKey) -> Result<()> {
        if self.partition(partition)?.stream(key).is_some() {
            return Ok(());
        }
        let from = self.first_needed(partition, key)?;
        let is_of_tombstones = self.config.null_values.is_directory(&key.directory);
        let extensions = self.siblings.iter().map(|sibling| sibling.format().extension());
        let mut extensions = (!is_of_tombstones).then(|| self.format.extension()).into_iter().chain(extensions);
        let files = StreamFiles::new(&self.config.naming, extensions.next().unwrap_or_default(), key, partition);
        let files = files.with_siblings(extensions.map(Arc::from).collect());
        let adopted = match self.ends(partition)?.get(key).cloned() {
            _ if self.new_files.is_some() => None,
            Some(last) => last.map(|last| AdoptedFiles { last, next: None, lacks_siblings: false }),
            None => self.list_files(partition, &files, from)?,
        };
        if let Some(adopted) = &adopted {
            // whoever has created it may have ended before this; from now on it may be committed
            self.tidy(&adopted.last.path);
        }
        let stream = Stream::new(files, is_of_tombstones, adopted, from, &self.context.connector)?;
        self.partition(partition)?.add_stream(stream);
        Ok(())
    }

    fn tidy(&self, path: &str) {
        let shared = path.to_owned();
        let outcome =
            look(path, Arc::clone(&self.storage), move |storage| Box::pin(async move { storage.tidy(&shared).await }));
        if let Err(error) = outcome {
            debug!(path, %error, "could not look for what others may have left");
        }
    }

    fn ends(&mut self, name: &TopicPartition) -> Result<&mut ChainEnds> {
        let missing = || Error::fatal(format!("records of {name} came before the partition was opened"));
        let partition = self.partitions.get_mut(name).ok_or_else(missing)?;
        let opened_at = partition.opened_at();
        Ok(partition.ends().get_or_insert_with(|| self.checkpoints.read(name, opened_at)))
    }

    /// The first offset whose rows may not be in files of others.
    fn first_needed(&mut self, name: &TopicPartition, key: &StreamKey) -> Result<i64> {
        let partition = self.partition(name)?;
        // Java's sink writes a topic to its own directory only
        let covered = partition.java_place().filter(|_| key.topic == name.topic).map_or(0, |place| place.covered);
        Ok(partition.opened_at().max(covered))
    }

    /// Looks, once, for the files of Java's sink. Asks for rows again if the group has committed some that are in no
    /// file.
    fn find_java_place(&mut self, name: &TopicPartition) -> Result<()> {
        let Some(places) = &mut self.java_places else { return Ok(()) };
        let Some(partition) = self.partitions.get_mut(name).filter(|partition| partition.java_place().is_none()) else {
            return Ok(());
        };
        let opened_at = partition.opened_at();
        let what = format!("look for the files of {name}");
        let place = partition.patience().attempt(&what, || places.find(name, opened_at))?;
        if let Some(file) = &place.unfinished {
            return Err(unfinished_by_java(&self.storage, name, file));
        }
        let begins_at = place.begins_at;
        partition.set_java_place(place);
        if let Some(offset) = begins_at {
            let offset = partition.start_at(offset);
            warn!(
                partition = %name, committed = opened_at, next_offset = offset,
                "records that were committed before are in no file of Java's sink, going on where its last file ends"
            );
            self.context.rewind(name.clone(), offset);
        }
        Ok(())
    }

    fn list_files(
        &mut self,
        partition: &TopicPartition,
        files: &StreamFiles,
        from: i64,
    ) -> Result<Option<AdoptedFiles>> {
        let (storage, shared) = (Arc::clone(&self.storage), files.clone());
        self.partition(partition)?.patience().attempt(&format!("list {}", files.directory), || {
            let path = shared.directory.clone();
            look(&path, storage, move |storage| Box::pin(async move { find_files(storage, &shared, from).await }))
        })
    }

    fn write_checkpoints(&mut self, offsets: &Offsets, is_last: bool) {
        let now = (self.clock)();
        let due = self.checkpoints.due(offsets, is_last, now);
        let checkpoints = due.into_iter().filter_map(|(name, offset)| {
            let checkpoint = self.partitions.get(&name)?.checkpoint(offset, self.checkpoints.layout());
            Some((name, checkpoint))
        });
        self.checkpoints.write(checkpoints.collect(), now);
    }

    fn write(&mut self, name: &TopicPartition, piece: Piece) -> Result<()> {
        let Some((partition, writing)) = self.writing(name) else { return Ok(()) };
        let Some(stream) = partition.stream(&piece.key) else { return Ok(()) };
        stream.verify(&piece.records)?;
        stream.take_for_siblings(&piece);
        let first = stream.first_new_row(&piece.records);
        let piece = if first == 0 { piece } else { piece.slice(first, piece.len() - first) };
        stream.write(&piece, &writing)
    }

    fn close_open(&mut self, name: &TopicPartition, condition: impl Fn(&Stream) -> bool) -> Result<()> {
        match self.writing(name) {
            Some((partition, writing)) => partition.close_open(condition, &writing),
            None => Ok(()),
        }
    }

    fn writing(&mut self, name: &TopicPartition) -> Option<(&mut Partition, Writing<'_>)> {
        let writing = Writing {
            connector: &self.context.connector,
            policy: &self.config.rotation,
            compatibility: self.config.compatibility,
            siblings: &self.siblings,
            has_tags: self.config.has_tags,
            has_claims: self.config.naming.has_claims(),
            storage: self.storage.as_ref(),
            format: &self.format,
            now: (self.clock)(),
        };
        Some((self.partitions.get_mut(name)?, writing))
    }

    fn waiting(&self) -> Waiting {
        self.streams().map(Stream::waiting).sum()
    }

    fn make_room(&mut self) -> Result<()> {
        self.collect()?;
        if self.waiting().is_full() {
            self.uploads.wait(ROOM_WAIT);
            self.collect()?;
        }
        match self.waiting() {
            waiting if waiting.is_full() => Err(Error::retriable(format!(
                "{} complete files with {} bytes wait to be written to {}",
                waiting.files,
                waiting.bytes(),
                self.storage.url()
            ))),
            _ => Ok(()),
        }
    }

    /// Takes note of uploads that have ended, and begins those that can.
    fn collect(&mut self) -> Result<()> {
        for (ticket, outcome) in self.uploads.ended() {
            let Some((name, key)) = self.tickets.remove(&ticket) else { continue };
            match outcome {
                UploadOutcome::Created { path } => self.uploaded(ticket, &name, &key, &path),
                UploadOutcome::Beaten { path, winner } => self.beaten(ticket, &name, &key, &path, &winner)?,
                UploadOutcome::Failed(error) => return Err(error),
            }
        }
        self.begin_uploads()
    }

    fn uploaded(&mut self, ticket: u64, name: &TopicPartition, key: &StreamKey, path: &str) {
        let stream = self.partitions.get_mut(name).and_then(|partition| partition.stream(key));
        let Some(file) = stream.and_then(|stream| stream.uploaded(ticket, path)) else { return };
        debug!(path, rows = file.identity.rows, bytes = file.contents.len(), "file complete");
        self.complete_files.add(1);
        self.written_bytes.add(file.contents.len());
        if let Some(files) = &mut self.new_files {
            let (rows, bytes) = (file.identity.rows, file.contents.len());
            files.push(NewFile { path: path.to_owned(), rows, bytes });
        }
        let now = (self.clock)();
        if now.saturating_sub(self.last_commit_request_ms) >= COMMIT_PAUSE_MS {
            self.last_commit_request_ms = now;
            self.context.request_commit();
        }
    }

    fn beaten(
        &mut self,
        ticket: u64,
        name: &TopicPartition,
        key: &StreamKey,
        path: &str,
        winner: &FileIdentity,
    ) -> Result<()> {
        let Some(partition) = self.partitions.get_mut(name) else { return Ok(()) };
        let Some(stream) = partition.stream(key) else { return Ok(()) };
        if !stream.is_beaten(ticket, path, winner, &self.context.connector)? {
            return Ok(());
        }
        // whoever has written this one may have written others: one look for all, rather than a lost race for each
        for ticket in partition.streams().filter_map(Stream::uploading) {
            self.tickets.remove(&ticket);
            self.uploads.abandon(ticket);
        }
        let offset = partition.start_over();
        warn!(
            path, partition = %name, next_offset = offset,
            "another task has written this file with the same records, going on behind its files"
        );
        self.context.rewind(name.clone(), offset);
        Ok(())
    }

    fn begin_uploads(&mut self) -> Result<()> {
        for (name, partition) in &mut self.partitions {
            for stream in partition.streams_mut().filter(|stream| stream.can_upload()) {
                let ticket = self.next_ticket;
                if let Some(upload) = stream.begin_upload(ticket) {
                    self.next_ticket += 1;
                    self.tickets.insert(ticket, (name.clone(), stream.files().key.clone()));
                    self.uploads.begin(upload)?;
                }
            }
        }
        Ok(())
    }
}

fn unfinished_by_java(storage: &Arc<dyn Storage>, partition: &TopicPartition, file: &str) -> Error {
    Error::config(format!(
        "Java's sink has not ended with {file} in {}, which its log of {partition} names: start it again with Java and stop \
         it in order, so that its records are neither lost nor written twice; or, to have them written by this sink, remove \
         the files in `+tmp` and the log",
        storage.url()
    ))
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}
