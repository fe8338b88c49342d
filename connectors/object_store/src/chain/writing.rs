//! What writing a file needs.

use super::rotation::RotationPolicy;
use crate::evolution::Compatibility;
use crate::format::Format;
use crate::siblings::Sibling;
use crate::store::Storage;

/// What writing needs besides the stream itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writing<'a> {
    /// Connector name, for the footers.
    pub(crate) connector: &'a str,
    /// When files are completed.
    pub(crate) policy: &'a RotationPolicy,
    /// Which versions of a schema share a file.
    pub(crate) compatibility: Compatibility,
    /// Files beside each file.
    pub(crate) siblings: &'a [Sibling],
    /// Where files will be.
    pub(crate) storage: &'a dyn Storage,
    /// What files are made of.
    pub(crate) format: &'a Format,
    /// Whether objects are tagged with their offsets.
    pub(crate) has_tags: bool,
    /// Whether files claim another name than their own, and so have a label in any format.
    pub(crate) has_claims: bool,
    /// Now, ms since 1970-01-01 UTC.
    pub(crate) now: i64,
}

impl Writing<'_> {
    /// The same for a stream of this kind, to be asked for once: of tombstones, the files are those of the keys.
    pub(crate) fn of_stream(self, is_of_tombstones: bool) -> Self {
        match self.siblings {
            [keys, others @ ..] if is_of_tombstones => Self { format: keys.format(), siblings: others, ..self },
            _ => self,
        }
    }
}
