//! Compacted topics as lookup tables.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray};
use arrow::util::display::array_value_to_string;
use parking_lot::Mutex;
use volley_api::testing::{config_map, plugins_of};
use volley_api::{
    ConfigMap, Error, ErrorKind, Metrics, RecordFields, Records, Result, TakeRecord, TopicReader, Transformation,
    TransformationContext,
};
use volley_sql::Sql;

use crate::fixtures::batches;

/// A topic in memory: what it has is there when it is opened, the rest comes when it is written.
#[derive(Clone, Default)]
struct Topic(Arc<Mutex<TopicState>>);

#[derive(Default)]
struct TopicState {
    records: Vec<(&'static str, Option<&'static str>)>,
    readers: Vec<TakeRecord>,
    client: ConfigMap,
}

impl std::fmt::Debug for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Topic")
    }
}

impl Topic {
    fn of(records: &[(&'static str, Option<&'static str>)]) -> Self {
        let topic = Self::default();
        topic.0.lock().records = records.to_vec();
        topic
    }

    fn write(&self, key: &str, value: Option<&str>) {
        self.0.lock().readers.iter_mut().for_each(|take| take(Some(key.as_bytes()), value.map(str::as_bytes)));
    }
}

impl TopicReader for Topic {
    fn read_topic(&self, topic: &str, client: &ConfigMap, mut take: TakeRecord) -> Result<Box<dyn Send>> {
        if topic != "customers" {
            return Err(Error::config(format!("there is no topic {topic}")));
        }
        let mut state = self.0.lock();
        state.client = client.clone();
        state.records.iter().for_each(|(key, value)| take(Some(key.as_bytes()), value.map(str::as_bytes)));
        state.readers.push(take);
        Ok(Box::new(()))
    }
}

const QUERY: &str = "SELECT id, c.name FROM records r LEFT JOIN customers c ON r.userId = c._key WHERE id < 4";

fn transformation(topic: &Topic, query: &str, more: &[(&str, &str)], metrics: &Metrics) -> Result<Sql> {
    let mut config = config_map(&[
        ("query", query),
        ("lookup.customers.topic", "customers"),
        ("lookup.customers.refresh.interval.ms", "1"),
    ]);
    config.extend(config_map(more));
    let context = TransformationContext::of_task(metrics.clone(), plugins_of(volley_converters::plugins()));
    Sql::of_task(context.with_topics(Arc::new(topic.clone())), &config)
}

fn orders() -> Records {
    batches("orders").unwrap().remove(0)
}

fn rows(sql: &mut Sql) -> String {
    let transformed = sql.apply(orders()).unwrap();
    assert!(transformed.rejected.is_empty(), "{:?}", transformed.rejected);
    let Some(records) = transformed.records.first() else { return String::new() };
    let values = records.value.array.as_struct();
    let cell = |column: usize, row| array_value_to_string(values.column(column), row).unwrap();
    (0..values.len()).map(|row| format!("{}={}", cell(0, row), cell(1, row))).collect::<Vec<_>>().join(" ")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn the_first_batch_sees_all_that_was_there_and_later_ones_what_has_come_since() {
    let topic = Topic::of(&[
        ("ann", Some(r#"{"name":"A"}"#)),
        ("bob", Some(r#"{"name":"B","vip":true}"#)),
        ("ann", Some(r#"{"name":"Ann"}"#)),
        ("bob", None),
    ]);
    let metrics = Metrics::default();
    let mut sql = transformation(&topic, QUERY, &[], &metrics).unwrap();
    assert_eq!(rows(&mut sql), "1=Ann 2= 3=");
    topic.write("cid", Some(r#"{"name":"Cid"}"#));
    topic.write("ann", None);
    until("the new value is not seen", || rows(&mut sql) == "1= 2= 3=Cid");
    // a column that comes later, and one that has another type in one value
    topic.write("ann", Some(r#"{"name":7,"since":"2024"}"#));
    until("a value of another type is not seen", || rows(&mut sql) == "1=7 2= 3=Cid");
    assert!(metrics.value("lookup_refreshes").unwrap() >= 2);
}

#[test]
fn an_empty_topic_has_the_columns_that_the_query_names_and_gets_its_types_with_its_first_record() {
    let topic = Topic::default();
    let query =
        "SELECT id, c.score * 2 AS twice FROM records r LEFT JOIN customers c ON r.userId = c._key WHERE id < 3";
    let mut sql = transformation(&topic, query, &[], &Metrics::default()).unwrap();
    assert_eq!(rows(&mut sql), "1= 2=");
    topic.write("bob", Some(r#"{"score":21}"#));
    until("the first record is not seen", || rows(&mut sql) == "1= 2=42");
}

#[test]
fn a_record_that_cannot_be_converted_is_left_out_and_takes_no_other_with_it() {
    let topic =
        Topic::of(&[("ann", Some(r#"{"name":"Ann"}"#)), ("bob", Some("no json")), ("cid", Some(r#"{"name":"Cid"}"#))]);
    let mut sql = transformation(&topic, QUERY, &[], &Metrics::default()).unwrap();
    assert_eq!(rows(&mut sql), "1=Ann 2= 3=Cid");
}

#[test]
fn converters_and_client_settings_are_those_of_the_configuration() {
    let topic = Topic::of(&[("ann", Some("Ann"))]);
    let more = [
        ("lookup.customers.value.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("lookup.customers.bootstrap.servers", "other:9092"),
        ("lookup.customers.consumer.client.rack", "a"),
    ];
    let query = "SELECT id, c.value FROM records r JOIN customers c ON r.userId = c._key";
    let mut sql = transformation(&topic, query, &more, &Metrics::default()).unwrap();
    assert_eq!(rows(&mut sql), "1=Ann");
    let client = topic.0.lock().client.clone();
    assert_eq!(client, config_map(&[("bootstrap.servers", "other:9092"), ("client.rack", "a")]));
}

#[test]
fn what_cannot_be_read_or_held_is_an_error_with_the_key() {
    let topic = Topic::of(&[("ann", Some(r#"{"name":"Ann"}"#))]);
    let metrics = Metrics::default();
    let error = transformation(&topic, QUERY, &[("lookup.customers.topic", "nothing")], &metrics).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "`lookup.customers.topic`: could not read the topic nothing as a table: there is no topic nothing"
    );
    let error = transformation(&topic, QUERY, &[("lookup.customers.key.converter", "Nope")], &metrics).unwrap_err();
    assert!(format!("{error:#}").contains("Class Nope could not be found"), "{error:#}");
    let bounded = [("lookup.max.bytes", "100")];
    let mut sql = transformation(&topic, QUERY, &bounded, &metrics).unwrap();
    topic.write("bob", Some(r#"{"name":"Bob"}"#));
    let error = sql.apply(orders()).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().contains("raise `lookup.max.bytes`")),
        (ErrorKind::Config, true),
        "{error}"
    );
    let full = Topic::of(&[("ann", Some(r#"{"name":"Ann"}"#)), ("bob", Some(r#"{"name":"Bob"}"#))]);
    assert!(transformation(&full, QUERY, &bounded, &metrics).is_err());
}

#[test]
fn a_check_of_the_configuration_reads_no_topic() {
    let config = config_map(&[("query", QUERY), ("lookup.customers.topic", "customers")]);
    let mut sql = Sql::new(&config).unwrap();
    let input = RecordFields { key: orders().key.field, value: orders().value.field };
    assert!(sql.output_fields("orders", &input).unwrap().is_some());
    assert!(Sql::new(&config_map(&[("query", QUERY)])).unwrap_err().to_string().contains("unknown table `customers`"));
}
