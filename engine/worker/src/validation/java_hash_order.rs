//! The order in which Java's `HashMap` and `HashSet` of strings list their keys. Kafka Connect answers with some lists in
//! that order, and so do we, since a client may compare them.

/// Sorts the names as a Java hash map of them lists them.
pub(super) fn sort_in_hash_order<T>(items: &mut [T], name: impl Fn(&T) -> &str) {
    let buckets = buckets(items.len());
    items.sort_by_key(|item| hash(name(item)) & (buckets - 1));
}

/// A table starts with 16 buckets and doubles when more than three quarters of them could be taken.
fn buckets(len: usize) -> u32 {
    let mut buckets = 16u32;
    while len > (buckets / 4 * 3) as usize {
        buckets *= 2;
    }
    buckets
}

/// `String.hashCode`, its upper half mixed into the lower one as `HashMap` does.
fn hash(text: &str) -> u32 {
    let hash = text.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[&'static str]) -> Vec<&'static str> {
        let mut names = names.to_vec();
        sort_in_hash_order(&mut names, |name| name);
        names
    }

    #[test]
    fn names_come_in_the_order_that_java_lists_them_in() {
        assert_eq!(
            sorted(&["acks", "linger.ms", "compression.type", "batch.size"]),
            ["compression.type", "acks", "batch.size", "linger.ms"]
        );
        assert_eq!(sorted(&["Schemas", "Serialization"]), ["Serialization", "Schemas"]);
        assert_eq!(
            sorted(&[
                "converter.type",
                "schemas.enable",
                "schemas.cache.size",
                "schema.content",
                "decimal.format",
                "replace.null.with.default"
            ]),
            [
                "decimal.format",
                "converter.type",
                "schemas.cache.size",
                "replace.null.with.default",
                "schemas.enable",
                "schema.content"
            ]
        );
    }

    #[test]
    fn a_table_grows_at_three_quarters() {
        assert_eq!((buckets(0), buckets(12), buckets(13), buckets(25)), (16, 16, 32, 64));
    }
}
