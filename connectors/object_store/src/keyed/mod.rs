//! A file for each key, with the newest record of it: names with `{{key}}`, as Aiven's sinks have them.
//!
//! ```text
//!  put ─► KeyedBatch ─► FileOfKey ─► NewestFiles: waiting ─► due ─► writing ─► store
//!                                         │                            │
//!  pre_commit ◄── what no file shows yet ─┴───────── written ◄─────────┘
//! ```
//!
//! Files are written over, so that this is no chain, and knows nothing of what lies there. It is at least once, and the
//! last write counts. Of each file one write is under way at a time, and each writes a newer record than the one before. An
//! offset may be committed once the file of every key that has a record before it shows that record or a newer one.
//!
//! What is not guaranteed: a worker that has lost a partition without knowing may write an older record over a newer one,
//! and after a crash a file may show an older record again until the newer one has been read again.

mod file_of_key;
mod keyed_batch;
mod keyed_issues;
mod keyed_sink;
#[cfg(test)]
mod keyed_sink_tests;
mod keyed_template;
mod keyed_text;
#[cfg(test)]
mod laws;
mod newest_files;
mod writes;

pub(crate) use keyed_issues::keyed_issues;
pub(crate) use keyed_sink::KeyedSinkTask;
pub(crate) use keyed_template::KeyedTemplate;
pub(crate) use keyed_text::keyed_text;
