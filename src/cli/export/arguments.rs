//! The arguments of `volley export`.

use std::path::PathBuf;

use volley_worker::connector_config::{parse_bounded_end, parse_bounded_start};

use super::file_format::FileFormat;
use super::layout::PartitionBy;
use super::value_converter::ValueConverter;

/// Writes a part of some topics to files, and ends. Run again, the same command goes on behind what is there
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Brokers, as host:port[,host:port]; also instead of those of the worker's configuration
    #[arg(long, value_name = "SERVERS", required_unless_present_any = ["worker_config", "print_config"])]
    pub(super) bootstrap_servers: Option<String>,
    /// A worker's configuration: how to reach the cluster, its converters and config providers
    #[arg(long, value_name = "FILE")]
    pub(super) worker_config: Option<PathBuf>,
    /// Topic to read; may be given several times
    #[arg(long = "topic", value_name = "TOPIC", required = true, value_delimiter = ',')]
    pub(super) topics: Vec<String>,
    /// Query on the records, whose table is `records`: SELECT id, amount FROM records WHERE amount > 10. One that groups, sorts
    /// or joins topics is executed over all of them, and its result is written
    #[arg(long, value_name = "QUERY")]
    pub(super) sql: Option<String>,
    /// Where the files go: a local directory, or s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, hdfs://host/path
    #[arg(long, value_name = "PLACE")]
    pub(super) to: String,
    /// Format of the files
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: FileFormat,
    /// Compression of the files; what there is depends on the format [default: zstd for parquet, else none]
    #[arg(long, value_name = "CODEC")]
    pub(super) compression: Option<String>,
    /// Directories: day, hour, field:NAME[,NAME], field:NAME+day, field:NAME+hour, sql:COLUMNS [default: one for each partition]
    #[arg(long, value_name = "HOW")]
    pub(super) partition_by: Option<PartitionBy>,
    /// Field with the time of day and hour [default: the record's own time]
    #[arg(long, value_name = "FIELD", requires = "partition_by")]
    pub(super) time_field: Option<String>,
    /// Time zone of day and hour, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "partition_by")]
    pub(super) timezone: Option<String>,
    /// Where to begin: earliest, committed, an offset, or a time such as 2026-11-30 or 2026-11-30T08:00:00Z
    #[arg(long, value_name = "START", default_value = "earliest", value_parser = start)]
    pub(super) from: String,
    /// Where to end: now, before an offset, or before the first record of a time or later
    #[arg(long, value_name = "END", default_value = "now", value_parser = end)]
    pub(super) until: String,
    /// Name of the export, under which it goes on when it is run again [default: export-<topics>]
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Form of the values [default: bytes for --format bytes, else that of the worker's configuration, else json]
    #[arg(long, value_enum)]
    pub(super) value_converter: Option<ValueConverter>,
    /// URL of the Schema Registry, for avro and protobuf
    #[arg(long, value_name = "URL")]
    pub(super) schema_registry: Option<String>,
    /// Number of tasks, which share the partitions
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) tasks: u16,
    /// A key of the connector, also instead of what other arguments say; may be given several times
    #[arg(short = 'c', long = "config", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) config: Vec<(String, String)>,
    /// Print the connector for POST /connectors, and do nothing else
    #[arg(long)]
    pub(super) print_config: bool,
}

fn start(text: &str) -> Result<String, String> {
    parse_bounded_start(text).map(|_| text.trim().to_owned())
}

fn end(text: &str) -> Result<String, String> {
    parse_bounded_end(text).map(|_| text.trim().to_owned())
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    match key.trim() {
        "" => Err("write KEY=VALUE".to_owned()),
        key => Ok((key.to_owned(), value.to_owned())),
    }
}
