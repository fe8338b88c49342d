//! The floor: what a drain costs that does nothing but drain. The drain bench runs it as a process of its own.
//!
//! ```text
//!  fetch thread: BaseConsumer ─► one buffer per partition ─► decode and write thread: arrow-json or arrow-avro ─► ArrowWriter
//! ```
//!
//! It knows the schema, keeps no offsets, joins no group, and loses everything when it is stopped. It fetches ahead as much
//! as Volley does by default, so that their memory can be compared; with librdkafka's own `fetch.queue.backoff.ms` it would
//! sleep most of the time.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use arrow::array::RecordBatch;
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::payment;
use crate::payments_topic::Encoding;

/// First argument of a process that is to be the floor.
const ROLE: &str = "run-floor";
const CHUNK_ROWS: usize = 16_384;
/// Chunks on their way to the writer: enough that neither thread waits for a single chunk of the other.
const CHUNKS_AHEAD: usize = 4;
/// Silence after which the broker counts as lost.
const SILENCE: Duration = Duration::from_secs(30);

/// What to drain, and where to.
#[derive(Clone, Debug)]
pub(crate) struct Floor {
    pub(crate) bootstrap_servers: String,
    pub(crate) topic: String,
    pub(crate) partitions: usize,
    pub(crate) encoding: Encoding,
    /// Whether the messages are copied as lines of a file in place of decoded.
    pub(crate) copies_lines: bool,
    /// Rows of a file.
    pub(crate) flush_size: usize,
    pub(crate) directory: PathBuf,
}

/// Messages of one partition.
struct Chunk {
    partition: usize,
    messages: Vec<u8>,
    rows: usize,
}

impl Chunk {
    fn new(partition: usize, encoding: Encoding) -> Self {
        let bytes = match encoding {
            Encoding::Json(size) => size.bytes(),
            Encoding::Avro { .. } => payment::BYTES,
        };
        Self { partition, messages: Vec::with_capacity(CHUNK_ROWS * (bytes + 1)), rows: 0 }
    }

    fn push(&mut self, payload: &[u8], is_line: bool) {
        self.messages.extend_from_slice(payload);
        if is_line {
            self.messages.push(b'\n');
        }
        self.rows += 1;
    }
}

impl Floor {
    /// The arguments of a process that does this; see [`Floor::from_arguments`].
    pub(crate) fn to_arguments(&self) -> [String; 8] {
        [
            ROLE.to_owned(),
            self.bootstrap_servers.clone(),
            self.topic.clone(),
            self.partitions.to_string(),
            self.encoding.to_argument(),
            self.copies_lines.to_string(),
            self.flush_size.to_string(),
            self.directory.display().to_string(),
        ]
    }

    /// The floor that this process is to be; `None` if it is something else.
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let arguments: Vec<_> = arguments.collect();
        match arguments.as_slice() {
            [role, bootstrap_servers, topic, partitions, encoding, copies_lines, flush_size, directory]
                if role == ROLE =>
            {
                Ok(Some(Self {
                    bootstrap_servers: bootstrap_servers.clone(),
                    topic: topic.clone(),
                    partitions: partitions.parse()?,
                    encoding: Encoding::from_argument(encoding)?,
                    copies_lines: copies_lines.parse()?,
                    flush_size: flush_size.parse()?,
                    directory: PathBuf::from(directory),
                }))
            }
            _ => Ok(None),
        }
    }

    /// Drains the topic to the end it has now.
    pub(crate) fn run(&self) -> Result<()> {
        let (sender, receiver) = sync_channel(CHUNKS_AHEAD);
        thread::scope(|scope| {
            let writer = scope.spawn(move || self.write(&receiver));
            let fetched = self.fetch(&sender);
            drop(sender);
            writer.join().map_err(|_| anyhow!("the writing thread panicked"))??;
            fetched
        })
    }

    fn fetch(&self, sender: &SyncSender<Chunk>) -> Result<()> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("group.id", "floor")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("fetch.max.bytes", "4194304")
            .set("fetch.queue.backoff.ms", "5")
            .set("queued.max.messages.kbytes", "16384")
            .set("queued.min.messages", "50000")
            .create()?;
        let mut left = self.assign(&consumer)?;
        let mut chunks: Vec<_> = (0..self.partitions).map(|partition| Chunk::new(partition, self.encoding)).collect();
        while left > 0 {
            let message = consumer.poll(SILENCE).context("the broker is silent")??;
            let partition = usize::try_from(message.partition())?;
            let chunk = &mut chunks[partition];
            chunk.push(message.payload().unwrap_or_default(), self.copies_lines);
            left -= 1;
            if chunk.rows == CHUNK_ROWS {
                let full = std::mem::replace(chunk, Chunk::new(partition, self.encoding));
                sender.send(full).context("the writing thread has ended")?;
            }
        }
        for chunk in chunks.into_iter().filter(|chunk| chunk.rows > 0) {
            sender.send(chunk).context("the writing thread has ended")?;
        }
        Ok(())
    }

    /// Assigns all partitions; says how many messages they have together.
    fn assign(&self, consumer: &BaseConsumer) -> Result<u64> {
        let mut messages = 0;
        let mut list = TopicPartitionList::new();
        for partition in 0..i32::try_from(self.partitions)? {
            let (low, high) = consumer.fetch_watermarks(&self.topic, partition, SILENCE)?;
            messages += u64::try_from(high - low)?;
            list.add_partition_offset(&self.topic, partition, Offset::Offset(low))?;
        }
        consumer.assign(&list)?;
        Ok(messages)
    }

    fn write(&self, receiver: &Receiver<Chunk>) -> Result<()> {
        if self.copies_lines {
            return self.copy(receiver);
        }
        let mut decoder = Decoder::new(self.encoding)?;
        let mut partitions: Vec<_> = (0..self.partitions).map(|_| Output::default()).collect();
        for chunk in receiver {
            partitions[chunk.partition].write(self, &chunk, &mut decoder)?;
        }
        partitions.into_iter().try_for_each(|mut output| output.close())
    }
}

