//! A compacted topic as shared memory, on a real broker.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use volley_kafka::{
    LogEnds, LogEntry, LogListener, LogRecord, LogSettings, ReadingSettings, TopicLog, TransactionalLogWriter,
};

use crate::testbed::{Kafka, wait_until};

const SOON: Duration = Duration::from_secs(60);

/// Everything that was read: partition, offset, key, value; and how much of it was there at the beginning.
#[derive(Debug, Default)]
struct Read {
    records: Vec<(i32, i64, String, Option<String>)>,
    backlog: Option<usize>,
}

struct Recorder(Arc<Mutex<Read>>);

impl LogListener for Recorder {
    fn record(&mut self, record: &LogRecord<'_>) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (key, value) = (text(record.key.unwrap()), record.value.map(text));
        self.0.lock().unwrap().records.push((record.partition, record.offset, key, value));
    }

    fn caught_up(&mut self) {
        let mut read = self.0.lock().unwrap();
        assert_eq!(read.backlog, None, "told once");
        read.backlog = Some(read.records.len());
    }
}

struct Opened {
    log: TopicLog,
    read: Arc<Mutex<Read>>,
}

impl Opened {
    fn values(&self) -> Vec<Option<String>> {
        self.read.lock().unwrap().records.iter().map(|(_, _, _, value)| value.clone()).collect()
    }

    fn write(&self, key: &str, value: Option<&str>) {
        let entry = LogEntry { key: key.as_bytes(), value: value.map(str::as_bytes) };
        for fate in self.log.write_and_read(&[entry], SOON).unwrap() {
            fate.unwrap();
        }
    }
}

fn settings(kafka: &Kafka, topic: &str, consumer: &[(&str, &str)]) -> LogSettings {
    let producer =
        [("acks", "all"), ("max.in.flight.requests.per.connection", "1"), ("delivery.timeout.ms", "2147483647")];
    let reading = ReadingSettings {
        topic: topic.to_owned(),
        partitions: kafka.admin().topic(topic).unwrap().unwrap().partitions,
        consumer: kafka.properties(consumer),
        has_transactions: !consumer.is_empty(),
    };
    LogSettings { reading, producer: kafka.properties(&producer) }
}

fn open(kafka: &Kafka, topic: &str, consumer: &[(&str, &str)]) -> Opened {
    let ends = Arc::new(LogEnds::connect(&kafka.properties(&[])).unwrap());
    let read = Arc::new(Mutex::default());
    let listener = Box::new(Recorder(Arc::clone(&read)));
    let log = TopicLog::start(&settings(kafka, topic, consumer), ends, listener, SOON).unwrap();
    Opened { log, read }
}

fn transactional(kafka: &Kafka, topic: &str, id: &str) -> TransactionalLogWriter {
    let properties = kafka.properties(&[("transactional.id", id), ("enable.idempotence", "true"), ("acks", "all")]);
    TransactionalLogWriter::connect(topic, &properties, SOON).unwrap()
}

fn entries<'a>(values: &'a [&'a str]) -> Vec<LogEntry<'a>> {
    values.iter().map(|value| LogEntry { key: b"key", value: Some(value.as_bytes()) }).collect()
}

#[test]
fn a_log_is_read_from_its_beginning_and_what_one_writes_all_read() {
    let kafka = Kafka::shared();
    let topic = kafka.topic_with("log", 3, &[("cleanup.policy", "compact")]);
    let first = open(kafka, &topic, &[]);
    assert_eq!(first.read.lock().unwrap().backlog, Some(0));
    for number in 0..20 {
        first.write(&format!("key-{number}"), (number % 5 > 0).then_some("value"));
    }
    assert_eq!(first.read.lock().unwrap().records.len(), 20);

    let second = open(kafka, &topic, &[]);
    let backlog = second.read.lock().unwrap().backlog;
    let mut records = second.read.lock().unwrap().records.clone();
    assert_eq!((backlog, records.len()), (Some(20), 20));
    records.sort();
    let mut of_first = first.read.lock().unwrap().records.clone();
    of_first.sort();
    assert_eq!(records, of_first);

    second.write("key-0", Some("other"));
    first.log.read_to_end(SOON).unwrap();
    assert_eq!(first.values().last().unwrap().as_deref(), Some("other"));
    first.log.stop();
    assert!(first.log.read_to_end(SOON).is_err_and(|error| error.is_retriable()), "it has been closed");
}

#[test]
fn keys_go_to_the_partitions_where_java_puts_them() {
    let kafka = Kafka::shared();
    let topic = kafka.topic_with("partitions", 5, &[("cleanup.policy", "compact")]);
    let log = open(kafka, &topic, &[]);
    // as a Java worker put them: murmur2 of the key's bytes
    for key in [r#"["ver",{"id":0}]"#, r#"["ver",{"id":1}]"#] {
        log.write(key, Some("{}"));
    }
    let partitions: Vec<_> = log.read.lock().unwrap().records.iter().map(|(partition, ..)| *partition).collect();
    assert_eq!(partitions, [3, 2]);
}

#[test]
fn many_threads_write_at_once_and_each_is_told_its_own_fate() {
    let kafka = Kafka::shared();
    let topic = kafka.topic_with("writers", 2, &[("cleanup.policy", "compact")]);
    let log = open(kafka, &topic, &[]);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let log = &log;
            scope.spawn(move || {
                for number in 0..25 {
                    let (key, value) = (format!("{thread}-{number}"), format!("{thread}"));
                    let entry = LogEntry { key: key.as_bytes(), value: Some(value.as_bytes()) };
                    let fates = log.log.write_and_read(&[entry], SOON).unwrap();
                    let (partition, offset) = *fates[0].as_ref().unwrap();
                    let read = log.read.lock().unwrap();
                    let mine = read.records.iter().find(|(p, o, ..)| (*p, *o) == (partition, offset)).unwrap();
                    assert_eq!((mine.2.as_str(), mine.3.as_deref()), (key.as_str(), Some(value.as_str())));
                }
            });
        }
    });
    assert_eq!(log.read.lock().unwrap().records.len(), 200);
}

