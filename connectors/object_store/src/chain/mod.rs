//! The chain of files of each stream, and what may be committed.
//!
//! ```text
//!  put ─► Delivery ─► Partition ─► Stream ─► OpenFile ─► ClosedFile … ─► Uploads ─► store
//!            ▲                       ▲                                      │
//!            │                       └─ find_files: where the chain ends    │
//!            └──────────── created / taken by another worker ◄──────────────┘
//! ```
//!
//! A `Delivery` holds the partitions of the task. A batch is put in offset order, cut into one stream for each topic, and
//! rows that are in files already are skipped. The bytes of a large file wait on disk (`output`). Complete files wait in order; of each stream one upload is on its way. What is
//! committable is the lowest offset that is in no complete file.

mod adoption;
mod chain_ends;
mod checkpoint;
mod checkpoints;
mod delivery;
#[cfg(test)]
mod exactly_once_tests;
mod file_schema;
mod files_text;
mod missing_siblings;
mod names;
mod open_file;
mod output;
mod partition;
mod pieces;
mod rotation;
mod row_order;
#[cfg(test)]
mod simulation;
mod stream;
mod takeover;
mod uploads;
mod waiting;
mod writing;

pub(crate) use adoption::read_identity;
pub(crate) use delivery::{Clock, Delivery, NewFile};
pub(crate) use files_text::files_text;
pub(crate) use names::{
    FileNaming, FileTemplate, PARTITION_DIGITS, TemplatePart, is_legal_topic, is_padded, template_parts,
};
pub(crate) use pieces::without_nulls;
pub(crate) use rotation::RotationPolicy;
pub(crate) use row_order::offset_of;
pub(crate) use uploads::BackgroundUploads;
