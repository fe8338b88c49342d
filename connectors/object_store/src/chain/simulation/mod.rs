//! What simulated workers work with.

mod memory_files;
mod settings;
mod simulated_rows;
mod troubled_storage;

pub(crate) use settings::{COMPATIBILITIES, LAYOUTS, NAMINGS, PATIENCE, ROTATIONS, SIBLINGS};
pub(crate) use simulated_rows::{RowId, key_of, row_ids, values, version_of};
pub(crate) use troubled_storage::TroubledStorage;
