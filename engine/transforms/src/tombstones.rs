//! Leaves out records without a value, and says so.

use volley_api::{Records, Result, Transformed};

use crate::columns::{Fate, carry_out};

/// Whether the log warns of what is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loudness {
    Warns,
    IsSilent,
}

/// Leaves out tombstones, in the name of a class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DroppedTombstones {
    class: &'static str,
    loudness: Loudness,
}

impl DroppedTombstones {
    pub(crate) fn new(class: &'static str, loudness: Loudness) -> Self {
        Self { class, loudness }
    }

    /// The records that have a value. A batch is one line in the log.
    pub(crate) fn without_tombstones(&self, records: Records) -> Result<Transformed> {
        let dropped = (0..records.len()).filter(|row| records.value.is_null(*row)).count();
        if dropped > 0 && self.loudness == Loudness::Warns {
            tracing::warn!(
                transformation = self.class,
                topic = &*records.topic,
                dropped,
                "dropped records without a value"
            );
        }
        let fates = (0..records.len()).map(|row| Fate::kept_if(!records.value.is_null(row))).collect();
        carry_out(records, self.class, fates)
    }
}
