//! Random bits by position: no state, so that any row can be made at any time.

/// The step of SplitMix64 (Steele, Lea and Flood, 2014): 2^64 divided by the golden ratio, made odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of random numbers, one per row, that depends on seed, field and purpose only.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowRandom {
    base: u64,
}

impl RowRandom {
    /// The stream of `purpose` of `field`. By name, not by place: a field that is added changes no other.
    pub(super) fn new(seed: i64, field: &str, purpose: &str) -> Self {
        let named = hash(field.as_bytes()) ^ hash(purpose.as_bytes()).rotate_left(32);
        Self { base: mix((seed as u64).wrapping_mul(STEP) ^ mix(named)) }
    }

    /// 64 uniform bits for `row`.
    pub(super) fn bits(self, row: u64) -> u64 {
        mix(self.base.wrapping_add(row.wrapping_add(1).wrapping_mul(STEP)))
    }

    /// A uniform number in `[0, 1)` for `row`.
    pub(super) fn unit(self, row: u64) -> f64 {
        (self.bits(row) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// More bits out of bits.
pub(super) fn remix(bits: u64) -> u64 {
    mix(bits.wrapping_add(STEP))
}

/// Splits uniform bits into a uniform number below `bound` (1 up to 2^64) and the fraction that remains, itself uniform.
pub(super) fn split_below(bits: u64, bound: u128) -> (u64, u64) {
    let product = u128::from(bits) * bound;
    ((product >> 64) as u64, product as u64)
}

/// The output function of SplitMix64.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |state, byte| (state ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bits_stay_known() {
        // The reference outputs of SplitMix64 for the seed 1234567.
        let outputs = [6_457_827_717_110_365_317_u64, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        let stream = RowRandom { base: 1_234_567 };
        for (row, expected) in outputs.into_iter().enumerate() {
            assert_eq!(stream.bits(row as u64), expected);
        }
    }

    #[test]
    fn streams_of_other_seeds_fields_and_purposes_differ() {
        let bits = |seed, field, purpose| RowRandom::new(seed, field, purpose).bits(0);
        assert_ne!(bits(1, "a", "value"), bits(2, "a", "value"));
        assert_ne!(bits(1, "a", "value"), bits(1, "b", "value"));
        assert_ne!(bits(1, "a", "value"), bits(1, "a", "null"));
    }

    #[test]
    fn splitting_stays_below_the_bound_even_for_all_64_bits() {
        assert_eq!(split_below(u64::MAX, 1 << 64).0, u64::MAX);
        assert_eq!(split_below(u64::MAX, 10).0, 9);
        assert_eq!(split_below(0, 10).0, 0);
    }
}
