//! The directories of the records: which directory below its topic each record's file lies in.
//!
//! ```text
//!  Config ─► PartitionerConfig ─► Partitioner::split(Records) ─► Split
//!              │                    │  Default        partition=3
//!              │                    │  Field          country=DE/city=Berlin    FieldValues: a code for each distinct value
//!              │                    │  Time           year=2026/month=11        time/: a code for each distinct bucket
//!              └─ PartitionerClass  ├─ FieldAndTime   country=DE/year=2026/…
//!                                   └─ Sql            what its columns say
//! ```
//!
//! A partitioner gives each row a code and each code a text (`Assignment`). Texts are made once for each distinct
//! value, never once for each row. A batch that goes to one directory as a whole is not cut. A row without a directory
//! is a rejected row.
//!
//! The names are those of Confluent's partitioners, so that a directory is continued where another sink has begun it.
//! Values of fields cannot lead out of their directory: see `path_text`.

mod assignment;
mod default_partitioner;
mod field_and_time_partitioner;
mod field_partitioner;
mod field_path;
mod field_values;
mod one_directory;
mod partitioner;
mod partitioner_class;
mod partitioner_config;
mod partitioner_keys;
mod path_text;
#[cfg(test)]
mod split_laws;
mod sql_partitioner;
#[cfg(test)]
mod sql_partitioner_tests;
mod time;
mod time_partitioner;

pub(crate) use partitioner::{Partitioner, Rows, Split};
pub(crate) use partitioner_config::{PartitionerConfig, partitioner_issues};
pub(crate) use partitioner_keys::{PARTITION_SQL, partitioner_keys};
pub(crate) use path_text::unescaped;
pub(crate) use time::{RowTimes, Zone};