#[test]
fn a_record_that_is_too_large_fails_alone() {
    let kafka = Kafka::shared();
    let topic = kafka.topic_with("large", 1, &[("cleanup.policy", "compact")]);
    let log = open(kafka, &topic, &[]);
    let large = "x".repeat(2 << 20);
    let fates = log.log.write_and_read(&entries(&["small", &large, "last"]), SOON).unwrap();
    assert!(fates[0].is_ok() && fates[2].is_ok());
    assert!(fates[1].as_ref().unwrap_err().to_string().contains("max.request.size"));
    assert_eq!(log.values(), [Some("small".to_owned()), Some("last".to_owned())]);
}

/// Transaction markers at the end are never delivered: the end is reached all the same, by readers of either kind.
#[test]
fn the_end_is_reached_where_it_is_a_marker_or_an_aborted_transaction() {
    let kafka = Kafka::shared();
    let topic = kafka.topic_with("markers", 1, &[("cleanup.policy", "compact")]);
    let id = kafka.unique("txn");
    let early = [open(kafka, &topic, &[]), open(kafka, &topic, &[("isolation.level", "read_committed")])];
    let writer = transactional(kafka, &topic, &id);
    writer.write(&entries(&["one", "two"]), SOON).unwrap();
    let late = [open(kafka, &topic, &[]), open(kafka, &topic, &[("isolation.level", "read_committed")])];
    for log in early.iter().chain(&late) {
        log.log.read_to_end(SOON).unwrap();
        assert_eq!(log.values(), [Some("one".to_owned()), Some("two".to_owned())]);
        // each time that it has to be asked for takes longer
        wait_until(SOON, "what is known of the end is remembered", || {
            let again = Instant::now();
            log.log.read_to_end(SOON).unwrap();
            (again.elapsed() < Duration::from_millis(90)).then_some(())
        });
    }
    writer.write(&entries(&["three"]), SOON).unwrap();
    for log in early.iter().chain(&late) {
        log.log.read_to_end(SOON).unwrap();
        assert_eq!(log.values().len(), 3);
    }
}

#[test]
fn a_transactional_writer_fences_the_one_before() {
    let kafka = Kafka::shared();
    let topic = kafka.topic_with("fencing", 1, &[("cleanup.policy", "compact")]);
    let id = kafka.unique("leader");
    let log = open(kafka, &topic, &[("isolation.level", "read_committed")]);
    let old = transactional(kafka, &topic, &id);
    let written = old.write(&entries(&["old"]), SOON).unwrap();
    log.log.read_written(written, SOON).unwrap();
    let new = transactional(kafka, &topic, &id);
    assert!(old.write(&entries(&["zombie"]), SOON).is_err());
    new.write(&entries(&["new"]), SOON).unwrap();
    log.log.read_to_end(SOON).unwrap();
    assert_eq!(log.values(), [Some("old".to_owned()), Some("new".to_owned())]);
}

#[test]
fn a_topic_that_was_deleted_and_made_again_is_read_anew() {
    let kafka = Kafka::shared();
    let topic = kafka.topic_with("again", 1, &[("cleanup.policy", "compact")]);
    let log = open(kafka, &topic, &[]);
    for number in 0..5 {
        log.write(&format!("key-{number}"), Some("old"));
    }
    assert!(kafka.admin().delete_topic(&topic).unwrap());
    wait_until(SOON, "the topic is gone", || kafka.admin().topic(&topic).unwrap().is_none().then_some(()));
    kafka.create_topic(&topic, 1, &[("cleanup.policy", "compact")]);
    let fates = log.log.writer().write(&entries(&["new"]), SOON);
    assert!(fates[0].is_ok(), "{fates:?}");
    wait_until(SOON, "what the new topic holds is read", || {
        (log.values().last()?.as_deref() == Some("new")).then_some(())
    });
    log.write("key", Some("newer"));
    assert_eq!(log.values().last().unwrap().as_deref(), Some("newer"));
}

#[test]
fn an_outage_is_sat_out() {
    let mut kafka = Kafka::start();
    let topic = kafka.topic_with("outage", 2, &[("cleanup.policy", "compact")]);
    let log = open(&kafka, &topic, &[]);
    log.write("a", Some("before"));
    kafka.stop();
    let during = Instant::now();
    assert!(log.log.read_to_end(Duration::from_millis(500)).is_err_and(|error| error.is_retriable()));
    assert!(during.elapsed() < Duration::from_secs(15), "asked for half a second: {:?}", during.elapsed());
    let fates = log.log.writer().write(&entries(&["during"]), Duration::from_millis(500));
    assert!(fates[0].as_ref().is_err_and(|error| error.is_retriable()));
    kafka.restart();
    log.log.read_to_end(SOON).unwrap();
    log.write("b", Some("after"));
    wait_until(SOON, "everything is read", || (log.read.lock().unwrap().records.len() == 3).then_some(()));
    assert_eq!(log.values().iter().flatten().filter(|value| *value == "during").count(), 1, "it is only late");
}
