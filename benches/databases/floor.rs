//! The floor of the databases bench: tables into topics and back, by a program that does nothing else. It knows the
//! columns, keeps no offsets, and loses everything when it is stopped.
//!
//! ```text
//!  COPY … TO STDOUT (FORMAT binary) ─► JSON or Avro, written by hand ─► BaseProducer
//!  BaseConsumer ─► Avro, read by hand ─► COPY … FROM STDIN (FORMAT binary) [─► INSERT … ON CONFLICT]
//! ```

use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio_postgres::{Client, NoTls};

use crate::orders::{COLUMNS, Kind};

/// First argument of a process that is to be the floor.
const ROLE: &str = "run-floor";
/// What begins a binary COPY (PostgreSQL's documentation of COPY): signature, flags, length of an extension.
const HEAD: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Microseconds from 1970 to 2000, where PostgreSQL's times begin.
const EPOCH: i64 = 946_684_800_000_000;
/// Rows that are committed at once.
const CHUNK_ROWS: usize = 16_384;
const SILENCE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(120);

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    ReadJson,
    ReadAvro { schema_id: u32 },
    Insert,
    Upsert,
}

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Floor {
    pub(crate) work: Work,
    pub(crate) bootstrap_servers: String,
    /// As libpq has it.
    pub(crate) database: String,
    pub(crate) table: String,
    pub(crate) topic: String,
}

impl Floor {
    /// The arguments of a process that does this; see [`Floor::from_arguments`].
    pub(crate) fn to_arguments(&self) -> [String; 6] {
        let work = match &self.work {
            Work::ReadJson => "read".to_owned(),
            Work::ReadAvro { schema_id } => schema_id.to_string(),
            Work::Insert => "insert".to_owned(),
            Work::Upsert => "upsert".to_owned(),
        };
        let Self { bootstrap_servers, database, table, topic, .. } = self.clone();
        [ROLE.to_owned(), work, bootstrap_servers, database, table, topic]
    }

    /// The floor that this process is to be; `None` if it is something else.
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let arguments: Vec<_> = arguments.collect();
        let [role, work, bootstrap_servers, database, table, topic] = arguments.as_slice() else { return Ok(None) };
        if role != ROLE {
            return Ok(None);
        }
        let work = match work.as_str() {
            "read" => Work::ReadJson,
            "insert" => Work::Insert,
            "upsert" => Work::Upsert,
            id => Work::ReadAvro { schema_id: id.parse()? },
        };
        let [bootstrap_servers, database, table, topic] =
            [bootstrap_servers, database, table, topic].map(ToOwned::to_owned);
        Ok(Some(Self { work, bootstrap_servers, database, table, topic }))
    }

    /// Does it.
    pub(crate) fn run(&self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.database, NoTls).await?;
            let work = async {
                match self.work {
                    Work::ReadJson | Work::ReadAvro { .. } => self.read(&client).await,
                    Work::Insert | Work::Upsert => self.write(&client).await,
                }
            };
            tokio::select! {
                outcome = work => outcome,
                outcome = connection => outcome.map_err(Into::into),
            }
        })
    }

    async fn read(&self, client: &Client) -> Result<()> {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("compression.type", "lz4")
            .set("enable.idempotence", "true")
            .set("linger.ms", "50")
            .create()?;
        let mut rows =
            pin!(client.copy_out(&format!("COPY (SELECT * FROM {}) TO STDOUT (FORMAT binary)", self.table)).await?);
        let (mut message, mut is_first, mut count) = (Vec::new(), true, 0_u64);
        while let Some(row) = rows.next().await {
            let mut row = row?;
            if is_first {
                ensure!(row.starts_with(&HEAD), "COPY has another head");
                row.advance(HEAD.len());
                is_first = false;
            }
            if row.remaining() < 2 || row.get_i16() < 0 {
                continue;
            }
            message.clear();
            match self.work {
                Work::ReadAvro { schema_id } => write_avro(&mut row, schema_id, &mut message)?,
                _ => write_json(&mut row, &mut message)?,
            }
            send(&producer, &self.topic, &message)?;
            count += 1;
            if count.is_multiple_of(1000) {
                producer.poll(Duration::ZERO);
            }
        }
        producer.flush(PATIENCE).context("the broker does not take the records")
    }

    async fn write(&self, client: &Client) -> Result<()> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("group.id", "floor")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("fetch.queue.backoff.ms", "5")
            .create()?;
        let mut left = assign(&consumer, &self.topic)?;
        let staging = format!("CREATE TEMPORARY TABLE staging (LIKE {}) ON COMMIT DELETE ROWS", self.table);
        if self.work == Work::Upsert {
            client.batch_execute(&staging).await?;
        }
        while left > 0 {
            let mut chunk = BytesMut::from(&HEAD[..]);
            for _ in 0..left.min(CHUNK_ROWS) {
                let message = consumer.poll(SILENCE).context("the broker is silent")??;
                write_copy(message.payload().unwrap_or_default(), &mut chunk)?;
                left -= 1;
            }
            chunk.put_i16(-1);
            self.store(client, chunk.freeze()).await?;
        }
        Ok(())
    }

    async fn store(&self, client: &Client, chunk: Bytes) -> Result<()> {
        client.batch_execute("BEGIN").await?;
        let target = if self.work == Work::Upsert { "staging" } else { &self.table };
        let mut sink = pin!(client.copy_in(&format!("COPY {target} FROM STDIN (FORMAT binary)")).await?);
        sink.send(chunk).await?;
        sink.close().await?;
        if self.work == Work::Upsert {
            let columns = || COLUMNS.iter().skip(1).map(|(name, _)| format!("{name} = EXCLUDED.{name}"));
            let text = format!(
                "INSERT INTO {} SELECT * FROM staging ON CONFLICT (id) DO UPDATE SET {}",
                self.table,
                columns().collect::<Vec<_>>().join(", ")
            );
            client.batch_execute(&text).await?;
        }
        Ok(client.batch_execute("COMMIT").await?)
    }
}

