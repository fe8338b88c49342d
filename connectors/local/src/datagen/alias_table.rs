//! Draws from a discrete distribution in constant time (Walker's alias method, set up as Vose does it).

use super::random::split_below;

/// A distribution over `0..len`. 12 bytes for each outcome.
#[derive(Clone, Debug)]
pub(super) struct AliasTable {
    keep_below: Vec<u64>,
    aliases: Vec<u32>,
}

impl AliasTable {
    /// The distribution that is proportional to `weights`: at least one, all finite and above 0.
    pub(super) fn new(weights: &[f64]) -> Self {
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let mut shares: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..weights.len() as u32).partition(|index| shares[*index as usize] < 1.0);
        let mut table =
            Self { keep_below: vec![u64::MAX; weights.len()], aliases: (0..weights.len() as u32).collect() };
        while let (Some(below), Some(&above)) = (small.pop(), large.last()) {
            let share = shares[below as usize];
            table.keep_below[below as usize] = (share * 2f64.powi(64)) as u64;
            table.aliases[below as usize] = above;
            shares[above as usize] -= 1.0 - share;
            if shares[above as usize] < 1.0 {
                large.pop();
                small.push(above);
            }
        }
        table
    }

    /// Zipf's law: outcome `k` has the weight `1 / (k + 1)^exponent`.
    pub(super) fn zipf(len: usize, exponent: f64) -> Self {
        let weights: Vec<f64> = (1..=len).map(|rank| (rank as f64).powf(-exponent)).collect();
        Self::new(&weights)
    }

    /// The outcome that uniform `bits` stand for.
    pub(super) fn pick(&self, bits: u64) -> u32 {
        let (index, fraction) = split_below(bits, self.aliases.len() as u128);
        if fraction < self.keep_below[index as usize] { index as u32 } else { self.aliases[index as usize] }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::random::RowRandom;
    use super::*;

    fn shares(table: &AliasTable, len: usize) -> Vec<f64> {
        let draws = 200_000;
        let random = RowRandom::new(7, "draws", "value");
        let mut counts = vec![0u32; len];
        (0..draws).for_each(|row| counts[table.pick(random.bits(row)) as usize] += 1);
        counts.into_iter().map(|count| f64::from(count) / draws as f64).collect()
    }

    #[test]
    fn zipf_draws_follow_the_law() {
        let weights: Vec<f64> = (1..=50).map(|rank| 1.0 / f64::from(rank)).collect();
        let total: f64 = weights.iter().sum();
        for (share, weight) in shares(&AliasTable::zipf(50, 1.0), 50).into_iter().zip(weights) {
            assert!((share - weight / total).abs() < 0.005, "{share} for {}", weight / total);
        }
    }

    #[test]
    fn weighted_draws_follow_their_weights() {
        let shares = shares(&AliasTable::new(&[1.0, 6.0, 3.0]), 3);
        for (share, weight) in shares.into_iter().zip([0.1, 0.6, 0.3]) {
            assert!((share - weight).abs() < 0.01, "{share} for {weight}");
        }
    }

    proptest! {
        #[test]
        fn every_draw_is_an_outcome(weights in prop::collection::vec(0.001f64..1000.0, 1..200), bits: u64) {
            prop_assert!((AliasTable::new(&weights).pick(bits) as usize) < weights.len());
        }
    }
}
