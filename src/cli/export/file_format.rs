//! Formats of files and their compressions, as keys of the connector.

use volley_api::ConfigMap;

/// `--format`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FileFormat {
    /// Columns
    #[default]
    Parquet,
    /// A line of JSON for each value
    Jsonl,
    /// Avro's object container files
    Avro,
    /// A line for each row, after one with the names of the columns
    Csv,
    /// Arrow IPC
    Arrow,
    /// Values that are bytes or text, as they are
    Bytes,
}

/// A compression: what the user calls it, and the connector.
type Codec = (&'static str, &'static str);

const PARQUET: &[Codec] = &[
    ("zstd", "zstd"),
    ("snappy", "snappy"),
    ("gzip", "gzip"),
    ("lz4", "lz4_raw"),
    ("lz4_raw", "lz4_raw"),
    ("brotli", "brotli"),
    ("none", "none"),
];
const AVRO: &[Codec] = &[
    ("none", "null"),
    ("deflate", "deflate"),
    ("snappy", "snappy"),
    ("zstd", "zstandard"),
    ("zstandard", "zstandard"),
    ("bzip2", "bzip2"),
];
const LINES: &[Codec] = &[("none", "none"), ("gzip", "gzip"), ("zstd", "zstd")];
const ARROW: &[Codec] = &[("none", "none"), ("lz4", "lz4"), ("zstd", "zstd")];

impl FileFormat {
    /// The keys that say format and compression.
    ///
    /// # Errors
    /// If the format has no such compression.
    pub(super) fn keys(self, compression: Option<&str>) -> Result<ConfigMap, String> {
        let (class, codec_key, codecs) = match self {
            Self::Parquet => ("Parquet", "parquet.codec", PARQUET),
            Self::Jsonl => ("JsonLines", "file.compression.type", LINES),
            Self::Avro => ("Avro", "avro.codec", AVRO),
            Self::Csv => ("Csv", "file.compression.type", LINES),
            Self::Arrow => ("Arrow", "file.compression.type", ARROW),
            Self::Bytes => ("ByteArray", "file.compression.type", LINES),
        };
        let mut keys = ConfigMap::from_iter([("format.class".to_owned(), class.to_owned())]);
        if let Some(compression) = compression {
            let wanted = compression.trim().to_ascii_lowercase();
            let found = codecs.iter().find(|(name, _)| *name == wanted);
            let (_, codec) = found.ok_or_else(|| {
                let names: Vec<_> = codecs.iter().map(|(name, _)| *name).collect();
                format!("--compression {compression}: for {class} files give one of {}", names.join(", "))
            })?;
            keys.insert(codec_key.to_owned(), (*codec).to_owned());
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn each_format_has_the_compressions_that_its_sink_knows_and_no_other() {
        let codec = |format: FileFormat, name| {
            let keys = format.keys(Some(name))?;
            Ok::<_, String>(keys.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(codec(FileFormat::Parquet, "LZ4").unwrap(), "format.class=Parquet parquet.codec=lz4_raw");
        assert_eq!(codec(FileFormat::Avro, "zstd").unwrap(), "format.class=Avro avro.codec=zstandard");
        assert_eq!(codec(FileFormat::Csv, "gzip").unwrap(), "format.class=Csv file.compression.type=gzip");
        assert!(codec(FileFormat::Arrow, "gzip").unwrap_err().contains("Arrow files give one of none, lz4, zstd"));
        for format in FileFormat::value_variants() {
            assert!(codec(*format, "zstd").is_ok() && codec(*format, "none").is_ok(), "{format:?}");
            assert!(codec(*format, "rar").is_err(), "{format:?}");
            assert_eq!(format.keys(None).unwrap().len(), 1, "the connector's own");
        }
    }
}
