//! Batches divided into puts: what `SinkTask.put` of a plug-in is called with.

use std::sync::Arc;

use volley_api::{RawBatch, SinkBatch};

/// Batches, in order, the first ones for one put, those behind for the next.
#[derive(Debug, Default)]
pub(crate) struct Puts {
    batches: Vec<Arc<RawBatch>>,
    /// How many of the batches each put has.
    sizes: Vec<usize>,
}

impl Puts {
    /// One put without batches.
    pub(crate) fn of_nothing() -> Self {
        Self { batches: Vec::new(), sizes: vec![0] }
    }

    /// Puts of up to `most_rows` rows, or of one batch that has more.
    pub(crate) fn of(batches: &[SinkBatch], most_rows: usize) -> Self {
        let mut this = Self::default();
        let mut rows = 0;
        for batch in batches {
            let raw = Arc::clone(&batch.raw);
            rows += raw.len();
            match this.sizes.last_mut() {
                Some(size) if rows <= most_rows => *size += 1,
                _ => {
                    rows = raw.len();
                    this.sizes.push(1);
                }
            }
            this.batches.push(raw);
        }
        this
    }

    /// Whether they are of these batches.
    pub(crate) fn are_of(&self, batches: &[SinkBatch]) -> bool {
        let known = &self.batches;
        known.len() == batches.len() && known.iter().zip(batches).all(|(known, given)| Arc::ptr_eq(known, &given.raw))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// The batches of each.
    pub(crate) fn each(&self) -> impl Iterator<Item = &[Arc<RawBatch>]> {
        let mut rest = &self.batches[..];
        self.sizes.iter().map(move |size| {
            let (put, behind) = rest.split_at(*size);
            rest = behind;
            put
        })
    }

    /// How many batches the first `puts` have, which are done.
    pub(crate) fn done(&mut self, puts: usize) -> usize {
        let batches = self.sizes.drain(..puts).sum();
        self.batches.drain(..batches);
        batches
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::raw_batch;

    use super::*;

    fn batches(rows: &[usize]) -> Vec<SinkBatch> {
        let of = |rows: &usize| raw_batch("t", 0, 0, vec![Some(&b"v"[..]); *rows]);
        rows.iter().map(|rows| SinkBatch { raw: Arc::new(of(rows)), records: Vec::new() }).collect()
    }

    fn rows(puts: &Puts) -> Vec<Vec<usize>> {
        puts.each().map(|put| put.iter().map(|batch| batch.len()).collect()).collect()
    }

    #[test]
    fn a_put_has_as_many_batches_as_go_into_it_and_none_is_divided_or_left_out() {
        let given = batches(&[3, 7, 1, 9, 1, 11, 4]);
        let mut puts = Puts::of(&given, 10);
        assert_eq!(rows(&puts), [vec![3, 7], vec![1, 9], vec![1], vec![11], vec![4]]);
        assert!(puts.are_of(&given) && !puts.are_of(&given[1..]) && !puts.are_of(&batches(&[3, 7, 1, 9, 1, 11, 4])));
        assert_eq!((puts.done(2), puts.len()), (4, 3));
        assert!(puts.are_of(&given[4..]));
        assert_eq!((puts.done(3), puts.is_empty()), (3, true));
        assert_eq!(rows(&Puts::of_nothing()), [vec![0; 0]]);
    }
}
