//! Dead letters by what went wrong. What it keeps is bounded, whatever stands in the topic.

use super::letter::DeadLetter;

/// What stands for what a dead letter does not say.
pub const UNKNOWN: &str = "unknown";

/// Groups that are told apart. Letters of others are counted in the last one.
const GROUPS: usize = 500;

/// What stands for whatever the letters of the groups beyond [`GROUPS`] say.
const OTHERS: &str = "(others)";

/// Bytes that are kept of a key, of a value or of a text of a header.
const KEPT_BYTES: usize = 16 * 1024;

/// What the letters of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupKey {
    /// Stage.
    pub stage: String,
    /// Java class of the exception.
    pub exception: String,
    /// The topic that the records came from, or, in a source, were going to.
    pub topic: String,
    /// Connector.
    pub connector: String,
}

/// Dead letters that have the same in common.
#[derive(Clone, Debug)]
pub struct Group {
    /// What they have in common.
    pub key: GroupKey,
    /// How many there are.
    pub count: u64,
    /// How many of them were replayed already.
    pub replayed: u64,
    /// The earliest time of one, ms since 1970-01-01 UTC.
    pub first: Option<i64>,
    /// The latest time of one.
    pub last: Option<i64>,
    /// The first of them, in each partition in the order of its offsets.
    pub letters: Vec<KeptLetter>,
}

/// A dead letter that is shown.
#[derive(Clone, Debug)]
pub struct KeptLetter {
    /// Partition of the dead letter topic.
    pub partition: i32,
    /// Offset there.
    pub offset: i64,
    /// Its time, ms since 1970-01-01 UTC.
    pub timestamp: Option<i64>,
    /// Partition that the record came from.
    pub original_partition: Option<i32>,
    /// Offset there.
    pub original_offset: Option<i64>,
    /// Key.
    pub key: Option<KeptBytes>,
    /// Value.
    pub value: Option<KeptBytes>,
    /// Message of the exception.
    pub message: Option<String>,
    /// Its innermost cause.
    pub cause: Option<String>,
    /// Whether it was replayed already.
    pub is_replayed: bool,
}

/// The beginning of a key or a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBytes {
    /// The beginning.
    pub head: Vec<u8>,
    /// How many bytes there are in all.
    pub len: usize,
}

impl KeptBytes {
    /// What is kept of these bytes. A text is cut between two characters.
    pub fn of(bytes: &[u8]) -> Self {
        let mut end = bytes.len().min(KEPT_BYTES);
        let is_inside_of_character = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        // a character has at most four bytes
        for _ in 0..3 {
            if end < bytes.len() && is_inside_of_character(end) {
                end -= 1;
            }
        }
        Self { head: bytes[..end].to_vec(), len: bytes.len() }
    }

    /// Whether there is more than is kept.
    pub fn is_cut(&self) -> bool {
        self.head.len() < self.len
    }

    /// What is kept, if it is text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.head).ok()
    }
}

/// All dead letters of a topic, by what went wrong.
#[derive(Debug)]
pub struct Summary {
    shown: usize,
    groups: Vec<Group>,
}

impl Summary {
    /// No letters yet. `shown` of each group will be kept.
    pub(crate) fn new(shown: usize) -> Self {
        Self { shown, groups: Vec::new() }
    }

    /// Counts a letter.
    pub(crate) fn add(&mut self, letter: &DeadLetter<'_>, is_replayed: bool) {
        let shown = self.shown;
        let group = self.group_of(letter);
        group.count += 1;
        group.replayed += u64::from(is_replayed);
        if let Some(time) = letter.timestamp {
            group.first = Some(group.first.map_or(time, |first| first.min(time)));
            group.last = Some(group.last.map_or(time, |last| last.max(time)));
        }
        if group.letters.len() < shown {
            group.letters.push(kept(letter, is_replayed));
        }
    }

    fn group_of(&mut self, letter: &DeadLetter<'_>) -> &mut Group {
        let reason = &letter.reason;
        let texts = [&reason.stage, &reason.exception, &reason.topic, &reason.connector];
        let texts = texts.map(|text| text.as_deref().map_or(UNKNOWN, beginning));
        let is_it =
            |group: &Group| [&group.key.stage, &group.key.exception, &group.key.topic, &group.key.connector] == texts;
        let at = match self.groups.iter().position(is_it) {
            Some(at) => at,
            None => {
                let is_full = self.groups.len() >= GROUPS;
                if self.groups.len() <= GROUPS {
                    self.groups.push(new_group(if is_full { [OTHERS; 4] } else { texts }));
                }
                self.groups.len() - 1
            }
        };
        &mut self.groups[at]
    }

