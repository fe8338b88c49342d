//! How a file comes into being where a name is free or taken and nothing else is known of it: with a label, complete,
//! and of several writers the one that is first.
//!
//! ```text
//!  create ─► LabelClaim ─► FileSystem   renames that overwrite nothing
//! ```
//!
//! A claim is of one name. The file that it leads to has that name, or another one in the same directory: then two
//! writers that would call their files differently exclude each other too.

mod creation;
#[cfg(test)]
mod creation_laws;
mod file_system;
mod label_claim;

pub(crate) use creation::{Creation, create};
pub(crate) use file_system::{Entry, FileSystem, Outcome, parent};
pub(crate) use label_claim::{claim_path, claimed_file, label, remove_all};
