//! Both clients that fetch, reading a topic side by side while something befalls its brokers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use volley_api::{ConfigMap, TopicPartition};
use volley_kafka::{FetchSettings, Fetcher, Outgoing, Producer, TopicSelection};

use crate::testbed::{KafkaCluster, Message, Rebalances, wait_until};

/// Well below the 5 minutes after which leaders are looked up anyway.
pub(super) const SOON: Duration = Duration::from_secs(90);
const CLIENTS: [&str; 2] = ["librdkafka", "native"];

/// What a consumer has read of each partition: offsets and values, in the order in which they came.
pub(super) type Read = BTreeMap<i32, Vec<(i64, Vec<u8>)>>;

#[derive(Default)]
struct Seen {
    read: Read,
    error: Option<String>,
}

enum Order {
    Seek(TopicPartition, i64),
    Stop,
}

/// A consumer on a thread of its own.
pub(super) struct Reader {
    pub(super) client: &'static str,
    seen: Arc<Mutex<Seen>>,
    orders: mpsc::Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Reads a topic from its beginning; with `group.id` as the member of a group.
    pub(super) fn start(client: &'static str, mut properties: ConfigMap, topic: &str) -> Self {
        properties.entry("auto.offset.reset".to_owned()).or_insert("earliest".to_owned());
        properties.insert("volley.fetch.client".to_owned(), client.to_owned());
        let settings = FetchSettings {
            topics: TopicSelection::Topics(vec![topic.to_owned()]),
            max_rows: 10_000,
            max_bytes: 1 << 20,
            linger: Duration::from_millis(20),
        };
        let seen = Arc::<Mutex<Seen>>::default();
        let (orders, received) = mpsc::channel();
        let shared = Arc::clone(&seen);
        let thread = thread::spawn(move || {
            let mut fetcher = Fetcher::connect(&properties, settings, Rebalances::new()).unwrap();
            loop {
                match received.try_recv() {
                    Ok(Order::Seek(partition, offset)) => fetcher.seek(&partition, offset).unwrap(),
                    Ok(Order::Stop) | Err(mpsc::TryRecvError::Disconnected) => return,
                    Err(mpsc::TryRecvError::Empty) => {}
                }
                let batches = match fetcher.poll(Duration::from_millis(50)) {
                    Ok(batches) => batches,
                    Err(error) => return shared.lock().unwrap().error = Some(error.trace()),
                };
                let mut seen = shared.lock().unwrap();
                for batch in batches {
                    let read = seen.read.entry(batch.origin.partition.partition).or_default();
                    let offsets = batch.origin.offsets.iter().copied();
                    read.extend(offsets.enumerate().map(|(row, offset)| (offset, batch.values.value(row).to_vec())));
                }
            }
        });
        Self { client, seen, orders, thread: Some(thread) }
    }

    /// One of each client.
    pub(super) fn pair(properties: &ConfigMap, topic: &str) -> [Self; 2] {
        CLIENTS.map(|client| {
            let mut properties = properties.clone();
            if let Some(group) = properties.get_mut("group.id") {
                *group = format!("{group}-{client}");
            }
            Self::start(client, properties, topic)
        })
    }

    pub(super) fn read(&self) -> Read {
        let seen = self.seen.lock().unwrap();
        assert_eq!(seen.error, None, "{} gives up", self.client);
        seen.read.clone()
    }

    /// The error with which it has given up.
    pub(super) fn error(&self) -> Option<String> {
        self.seen.lock().unwrap().error.clone()
    }

    pub(super) fn count(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        assert_eq!(seen.error, None, "{} gives up", self.client);
        seen.read.values().map(Vec::len).sum()
    }

    /// Waits until it has read so much.
    pub(super) fn await_count(&self, count: usize) {
        let what = format!("{} has read {count} records", self.client);
        wait_until(SOON, &what, || (self.count() >= count).then_some(()));
    }

    pub(super) fn seek(&self, partition: &TopicPartition, offset: i64) {
        self.orders.send(Order::Seek(partition.clone(), offset)).unwrap();
    }

