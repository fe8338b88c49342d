//! The order in which Java's `HashMap` and `HashSet` go through what was put into them.
//!
//! What a Java worker decides and answers depends on it in places, and clients and other workers rely on that. The order
//! follows from `hashCode` and the size of the table alone. Not followed is a table of 64 and more buckets with nine
//! colliding keys in one of them, which Java turns into a tree.

use std::collections::HashSet;
use std::hash::Hash;

const DEFAULT_CAPACITY: usize = 16;
const MIN_TREEIFY_CAPACITY: usize = 64;
const TREEIFY_THRESHOLD: usize = 8;

/// Has Java's hash code.
pub trait JavaHash {
    /// As Java's `hashCode()`.
    fn java_hash(&self) -> i32;
}

impl JavaHash for str {
    fn java_hash(&self) -> i32 {
        self.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
    }
}

impl JavaHash for String {
    fn java_hash(&self) -> i32 {
        self.as_str().java_hash()
    }
}

impl<T: JavaHash + ?Sized> JavaHash for &T {
    fn java_hash(&self) -> i32 {
        (**self).java_hash()
    }
}

/// The elements of `new HashMap()` after these were put in one by one. Each element comes once.
pub fn hash_map_order<T: JavaHash + Eq + Hash + Clone>(elements: impl IntoIterator<Item = T>) -> Vec<T> {
    ordered(elements, DEFAULT_CAPACITY)
}

/// The elements of `new HashSet(collection)`. Each element comes once.
pub fn hash_set_copy_order<T: JavaHash + Eq + Hash + Clone>(collection: &[T]) -> Vec<T> {
    let wanted = (collection.len() as f32 / 0.75) as usize + 1;
    ordered(collection.iter().cloned(), wanted.max(DEFAULT_CAPACITY).next_power_of_two())
}

/// Sorts items, each with a name of its own, as `new HashMap()` lists them after they were put in one by one.
pub fn sort_in_hash_order<T>(items: &mut [T], name: impl Fn(&T) -> &str) {
    sort(items, DEFAULT_CAPACITY, |item| name(item).java_hash());
}

fn ordered<T: JavaHash + Eq + Hash + Clone>(elements: impl IntoIterator<Item = T>, capacity: usize) -> Vec<T> {
    let mut known = HashSet::new();
    let mut elements: Vec<T> = elements.into_iter().filter(|element| known.insert(element.clone())).collect();
    sort(&mut elements, capacity, T::java_hash);
    elements
}

/// Items that share a bucket keep their order, as they do when a table grows.
fn sort<T>(items: &mut [T], initial_capacity: usize, java_hash: impl Fn(&T) -> i32) {
    let spread = |item: &T| {
        let hash = java_hash(item) as u32;
        (hash ^ (hash >> 16)) as usize
    };
    let spreads: Vec<usize> = items.iter().map(&spread).collect();
    let capacity = capacity(&spreads, initial_capacity);
    items.sort_by_cached_key(|item| spread(item) & (capacity - 1));
}

/// The number of buckets of a table of `initial` ones after items with these hashes were put into it.
fn capacity(spreads: &[usize], initial: usize) -> usize {
    let mut sizes = vec![0; initial];
    for (index, spread) in spreads.iter().enumerate() {
        let bucket = spread & (sizes.len() - 1);
        sizes[bucket] += 1;
        if sizes[bucket] > TREEIFY_THRESHOLD && sizes.len() < MIN_TREEIFY_CAPACITY {
            sizes = bucket_sizes(&spreads[..=index], sizes.len() * 2);
        }
        if index + 1 > sizes.len() / 4 * 3 {
            sizes = bucket_sizes(&spreads[..=index], sizes.len() * 2);
        }
    }
    sizes.len()
}

fn bucket_sizes(spreads: &[usize], capacity: usize) -> Vec<usize> {
    let mut sizes = vec![0; capacity];
    for spread in spreads {
        sizes[spread & (capacity - 1)] += 1;
    }
    sizes
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
    fn hash_codes_are_java_s() {
        assert_eq!("".java_hash(), 0);
        assert_eq!("hello".java_hash(), 99_162_322);
        assert_eq!("polygenelubricants".java_hash(), i32::MIN);
    }

    #[test]
    fn each_element_comes_once() {
        assert_eq!(hash_map_order(["a", "b", "a"]), ["a", "b"]);
        assert_eq!(hash_set_copy_order(&["b", "a", "b"]), ["a", "b"]);
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
    fn a_table_grows_at_three_quarters_and_where_many_share_a_bucket() {
        let apart = |len: usize| (0..len).collect::<Vec<_>>();
        assert_eq!([0, 12, 13, 25].map(|len| capacity(&apart(len), DEFAULT_CAPACITY)), [16, 16, 32, 64]);
        assert_eq!([8, 9, 10, 11].map(|len| capacity(&vec![0; len], DEFAULT_CAPACITY)), [16, 32, 64, 64]);
    }
}
