//! The keys that say what files look like, and their values parsed into types.

use std::sync::Arc;

use volley_api::{Config, ConfigIssue, ConfigKey, ConfigMap, ConfigType, ConfigValue, Importance, Validator};
use volley_converters::{AvroCodec, avro_file_def};

use super::arrow_file::ArrowCodec;
use super::codec::FileCodec;
use super::lines::{DecimalFormat, Framing};
use super::output_fields::{ENVELOPE, OUTPUT_FIELDS, OutputField, OutputFields};
use super::parquet::{PARQUET_CODEC, ParquetOptions, parquet_keys};
use super::record_csv::ValueEncoding;
use crate::evolution::Compatibility;

const FORMAT_CLASS: &str = "format.class";
const SCHEMA_COMPATIBILITY: &str = "schema.compatibility";
const COMPRESSION_TYPE: &str = "file.compression.type";
const COMPRESSION_LEVEL: &str = "file.compression.level";
const EXTENSION: &str = "file.extension";
const AVRO_CODEC: &str = "avro.codec";
const JSON_DECIMALS: &str = "json.decimal.format";
const BYTES_EXTENSION: &str = "format.bytearray.extension";
const BYTES_SEPARATOR: &str = "format.bytearray.separator";
const VALUE_ENCODING: &str = "format.output.fields.value.encoding";

/// The key of a template of the names of files.
pub(crate) const NAME_TEMPLATE: &str = "file.name.template";

/// Extensions that files of this sink may have, whatever format it is set to: a chain of files goes on when the format
/// changes.
pub(crate) const KNOWN_EXTENSIONS: [&str; 23] = [
    ".parquet",
    ".snappy.parquet",
    ".gz.parquet",
    ".zstd.parquet",
    ".br.parquet",
    ".lz4raw.parquet",
    ".json",
    ".json.gz",
    ".json.zst",
    ".json.snappy",
    ".bin",
    ".bin.gz",
    ".bin.zst",
    ".bin.snappy",
    ".csv",
    ".csv.gz",
    ".csv.zst",
    ".csv.snappy",
    ".arrow",
    ".avro",
    ".avro.gz",
    ".avro.zst",
    ".avro.snappy",
];

/// A format and the extension of its files.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FormatConfig {
    /// Which format, with its settings.
    pub(crate) kind: FormatKind,
    /// Ends the names of the files; begins with a dot.
    pub(crate) extension: Arc<str>,
    /// What of a record is written.
    pub(crate) output_fields: OutputFields,
    /// Whether a file has the columns of one schema; else it may have those of several.
    pub(crate) keeps_schemas: bool,
}

/// A format with its settings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FormatKind {
    /// Parquet.
    Parquet(ParquetOptions),
    /// A line of JSON for each value.
    JsonLines {
        /// Compression of the whole file.
        codec: FileCodec,
        /// How decimals are written.
        decimals: DecimalFormat,
    },
    /// The bytes of each value.
    Bytes {
        /// Compression of the whole file.
        codec: FileCodec,
        /// Follows each value.
        separator: Arc<[u8]>,
    },
    /// CSV, and the compression of the whole file.
    Csv(FileCodec),
    /// Avro object container files.
    Avro {
        /// Compression of the blocks.
        codec: AvroCodec,
        /// Compression of the whole file.
        file_codec: FileCodec,
        /// How values become Avro: keys of `avro_file_def`.
        mapping: ConfigMap,
    },
    /// Arrow IPC, and the compression of its buffers.
    Arrow(ArrowCodec),
    /// Parts of each record with commas between them.
    RecordCsv {
        /// Compression of the whole file.
        codec: FileCodec,
        /// What is written, in this order.
        fields: Vec<OutputField>,
        /// How values are written.
        encoding: ValueEncoding,
    },
    /// Parts of each record as an object of JSON.
    RecordJson {
        /// Compression of the whole file.
        codec: FileCodec,
        /// What is written.
        fields: Vec<OutputField>,
        /// Whether a single part is a member of an object too.
        is_enveloped: bool,
        /// What stands around the objects.
        framing: Framing,
    },
}

impl FormatKind {
    /// Whether it takes records apart itself, and writes those without a value too.
    pub(crate) fn is_of_records(&self) -> bool {
        matches!(self, Self::RecordCsv { .. } | Self::RecordJson { .. })
    }
}

/// The names of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormatName {
    Parquet,
    Json,
    Bytes,
    Csv,
    Arrow,
    Avro,
    RecordCsv,
    RecordJson,
    RecordJsonLines,
}

