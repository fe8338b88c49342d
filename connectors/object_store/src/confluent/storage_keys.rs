//! The keys that Confluent's sinks for stores have in common: format, rotation, names, errors.

use volley_api::{ConfigKey, ConfigType, Importance, Validator, Width};

pub(crate) const FORMAT_CLASS: &str = "format.class";
pub(crate) const STORAGE_CLASS: &str = "storage.class";
pub(crate) const FLUSH_SIZE: &str = "flush.size";
pub(crate) const ROTATE_INTERVAL: &str = "rotate.interval.ms";
pub(crate) const ROTATE_SCHEDULE_INTERVAL: &str = "rotate.schedule.interval.ms";
pub(crate) const RETRY_BACKOFF: &str = "retry.backoff.ms";
pub(crate) const PAD_WIDTH: &str = "filename.offset.zero.pad.width";
pub(crate) const SCHEMA_COMPATIBILITY: &str = "schema.compatibility";
pub(crate) const AVRO_CODEC: &str = "avro.codec";
pub(crate) const CONNECT_META_DATA: &str = "connect.meta.data";
pub(crate) const ENHANCED_AVRO: &str = "enhanced.avro.schema.support";
pub(crate) const OPTIONAL_MAP_KEYS: &str = "allow.optional.map.keys";
pub(crate) const PARQUET_CODEC: &str = "parquet.codec";
pub(crate) const TOPICS_DIR: &str = "topics.dir";
pub(crate) const DIRECTORY_DELIM: &str = "directory.delim";
pub(crate) const FILE_DELIM: &str = "file.delim";
pub(crate) const NULL_VALUES: &str = "behavior.on.null.values";
pub(crate) const BYTES_EXTENSION: &str = "format.bytearray.extension";
pub(crate) const BYTES_SEPARATOR: &str = "format.bytearray.separator";
pub(crate) const JSON_DECIMALS: &str = "json.decimal.format";
const SHUTDOWN_TIMEOUT: &str = "shutdown.timeout.ms";
const SCHEMAS_CACHE: &str = "schemas.cache.config";

/// What sinks that have these keys accept without any effect; and keys of older releases that are still written.
pub(crate) const WITHOUT_EFFECT: [&str; 4] =
    [SHUTDOWN_TIMEOUT, SCHEMAS_CACHE, "schema.generator.class", "schema.ignore"];

/// The keys of every such sink. `storage_class`: the default of `storage.class`; `None`: it must be given.
pub(crate) fn storage_keys(formats: &str, storage_class: Option<&str>) -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Class, Int, Long, String};
    use Importance::{High, Low, Medium};
    let format = format!("Format of the files: {formats}. The package may be left out.");
    let storage = ConfigKey::required(
        STORAGE_CLASS,
        Class,
        High,
        "Name of the store's class. Any is accepted: the store follows from the connector.",
    );
    let keys = vec![
        ConfigKey::required(FORMAT_CLASS, Class, High, &format),
        match storage_class {
            Some(class) => storage.defaulting_to(Some(class)),
            None => storage,
        },
        ConfigKey::required(FLUSH_SIZE, Int, High, "A file is completed when it has this many records.")
            .validated(Validator::AtLeast(1)),
        ConfigKey::with_default(
            ROTATE_INTERVAL,
            Long,
            "-1",
            High,
            "A file is completed before a record whose time is this many milliseconds or more after that of the file's first \
             record; -1 = never. It takes such a record: `rotate.schedule.interval.ms` and `rotate.idle.ms` go by the clock.",
        ),
        ConfigKey::with_default(
            ROTATE_SCHEDULE_INTERVAL,
            Long,
            "-1",
            Medium,
            "All open files are completed at multiples of this many milliseconds since midnight in `timezone`; -1 = never. \
             Records are written exactly once with it too.",
        ),
        ConfigKey::with_default(
            SCHEMA_COMPATIBILITY,
            String,
            "NONE",
            High,
            "How files go with versions of a schema: NONE (columns are put together), BACKWARD or FULL (older records get the \
             newest version), FORWARD (newer records get the oldest version). Anything else means NONE.",
        ),
        ConfigKey::with_default(
            RETRY_BACKOFF,
            Long,
            "5000",
            Low,
            "Wait before a failed write is tried again, in milliseconds; doubles with each try, up to 30 seconds.",
        )
        .validated(Validator::AtLeast(0)),
        ConfigKey::with_default(SHUTDOWN_TIMEOUT, Long, "3000", Medium, "No effect: nothing has to be shut down."),
        ConfigKey::with_default(
            PAD_WIDTH,
            Int,
            "10",
            Low,
            "Offsets in file names are filled up with zeros to this many digits.",
        )
        .validated(Validator::AtLeast(0)),
        ConfigKey::with_default(SCHEMAS_CACHE, Int, "1000", Low, "No effect: schemas are not translated one by one."),
        ConfigKey::with_default(
            ENHANCED_AVRO,
            Boolean,
            "true",
            Low,
            "Whether files of Avro keep what Avro's schemas have and Connect's have not: packages and enums.",
        ),
        ConfigKey::with_default(
            CONNECT_META_DATA,
            Boolean,
            "true",
            Low,
            "Whether files of Avro keep what Connect's schemas have and Avro's have not: names, versions, parameters.",
        ),
        ConfigKey::with_default(
            OPTIONAL_MAP_KEYS,
            Boolean,
            "false",
            Low,
            "Whether maps whose keys are optional texts are written to Avro as if they were required ones.",
        ),
        ConfigKey::with_default(AVRO_CODEC, String, "null", Low, "Compression of files of Avro.")
            .validated(Validator::one_of(["null", "deflate", "snappy", "bzip2"])),
        ConfigKey::with_default(
            TOPICS_DIR,
            String,
            "topics",
            High,
            "Directory under which each topic has its own; may be empty.",
        ),
        ConfigKey::with_default(
            DIRECTORY_DELIM,
            String,
            "/",
            Medium,
            "Stands between the directories of a partitioner.",
        ),
        ConfigKey::with_default(
            FILE_DELIM,
            String,
            "+",
            Medium,
            "Stands between topic, partition and offset in file names.",
        ),
    ];
    grouped("Storage", keys)
}

