//! Batches cut into the rows of each stream. What is rejected here does not depend on the files that are open.

mod cutter;
mod null_values;
mod piece;
mod versions;

pub(super) use cutter::Cutter;
pub(crate) use null_values::without_nulls;
pub(super) use piece::Piece;