impl Floor {
    /// Copies the lines into a file for so many rows of each partition.
    fn copy(&self, receiver: &Receiver<Chunk>) -> Result<()> {
        let mut rows = vec![0; self.partitions];
        let mut files: Vec<Option<File>> = (0..self.partitions).map(|_| None).collect();
        for chunk in receiver {
            let written = &mut rows[chunk.partition];
            let file = match &mut files[chunk.partition] {
                Some(file) => file,
                empty => {
                    let name = format!("{}-{written:010}.json", chunk.partition);
                    empty.insert(File::create(self.directory.join(name))?)
                }
            };
            file.write_all(&chunk.messages)?;
            *written += chunk.rows;
            if *written % self.flush_size < chunk.rows {
                files[chunk.partition] = None;
            }
        }
        Ok(())
    }
}

/// What the libraries decode with, told the schema.
enum Decoder {
    Json(arrow_json::reader::Decoder),
    Avro(arrow_avro::reader::Decoder),
}

impl Decoder {
    fn new(encoding: Encoding) -> Result<Self> {
        let id = match encoding {
            Encoding::Json(size) => {
                let builder = arrow_json::ReaderBuilder::new(payment::schema(size)).with_batch_size(CHUNK_ROWS);
                return Ok(Self::Json(builder.build_decoder()?));
            }
            Encoding::Avro { schema_id } => schema_id,
        };
        let mut schemas = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
        let id = schemas.set(Fingerprint::Id(id), AvroSchema::new(payment::AVRO_SCHEMA.to_owned()))?;
        let builder = arrow_avro::reader::ReaderBuilder::new().with_batch_size(CHUNK_ROWS);
        Ok(Self::Avro(builder.with_writer_schema_store(schemas).with_active_fingerprint(id).build_decoder()?))
    }

    fn decode(&mut self, messages: &[u8]) -> Result<RecordBatch> {
        let (read, batch) = match self {
            Self::Json(decoder) => (decoder.decode(messages)?, decoder.flush()?),
            Self::Avro(decoder) => (decoder.decode(messages)?, decoder.flush()?),
        };
        ensure!(read == messages.len(), "the decoder stopped early");
        batch.context("a chunk without rows")
    }
}

/// The files of one partition.
#[derive(Default)]
struct Output {
    writer: Option<ArrowWriter<File>>,
    rows: usize,
    files: usize,
}

impl Output {
    fn write(&mut self, floor: &Floor, chunk: &Chunk, decoder: &mut Decoder) -> Result<()> {
        let batch = decoder.decode(&chunk.messages)?;
        ensure!(batch.num_rows() == chunk.rows, "the decoder stopped early");
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let name = format!("{}-{:05}.parquet", chunk.partition, self.files);
                self.writer.insert(parquet_writer(&floor.directory.join(name), &batch)?)
            }
        };
        writer.write(&batch)?;
        self.rows += batch.num_rows();
        if self.rows >= floor.flush_size {
            self.close()?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        if let Some(writer) = self.writer.take() {
            writer.close()?;
        }
        self.rows = 0;
        self.files += 1;
        Ok(())
    }
}

fn parquet_writer(path: &Path, batch: &RecordBatch) -> Result<ArrowWriter<File>> {
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?)).build();
    Ok(ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties))?)
}
