//! The stages of a task, each alone on one core, beside what the libraries under them do at their best or by default.
//!
//! ```sh
//! cargo bench --profile dist --bench stages                  # all
//! cargo bench --profile dist --bench stages -- json          # one group: json, avro, transforms, sql, parquet, datagen
//! ```

mod payment;
mod payment_batches;

use std::collections::HashMap;
use std::fs::File;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use arrow::array::{Array, RecordBatch};
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};
use arrow_json::ReaderBuilder;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;
use url::Url;
use volley_api::{
    Column, Converter, Offsets, Plugin, PluginFactory, Polled, RawBatch, Records, Side, SinkBatch, SinkContext,
    SinkTask, SourceContext, SourceTask, Transformation, TransformationContext, Unserialized,
};
use volley_converters::{AvroConverter, JsonConverter};
use volley_registry::{RegistryClient, RegistryConfig};

use payment_batches::{
    TOPIC, config_map, consumed, converted, json_converter, partition, ready_to_put, record_batches,
};

/// Rows of a batch, where the size is not what is looked at.
const ROWS: usize = 16_384;
/// Batches of one file.
const FILE_BATCHES: usize = 16;
const UPLOAD_PATIENCE: Duration = Duration::from_secs(60);

criterion_group! {
    name = stages;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(5));
    targets = json, avro, transforms, sql, parquet, datagen
}

fn main() {
    payment::check();
    stages();
    Criterion::default().configure_from_args().final_summary();
}

/// Bytes to columns: JsonConverter finds the columns itself, arrow-json is told them. `benches/java/JsonBench.java` is what Java
/// does.
fn json(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json");
    group.throughput(Throughput::Elements(ROWS as u64));
    let batch = consumed(0, ROWS);

    let mut converter = json_converter();
    let mut decode = || converter.to_connect(&batch, Side::Value).expect("payments are JSON");
    assert_eq!(decode().runs[0].column.len(), ROWS);
    group.bench_function("decode, JsonConverter", |bench| bench.iter(|| black_box(decode())));

    let mut decoder = ReaderBuilder::new(payment::schema(payment::JsonSize::Small))
        .with_batch_size(ROWS)
        .build_decoder()
        .expect("a schema");
    let mut decode = || {
        for message in batch.values.iter().flatten() {
            decoder.decode(message).expect("payments are JSON");
        }
        decoder.flush().expect("whole messages").expect("rows")
    };
    assert_eq!(decode().num_rows(), ROWS);
    group.bench_function("decode, arrow-json", |bench| bench.iter(|| black_box(decode())));

    let mut converter = json_converter();
    let records = converted(0, ROWS);
    let mut encode =
        || converter.from_connect(&Unserialized::new(TOPIC, &records.value)).expect("payments can be JSON");
    assert_eq!(encode().bytes.len(), ROWS);
    group.bench_function("encode, JsonConverter", |bench| bench.iter(|| black_box(encode())));

    let config = config_map(&[("schemas.enable", "true")]);
    let mut converter = JsonConverter::new(&config, Side::Value).expect("the configuration is right");
    let column = with_schema(records.value);
    let mut encode = || converter.from_connect(&Unserialized::new(TOPIC, &column)).expect("payments can be JSON").bytes;
    let values = encode();
    assert_eq!(values.null_count(), 0);
    group.bench_function("encode, JsonConverter with schemas", |bench| bench.iter(|| black_box(encode())));
    let batch = RawBatch { values, ..batch };
    let mut decode = || converter.to_connect(&batch, Side::Value).expect("payments are JSON");
    assert_eq!(decode().runs[0].column.len(), ROWS);
    group.bench_function("decode, JsonConverter with schemas", |bench| bench.iter(|| black_box(decode())));
    group.finish();
}