impl FormatName {
    /// From a name or from the last part of a Java class name.
    fn parse(text: &str) -> Option<Self> {
        let name = text.rsplit('.').next().unwrap_or(text).to_ascii_lowercase();
        Some(match name.strip_suffix("format").unwrap_or(&name) {
            "parquet" => Self::Parquet,
            "json" | "jsonl" | "jsonlines" => Self::Json,
            "bytes" | "bytearray" | "string" => Self::Bytes,
            "csv" => Self::Csv,
            "avro" => Self::Avro,
            "arrow" | "feather" => Self::Arrow,
            "recordcsv" => Self::RecordCsv,
            "recordjson" => Self::RecordJson,
            "recordjsonl" | "recordjsonlines" => Self::RecordJsonLines,
            _ => return None,
        })
    }
}

impl FormatConfig {
    /// From keys that have been checked.
    pub(crate) fn from_config(config: &Config) -> Self {
        let format = Self::of_class(config, config.string(FORMAT_CLASS).unwrap_or_default()).compressed(config);
        let extension = match (config.string(NAME_TEMPLATE), config.string(EXTENSION)) {
            // a template has all of the name
            (Some(template), None | Some("")) if !template.is_empty() => Arc::from(""),
            (_, None | Some("")) => format.extension,
            (_, Some(given)) => Arc::from(given),
        };
        let is_of_records = format.kind.is_of_records();
        Self {
            extension,
            output_fields: if is_of_records { OutputFields::default() } else { OutputFields::from_config(config) },
            keeps_schemas: compatibility(config).needs_versions(),
            ..format
        }
    }

    /// Whether there is a format of this name.
    pub(crate) fn is_class(class: &str) -> bool {
        FormatName::parse(class).is_some()
    }

    /// The same, with the compression of whole files that have one of their blocks too: files beside others do not have it.
    fn compressed(self, config: &Config) -> Self {
        match self.kind {
            FormatKind::Avro { codec, mapping, .. } => {
                let file_codec = file_codec(config);
                let extension = Arc::from(format!("{}{}", self.extension, file_codec.extension()));
                Self { kind: FormatKind::Avro { codec, file_codec, mapping }, extension, ..self }
            }
            kind => Self { kind, ..self },
        }
    }

    /// The format of this name with its own extension, of values alone.
    pub(crate) fn of_class(config: &Config, class: &str) -> Self {
        let text = |key: &str| config.string(key).unwrap_or_default();
        let codec = file_codec(config);
        let (kind, extension) = match FormatName::parse(class).unwrap_or(FormatName::Parquet) {
            FormatName::Parquet => (FormatKind::Parquet(ParquetOptions::from_config(config)), ".parquet".to_owned()),
            FormatName::Json => {
                let is_numeric = text(JSON_DECIMALS).eq_ignore_ascii_case("NUMERIC");
                let decimals = if is_numeric { DecimalFormat::Numeric } else { DecimalFormat::Base64 };
                (FormatKind::JsonLines { codec, decimals }, format!(".json{}", codec.extension()))
            }
            FormatName::Bytes => {
                let separator = Arc::from(config.string(BYTES_SEPARATOR).unwrap_or("\n").as_bytes());
                let extension = format!("{}{}", text(BYTES_EXTENSION), codec.extension());
                (FormatKind::Bytes { codec, separator }, extension)
            }
            FormatName::Csv => (FormatKind::Csv(codec), format!(".csv{}", codec.extension())),
            FormatName::Avro => {
                let blocks = AvroCodec::named(text(AVRO_CODEC)).unwrap_or(AvroCodec::Null);
                let mapping =
                    avro_mapping_keys().filter_map(|key| Some((key.name.clone(), text_of(config.get(&key.name))?)));
                let mapping = mapping.collect();
                (FormatKind::Avro { codec: blocks, file_codec: FileCodec::None, mapping }, ".avro".to_owned())
            }
            FormatName::Arrow => (FormatKind::Arrow(arrow_codec(text(COMPRESSION_TYPE))), ".arrow".to_owned()),
            FormatName::RecordCsv => {
                let is_plain = text(VALUE_ENCODING).eq_ignore_ascii_case("none");
                let encoding = if is_plain { ValueEncoding::None } else { ValueEncoding::Base64 };
                let fields = OutputField::of_config(config);
                (FormatKind::RecordCsv { codec, fields, encoding }, format!(".csv{}", codec.extension()))
            }
            FormatName::RecordJson => record_json(config, codec, Framing::JSON_ARRAY),
            FormatName::RecordJsonLines => record_json(config, codec, Framing::BETWEEN_LINES),
        };
        Self { kind, extension: Arc::from(extension), output_fields: OutputFields::default(), keeps_schemas: false }
    }
}

