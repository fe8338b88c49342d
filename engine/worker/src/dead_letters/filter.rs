//! Which dead letters a user means.

use super::letter::DeadLetter;
use super::summary::UNKNOWN;

/// Conditions, all of which a dead letter has to meet. What a letter does not say is `unknown`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// The stage that rejected it.
    pub stage: Option<String>,
    /// Java class of the exception, with or without its package.
    pub exception: Option<String>,
    /// The topic that the record came from, or, in a source, was going to.
    pub original_topic: Option<String>,
    /// Name of the connector.
    pub connector: Option<String>,
    /// Key, as text.
    pub key: Option<String>,
    /// Partition of the dead letter topic.
    pub partition: Option<i32>,
    /// Offset in the dead letter topic.
    pub offset: Option<i64>,
    /// Earliest time, ms since 1970-01-01 UTC. A letter without a time does not match.
    pub from: Option<i64>,
    /// The time before which it has to be.
    pub to: Option<i64>,
}

impl LetterFilter {
    /// Whether it is one of those.
    pub fn matches(&self, letter: &DeadLetter<'_>) -> bool {
        let reason = &letter.reason;
        is(&self.stage, &reason.stage)
            && self.exception.as_deref().is_none_or(|wanted| is_class(wanted, reason.exception.as_deref()))
            && is(&self.original_topic, &reason.topic)
            && is(&self.connector, &reason.connector)
            && self.key.as_ref().is_none_or(|wanted| letter.key == Some(wanted.as_bytes()))
            && self.partition.is_none_or(|wanted| letter.partition.partition == wanted)
            && self.offset.is_none_or(|wanted| letter.offset == wanted)
            && self.from.is_none_or(|from| letter.timestamp.is_some_and(|time| time >= from))
            && self.to.is_none_or(|to| letter.timestamp.is_some_and(|time| time < to))
    }
}

fn is(wanted: &Option<String>, found: &Option<String>) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted == found.as_deref().unwrap_or(UNKNOWN))
}

fn is_class(wanted: &str, found: Option<&str>) -> bool {
    let found = found.unwrap_or(UNKNOWN);
    found == wanted || found.rsplit(['.', '$']).next() == Some(wanted)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use volley_api::testing::raw_batch;
    use volley_api::{Origin, RawBatch};

    use super::*;
    use crate::dead_letters::error_headers::header;

    /// A letter at offset 5 of partition 2, of time 1000.
    fn batch() -> RawBatch {
        let mut batch = raw_batch("dead", 2, 5, [Some(b"v".as_slice())]);
        batch.keys = [Some(b"k")].into_iter().collect();
        batch.origin = Arc::new(Origin { timestamps: vec![1000].into(), ..Origin::clone(&batch.origin) });
        let names = [("stage", "TASK_PUT"), ("exception.class.name", "a.b.DataException"), ("connector.name", "c")];
        let headers = [("topic", "orders")].into_iter().chain(names).map(|(name, value)| header(name, value.into()));
        batch.headers = Some(Arc::new(vec![headers.collect()]));
        batch
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn each_condition_lets_through_what_meets_it_and_nothing_else() {
        let batch = batch();
        let letter = DeadLetter::at(&batch, 0);
        let any = LetterFilter::default;
        assert!(any().matches(&letter));
        for (good, bad) in [
            (LetterFilter { stage: text("TASK_PUT"), ..any() }, LetterFilter { stage: text("unknown"), ..any() }),
            (
                LetterFilter { exception: text("a.b.DataException"), ..any() },
                LetterFilter { exception: text("E"), ..any() },
            ),
            (
                LetterFilter { exception: text("DataException"), ..any() },
                LetterFilter { exception: text("b"), ..any() },
            ),
            (
                LetterFilter { original_topic: text("orders"), ..any() },
                LetterFilter { original_topic: text("dead"), ..any() },
            ),
            (LetterFilter { connector: text("c"), ..any() }, LetterFilter { connector: text("C"), ..any() }),
            (LetterFilter { key: text("k"), ..any() }, LetterFilter { key: text(""), ..any() }),
            (LetterFilter { partition: Some(2), ..any() }, LetterFilter { partition: Some(0), ..any() }),
            (LetterFilter { offset: Some(5), ..any() }, LetterFilter { offset: Some(6), ..any() }),
            (LetterFilter { from: Some(1000), ..any() }, LetterFilter { from: Some(1001), ..any() }),
            (LetterFilter { to: Some(1001), ..any() }, LetterFilter { to: Some(1000), ..any() }),
        ] {
            assert!(good.matches(&letter), "{good:?}");
            assert!(!bad.matches(&letter), "{bad:?}");
            let both = LetterFilter { offset: Some(6), ..good };
            assert!(!both.matches(&letter), "all conditions have to be met: {both:?}");
        }
    }

    #[test]
    fn letters_that_say_nothing_are_found_as_unknown() {
        let batch = raw_batch("dead", 0, 0, [None]);
        let letter = DeadLetter::at(&batch, 0);
        let unknown = || text(UNKNOWN);
        let filter = LetterFilter {
            stage: unknown(),
            exception: unknown(),
            original_topic: unknown(),
            connector: unknown(),
            ..LetterFilter::default()
        };
        assert!(filter.matches(&letter));
        let key = LetterFilter { key: text(""), ..LetterFilter::default() };
        assert!(!key.matches(&letter), "a null is no empty text");
    }
}
