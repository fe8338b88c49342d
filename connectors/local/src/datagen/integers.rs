//! Columns of whole numbers, from which most other columns are made.

use super::alias_table::AliasTable;
use super::random::{RowRandom, split_below};
use super::row_span::RowSpan;

/// How the number of a row is found.
#[derive(Clone, Debug)]
pub(super) enum Integers {
    /// `start + row * step`, plus up to `jitter` by chance. Wraps around at the ends of 64 bits.
    Walk { start: i64, step: i64, jitter: u64, random: RowRandom },
    /// Any of `count` numbers (1 up to 2^64) from `min` on, all alike.
    Uniform { min: i64, count: u128, random: RowRandom },
    /// From 1 on, by the distribution.
    Ranked { table: AliasTable, random: RowRandom },
}

impl Integers {
    /// The numbers of a span of rows.
    pub(super) fn fill(&self, span: RowSpan) -> Vec<i64> {
        match self {
            Self::Walk { start, step, jitter: 0, .. } => span.rows().map(|row| walk(*start, *step, row)).collect(),
            Self::Walk { start, step, jitter, random } => {
                let count = u128::from(*jitter) + 1;
                let jitter = |row| split_below(random.bits(row), count).0 as i64;
                span.rows().map(|row| walk(*start, *step, row).wrapping_add(jitter(row))).collect()
            }
            Self::Uniform { min, count, random } => {
                span.rows().map(|row| min.wrapping_add(split_below(random.bits(row), *count).0 as i64)).collect()
            }
            Self::Ranked { table, random } => {
                span.rows().map(|row| i64::from(table.pick(random.bits(row))) + 1).collect()
            }
        }
    }
}

fn walk(start: i64, step: i64, row: u64) -> i64 {
    start.wrapping_add(step.wrapping_mul(row as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: RowSpan = RowSpan { first: 0, step: 1, len: 5_000 };

    #[test]
    fn uniform_numbers_reach_both_ends_and_no_further() {
        let random = RowRandom::new(1, "f", "value");
        let numbers = Integers::Uniform { min: -3, count: 7, random }.fill(SPAN);
        assert_eq!((numbers.iter().min(), numbers.iter().max()), (Some(&-3), Some(&3)));
    }

    #[test]
    fn a_walk_with_a_jitter_below_its_step_ascends() {
        let random = RowRandom::new(1, "f", "value");
        let numbers = Integers::Walk { start: 100, step: 10, jitter: 9, random }.fill(SPAN);
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(numbers.iter().any(|number| number % 10 != 0));
    }

    #[test]
    fn a_walk_wraps_around_instead_of_failing() {
        let random = RowRandom::new(1, "f", "value");
        let numbers = Integers::Walk { start: i64::MAX, step: 1, jitter: 0, random }.fill(SPAN);
        assert_eq!(numbers[..2], [i64::MAX, i64::MIN]);
    }
}
