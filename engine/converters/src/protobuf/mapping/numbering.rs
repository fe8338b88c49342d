//! The numbers of a message's fields.
//!
//! A field that says its number in a parameter, as those do that were read, keeps it. The others get the lowest numbers that
//! are free, in their order.

use rustc_hash::FxHashSet;

use crate::connect_schema::Connect;
use crate::protobuf::names::TAG;

const LAST: u32 = (1 << 29) - 1;

/// The numbers of these fields.
///
/// # Errors
/// There are too many fields.
pub(crate) fn numbers_of(fields: &[Connect<'_>]) -> Result<Vec<u32>, String> {
    let mut taken = FxHashSet::default();
    let given: Vec<_> = fields.iter().map(|field| given_number(field).filter(|number| taken.insert(*number))).collect();
    let mut free = (1..=LAST).filter(|number| is_allowed(*number) && !taken.contains(number));
    let numbers = given.into_iter().map(|given| given.or_else(|| free.next()));
    numbers.collect::<Option<_>>().ok_or_else(|| "a struct has too many fields".to_owned())
}

fn given_number(field: &Connect<'_>) -> Option<u32> {
    field.parameter(TAG)?.parse().ok().filter(|number| is_allowed(*number))
}

/// Some numbers are Protobuf's own.
fn is_allowed(number: u32) -> bool {
    (1..=LAST).contains(&number) && !(19_000..20_000).contains(&number)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn given_numbers_stay_and_others_are_the_lowest_that_are_free() {
        let field = |tag: Value| json!({"type": "int32", "parameters": {TAG: tag}});
        let fields: Vec<_> =
            ["x", "3", "1", "3", "19500", "0", "536870911", "536870912"].map(|tag| field(tag.into())).to_vec();
        let fields: Vec<_> = fields.iter().map(Connect).collect();
        assert_eq!(numbers_of(&fields).unwrap(), [2, 3, 1, 4, 5, 6, 536_870_911, 7]);
    }
}