/// The same payments in Avro, with a registry inside the process; arrow-avro is told the schema. `benches/java/AvroBench.java` is what Java does.
fn avro(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("avro");
    group.throughput(Throughput::Elements(ROWS as u64));
    let config = config_map(&[("schema.registry.url", "mock://stages")]);
    let mut converter = AvroConverter::new(&config, Side::Value).expect("the registry is in the process");

    let column = with_schema(converted(0, ROWS).value);
    let required = column.field.as_ref().clone().with_nullable(false);
    let column = Column::new(Arc::new(required), column.array);
    let mut encode = || converter.from_connect(&Unserialized::new(TOPIC, &column)).expect("payments can be Avro").bytes;
    let messages = encode();
    assert_eq!(messages.null_count(), 0);
    group.bench_function("encode, AvroConverter", |bench| bench.iter(|| black_box(encode())));

    let batch = RawBatch { values: messages, ..consumed(0, ROWS) };
    let mut decode = || converter.to_connect(&batch, Side::Value).expect("payments are Avro");
    assert_eq!(decode().runs[0].column.len(), ROWS);
    group.bench_function("decode, AvroConverter", |bench| bench.iter(|| black_box(decode())));

    let id = i32::from_be_bytes(batch.values.value(0)[1..5].try_into().expect("an id in four bytes"));
    let schema = RegistryClient::shared(&RegistryConfig::parse(&config).expect("a URL"))
        .and_then(|client| client.schema_by_id(id))
        .expect("the converter has registered it");
    let mut schemas = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
    let fingerprint =
        schemas.set(Fingerprint::Id(id as u32), AvroSchema::new(schema.text.clone())).expect("its id is new");
    let builder = arrow_avro::reader::ReaderBuilder::new().with_batch_size(ROWS).with_writer_schema_store(schemas);
    let mut decoder = builder.with_active_fingerprint(fingerprint).build_decoder().expect("a schema of Avro");
    let mut decode = || {
        for message in batch.values.iter().flatten() {
            decoder.decode(message).expect("payments are Avro");
        }
        decoder.flush().expect("whole messages").expect("rows")
    };
    assert_eq!(decode().num_rows(), ROWS);
    group.bench_function("decode, arrow-avro", |bench| bench.iter(|| black_box(decode())));
    group.finish();
}

/// Chains of three of Kafka's transformations; the first is the one that most sinks of databases have.
/// `benches/java/TransformBench.java` is what Java does.
fn transforms(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("transforms");
    group.throughput(Throughput::Elements(ROWS as u64));
    let chains: [(&str, Chain); 2] = [
        (
            "ValueToKey, ExtractField$Key, RegexRouter",
            [
                ("ValueToKey", &[("fields", "id")]),
                ("ExtractField$Key", &[("field", "id")]),
                ("RegexRouter", &[("regex", "pay(.*)"), ("replacement", "all-pay$1")]),
            ],
        ),
        (
            "ReplaceField, InsertField, Cast",
            [
                ("ReplaceField$Value", &[("exclude", "country"), ("renames", "buyer:customer")]),
                ("InsertField$Value", &[("topic.field", "source"), ("offset.field", "place")]),
                ("Cast$Value", &[("spec", "id:int32,amount:float32")]),
            ],
        ),
    ];
    for (name, chain) in chains {
        let mut chain = chain.map(|(class, config)| kafka_transformation(class, config));
        let records = converted(0, ROWS);
        let records = Records { value: with_schema(records.value.clone()), ..records };
        let mut transform = || {
            chain.iter_mut().fold(records.clone(), |records, transformation| {
                let mut transformed = transformation.apply(records).expect("payments have these fields");
                assert!(transformed.rejected.is_empty() && transformed.records.len() == 1);
                transformed.records.remove(0)
            })
        };
        assert_eq!(transform().len(), ROWS);
        group.bench_function(name, |bench| bench.iter(|| black_box(transform())));
    }
    group.finish();
}

/// Names without their package, and settings.
type Chain = [(&'static str, &'static [(&'static str, &'static str)]); 3];

fn kafka_transformation(class: &str, config: &[(&str, &str)]) -> Box<dyn Transformation> {
    let class = format!("org.apache.kafka.connect.transforms.{class}");
    let PluginFactory::Transformation(new) = plugin(volley_transforms::plugins(), &class) else {
        panic!("{class} is a transformation");
    };
    new(TransformationContext::default(), &config_map(config)).expect("the configuration is right")
}

/// What schemaless JSON has become, as what comes with a schema.
fn with_schema(inferred: Column) -> Column {
    let field = inferred.field.as_ref().clone().with_metadata(HashMap::new());
    Column::new(Arc::new(field), inferred.array)
}

/// A projecting and filtering query, for batches of several sizes.
fn sql(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sql");
    for rows in [1_000, 16_384, 65_536] {
        group.throughput(Throughput::Elements(rows as u64));
        let records = converted(0, rows);
        let kept = (0..rows as u64).filter(|number| payment::passes_filter(*number)).count();
        let mut sql = sql_transformation();
        let mut transform = || sql.apply(records.clone()).expect("the query fits");
        let transformed = transform();
        assert_eq!(transformed.records.iter().map(|records| records.len()).sum::<usize>(), kept);
        assert!(transformed.rejected.is_empty());
        group.bench_function(BenchmarkId::new("project and filter", rows), |bench| {
            bench.iter(|| black_box(transform()));
        });
    }
    group.finish();
}

