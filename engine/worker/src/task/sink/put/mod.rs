//! The third stage of a sink task, and what it goes by: what is put with one call, and which offsets are committed.

#[cfg(test)]
mod closing_laws;
mod delivery;
mod gathering;
pub(crate) mod put_positions;
pub(crate) mod put_stage;
#[cfg(test)]
mod put_stage_tests;
#[cfg(test)]
mod seek_laws;