fn send(producer: &BaseProducer, topic: &str, message: &[u8]) -> Result<()> {
    let mut record = BaseRecord::<(), [u8]>::to(topic).payload(message);
    while let Err((error, back)) = producer.send(record) {
        if !matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) {
            return Err(error.into());
        }
        producer.poll(Duration::from_millis(10));
        record = back;
    }
    Ok(())
}

/// Assigns all partitions; says how many messages they have together.
fn assign(consumer: &BaseConsumer, topic: &str) -> Result<usize> {
    let metadata = consumer.fetch_metadata(Some(topic), SILENCE)?;
    let partitions = metadata.topics().first().context("no such topic")?.partitions().len();
    let (mut messages, mut list) = (0, TopicPartitionList::new());
    for partition in 0..i32::try_from(partitions)? {
        let (low, high) = consumer.fetch_watermarks(topic, partition, SILENCE)?;
        messages += usize::try_from(high - low)?;
        list.add_partition_offset(topic, partition, Offset::Offset(low))?;
    }
    consumer.assign(&list)?;
    Ok(messages)
}

/// The next value of a row of COPY; `None`: null.
fn field(row: &mut Bytes) -> Result<Option<Bytes>> {
    let length = row.get_i32();
    Ok(usize::try_from(length).ok().map(|length| row.split_to(length)))
}

fn write_json(row: &mut Bytes, out: &mut Vec<u8>) -> Result<()> {
    for (index, (name, kind)) in COLUMNS.iter().enumerate() {
        write!(out, "{}\"{name}\":", if index == 0 { '{' } else { ',' })?;
        let Some(mut value) = field(row)? else {
            out.extend_from_slice(b"null");
            continue;
        };
        match kind {
            Kind::Long => write!(out, "{}", value.get_i64())?,
            Kind::Int => write!(out, "{}", value.get_i32())?,
            Kind::Short => write!(out, "{}", value.get_i16())?,
            Kind::Double => write!(out, "{:?}", value.get_f64())?,
            Kind::Boolean => write!(out, "{}", value.get_u8() != 0)?,
            Kind::Timestamp => write!(out, "{}", (value.get_i64() + EPOCH) / 1000)?,
            Kind::Text | Kind::OptionalText => serde_json::to_writer(&mut *out, std::str::from_utf8(&value)?)?,
        }
    }
    out.push(b'}');
    Ok(())
}

fn write_avro(row: &mut Bytes, schema_id: u32, out: &mut Vec<u8>) -> Result<()> {
    out.push(0);
    out.extend(schema_id.to_be_bytes());
    for (_, kind) in COLUMNS {
        let value = field(row)?;
        if kind == Kind::OptionalText {
            write_long(i64::from(value.is_some()), out);
        }
        let Some(mut value) = value else { continue };
        match kind {
            Kind::Long => write_long(value.get_i64(), out),
            Kind::Int => write_long(i64::from(value.get_i32()), out),
            Kind::Short => write_long(i64::from(value.get_i16()), out),
            Kind::Double => out.extend(value.get_f64().to_le_bytes()),
            Kind::Boolean => out.push(value.get_u8()),
            Kind::Timestamp => write_long((value.get_i64() + EPOCH) / 1000, out),
            Kind::Text | Kind::OptionalText => {
                write_long(i64::try_from(value.len())?, out);
                out.extend_from_slice(&value);
            }
        }
    }
    Ok(())
}

/// A message in Avro, as a row of COPY.
fn write_copy(message: &[u8], out: &mut BytesMut) -> Result<()> {
    let mut message = message.get(5..).context("a message without a schema id")?;
    out.put_i16(i16::try_from(COLUMNS.len())?);
    for (_, kind) in COLUMNS {
        match kind {
            Kind::Long => {
                out.put_i32(8);
                out.put_i64(read_long(&mut message)?);
            }
            Kind::Int => {
                out.put_i32(4);
                out.put_i32(i32::try_from(read_long(&mut message)?)?);
            }
            Kind::Short => {
                out.put_i32(2);
                out.put_i16(i16::try_from(read_long(&mut message)?)?);
            }
            Kind::Double => {
                ensure!(message.len() >= 8, "a message that ends early");
                out.put_i32(8);
                out.put_f64(message.get_f64_le());
            }
            Kind::Boolean => {
                ensure!(!message.is_empty(), "a message that ends early");
                out.put_i32(1);
                out.put_u8(message.get_u8());
            }
            Kind::Timestamp => {
                out.put_i32(8);
                out.put_i64(read_long(&mut message)? * 1000 - EPOCH);
            }
            Kind::OptionalText if read_long(&mut message)? == 0 => out.put_i32(-1),
            Kind::Text | Kind::OptionalText => {
                let length = usize::try_from(read_long(&mut message)?)?;
                let (text, rest) = message.split_at_checked(length).context("a message that ends early")?;
                out.put_i32(i32::try_from(length)?);
                out.put_slice(std::str::from_utf8(text)?.as_bytes());
                message = rest;
            }
        }
    }
    Ok(())
}

/// A number in Avro's zig-zag code.
fn write_long(number: i64, out: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn read_long(message: &mut &[u8]) -> Result<i64> {
    let (mut bits, mut shift) = (0_u64, 0);
    loop {
        ensure!(!message.is_empty() && shift < 64, "a message that ends early");
        let byte = message.get_u8();
        bits |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((bits >> 1) as i64 ^ -((bits & 1) as i64));
        }
        shift += 7;
    }
}