/// Columns to one complete file on local disk.
fn parquet(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parquet");
    group.throughput(Throughput::Elements((FILE_BATCHES * ROWS) as u64));
    let batches = ready_to_put(FILE_BATCHES, ROWS);
    group.bench_function("ObjectStoreSink", |bench| {
        bench.iter_batched(StartedSink::new, |sink| sink.write_file(&batches), BatchSize::PerIteration);
    });

    let batches = record_batches(&batches);
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).expect("a level of zstd"));
    let writers = [
        ("ArrowWriter, defaults", WriterProperties::default()),
        ("ArrowWriter, zstd", WriterProperties::builder().set_compression(zstd).build()),
    ];
    for (name, properties) in writers {
        group.bench_function(name, |bench| {
            bench.iter_batched(
                || tempfile::tempdir().expect("a temporary directory"),
                |directory| {
                    write_with_arrow_writer(directory.path(), &batches, &properties);
                    directory
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Rows made up.
fn datagen(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("datagen");
    group.throughput(Throughput::Elements(ROWS as u64));
    for schema in ["orders", "wide-50"] {
        let mut source = datagen_task(schema);
        group.bench_function(schema, |bench| {
            bench.iter(|| {
                let polled = source.poll(Duration::ZERO).expect("rows without end");
                assert!(matches!(&polled, Polled::Batches(batches) if batches[0].records.len() == ROWS));
                polled
            });
        });
        source.stop();
    }
    group.finish();
}

fn plugin(plugins: Vec<Plugin>, class: &str) -> PluginFactory {
    let found = plugins.into_iter().find(|plugin| plugin.class == class);
    found.unwrap_or_else(|| panic!("there is no plug-in {class}")).factory
}

fn sql_transformation() -> Box<dyn Transformation> {
    let PluginFactory::Transformation(new) = plugin(volley_sql::plugins(), "Sql") else {
        panic!("Sql is a transformation");
    };
    let config = config_map(&[("query", payment::QUERY)]);
    new(TransformationContext::default(), &config).expect("the query is right")
}

fn datagen_task(schema: &str) -> Box<dyn SourceTask> {
    let PluginFactory::Source { task, .. } = plugin(volley_local_connectors::plugins(), "Datagen") else {
        panic!("Datagen is a source");
    };
    let config = config_map(&[("topic", TOPIC), ("schema", schema), ("batch.size", &ROWS.to_string())]);
    task(SourceContext::new("datagen", 0), &config).expect("the configuration is right")
}

/// A task of ObjectStoreSink that owns the partition, and the directory that it writes to.
struct StartedSink {
    task: Box<dyn SinkTask>,
    /// Removed when dropped.
    _directory: TempDir,
}

impl StartedSink {
    fn new() -> Self {
        let PluginFactory::Sink { task, .. } =
            plugin(volley_object_store::plugins(Arc::new(volley_sql::SqlQueries)), "ObjectStoreSink")
        else {
            panic!("ObjectStoreSink is a sink");
        };
        let directory = tempfile::tempdir().expect("a temporary directory");
        let url = Url::from_directory_path(directory.path()).expect("a full path");
        let config = config_map(&[("store.url", url.as_str()), ("flush.size", "10000000")]);
        let mut task = task(SinkContext::new("bench", 0), &config).expect("the configuration is right");
        task.open(&Offsets::from([(partition(), 0)])).expect("the partition is free");
        Self { task, _directory: directory }
    }

    /// Puts the batches, completes the file, and waits until it is there. Given back to be dropped outside the measurement.
    fn write_file(mut self, batches: &[SinkBatch]) -> Self {
        let deadline = Instant::now() + UPLOAD_PATIENCE;
        for batch in batches {
            self.put(batch, deadline);
        }
        let end = batches.last().map_or(0, |batch| batch.origin().range.end);
        let current = Offsets::from([(partition(), end)]);
        while let Err(error) = self.task.flush(&[partition()]) {
            wait_or_panic(&error, deadline);
        }
        while self.task.pre_commit(&current).expect("the directory can be written to") != current {
            assert!(Instant::now() < deadline, "the file is not complete after {UPLOAD_PATIENCE:?}");
            thread::yield_now();
        }
        self
    }

    fn put(&mut self, batch: &SinkBatch, deadline: Instant) {
        loop {
            match self.task.put(batch) {
                Ok(rejected) => return assert!(rejected.is_empty(), "the sink refuses rows"),
                Err(error) => wait_or_panic(&error, deadline),
            }
        }
    }
}

impl Drop for StartedSink {
    fn drop(&mut self) {
        self.task.stop();
    }
}

/// What a worker does when a sink has no room yet.
fn wait_or_panic(error: &volley_api::Error, deadline: Instant) {
    assert!(error.is_retriable() && Instant::now() < deadline, "{error}");
    thread::yield_now();
}

fn write_with_arrow_writer(directory: &Path, batches: &[RecordBatch], properties: &WriterProperties) {
    let file = File::create(directory.join("payments.parquet")).expect("a new file");
    let schema = batches[0].schema();
    let mut writer = ArrowWriter::try_new(file, schema, Some(properties.clone())).expect("columns that Parquet has");
    for batch in batches {
        writer.write(batch).expect("the disk has room");
    }
    writer.close().expect("the disk has room");
}
