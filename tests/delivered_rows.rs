//! What stands in the final files: which (partition, number) pairs, how often.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use futures::TryStreamExt;
use hdfs_native::{Client, ClientBuilder};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::testbed::S3;
use crate::worker_process::parquet_files;

/// How often each (`p`, `n`) of the rows was found.
pub(crate) type Found = HashMap<(i64, i64), u32>;

/// Counts the rows of all Parquet files below a directory.
pub(crate) fn on_disk(dir: &Path) -> Found {
    let mut found = Found::new();
    for file in parquet_files(dir) {
        count(Bytes::from(std::fs::read(file).unwrap()), &mut found);
    }
    found
}

/// A client of a bucket.
pub(crate) fn store(s3: &S3, bucket: &str) -> AmazonS3 {
    AmazonS3Builder::new()
        .with_endpoint(s3.endpoint())
        .with_allow_http(true)
        .with_bucket_name(bucket)
        .with_region(S3::REGION)
        .with_access_key_id(S3::ACCESS_KEY_ID)
        .with_secret_access_key(S3::SECRET_ACCESS_KEY)
        .build()
        .unwrap()
}

/// Waits for it, in a runtime of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Number of objects of a bucket.
pub(crate) fn objects(s3: &S3, bucket: &str) -> usize {
    block_on(store(s3, bucket).list(None).try_collect::<Vec<_>>()).unwrap().len()
}

/// Counts the rows of all objects of a bucket: Parquet, and compressed lines of JSON.
pub(crate) fn in_bucket(s3: &S3, bucket: &str) -> Found {
    let store = store(s3, bucket);
    block_on(async {
        let mut found = Found::new();
        let objects: Vec<_> = store.list(None).try_collect().await.unwrap();
        for object in objects {
            let path = object.location.as_ref();
            // what the sink remembers, and what a server that was killed has left unfinished, is no row
            let is_lines = path.ends_with(".json.gz");
            if path.contains("/.volley/") || !is_lines && !path.ends_with(".parquet") {
                continue;
            }
            let file = store.get(&object.location).await.unwrap().bytes().await.unwrap();
            match is_lines {
                true => count_lines(&file, &mut found),
                false => count(file, &mut found),
            }
        }
        found
    })
}

fn hdfs(url: &str, hadoop: &[(&str, String)]) -> (Client, String) {
    let client = ClientBuilder::new().with_url(url).with_config(hadoop.iter().cloned()).build().unwrap();
    (client, format!("/{}", url.splitn(4, '/').nth(3).unwrap()))
}

async fn paths_in_hdfs(client: &Client, directory: &str) -> Vec<String> {
    // before the first file there is no directory
    let entries = client.list_status(directory, true).await.unwrap_or_default();
    let paths = entries.into_iter().filter(|entry| !entry.isdir).map(|entry| entry.path);
    paths.filter(|path| path.ends_with(".parquet")).collect()
}

/// Number of Parquet files below a directory of HDFS. `hadoop`: keys of Hadoop's that its URL needs.
pub(crate) fn files_in_hdfs(url: &str, hadoop: &[(&str, String)]) -> usize {
    block_on(async {
        let (client, directory) = hdfs(url, hadoop);
        paths_in_hdfs(&client, &directory).await.len()
    })
}

/// Counts the rows of all Parquet files below a directory of HDFS.
pub(crate) fn in_hdfs(url: &str, hadoop: &[(&str, String)]) -> Found {
    block_on(async {
        let (client, directory) = hdfs(url, hadoop);
        let mut found = Found::new();
        for path in paths_in_hdfs(&client, &directory).await {
            let mut reader = client.read(&path).await.unwrap();
            count(reader.read_bytes(reader.file_length()).await.unwrap(), &mut found);
        }
        found
    })
}

/// The rows (`p`, `n`) of each Parquet file below a directory of HDFS, by its path.
pub(crate) fn rows_of_files_in_hdfs(url: &str) -> BTreeMap<String, Vec<(i64, i64)>> {
    block_on(async {
        let (client, directory) = hdfs(url, &[]);
        let mut files = BTreeMap::new();
        for path in paths_in_hdfs(&client, &directory).await {
            let mut reader = client.read(&path).await.unwrap();
            let file = reader.read_bytes(reader.file_length()).await.unwrap();
            files.insert(path, rows(file));
        }
        files
    })
}

/// The objects of a bucket by path, as text, without what the sink remembers.
pub(crate) fn texts_in_bucket(s3: &S3, bucket: &str) -> BTreeMap<String, String> {
    let all = bytes_in_bucket(s3, bucket).into_iter();
    all.map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect()
}

/// The objects of a bucket by path, without what the sink remembers.
pub(crate) fn bytes_in_bucket(s3: &S3, bucket: &str) -> BTreeMap<String, Vec<u8>> {
    let store = store(s3, bucket);
    block_on(async {
        let mut found = BTreeMap::new();
        let objects: Vec<_> = store.list(None).try_collect().await.unwrap();
        for object in objects.into_iter().filter(|object| !object.location.as_ref().starts_with(".volley")) {
            let bytes = store.get(&object.location).await.unwrap().bytes().await.unwrap();
            found.insert(object.location.to_string(), bytes.to_vec());
        }
        found
    })
}

fn count(file: Bytes, found: &mut Found) {
    for row in rows(file) {
        *found.entry(row).or_default() += 1;
    }
}

fn rows(file: Bytes) -> Vec<(i64, i64)> {
    let mut rows = Vec::new();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    for batch in reader {
        let batch = batch.unwrap();
        let column = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().clone();
        let (partitions, numbers) = (column("p"), column("n"));
        rows.extend((0..batch.num_rows()).map(|row| (partitions.value(row), numbers.value(row))));
    }
    rows
}

fn count_lines(file: &[u8], found: &mut Found) {
    for line in BufReader::new(MultiGzDecoder::new(file)).lines() {
        let row: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        *found.entry((row["p"].as_i64().unwrap(), row["n"].as_i64().unwrap())).or_default() += 1;
    }
}

/// Asserts that every number `0..per_partition` of every partition was found exactly once.
pub(crate) fn assert_exactly_once(found: &Found, partitions: i64, per_partition: i64) {
    let twice = found.values().filter(|times| **times > 1).count();
    assert_eq!(twice, 0, "{twice} rows were delivered more than once");
    let expected = usize::try_from(partitions * per_partition).unwrap();
    assert_eq!(found.len(), expected, "{} rows are missing", expected - found.len().min(expected));
}