fn record_json(config: &Config, codec: FileCodec, framing: Framing) -> (FormatKind, String) {
    let (fields, is_enveloped) = (OutputField::of_config(config), config.boolean(ENVELOPE));
    (FormatKind::RecordJson { codec, fields, is_enveloped, framing }, format!(".json{}", codec.extension()))
}

/// Which versions of a schema share a file.
pub(crate) fn compatibility(config: &Config) -> Compatibility {
    config.string(SCHEMA_COMPATIBILITY).and_then(Compatibility::named).unwrap_or_default()
}

/// What is wrong with keys that depend on each other. Single keys have been checked.
pub(crate) fn format_issues(config: &Config) -> Vec<ConfigIssue> {
    let name = config.string(FORMAT_CLASS).and_then(FormatName::parse);
    let compression = config.string(COMPRESSION_TYPE).unwrap_or("none");
    let mut issues = OutputFields::issues(config);
    let codecs: &[&str] = match name {
        Some(FormatName::Parquet) | None => &["none"],
        Some(FormatName::Arrow) => &["none", "lz4", "zstd"],
        Some(_) => &["none", "gzip", "snappy", "zstd"],
    };
    if !codecs.iter().any(|codec| compression.eq_ignore_ascii_case(codec)) {
        let message = match name {
            Some(FormatName::Parquet) => {
                format!("Parquet files compress their pages themselves: set `{PARQUET_CODEC}` in place of it")
            }
            _ => format!("files of this format are compressed with one of {}", codecs.join(", ")),
        };
        issues.push(ConfigIssue::new(COMPRESSION_TYPE, message));
    }
    let extension = config.string(EXTENSION).unwrap_or_default();
    if name == Some(FormatName::Parquet) && !extension.is_empty() && !extension.ends_with(".parquet") {
        issues.push(ConfigIssue::new(EXTENSION, "the extension of Parquet files must end with `.parquet`".to_owned()));
    }
    if name == Some(FormatName::Bytes) && !is_extension(config.string(BYTES_EXTENSION).unwrap_or_default()) {
        issues.push(ConfigIssue::new(BYTES_EXTENSION, "an extension begins with a dot and has no `/`".to_owned()));
    }
    issues
}

