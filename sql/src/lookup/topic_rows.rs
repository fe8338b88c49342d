//! The records of a compacted topic: the last value of each key, as bytes.

use std::collections::BTreeMap;

use arrow::array::BinaryArray;

/// What a key takes besides its bytes and those of its value, about.
const OVERHEAD: u64 = 64;

/// The last value of each key, in the order of the keys' bytes.
#[derive(Debug)]
pub(super) struct TopicRows {
    values: BTreeMap<Box<[u8]>, Box<[u8]>>,
    bytes: u64,
    max_bytes: u64,
    /// Number of changes so far.
    changes: u64,
}

impl TopicRows {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self { values: BTreeMap::new(), bytes: 0, max_bytes, changes: 0 }
    }

    /// Takes the next record. A null value deletes its key; a record without a key is no row.
    pub(super) fn take(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) {
        let Some(key) = key.filter(|_| !self.is_too_large()) else { return };
        self.changes += 1;
        let size = |key: &[u8], value: &[u8]| (key.len() + value.len()) as u64 + OVERHEAD;
        let before = match value {
            Some(value) => {
                self.bytes += size(key, value);
                self.values.insert(key.into(), value.into())
            }
            None => self.values.remove(key),
        };
        self.bytes -= before.map_or(0, |before| size(key, &before));
        if self.is_too_large() {
            self.values.clear();
        }
    }

    /// Whether there was more than may be held. Then there are no rows any more.
    pub(super) fn is_too_large(&self) -> bool {
        self.bytes > self.max_bytes
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// The keys and the values.
    pub(super) fn to_arrays(&self) -> (BinaryArray, BinaryArray) {
        (self.values.keys().map(Some).collect(), self.values.values().map(Some).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_key_counts_and_a_null_value_deletes_it() {
        let mut rows = TopicRows::new(1_000);
        let records: [(Option<&[u8]>, Option<&[u8]>); 7] = [
            (Some(b"b"), Some(b"1")),
            (Some(b"a"), Some(b"2")),
            (Some(b"b"), Some(b"3")),
            (Some(b"c"), Some(b"4")),
            (Some(b"c"), None),
            (Some(b"d"), None),
            (None, Some(b"5")),
        ];
        records.into_iter().for_each(|(key, value)| rows.take(key, value));
        let (keys, values) = rows.to_arrays();
        assert_eq!(keys, BinaryArray::from_vec(vec![b"a", b"b"]));
        assert_eq!(values, BinaryArray::from_vec(vec![b"2", b"3"]));
        assert_eq!((rows.bytes, rows.changes()), (2 * (2 + OVERHEAD), 6));
    }

    #[test]
    fn too_much_is_dropped_and_stays_too_much() {
        let mut rows = TopicRows::new(3 * OVERHEAD);
        for key in 0..9_u8 {
            rows.take(Some(&[key]), Some(b"v"));
        }
        rows.take(Some(&[0]), None);
        assert!(rows.is_too_large() && arrow::array::Array::is_empty(&rows.to_arrays().0));
    }
}
