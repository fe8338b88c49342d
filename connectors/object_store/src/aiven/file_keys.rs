//! The keys of names and formats that Aiven's sinks for stores have in common.

use volley_api::{ConfigKey, ConfigType, Importance, Validator};

use crate::confluent::grouped;

pub(crate) const NAME_TEMPLATE: &str = "file.name.template";
pub(crate) const COMPRESSION_TYPE: &str = "file.compression.type";
pub(crate) const MAX_RECORDS: &str = "file.max.records";
pub(crate) const TIMESTAMP_TIMEZONE: &str = "file.name.timestamp.timezone";
pub(crate) const TIMESTAMP_SOURCE: &str = "file.name.timestamp.source";
pub(crate) const OUTPUT_TYPE: &str = "format.output.type";
pub(crate) const OUTPUT_FIELDS: &str = "format.output.fields";
pub(crate) const FIELD_ENCODING: &str = "format.output.fields.value.encoding";
pub(crate) const ENVELOPE: &str = "format.output.envelope";
pub(crate) const RETRY_BACKOFF: &str = "kafka.retry.backoff.ms";

/// The keys. `compression`: what files have without the key for it.
pub(crate) fn file_keys(compression: &str) -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Int, List, Long, String};
    use Importance::{High, Low, Medium};
    let files = vec![
        ConfigKey::optional(
            NAME_TEMPLATE,
            String,
            Medium,
            "Names of the files, with `{{topic}}`, `{{partition}}`, `{{start_offset}}` and `{{timestamp:unit=yyyy}}`; or with `{{key}}`, and `{{topic}}` and \
             `{{partition}}` if wanted: then there is a file for each key, with its newest record. Without it, \
             `{{topic}}-{{partition}}-{{start_offset}}` and the extensions of Avro and of the compression.",
        ),
        ConfigKey::with_default(
            COMPRESSION_TYPE,
            String,
            compression,
            Medium,
            "Compression of the files: none, gzip, snappy (in the frames of Java's library) or zstd; of Parquet, that of its pages.",
        )
        .validated(Validator::one_of_ignore_case(["none", "gzip", "snappy", "zstd"])),
        ConfigKey::with_default(
            MAX_RECORDS,
            Int,
            "0",
            Medium,
            "A file is completed when it has this many records; 0 = no limit. With `{{key}}`, 0 or 1.",
        )
        .validated(Validator::AtLeast(0)),
        ConfigKey::with_default(TIMESTAMP_TIMEZONE, String, "Z", Low, "Time zone of `{{timestamp}}` in names."),
        ConfigKey::with_default(
            TIMESTAMP_SOURCE,
            String,
            "WALLCLOCK",
            Low,
            "Time of `{{timestamp}}`: WALLCLOCK or EVENT.",
        )
        .validated(Validator::one_of_ignore_case(["WALLCLOCK", "EVENT"])),
    ];
    let format = vec![
        ConfigKey::with_default(
            OUTPUT_TYPE,
            String,
            "csv",
            High,
            "Format of the files: `csv`, `json`, `jsonl`, `parquet` or `avro`.",
        )
        .validated(Validator::one_of_ignore_case(["csv", "json", "jsonl", "parquet", "avro"])),
        ConfigKey::optional(
            OUTPUT_FIELDS,
            List,
            Medium,
            "What of a record is written: some of key, offset, timestamp, headers and value. Without it, the value.",
        ),
        ConfigKey::with_default(
            FIELD_ENCODING,
            String,
            "base64",
            Low,
            "How values are written in CSV: base64 or none.",
        )
        .validated(Validator::one_of_ignore_case(["base64", "none"])),
        ConfigKey::with_default(
            ENVELOPE,
            Boolean,
            "true",
            Low,
            "Whether a single field is written with its name around it.",
        ),
    ];
    let retry = ConfigKey::optional(
        RETRY_BACKOFF,
        Long,
        Low,
        "Wait before a failed write is tried again, in milliseconds; doubles with each try, up to 30 seconds.",
    );
    [grouped("File", files), grouped("Format", format), grouped("Errors", vec![retry.validated(Validator::AtLeast(0))])]
        .concat()
}
