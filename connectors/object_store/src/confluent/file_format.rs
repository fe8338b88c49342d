//! Formats by the names of Confluent's classes, and the extensions of their files.

/// A format of Confluent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileFormat {
    Avro,
    Json,
    ByteArray,
    Parquet,
    /// Texts, a line each.
    String,
}

impl FileFormat {
    /// The format with this class name, whose package is one of Confluent's or left out.
    pub(crate) fn parse(class: &str) -> Result<Self, String> {
        let (package, name) = class.rsplit_once('.').unwrap_or(("", class));
        let found = match name.strip_suffix("Format").unwrap_or(name) {
            _ if !package.is_empty() && !package.starts_with("io.confluent.") => None,
            "Avro" => Some(Self::Avro),
            "Json" => Some(Self::Json),
            "ByteArray" => Some(Self::ByteArray),
            "Parquet" => Some(Self::Parquet),
            "String" => Some(Self::String),
            "Orc" => {
                return Err(
                    "ORC files are not written by this sink: use ParquetFormat, which the same readers know".to_owned()
                );
            }
            _ => None,
        };
        found.ok_or_else(|| {
            format!("`{class}` is not there: the formats are AvroFormat, JsonFormat, ByteArrayFormat, ParquetFormat and StringFormat")
        })
    }

    /// Our name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Avro => "Avro",
            Self::Json => "JsonLines",
            Self::ByteArray | Self::String => "ByteArray",
            Self::Parquet => "Parquet",
        }
    }

    /// Whether whole files may be compressed.
    pub(crate) fn is_of_lines(self) -> bool {
        matches!(self, Self::Json | Self::ByteArray | Self::String)
    }
}

/// The extension of files of Parquet with this codec, in object stores.
pub(crate) fn parquet_extension(codec: &str) -> Result<&'static str, String> {
    Ok(match codec {
        "none" => ".parquet",
        "snappy" => ".snappy.parquet",
        "gzip" => ".gz.parquet",
        "brotli" => ".br.parquet",
        "zstd" => ".zstd.parquet",
        "lz4_raw" => ".lz4raw.parquet",
        other => {
            return Err(format!("`{other}` of Hadoop is not written by this sink: use zstd, snappy or lz4_raw"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_confluent_s_classes() {
        for (class, format) in [
            ("io.confluent.connect.s3.format.avro.AvroFormat", FileFormat::Avro),
            ("io.confluent.connect.gcs.format.json.JsonFormat", FileFormat::Json),
            ("io.confluent.connect.azure.blob.format.bytearray.ByteArrayFormat", FileFormat::ByteArray),
            ("io.confluent.connect.hdfs.parquet.ParquetFormat", FileFormat::Parquet),
            ("io.confluent.connect.hdfs3.string.StringFormat", FileFormat::String),
            ("JsonFormat", FileFormat::Json),
            ("Parquet", FileFormat::Parquet),
        ] {
            assert_eq!(FileFormat::parse(class), Ok(format));
        }
    }

    #[test]
    fn formats_of_others_are_refused_with_those_that_are_there() {
        for class in ["org.radarcns.sink.hdfs.AvroFormatRadar", "com.acme.JsonFormat", "", "Format", "io.confluent.X"] {
            let message = FileFormat::parse(class).unwrap_err();
            assert!(message.contains(class) && message.contains("ParquetFormat"), "{message}");
        }
        assert!(FileFormat::parse("io.confluent.connect.hdfs.orc.OrcFormat").unwrap_err().contains("ORC"));
        assert!(parquet_extension("lz4").unwrap_err().contains("lz4_raw") && parquet_extension("lzo").is_err());
    }
}
