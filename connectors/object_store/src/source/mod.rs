//! `ObjectStoreSource`: reads the files of a local directory or an object store into topics, what `ObjectStoreSink` has written
//! and what others have.
//!
//! ```text
//!  FileStore ─ list ─► Backlog ─ next file ─► OpenFile ─ RowReader ─► FileRows ─ RecordMaker ─► SourceBatch
//!                        ▲  │                    │
//!     stored offsets ────┘  └── again ◄──────────┘ replaced, out of reach
//! ```
//!
//! A source partition is a file: `{"store":"<store.url>","file":"<path below it>"}`. Its offset is
//! `{"row":n,"size":…,"version":…,"done":…}`: the row to go on with, and which file it was. The tasks share the files: see
//! `file_name` for which of them keep their order.

mod backlog;
mod changed_file;
mod config;
mod connector;
mod file_name;
mod file_rows;
mod open_file;
mod partition_columns;
mod path_pattern;
mod read;
mod record_maker;
mod store;
mod stored_offset;
mod task;
#[cfg(test)]
mod tests;
mod topic_template;
mod trouble;

pub(crate) use connector::source_plugin;