    /// The groups, the largest first.
    pub fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups
    }

    /// Number of letters.
    pub fn count(&self) -> u64 {
        self.groups.iter().map(|group| group.count).sum()
    }
}

fn new_group(texts: [&str; 4]) -> Group {
    let [stage, exception, topic, connector] = texts.map(str::to_owned);
    let key = GroupKey { stage, exception, topic, connector };
    Group { key, count: 0, replayed: 0, first: None, last: None, letters: Vec::new() }
}

fn kept(letter: &DeadLetter<'_>, is_replayed: bool) -> KeptLetter {
    let reason = &letter.reason;
    let text = |text: &Option<String>| text.as_deref().map(|text| beginning(text).to_owned());
    KeptLetter {
        partition: letter.partition.partition,
        offset: letter.offset,
        timestamp: letter.timestamp,
        original_partition: reason.partition,
        original_offset: reason.offset,
        key: letter.key.map(KeptBytes::of),
        value: letter.value.map(KeptBytes::of),
        message: text(&reason.message),
        cause: text(&reason.cause),
        is_replayed,
    }
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(KEPT_BYTES)]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use volley_api::testing::raw_batch;
    use volley_api::{Origin, RawBatch, RawHeader};

    use super::*;
    use crate::dead_letters::error_headers::header;

    fn batch(letters: Vec<Vec<RawHeader>>, timestamps: Vec<i64>) -> RawBatch {
        let mut batch = raw_batch("dead", 1, 10, vec![Some(b"v".as_slice()); letters.len()]);
        batch.headers = Some(Arc::new(letters));
        batch.origin = Arc::new(Origin { timestamps: timestamps.into(), ..Origin::clone(&batch.origin) });
        batch
    }

    fn of(stage: &str) -> Vec<RawHeader> {
        vec![header("topic", "t".into()), header("stage", stage.into())]
    }

    fn add_all(summary: &mut Summary, batch: &RawBatch) {
        for row in 0..batch.len() {
            summary.add(&DeadLetter::at(batch, row), row == 0);
        }
    }

    #[test]
    fn letters_are_counted_with_their_like_and_the_first_are_kept() {
        let mut summary = Summary::new(2);
        let batch = batch(vec![of("A"), of("B"), of("A"), vec![], of("A")], vec![50, -1, 30, 0, 90]);
        add_all(&mut summary, &batch);
        assert_eq!(summary.count(), 5);
        let groups = summary.groups();
        let counts: Vec<_> =
            groups.iter().map(|group| (group.key.stage.as_str(), group.count, group.replayed)).collect();
        assert_eq!(counts, [("A", 3, 1), ("B", 1, 0), ("unknown", 1, 0)]);
        assert_eq!((groups[0].first, groups[0].last, groups[1].first), (Some(30), Some(90), None));
        let offsets: Vec<_> = groups[0].letters.iter().map(|letter| letter.offset).collect();
        assert_eq!(offsets, [10, 12]);
        assert_eq!(groups[2].key.topic, UNKNOWN);
    }

    #[test]
    fn however_many_things_go_wrong_and_however_large_they_are_what_is_kept_is_bounded() {
        let mut summary = Summary::new(1);
        let rows = GROUPS + 100;
        let letters: Vec<_> = (0..rows).map(|number| of(&format!("stage {number}"))).collect();
        add_all(&mut summary, &batch(letters, vec![0; rows]));
        assert_eq!((summary.count(), summary.groups().len()), (rows as u64, GROUPS + 1));
        assert_eq!((summary.groups()[0].key.stage.as_str(), summary.groups()[0].count), (OTHERS, 100));
        let long = "ä".repeat(KEPT_BYTES);
        let mut summary = Summary::new(1);
        add_all(&mut summary, &batch(vec![of(&long), of(&long)], vec![0; 2]));
        assert_eq!((summary.groups().len(), summary.groups()[0].key.stage.len()), (1, KEPT_BYTES));
    }

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        let text = format!("{}{}", "x".repeat(KEPT_BYTES - 2), "🚒".repeat(3));
        let kept = KeptBytes::of(text.as_bytes());
        assert!(kept.is_cut());
        assert_eq!((kept.text().map(str::len), kept.len), (Some(KEPT_BYTES - 2), text.len()));
        let bytes = vec![0x80; KEPT_BYTES + 1];
        assert!(KeptBytes::of(&bytes).head.len() >= KEPT_BYTES - 3);
        let short = KeptBytes::of("ä".as_bytes());
        assert!(!short.is_cut() && short.text() == Some("ä"));
    }
}
