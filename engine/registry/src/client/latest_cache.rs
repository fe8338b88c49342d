//! Answers that hold for a while.

use std::borrow::Borrow;
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::bounded_map::BoundedMap;

/// Answers, each for as long as `life` from when it was given.
#[derive(Debug)]
pub(super) struct LatestCache<K, V> {
    answers: BoundedMap<K, (V, Instant)>,
    /// `None`: as long as there is room.
    life: Option<Duration>,
}

impl<K: Clone + Eq + Hash, V: Clone> LatestCache<K, V> {
    pub(super) fn new(capacity: usize, life: Option<Duration>) -> Self {
        Self { answers: BoundedMap::new(capacity), life }
    }

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q, now: Instant) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (answer, given) = self.answers.get(key)?;
        let holds = self.life.is_none_or(|life| now.saturating_duration_since(*given) < life);
        holds.then(|| answer.clone())
    }

    pub(super) fn insert(&mut self, key: K, answer: V, now: Instant) {
        self.answers.insert(key, (answer, now));
    }

    pub(super) fn forget<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.answers.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_for_its_life_and_no_longer() {
        let start = Instant::now();
        let mut cache = LatestCache::new(9, Some(Duration::from_secs(5)));
        cache.insert("s".to_owned(), 1, start);
        assert_eq!(cache.get("s", start + Duration::from_millis(4_999)), Some(1));
        assert_eq!(cache.get("s", start + Duration::from_secs(5)), None);
        cache.insert("s".to_owned(), 2, start + Duration::from_secs(5));
        assert_eq!(cache.get("s", start + Duration::from_secs(9)), Some(2));
    }

    #[test]
    fn without_a_life_it_holds_for_ever_and_with_none_at_all_never() {
        let now = Instant::now();
        let mut cache = LatestCache::new(9, None);
        cache.insert(1, 'a', now);
        assert_eq!(cache.get(&1, now + Duration::from_secs(1 << 30)), Some('a'));
        let mut cache = LatestCache::new(9, Some(Duration::ZERO));
        cache.insert(1, 'a', now);
        assert_eq!(cache.get(&1, now), None);
    }
}
