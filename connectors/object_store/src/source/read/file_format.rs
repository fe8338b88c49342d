//! The formats, by extension and by name.

/// How the rows of a file are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum FileFormat {
    Parquet,
    /// A line of JSON for each row.
    JsonLines,
    Avro,
    /// Arrow IPC files.
    Arrow,
    /// With a line of column names.
    Csv,
    /// A line for each row, as bytes.
    Bytes,
}

/// Extensions of whole files that are compressed; which compression it is, their bytes say.
const COMPRESSIONS: [&str; 4] = ["", ".gz", ".zst", ".snappy"];

/// Extensions of formats whose files are not compressed as a whole, and of those whose files may be.
const OWN_COMPRESSION: [(&str, FileFormat); 3] =
    [(".parquet", FileFormat::Parquet), (".arrow", FileFormat::Arrow), (".feather", FileFormat::Arrow)];
const WHOLE_FILES: [(&str, FileFormat); 6] = [
    (".avro", FileFormat::Avro),
    (".json", FileFormat::JsonLines),
    (".jsonl", FileFormat::JsonLines),
    (".ndjson", FileFormat::JsonLines),
    (".csv", FileFormat::Csv),
    (".bin", FileFormat::Bytes),
];

impl FileFormat {
    /// The format of a file by the end of its name; `None` if it is not known.
    pub(in crate::source) fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let own = OWN_COMPRESSION.iter().find(|(extension, _)| name.ends_with(extension));
        let whole = || {
            WHOLE_FILES.iter().find(|(extension, _)| {
                COMPRESSIONS.iter().any(|end| name.strip_suffix(end).is_some_and(|name| name.ends_with(extension)))
            })
        };
        own.or_else(whole).map(|(_, format)| *format)
    }

    /// Whether a file without rows has bytes too.
    pub(in crate::source) fn is_never_empty(self) -> bool {
        matches!(self, Self::Parquet | Self::Avro | Self::Arrow)
    }

    /// From a name in `format.class`, or the last part of the name of a Java class of the sinks.
    pub(in crate::source) fn parse(text: &str) -> Option<Self> {
        let name = text.rsplit('.').next().unwrap_or(text).to_ascii_lowercase();
        Some(match name.strip_suffix("format").unwrap_or(&name) {
            "parquet" => Self::Parquet,
            "json" | "jsonl" | "jsonlines" => Self::JsonLines,
            "avro" => Self::Avro,
            "arrow" | "feather" => Self::Arrow,
            "csv" => Self::Csv,
            "bytes" | "bytearray" => Self::Bytes,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::KNOWN_EXTENSIONS;

    #[test]
    fn every_extension_of_the_sink_is_known() {
        for extension in KNOWN_EXTENSIONS {
            assert!(FileFormat::of_name(&format!("a/t+0+1{extension}")).is_some(), "{extension}");
        }
        assert_eq!(FileFormat::of_name("X.JSONL.GZ"), Some(FileFormat::JsonLines));
        assert_eq!(FileFormat::of_name("part.snappy.parquet"), Some(FileFormat::Parquet));
        for other in ["a.txt", "parquet", "x.json.br", "x.parquet.gz", ""] {
            assert_eq!(FileFormat::of_name(other), None, "{other}");
        }
    }

    #[test]
    fn names_of_java_classes_are_taken() {
        assert_eq!(FileFormat::parse("io.confluent.connect.s3.format.json.JsonFormat"), Some(FileFormat::JsonLines));
        assert_eq!(FileFormat::parse("Parquet"), Some(FileFormat::Parquet));
        assert_eq!(FileFormat::parse("orc"), None);
    }
}