    /// Waits until it has read as much as there is, which must be that, in order.
    pub(super) fn assert_has_read(&self, log: &[Message]) {
        let mut expected = Read::new();
        for message in log {
            let value = message.value.clone().unwrap_or_default();
            expected.entry(message.partition).or_default().push((message.offset, value));
        }
        self.await_count(log.len());
        let read = self.read();
        for (partition, expected) in &expected {
            let read = &read[partition];
            let differs = expected.iter().zip(read).position(|(expected, read)| expected != read);
            let shown = differs.map(|at| (expected[at].0, read[at].0));
            assert!(
                expected == read,
                "{}, partition {partition}: {} of {} records, the first that differs: {shown:?}",
                self.client,
                read.len(),
                expected.len()
            );
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(Err(error)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(error);
        }
    }
}

/// Writes numbers to each partition until it is stopped. Every record that it sends must be acknowledged.
pub(super) struct Writer {
    written: Arc<Mutex<u64>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(cluster: &KafkaCluster, topic: &str, partitions: i32) -> Self {
        let properties = cluster.properties(&[
            ("acks", "all"),
            ("enable.idempotence", "true"),
            ("linger.ms", "5"),
            ("request.timeout.ms", "3000"),
            ("delivery.timeout.ms", "120000"),
        ]);
        let (written, is_over) = (Arc::<Mutex<u64>>::default(), Arc::<AtomicBool>::default());
        let (count, over, topic) = (Arc::clone(&written), Arc::clone(&is_over), topic.to_owned());
        let thread = thread::spawn(move || {
            let mut producer = Producer::connect(&properties).unwrap();
            let mut number = 0_u64;
            let mut acknowledged = 0;
            while !over.load(Ordering::Relaxed) {
                for partition in 0..partitions {
                    let value = value_of(partition, number);
                    let outgoing = Outgoing {
                        topic: &topic,
                        partition: Some(partition),
                        timestamp: None,
                        key: None,
                        value: Some(value.as_bytes()),
                        headers: &[],
                    };
                    producer.send(&outgoing, number).unwrap();
                }
                number += 1;
                *count.lock().unwrap() = number;
                // this is also the pace
                for delivery in producer.deliveries(Duration::from_millis(5)) {
                    delivery.result.unwrap();
                    acknowledged += 1;
                }
            }
            producer.flush(SOON).unwrap();
            for delivery in producer.deliveries(Duration::ZERO) {
                delivery.result.unwrap();
                acknowledged += 1;
            }
            assert_eq!(
                acknowledged,
                number * u64::from(partitions.unsigned_abs()),
                "acknowledged, of all that was sent"
            );
        });
        Self { written, is_over, thread: Some(thread) }
    }

    /// How many it has written to each partition so far.
    pub(super) fn written(&self) -> u64 {
        assert!(!self.thread.as_ref().is_some_and(JoinHandle::is_finished), "the writer has ended");
        *self.written.lock().unwrap()
    }

    /// How many it has written to each partition.
    pub(super) fn stop(mut self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        *self.written.lock().unwrap()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn value_of(partition: i32, number: u64) -> String {
    format!(r#"{{"p":{partition},"n":{number}}}"#)
}

fn number_in(value: &[u8]) -> u64 {
    let value: serde_json::Value = serde_json::from_slice(value).unwrap();
    value["n"].as_u64().unwrap()
}

/// A topic that is written to and read from, by both clients, all the time.
pub(super) struct Load {
    topic: String,
    partitions: i32,
    writer: Writer,
    pub(super) readers: [Reader; 2],
}

impl Load {
    /// Waits until both clients read of all partitions.
    pub(super) fn start(cluster: &KafkaCluster, topic: &str, partitions: i32, consumer: &[(&str, &str)]) -> Self {
        let load = Self::begin(cluster, topic, partitions, consumer);
        load.await_flow("at first");
        load
    }

    pub(super) fn begin(cluster: &KafkaCluster, topic: &str, partitions: i32, consumer: &[(&str, &str)]) -> Self {
        let writer = Writer::start(cluster, topic, partitions);
        let readers = Reader::pair(&cluster.properties(consumer), topic);
        Self { topic: topic.to_owned(), partitions, writer, readers }
    }

    /// Waits until both clients have read something of these partitions that is written from now on.
    pub(super) fn await_flow_of(&self, partitions: &[i32], when: &str) {
        let target = self.writer.written();
        for reader in &self.readers {
            let what = format!("{} goes on {when}", reader.client);
            wait_until(SOON, &what, || {
                let read = reader.read();
                let is_there = |partition| {
                    let last = read.get(partition).and_then(|read| read.last());
                    last.is_some_and(|(_, value)| number_in(value) > target)
                };
                partitions.iter().all(is_there).then_some(())
            });
        }
    }

    pub(super) fn await_flow(&self, when: &str) {
        self.await_flow_of(&Vec::from_iter(0..self.partitions), when);
    }

    /// Ends the writing. Each record is in the topic once, in order, and was read once, in order.
    pub(super) fn assert_nothing_lost_and_nothing_twice(self, cluster: &KafkaCluster) {
        let written = self.writer.stop();
        let log = cluster.read_topic(&self.topic);
        for partition in 0..self.partitions {
            let values = log.iter().filter(|message| message.partition == partition);
            let values = values.map(|message| String::from_utf8(message.value.clone().unwrap()).unwrap());
            assert!(
                values.eq((0..written).map(|number| value_of(partition, number))),
                "partition {partition} of the log"
            );
        }
        for reader in &self.readers {
            reader.assert_has_read(&log);
        }
    }

    /// Ends the writing. Each record that is in the topic was read once, in order.
    pub(super) fn assert_all_is_read_once(self, cluster: &KafkaCluster) {
        self.writer.stop();
        let log = cluster.read_topic(&self.topic);
        for reader in &self.readers {
            reader.assert_has_read(&log);
        }
    }
}
