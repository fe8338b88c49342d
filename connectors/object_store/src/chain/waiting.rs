//! Complete files that are not in the store yet.

use std::iter::Sum;
use std::ops::Add;

/// Complete files that may wait for the store before no more records are taken: enough to keep all uploads busy.
const MOST_FILES: usize = 32;
/// The same in bytes: bounds what a slow store costs in memory …
const MOST_MEMORY: usize = 64 * 1024 * 1024;
/// … and on local disk.
const MOST_DISK: u64 = 4 * 1024 * 1024 * 1024;

/// How much of them there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Number of files.
    pub(crate) files: usize,
    /// Bytes of memory.
    pub(crate) memory: usize,
    /// Bytes on local disk.
    pub(crate) disk: u64,
}

impl Waiting {
    /// Whether no more records are to be taken.
    pub(crate) fn is_full(self) -> bool {
        self.files >= MOST_FILES || self.memory >= MOST_MEMORY || self.disk >= MOST_DISK
    }

    /// Bytes.
    pub(crate) fn bytes(self) -> u64 {
        self.disk.saturating_add(self.memory as u64)
    }
}

impl Add for Waiting {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            memory: self.memory.saturating_add(other.memory),
            disk: self.disk.saturating_add(other.disk),
        }
    }
}

impl Sum for Waiting {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}
