//! Change events as the new state of their row.

mod delete_handling;
mod dropped_fields;
mod extract_new_record_state;
mod new_state;
mod state_parts;

pub(super) use delete_handling::{DeleteHandling, Deletes};
pub use extract_new_record_state::ExtractNewRecordState;
