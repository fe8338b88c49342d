//! The number up to which no row can come any more.
//!
//! Whoever has got a smaller number than the greatest that is there had begun when that was there already. Once
//! everything of that time is settled, all rows up to it are there.

use crate::database::Timestamp;

/// Up to which number rows can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct NumberBound {
    /// A greatest number, and a time at which it was there.
    pending: Option<(i64, Timestamp)>,
    /// The first of them: what a bounded run reads.
    first: Option<i64>,
    settled: Option<i64>,
}

impl NumberBound {
    /// Takes what is settled; whether the greatest number should be looked for again.
    pub(in crate::source) fn settle(&mut self, settled: Option<Timestamp>) -> bool {
        if let (Some((number, at)), Some(settled)) = (self.pending, settled)
            && settled > at
        {
            self.settled = self.settled.max(Some(number));
            self.pending = None;
        }
        self.pending.is_none()
    }

    /// Takes the greatest number, which was there at `at`.
    pub(in crate::source) fn found(&mut self, greatest: Option<i64>, at: Timestamp) {
        self.pending = greatest.filter(|number| Some(*number) > self.settled).map(|number| (number, at));
        self.first = self.first.or(greatest);
    }

    /// Up to which number all rows are there.
    pub(in crate::source) fn settled(&self) -> Option<i64> {
        self.settled
    }

    /// Whether there are rows that must wait.
    pub(in crate::source) fn has_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether rows that were there at the first look must wait.
    pub(in crate::source) fn has_first_pending(&self) -> bool {
        self.first > self.settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    #[test]
    fn a_number_counts_once_everything_of_its_time_is_settled() {
        let mut bound = NumberBound::default();
        assert!(bound.settle(None));
        bound.found(Some(7), at(10));
        assert_eq!((bound.settle(Some(at(10))), bound.settled()), (false, None));
        assert!(bound.has_first_pending());
        assert_eq!((bound.settle(Some(at(11))), bound.settled()), (true, Some(7)));
        bound.found(Some(9), at(12));
        assert!(bound.has_pending() && !bound.has_first_pending());
        assert_eq!((bound.settle(Some(at(11))), bound.settled()), (false, Some(7)));
        bound.settle(Some(at(13)));
        // no row more, or rows that were deleted
        for greatest in [Some(9), Some(3), None] {
            bound.found(greatest, at(14));
            assert_eq!((bound.settled(), bound.has_pending()), (Some(9), false), "{greatest:?}");
        }
    }
}
