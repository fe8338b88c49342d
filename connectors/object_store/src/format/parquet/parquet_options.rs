//! The keys that only Parquet files have, and their values parsed into types.

use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use volley_api::{Config, ConfigKey, ConfigType, ConfigValue, Importance, Validator};

use super::sort_order::SortOrder;

/// The key of the compression.
pub(crate) const PARQUET_CODEC: &str = "parquet.codec";
const COMPRESSION_LEVEL: &str = "parquet.compression.level";
const ROW_GROUP_ROWS: &str = "parquet.row.group.rows";
const ROW_GROUP_BYTES: &str = "parquet.row.group.bytes";
const PAGE_BYTES: &str = "parquet.page.bytes";
const STATISTICS: &str = "parquet.statistics";
const BLOOM_FILTERS: &str = "parquet.bloom.filter.columns";
/// The key of the order of rows.
pub(crate) const SORTING_COLUMNS: &str = "parquet.sorting.columns";

const DICTIONARY_BYTES: usize = 256 * 1024;

/// How Parquet files are made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ParquetOptions {
    /// Of the pages.
    pub(crate) compression: Compression,
    row_group_rows: usize,
    /// Encoded; a row group in the making is held apart from the file, so both bounds bound memory.
    row_group_bytes: usize,
    page_bytes: usize,
    statistics: EnabledStatistics,
    /// Columns with a Bloom filter, by their dotted paths.
    bloom_filters: Vec<String>,
    /// Of the rows of a row group.
    pub(crate) order: SortOrder,
}

impl ParquetOptions {
    /// What Hadoop has before `.parquet` in the names of files of this compression.
    pub(crate) fn codec_extension(&self) -> &'static str {
        match self.compression {
            Compression::SNAPPY => ".snappy",
            Compression::GZIP(_) => ".gz",
            Compression::BROTLI(_) => ".br",
            Compression::ZSTD(_) => ".zstd",
            Compression::LZ4_RAW => ".lz4raw",
            _ => "",
        }
    }

    /// From keys that have been checked.
    pub(crate) fn from_config(config: &Config) -> Self {
        let number = |key: &str| config.long(key).and_then(|number| usize::try_from(number).ok()).unwrap_or(1);
        let statistics = match config.string(STATISTICS).unwrap_or_default().to_ascii_lowercase().as_str() {
            "none" => EnabledStatistics::None,
            "page" => EnabledStatistics::Page,
            _ => EnabledStatistics::Chunk,
        };
        Self {
            compression: compression(
                config.string(PARQUET_CODEC).unwrap_or_default(),
                config.long(COMPRESSION_LEVEL).filter(|level| *level >= 0),
            ),
            row_group_rows: number(ROW_GROUP_ROWS),
            row_group_bytes: number(ROW_GROUP_BYTES),
            page_bytes: number(PAGE_BYTES),
            statistics,
            bloom_filters: config.list(BLOOM_FILTERS).to_vec(),
            // what is wrong with it has been reported with its key
            order: SortOrder::parse(config.list(SORTING_COLUMNS)).unwrap_or_default(),
        }
    }

    /// Whether a row group of so many rows, and so many bytes as Arrow has them, is complete.
    pub(crate) fn fill_a_row_group(&self, rows: usize, bytes: usize) -> bool {
        rows >= self.row_group_rows || bytes >= self.row_group_bytes
    }

    /// Rows of a row group, at most.
    pub(crate) fn row_group_rows(&self) -> usize {
        self.row_group_rows
    }

    /// Sets what they say. `columns`: those of the file.
    pub(crate) fn apply(&self, builder: WriterPropertiesBuilder, columns: &[ColumnPath]) -> WriterPropertiesBuilder {
        let builder = builder
            .set_compression(self.compression)
            .set_statistics_enabled(self.statistics)
            .set_max_row_group_row_count(Some(self.row_group_rows))
            .set_max_row_group_bytes(Some(self.row_group_bytes))
            .set_data_page_size_limit(self.page_bytes)
            .set_dictionary_page_size_limit(DICTIONARY_BYTES)
            .set_sorting_columns(Some(self.order.sorting_columns(columns)).filter(|columns| !columns.is_empty()));
        let filtered = columns.iter().filter(|column| self.bloom_filters.contains(&column.string()));
        filtered.fold(builder, |builder, column| builder.set_column_bloom_filter_enabled(column.clone(), true))
    }
}

