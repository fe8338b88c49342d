//! An export by Confluent's sink for HDFS, which Volley takes over and gives back: each row once, whoever has written
//! it. What Java's sink leaves and what it would go on with is known by the rule of its names.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use hdfs_native::WriteOptions;
use hdfs_native::sync::ClientBuilder;
use parquet::arrow::ArrowWriter;

use crate::delivered_rows::{assert_exactly_once, files_in_hdfs, in_hdfs, rows_of_files_in_hdfs};
use crate::exactly_once::{PARTITIONS, numbered_topic, produce_numbered};
use crate::hdfs::{drain, start, wait_for_more};
use crate::rounds::kills;
use crate::testbed::{Hdfs, Kafka};
use crate::worker_process::Volley;

const PER_PARTITION: i64 = 10_000;
/// How many records of each partition Java has written before it is taken over, and how many it writes when it is given
/// back.
const BY_JAVA: i64 = 100;
const BY_JAVA_LATER: i64 = 50;

/// The numbers of each partition, in the order of their offsets.
fn numbers(kafka: &Kafka, topic: &str) -> BTreeMap<i64, Vec<i64>> {
    let mut numbers: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for message in kafka.read_topic(topic) {
        let value: serde_json::Value = serde_json::from_slice(&message.value.unwrap()).unwrap();
        let of_partition = numbers.entry(i64::from(message.partition)).or_default();
        assert_eq!(message.offset, of_partition.len() as i64);
        of_partition.push(value["n"].as_i64().unwrap());
    }
    numbers
}

/// The HDFS of an export.
struct Export<'a> {
    url: &'a str,
    topic: &'a str,
}

impl Export<'_> {
    fn write(&self, path: &str, contents: Vec<u8>) {
        let client = ClientBuilder::new().with_url(self.url).build().unwrap();
        let directory = self.url.splitn(4, '/').nth(3).unwrap();
        let mut file = client.create(&format!("/{directory}/{path}"), WriteOptions::default()).unwrap();
        file.write_bytes(contents.into()).unwrap();
        file.close().unwrap();
    }

    /// A file of Java's sink with the records from `first` to `last`, both included.
    fn write_as_java(&self, partition: i64, numbers: &[i64], first: i64, last: i64) {
        let numbers = &numbers[first as usize..=last as usize];
        let partitions: ArrayRef = Arc::new(Int64Array::from(vec![partition; numbers.len()]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
        let rows = RecordBatch::try_from_iter([("p", partitions), ("n", numbers)]).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
        writer.write(&rows).unwrap();
        let name = format!("{}+{partition}+{first:010}+{last:010}.parquet", self.topic);
        let path = format!("topics/{}/partition={partition}/{name}", self.topic);
        self.write(&path, writer.into_inner().unwrap());
    }

    /// Where Java's sink would go on, in each partition: behind the largest last offset among the names. Checks that
    /// the names are true.
    fn places(&self, numbers: &BTreeMap<i64, Vec<i64>>) -> BTreeMap<i64, i64> {
        let mut places = BTreeMap::new();
        for (path, rows) in rows_of_files_in_hdfs(self.url) {
            let name = path.rsplit_once('/').unwrap().1.strip_suffix(".parquet").unwrap();
            let parts: Vec<_> = name.split('+').collect();
            assert_eq!((parts.len(), parts[0]), (4, self.topic), "{path}");
            let [partition, first, last] = [1, 2, 3].map(|part| parts[part].parse::<i64>().unwrap());
            let expected = &numbers[&partition][first as usize..=last as usize];
            assert!(rows.iter().map(|(_, n)| n).eq(expected), "{path}");
            let place = places.entry(partition).or_insert(0);
            *place = (last + 1).max(*place);
        }
        places
    }
}

#[test]
fn an_export_to_hdfs_is_taken_over_from_java_and_given_back_with_every_row_in_one_file() {
    let (kafka, hdfs) = (Kafka::shared(), Hdfs::start());
    let topic = numbered_topic(kafka, PER_PARTITION);
    let url = hdfs.url("lake");
    let export = Export { url: &url, topic: &topic };
    let exported = numbers(kafka, &topic);
    for (partition, numbers) in &exported {
        export.write_as_java(*partition, numbers, 0, 57);
        export.write_as_java(*partition, numbers, 58, BY_JAVA - 1);
        let name = format!("{topic}+{partition}+0000000058+0000000099.parquet");
        let log = format!("WAL hdfs://n/topics/{topic}/partition={partition}/{name}");
        export.write(&format!("logs/{topic}/{partition}/log"), log.into_bytes());
    }
    // of a run of Java's long ago, which its log does not name
    export.write(&format!("topics/+tmp/{topic}/partition=0/11111111-2222-3333-4444-555555555555_tmp.json"), vec![0; 9]);

    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let name = format!("hdfs-{topic}");
    let lines = [
        ("name", name.as_str()),
        ("connector.class", "io.confluent.connect.hdfs.HdfsSinkConnector"),
        ("tasks.max", "2"),
        ("topics", topic.as_str()),
        ("hdfs.url", url.as_str()),
        ("format.class", "io.confluent.connect.hdfs.parquet.ParquetFormat"),
        ("flush.size", "211"),
        ("rotate.idle.ms", "300"),
        ("store.request.timeout.ms", "3000"),
    ];
    volley.file("sink.properties", &lines);
    for _ in 0..kills(2) {
        let mut worker = start(&volley);
        wait_for_more(&mut worker, || files_in_hdfs(&url, &[]));
        worker.kill();
    }
    drain(&volley, &[]);
    assert_exactly_once(&in_hdfs(&url, &[]), PARTITIONS, PER_PARTITION);
    let places = export.places(&exported);
    assert!(places.len() == PARTITIONS as usize && places.values().all(|place| *place == PER_PARTITION), "{places:?}");

    // Java goes on there, and its commits are lost
    produce_numbered(kafka, &topic, PER_PARTITION..PER_PARTITION + 1_000);
    let exported = numbers(kafka, &topic);
    for (partition, place) in &places {
        export.write_as_java(*partition, &exported[partition], *place, *place + BY_JAVA_LATER - 1);
    }
    volley.file("sink.properties", &lines);
    drain(&volley, &[]);
    assert_exactly_once(&in_hdfs(&url, &[]), PARTITIONS, PER_PARTITION + 1_000);
    assert!(export.places(&exported).values().all(|place| *place == PER_PARTITION + 1_000));
}
