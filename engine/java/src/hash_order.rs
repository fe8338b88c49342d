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

fn ordered<T: JavaHash + Eq + Hash + Clone>(elements: impl IntoIterator<Item = T>, capacity: usize) -> Vec<T> {
    let mut known = HashSet::new();
    let mut table = Table { buckets: vec![Vec::new(); capacity], size: 0 };
    for element in elements {
        if known.insert(element.clone()) {
            table.put(element);
        }
    }
    table.buckets.into_iter().flatten().map(|(_, element)| element).collect()
}

struct Table<T> {
    buckets: Vec<Vec<(u32, T)>>,
    size: usize,
}

impl<T: JavaHash> Table<T> {
    fn put(&mut self, element: T) {
        let hash = element.java_hash() as u32;
        let spread = hash ^ (hash >> 16);
        let index = spread as usize & (self.buckets.len() - 1);
        self.buckets[index].push((spread, element));
        if self.buckets[index].len() > TREEIFY_THRESHOLD && self.buckets.len() < MIN_TREEIFY_CAPACITY {
            self.grow();
        }
        self.size += 1;
        if self.size > self.buckets.len() / 4 * 3 {
            self.grow();
        }
    }

    /// Twice the buckets; those that share one keep their order.
    fn grow(&mut self) {
        let capacity = self.buckets.len() * 2;
        let mut buckets: Vec<Vec<(u32, T)>> = (0..capacity).map(|_| Vec::new()).collect();
        for (spread, element) in std::mem::take(&mut self.buckets).into_iter().flatten() {
            buckets[spread as usize & (capacity - 1)].push((spread, element));
        }
        self.buckets = buckets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
