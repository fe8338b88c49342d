//! What writing a file needs.

use super::rotation::RotationPolicy;
use crate::evolution::Compatibility;
use crate::format::Format;
use crate::siblings::Sibling;

/// What writing needs besides the stream itself.
#[derive(Debug)]
pub(crate) struct Writing<'a> {
    /// Connector name, for the footers.
    pub(crate) connector: &'a str,
    /// When files are completed.
    pub(crate) policy: &'a RotationPolicy,
    /// Which versions of a schema share a file.
    pub(crate) compatibility: Compatibility,
    /// Files beside each file.
    pub(crate) siblings: &'a [Sibling],
    /// What files are made of.
    pub(crate) format: &'a Format,
    /// Now, ms since 1970-01-01 UTC.
    pub(crate) now: i64,
}
