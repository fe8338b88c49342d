//! Objects that are sent in parts: each offset in one of them, whoever is killed, and nothing left of what was given up.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt};

use crate::delivered_rows::{Found, assert_exactly_once, block_on, store};
use crate::exactly_once::drain;
use crate::rounds::kills;
use crate::testbed::{Azurite, Fault, FaultyStore, GoogleStorage, Kafka, S3, wait_until};
use crate::worker_process::{Running, Volley};

const PARTITIONS: i64 = 2;
/// Rows of an object: with 8 KB each, more than what is sent at once.
const FILE_ROWS: i64 = 3_000;
/// Bytes that a worker may have in memory where it says so: less than an object has.
const BUDGET: &str = "16777216";
const SOON: Duration = Duration::from_secs(120);

/// Gives each partition of the topic further records.
fn produce(kafka: &Kafka, topic: &str, numbers: Range<i64>) {
    let filling = "x".repeat(8_000);
    let count = PARTITIONS * (numbers.end - numbers.start);
    kafka.produce(topic, count as usize, |number, _, value| {
        let (partition, n) = (number as i64 % PARTITIONS, numbers.start + number as i64 / PARTITIONS);
        value.extend_from_slice(format!(r#"{{"p":{partition},"n":{n},"filling":"{filling}"}}"#).as_bytes());
        partition as i32
    });
}

/// A bucket of a store, with a proxy in front of it for the sink.
struct Place {
    proxy: FaultyStore,
    keys: Vec<(&'static str, String)>,
    /// Without the proxy.
    store: Arc<dyn ObjectStore>,
}

impl Place {
    fn in_s3(s3: &S3, bucket: &str) -> Self {
        s3.create_bucket(bucket);
        let proxy = FaultyStore::before(s3);
        let keys = [
            ("store.url", format!("s3://{bucket}/lake")),
            ("store.s3.endpoint", proxy.endpoint()),
            ("store.s3.region", S3::REGION.to_owned()),
            ("store.s3.access.key.id", S3::ACCESS_KEY_ID.to_owned()),
            ("store.s3.secret.access.key", S3::SECRET_ACCESS_KEY.to_owned()),
        ];
        Self { proxy, keys: keys.to_vec(), store: Arc::new(store(s3, bucket)) }
    }

    fn in_azure(azure: &Azurite, container: &str) -> Self {
        azure.create_container(container);
        let proxy = FaultyStore::before_port(azure.port());
        let keys = [
            ("store.url", format!("az://{container}/lake")),
            ("store.azure.endpoint", format!("{}/{}", proxy.endpoint(), Azurite::ACCOUNT)),
            ("store.azure.account.name", Azurite::ACCOUNT.to_owned()),
            ("store.azure.account.key", Azurite::KEY.to_owned()),
        ];
        Self { proxy, keys: keys.to_vec(), store: azure.client(container) }
    }

    fn in_google(google: &GoogleStorage, bucket: &str) -> Self {
        let proxy = FaultyStore::before_port(google.port());
        let keys = [
            ("store.url", format!("gs://{bucket}/lake")),
            ("store.gcs.endpoint", proxy.endpoint()),
            ("store.gcs.service.account.key", GoogleStorage::account_key().to_owned()),
        ];
        Self { proxy, keys: keys.to_vec(), store: google.client(bucket) }
    }
}

/// `further`: keys of the worker.
fn sink(kafka: &Kafka, topic: &str, place: &Place, further: &[(&str, &str)]) -> Volley {
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), further);
    let (spools, rows) = (volley.path("").display().to_string(), FILE_ROWS.to_string());
    let mut keys = vec![
        ("name", topic),
        ("connector.class", "ObjectStoreSink"),
        ("tasks.max", "1"),
        ("topics", topic),
        ("format.class", "Json"),
        ("file.spool.directory", spools.as_str()),
        ("retry.backoff.ms", "50"),
        ("retry.timeout.ms", "300000"),
        ("flush.size", rows.as_str()),
    ];
    keys.extend(place.keys.iter().map(|(key, value)| (*key, value.as_str())));
    volley.file("sink.properties", &keys);
    volley
}

fn start(volley: &Volley) -> Running {
    volley.start(&["standalone", "worker.properties", "sink.properties"])
}

/// Counts the rows of all objects of lines, and their bytes. Every other object is one that the sink remembers its place by.
fn in_place(place: &Place) -> (Found, Vec<u64>) {
    block_on(async {
        let (mut found, mut sizes) = (Found::new(), Vec::new());
        let objects: Vec<_> = place.store.list(None).try_collect().await.unwrap();
        for object in objects {
            let path = object.location.as_ref();
            if !path.ends_with(".json") {
                assert!(path.contains("/.volley/"), "{path} was left");
                continue;
            }
            let file = place.store.get(&object.location).await.unwrap().bytes().await.unwrap();
            sizes.push(object.size);
            for line in std::str::from_utf8(&file).unwrap().lines() {
                let (place, _) = line.split_once(r#","filling""#).unwrap();
                let place = place.strip_prefix(r#"{"p":"#).unwrap();
                let (partition, number) = place.split_once(r#","n":"#).unwrap();
                *found.entry((partition.parse().unwrap(), number.parse().unwrap())).or_default() += 1;
            }
        }
        (found, sizes)
    })
}

/// What the server answers to a question about a bucket.
fn ask(s3: &S3, bucket: &str, query: &str) -> String {
    let (key_id, secret_key) = (S3::ACCESS_KEY_ID.to_owned(), S3::SECRET_ACCESS_KEY.to_owned());
    let credential = AwsCredential { key_id, secret_key, token: None };
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.uri_mut() = format!("{}/{bucket}?{query}", s3.endpoint()).parse().unwrap();
    AwsAuthorizer::new(&credential, "s3", S3::REGION).authorize(&mut request, None);
    let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true)).unwrap();
    let bytes = block_on(async { client.execute(request).await.unwrap().into_body().bytes().await.unwrap() });
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The keys of uploads that have not ended.
fn unfinished(s3: &S3, bucket: &str) -> Vec<String> {
    let listing = ask(s3, bucket, "uploads=");
    assert!(listing.contains("ListMultipartUploadsResult"), "{listing}");
    let keys = listing.split("<Key>").skip(1);
    keys.map(|upload| upload.split_once("</Key>").unwrap().0.to_owned()).collect()
}

/// Blobs and blocks that nobody has made an object of.
fn uncommitted(azure: &Azurite, container: &str) -> Vec<String> {
    let listed = |query: &str| {
        let listing = azure.ask("GET", &format!("{container}?restype=container&comp=list{query}"));
        let names = listing.split("<Name>").skip(1).map(|blob| blob.split_once("</Name>").unwrap().0.to_owned());
        names.collect::<Vec<_>>()
    };
    let mut left: Vec<_> = listed("&include=uncommittedblobs");
    let committed = listed("");
    left.retain(|name| {
        let blocks = || azure.ask("GET", &format!("{container}/{name}?comp=blocklist&blocklisttype=uncommitted"));
        !committed.contains(name) || blocks().contains("<Block>")
    });
    left
}

/// Kills the worker while it sends parts, again and again, and lets it come to its end.
fn kill_while_parts_are_sent(kafka: &Kafka, place: &Place, topic: &str) {
    // what fills an object, in two halves: the first of them has the worker ask what the server can do
    let half = FILE_ROWS / 2;
    produce(kafka, topic, 0..half);
    let volley = sink(kafka, topic, place, &[]);
    let mut produced = half;
    for kill in 0..kills(4) {
        place.proxy.heal();
        let mut worker = start(&volley);
        wait_until(SOON, "the server is asked", || {
            assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
            // the log goes on with each worker
            (worker.log().matches("large objects are sent in parts").count() > kill).then_some(())
        });
        let before = place.proxy.parts();
        // also while there is trouble
        let faults = [Fault::LostAnswer, Fault::SlowDown, Fault::Reset, Fault::Conflict];
        place.proxy.strike(if kill % 2 == 0 { 0 } else { 10 }, &faults);
        produce(kafka, topic, produced..produced + FILE_ROWS);
        produced += FILE_ROWS;
        // an object has three parts
        wait_until(SOON, "parts are sent", || {
            assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
            (place.proxy.parts() >= before + 1 + kill % 5).then_some(())
        });
        worker.kill();
    }
    place.proxy.heal();
    drain(&volley);
    let (found, sizes) = in_place(place);
    assert_exactly_once(&found, PARTITIONS, produced);
    assert!(sizes.iter().filter(|size| **size > 8 << 20).count() as i64 >= PARTITIONS, "{sizes:?}");
}

fn topic(kafka: &Kafka) -> String {
    kafka.topic("large", PARTITIONS as i32)
}

#[test]
fn killed_while_it_sends_parts_every_offset_is_in_one_large_object_and_no_part_is_left() {
    let (kafka, s3) = (Kafka::shared(), S3::shared_on_disk());
    let topic = topic(kafka);
    kill_while_parts_are_sent(kafka, &Place::in_s3(s3, &topic), &topic);
    assert_eq!(unfinished(s3, &topic), Vec::<String>::new());
}

#[test]
fn killed_while_it_sends_blocks_to_azure_every_offset_is_in_one_large_blob_and_no_block_is_left() {
    let Some(azure) = Azurite::shared() else { return };
    let kafka = Kafka::shared();
    let topic = topic(kafka);
    kill_while_parts_are_sent(kafka, &Place::in_azure(azure, &topic), &topic);
    assert_eq!(uncommitted(azure, &topic), Vec::<String>::new());
}

#[test]
fn killed_in_resumable_uploads_to_google_every_offset_is_in_one_large_object() {
    let (kafka, google) = (Kafka::shared(), GoogleStorage::start());
    let topic = topic(kafka);
    kill_while_parts_are_sent(kafka, &Place::in_google(&google, &topic), &topic);
}

#[test]
fn a_server_that_does_not_look_at_the_condition_gets_each_object_at_once() {
    let (kafka, s3) = (Kafka::shared(), S3::shared_on_disk());
    let topic = topic(kafka);
    produce(kafka, &topic, 0..FILE_ROWS + 1);
    let place = Place::in_s3(s3, &topic);
    place.proxy.forget_conditions_of_parts();
    let volley = sink(kafka, &topic, &place, &[]);
    let worker = start(&volley);
    wait_until(SOON, "the server is found out", || {
        worker.log().contains("does not look at the condition of an upload in parts").then_some(())
    });
    drop(worker);
    drain(&volley);
    let (found, _) = in_place(&place);
    assert_exactly_once(&found, PARTITIONS, FILE_ROWS + 1);
    assert_eq!(unfinished(s3, &topic), Vec::<String>::new());
}

/// Objects that are larger than all that the worker may have in memory come to their full size.
fn send_more_than_the_budget(kafka: &Kafka, place: &Place, topic: &str) {
    let volley = sink(kafka, topic, place, &[("volley.memory.budget.bytes", BUDGET), ("volley.batch.max.rows", "100")]);
    let first = FILE_ROWS / 4;
    produce(kafka, topic, 0..first);
    let worker = start(&volley);
    wait_until(SOON, "the server is asked", || worker.log().contains("large objects are sent in parts").then_some(()));
    produce(kafka, topic, first..FILE_ROWS);
    // none is due before it is full
    wait_until(SOON, "the objects are there", || (in_place(place).1.len() as i64 == PARTITIONS).then_some(()));
    drop(worker);
    let (found, sizes) = in_place(place);
    assert_exactly_once(&found, PARTITIONS, FILE_ROWS);
    let budget: u64 = BUDGET.parse().unwrap();
    assert!(sizes.iter().all(|size| *size > budget), "{sizes:?}");
}

#[test]
fn an_object_of_google_or_azure_may_be_larger_than_the_memory_that_the_worker_may_use() {
    let (kafka, google) = (Kafka::shared(), GoogleStorage::start());
    let of_google = topic(kafka);
    send_more_than_the_budget(kafka, &Place::in_google(&google, &of_google), &of_google);
    let Some(azure) = Azurite::shared() else { return };
    let of_azure = topic(kafka);
    send_more_than_the_budget(kafka, &Place::in_azure(azure, &of_azure), &of_azure);
}
