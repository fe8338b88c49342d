//! How often the tests that do something again and again do it.

/// `usual` times; many times that for `make soak`, which gives the factor in `VOLLEY_SOAK`.
pub(crate) fn rounds(usual: usize) -> usize {
    let factor = std::env::var("VOLLEY_SOAK").map_or(1, |factor| factor.parse().expect("VOLLEY_SOAK is a number"));
    usual * factor
}

/// How often something is killed: `usual` times; at least thirty times where [`rounds`] are many.
pub(crate) fn kills(usual: usize) -> usize {
    match rounds(usual) {
        many if many > usual => many.max(30),
        few => few,
    }
}
