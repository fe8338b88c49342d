//! What the path of a file says, and the order in which files are read.
//!
//! The sink names its files `<topic>+<partition>+<offset of the first row>.<extension>`, and some sinks for HDFS have
//! the offset of the last row behind that of the first. Files of one topic and partition are a chain, whatever
//! directories they are in: one task reads it, directory after directory in the order of their paths, and in a
//! directory in the order of the offsets. Of other files, those of a directory are a chain, in the order of their
//! names.

use std::cmp::Ordering;

use crate::chain::is_legal_topic;

/// Offset basis and prime of the hash FNV-1a, of 64 bits.
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Files beside a file of values, with the keys or headers of the same records.
const BESIDE_VALUES: [&str; 2] = [".keys.", ".headers."];

/// What the name of a file of the sink says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SinkName<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// What follows the offsets: the extension, and where two topics came into one directory, the other's name.
    pub(super) end: &'a str,
}

impl<'a> SinkName<'a> {
    /// Reads the name of the file at `path`; `None` for other files.
    pub(super) fn of(path: &'a str, delimiter: &str) -> Option<Self> {
        let (_, name) = split(path);
        // topics may have dots and numbers, so the first place that fits counts
        name.match_indices(delimiter).find_map(|(at, _)| {
            let (partition, rest) = number(&name[at + delimiter.len()..])?;
            let (offset, end) = number(rest.strip_prefix(delimiter)?)?;
            // where topics may have the delimiter, a further number may be the offset itself
            let last = end.strip_prefix(delimiter).and_then(number).filter(|_| !is_legal_topic(delimiter));
            let end = last.map_or(end, |(_, end)| end);
            let topic = &name[..at];
            let is_file = is_legal_topic(topic) && end.starts_with('.');
            is_file
                .then(|| Some(Self { topic, partition: partition.parse().ok()?, offset: offset.parse().ok()?, end }))?
        })
    }

    /// Whether it has the keys or headers of another file's values.
    pub(super) fn is_beside_values(&self) -> bool {
        BESIDE_VALUES.iter().any(|part| self.end.starts_with(part))
    }
}

fn number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The directory and the name of a path.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Which of two files is read first, if both are of one task.
pub(super) fn in_reading_order(one: &str, other: &str, delimiter: &str) -> Ordering {
    let directories = split(one).0.split('/').cmp(split(other).0.split('/'));
    directories.then_with(|| match (SinkName::of(one, delimiter), SinkName::of(other, delimiter)) {
        (Some(first), Some(second)) => {
            let by_topic = first.topic.cmp(second.topic);
            let by_place = || (first.partition, first.offset).cmp(&(second.partition, second.offset));
            by_topic.then_with(by_place).then_with(|| one.cmp(other))
        }
        (first, second) => first.is_none().cmp(&second.is_none()).then_with(|| one.cmp(other)),
    })
}

/// Which of `tasks` tasks reads the file at `path`. The same for all files of a chain, and on every worker.
pub(super) fn task_of(path: &str, delimiter: &str, tasks: u64) -> u64 {
    let chain = match SinkName::of(path, delimiter) {
        Some(name) => format!("{}/{}", name.topic, name.partition),
        None => split(path).0.to_owned(),
    };
    let hash = chain.bytes().fold(FNV_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    // the low bits alone say little about short texts that differ in their last letter
    (hash ^ (hash >> 32)) % tasks.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_sink_are_read_back() {
        let read =
            |path, delimiter| SinkName::of(path, delimiter).map(|name| (name.topic, name.partition, name.offset));
        assert_eq!(read("topics/a/partition=3/a+3+0000000042.parquet", "+"), Some(("a", 3, 42)));
        assert_eq!(read("a.b-1_c+12+12345678901.other.topic.json.gz", "+"), Some(("a.b-1_c", 12, 12_345_678_901)));
        assert_eq!(read("x/t-3-70.avro", "-"), Some(("t", 3, 70)));
        assert_eq!(read("x/t+3+70+99.avro", "+"), Some(("t", 3, 70)));
        assert_eq!(read("x/t-3-70-99.avro", "-"), Some(("t-3", 70, 99)));
        for other in
            ["part-0001.parquet", "a+3.json", "a+b+1.json", "+1+2.json", "a+1+2", "a+99999999999+1.json", "a+1+2+3+4.x"]
        {
            assert_eq!(read(other, "+"), None, "{other}");
        }
        assert!(SinkName::of("t+0+1.keys.avro", "+").unwrap().is_beside_values());
        assert!(!SinkName::of("t+0+1.keyspace.avro", "+").unwrap().is_beside_values());
    }

    #[test]
    fn files_are_read_by_directory_and_then_by_offset() {
        let mut files = [
            "b/x.json",
            "a b/y.json",
            "a/t+10+0000000000.json",
            "a/t+2+12345678901.json",
            "a/t+2+0000000007.json",
            "a/t+2+9999999999.json",
            "a/z.json",
            "a/c/x.json",
            "top.json",
        ];
        files.sort_by(|one, other| in_reading_order(one, other, "+"));
        let expected = [
            "top.json",
            "a/t+2+0000000007.json",
            "a/t+2+9999999999.json",
            "a/t+2+12345678901.json",
            "a/t+10+0000000000.json",
            "a/z.json",
            "a/c/x.json",
            "a b/y.json",
            "b/x.json",
        ];
        assert_eq!(files, expected);
    }

    #[test]
    fn a_chain_has_one_task_and_chains_are_spread() {
        for tasks in [1, 3, 7] {
            let of = |path: &str| task_of(path, "+", tasks);
            assert_eq!(of("topics/t/hour=01/t+2+0000000000.json"), of("topics/t/hour=02/t+2+0000000100.parquet"));
            assert_eq!(of("logs/a.json"), of("logs/b.csv"));
        }
        let used: std::collections::BTreeSet<_> =
            (0..12).map(|partition| task_of(&format!("t/t+{partition}+0000000000.json"), "+", 4)).collect();
        assert_eq!(used.len(), 4);
    }
}
