//! Going on behind the files of Confluent's sink for HDFS, which say only by their names what they hold.
//!
//! ```text
//!  names below the topic's directory ─► TopicFiles ─► last_of_java ─┐
//!  logs.dir, +tmp ───────────────────────────────────► JavaLog ─────┴─► JavaPlace: up to where everything is there
//! ```
//!
//! Java's sink takes up where the name with the largest last offset ends, in whichever directory of the topic: it
//! completes the files of all directories together. So rows up to there are in files, and are skipped in each
//! directory.

mod java_log;
mod java_name;
mod java_place;
mod topic_files;

pub(crate) use java_place::{JavaPlace, JavaPlaces};