/// The keys, in the order in which they are shown.
pub(crate) fn format_keys() -> Vec<ConfigKey> {
    use ConfigType::{Long, String};
    use Importance::{High, Low, Medium};
    let avro = avro_mapping_keys();
    let keys = vec![
        ConfigKey::with_default(
            FORMAT_CLASS,
            String,
            "Parquet",
            High,
            "Format of the files: `Parquet`, `JsonLines` (a line of JSON for each value, as JsonConverter writes it without \
             schema), `ByteArray` (values that are bytes or text, as they are), `Csv` (with a line of column names; nested \
             values as JSON), `Avro` (object container files), `Arrow` (IPC files), or `RecordCsv`, `RecordJson` and `RecordJsonLines` (the \
             `format.output.fields` of each record, as Aiven's sinks write them). Names of Confluent's classes are taken too.",
        )
        .validated(Validator::custom(check_format)),
        ConfigKey::with_default(
            COMPRESSION_TYPE,
            String,
            "none",
            Medium,
            "Compression of whole files, of lines, CSV, JSON and Avro: none, gzip, snappy (in the frames of Java's library) or \
             zstd; of the buffers of Arrow files: none, lz4 or zstd.",
        )
        .validated(Validator::one_of_ignore_case(["none", "gzip", "snappy", "zstd", "lz4"])),
        ConfigKey::with_default(
            COMPRESSION_LEVEL,
            Long,
            "-1",
            Low,
            "Level of that compression: 0 to 9 for gzip, 1 to 22 for zstd; -1 = the usual one.",
        )
        .validated(Validator::Between(-1, 22)),
        ConfigKey::with_default(
            JSON_DECIMALS,
            String,
            "BASE64",
            Low,
            "How JsonLines writes decimals that have a schema: BASE64 of their bytes, or NUMERIC.",
        )
        .validated(Validator::one_of_ignore_case(["BASE64", "NUMERIC"])),
        ConfigKey::with_default(BYTES_EXTENSION, String, ".bin", Low, "Extension of ByteArray files."),
        ConfigKey::optional(
            BYTES_SEPARATOR,
            String,
            Low,
            "Follows each value in ByteArray files. A line feed without this key.",
        ),
        ConfigKey::optional(
            EXTENSION,
            String,
            Low,
            "Extension of the files, such as `.ndjson`. Without it, that of the format and the compression.",
        )
        .validated(Validator::custom(check_extension)),
        ConfigKey::with_default(
            SCHEMA_COMPATIBILITY,
            String,
            "NONE",
            Medium,
            "How files go with versions of a schema: `NONE` (columns are put together, see `docs/files.md`; another schema begins \
             another file of Avro), `BACKWARD` or `FULL` (a file has the newest version; older records get its defaults), `FORWARD` \
             (a file has the oldest version; newer records lose what it does not have). Other than NONE needs schemas with versions.",
        )
        .validated(Validator::one_of_ignore_case(Compatibility::NAMES)),
        ConfigKey::with_default(
            OUTPUT_FIELDS,
            ConfigType::List,
            "value",
            Low,
            "What of a record is written: `value`, or some of key, value, offset, timestamp and headers as the fields of a struct.",
        ),
        ConfigKey::with_default(
            VALUE_ENCODING,
            String,
            "base64",
            Low,
            "How RecordCsv writes values: `base64`, or `none` (as they are).",
        )
        .validated(Validator::one_of_ignore_case(["base64", "none"])),
        ConfigKey::with_default(
            ENVELOPE,
            ConfigType::Boolean,
            "false",
            Low,
            "Whether a value that is written alone has a struct with the field `value` around it.",
        ),
        ConfigKey::with_default(
            AVRO_CODEC,
            String,
            "null",
            Medium,
            "Compression of Avro files: null (none), deflate, snappy, zstandard or bzip2.",
        )
        .validated(Validator::one_of(AvroCodec::ALL.map(AvroCodec::name))),
    ];
    keys.into_iter().chain(parquet_keys()).chain(avro).collect()
}

/// The keys that say how values become Avro.
fn avro_mapping_keys() -> impl Iterator<Item = ConfigKey> {
    avro_file_def().keys().to_vec().into_iter()
}

fn text_of(value: &ConfigValue) -> Option<String> {
    match value {
        ConfigValue::Boolean(value) => Some(value.to_string()),
        ConfigValue::Long(value) => Some(value.to_string()),
        ConfigValue::String(value) => Some(value.clone()),
        _ => None,
    }
}

/// A level of -1 is that of the library.
fn file_codec(config: &Config) -> FileCodec {
    let (name, level) =
        (config.string(COMPRESSION_TYPE).unwrap_or_default(), config.long(COMPRESSION_LEVEL).unwrap_or(-1));
    let level = |usual: i64, max: i64| if level < 0 { usual } else { level.min(max) };
    match name.to_ascii_lowercase().as_str() {
        "gzip" => FileCodec::Gzip(level(6, 9) as u32),
        "zstd" => FileCodec::Zstd(level(3, 22) as i32),
        "snappy" => FileCodec::Snappy,
        _ => FileCodec::None,
    }
}

fn arrow_codec(name: &str) -> ArrowCodec {
    match name.to_ascii_lowercase().as_str() {
        "lz4" => ArrowCodec::Lz4,
        "zstd" => ArrowCodec::Zstd,
        _ => ArrowCodec::None,
    }
}

type Checked = std::result::Result<(), String>;

fn check_format(value: &ConfigValue) -> Checked {
    match value {
        ConfigValue::String(text) if text.to_ascii_lowercase().contains("orc") => {
            Err("ORC files are not written by this sink: use Parquet, which the same readers know".to_owned())
        }
        ConfigValue::String(text) if FormatName::parse(text).is_none() => {
            let names = "Parquet, JsonLines, ByteArray, Csv, Avro, Arrow, RecordCsv, RecordJson or RecordJsonLines";
            Err(format!("the format must be {names}, or the name of Confluent's class for it"))
        }
        _ => Ok(()),
    }
}

fn check_extension(value: &ConfigValue) -> Checked {
    match value {
        ConfigValue::String(text) if !text.is_empty() && !is_extension(text) => {
            Err("an extension begins with a dot and has no `/`".to_owned())
        }
        _ => Ok(()),
    }
}

fn is_extension(text: &str) -> bool {
    text.len() > 1 && text.starts_with('.') && !text.contains(['/', '\\']) && !text.contains(char::is_control)
}