/// `parquet.codec`, of sinks that let their users choose.
pub(crate) fn parquet_codec_key() -> Vec<ConfigKey> {
    let key = ConfigKey::with_default(
        PARQUET_CODEC,
        ConfigType::String,
        "snappy",
        Importance::Low,
        "Compression of files of Parquet: none, snappy, gzip, brotli, zstd or lz4_raw.",
    );
    let codecs = ["none", "snappy", "gzip", "brotli", "lz4", "lz4_raw", "lzo", "zstd"];
    grouped("Parquet", vec![key.validated(Validator::one_of(codecs))])
}

/// The keys of null values, bytes and JSON, of sinks of object stores.
pub(crate) fn object_keys() -> Vec<ConfigKey> {
    use ConfigType::String;
    use Importance::Low;
    let keys = vec![
        ConfigKey::with_default(
            NULL_VALUES,
            String,
            "fail",
            Low,
            "What to do with a record whose value is null: `fail` (an error, subject to `errors.tolerance`), `ignore`, or `write` \
             (its key goes to a file of keys; needs `store.kafka.keys`).",
        )
        .validated(Validator::one_of_ignore_case(["fail", "ignore", "write"])),
        ConfigKey::with_default(BYTES_EXTENSION, String, ".bin", Low, "Extension of files of raw bytes."),
        ConfigKey::optional(
            BYTES_SEPARATOR,
            String,
            Low,
            "Follows each value in files of raw bytes. A line feed without this key.",
        ),
        ConfigKey::with_default(
            JSON_DECIMALS,
            String,
            "BASE64",
            Low,
            "How decimals that have a schema are written in JSON: BASE64 of their bytes, or NUMERIC.",
        )
        .validated(Validator::one_of_ignore_case(["BASE64", "NUMERIC"])),
    ];
    grouped("Values", keys)
}

/// `<type>` and `<level>`: compression of whole files.
pub(crate) fn compression_keys(kind: &str, level: &str) -> Vec<ConfigKey> {
    let keys = vec![
        ConfigKey::with_default(
            kind,
            ConfigType::String,
            "none",
            Importance::Low,
            "Compression of whole files of JSON and of raw bytes: none or gzip.",
        )
        .validated(Validator::one_of(["none", "gzip"])),
        ConfigKey::with_default(
            level,
            ConfigType::Int,
            "-1",
            Importance::Low,
            "Level of that compression: 0 to 9; -1 = the usual one.",
        )
        .validated(Validator::Between(-1, 9)),
    ];
    grouped("Compression", keys)
}

/// The keys in a group of a UI.
pub(crate) fn grouped(group: &str, keys: Vec<ConfigKey>) -> Vec<ConfigKey> {
    let numbered = (1..).zip(keys);
    numbered
        .map(|(order, key)| {
            let name = key.name.clone();
            key.grouped(group, order, Width::Medium, &name)
        })
        .collect()
}