/// The keys, in the order in which they are shown.
pub(crate) fn parquet_keys() -> Vec<ConfigKey> {
    use ConfigType::{List, Long, String};
    use Importance::{Low, Medium};
    vec![
        ConfigKey::with_default(
            PARQUET_CODEC,
            String,
            "zstd",
            Medium,
            "Compression of Parquet files: none, snappy, gzip, lz4_raw, brotli or zstd.",
        )
        .validated(Validator::one_of_ignore_case(["none", "snappy", "gzip", "lz4_raw", "brotli", "zstd"])),
        ConfigKey::with_default(
            COMPRESSION_LEVEL,
            Long,
            "-1",
            Low,
            "Level of that compression: 1 to 22 for zstd, 0 to 9 for gzip, 0 to 11 for brotli; -1 = a quick one.",
        )
        .validated(Validator::Between(-1, 22)),
        ConfigKey::with_default(ROW_GROUP_ROWS, Long, "1048576", Low, "A row group of a Parquet file has at most this many rows.")
            .validated(Validator::Between(1, 1 << 31)),
        ConfigKey::with_default(
            ROW_GROUP_BYTES,
            Long,
            "33554432",
            Low,
            "A row group of a Parquet file has about this many encoded bytes at most. It is held in memory until it is complete.",
        )
        .validated(Validator::Between(1024 * 1024, 1 << 31)),
        ConfigKey::with_default(PAGE_BYTES, Long, "524288", Low, "A page of a Parquet file has about this many bytes at most.")
            .validated(Validator::Between(1024, 1 << 30)),
        ConfigKey::with_default(
            STATISTICS,
            String,
            "chunk",
            Low,
            "Minima and maxima in Parquet files: none, of each column of a row group (`chunk`), or of each page too (`page`).",
        )
        .validated(Validator::one_of_ignore_case(["none", "chunk", "page"])),
        ConfigKey::with_default(
            BLOOM_FILTERS,
            List,
            "",
            Low,
            "Columns of Parquet files that get a Bloom filter, by their dotted paths: for readers that look for single values.",
        ),
        ConfigKey::with_default(
            SORTING_COLUMNS,
            List,
            "",
            Low,
            "Columns by which the rows of each row group are sorted, by their dotted paths, with DESC behind those that fall: \
             `country,amount DESC`. Readers that look for a range of values skip pages and row groups. A row group in the making \
             is then held as it is in memory, and is complete at `parquet.row.group.bytes` of that.",
        )
        .validated(Validator::custom(check_order)),
    ]
}

fn check_order(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::List(columns) => SortOrder::parse(columns).map(drop),
        _ => Ok(()),
    }
}

/// `level`: that of the library where it is `None`, and the nearest one that there is.
fn compression(name: &str, level: Option<i64>) -> Compression {
    let level = |max: i64| level.map(|level| level.min(max));
    match name.to_ascii_lowercase().as_str() {
        "none" => Compression::UNCOMPRESSED,
        "snappy" => Compression::SNAPPY,
        "gzip" => {
            Compression::GZIP(level(9).and_then(|level| GzipLevel::try_new(level as u32).ok()).unwrap_or_default())
        }
        "lz4_raw" => Compression::LZ4_RAW,
        "brotli" => {
            Compression::BROTLI(level(11).and_then(|level| BrotliLevel::try_new(level as u32).ok()).unwrap_or_default())
        }
        // level 1: with encodings chosen per column the higher ones gain little and cost much
        _ => Compression::ZSTD(level(22).and_then(|level| ZstdLevel::try_new(level as i32).ok()).unwrap_or_default()),
    }
}
