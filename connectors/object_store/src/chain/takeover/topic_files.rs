//! What lies in the directories of a topic, by names alone.

use std::collections::{HashMap, HashSet};

use super::java_name::JavaName;
use crate::store::claim::claim_path;

/// A file that is named as Java's are and has no claim beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JavaFile {
    /// Offset of its last row.
    pub(super) last: i64,
    pub(super) path: String,
    /// What it would have claimed if it were ours.
    pub(super) claim: String,
}

/// The files of a topic by partition.
#[derive(Debug, Default)]
pub(super) struct TopicFiles {
    /// Those that seem to be Java's, in the order of their last offsets.
    javas: HashMap<i32, Vec<JavaFile>>,
    /// The first offset of the last of ours, also of one that has only been claimed.
    ours: HashMap<i32, i64>,
}

impl TopicFiles {
    /// The files of `topic` among `paths`.
    pub(super) fn of(topic: &str, paths: &[String]) -> Self {
        let known: HashSet<_> = paths.iter().map(String::as_str).collect();
        let mut files = Self::default();
        for path in paths {
            let name = name_of(path);
            let java = JavaName::parse(name).filter(|name| name.topic == topic);
            if let Some(java) = &java {
                let claim = format!("{}{}", &path[..path.len() - name.len()], java.claim);
                if !known.contains(claim_path(&claim, 0).as_str()) {
                    let file = JavaFile { last: java.last, path: path.clone(), claim };
                    files.javas.entry(java.partition).or_default().push(file);
                    continue;
                }
            }
            if let Some((partition, first)) = first_offset(name, topic) {
                let last = files.ours.entry(partition).or_insert(first);
                *last = first.max(*last);
            }
        }
        for javas in files.javas.values_mut() {
            javas.sort_by_key(|file| file.last);
        }
        files
    }

    /// Those that seem to be Java's, in the order of their last offsets.
    pub(super) fn javas(&self, partition: i32) -> &[JavaFile] {
        self.javas.get(&partition).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a file of ours begins at `offset` or later.
    pub(super) fn has_ours_from(&self, partition: i32, offset: i64) -> bool {
        self.ours.get(&partition).is_some_and(|first| *first >= offset)
    }
}

fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The partition and the first offset in the name of a file of ours, or of a claim.
fn first_offset(name: &str, topic: &str) -> Option<(i32, i64)> {
    let rest = name.trim_start_matches('.').strip_prefix(topic)?.strip_prefix('+')?;
    let (partition, rest) = rest.split_once('+')?;
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    Some((partition.parse().ok()?, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_tells_our_files_from_java_s() {
        let paths = [
            "topics/t/f=a/t+0+0000000000+0000000099.avro",
            "topics/t/f=b/t+0+0000000007+0000000100.avro",
            // ours
            "topics/t/f=b/t+0+0000000101+0000000200.avro",
            "topics/t/f=b/.t+0+0000000101.avro.volley",
            "topics/t/f=a/t+1+0000000500.avro",
            // of another topic
            "topics/t/f=b/tt+0+0000000300+0000000400.avro",
            "topics/t/f=b/t+0+x.avro",
        ];
        let files = TopicFiles::of("t", &paths.map(str::to_owned));
        let lasts: Vec<_> = files.javas(0).iter().map(|file| file.last).collect();
        assert_eq!(lasts, [99, 100]);
        assert_eq!(files.javas(0)[1].claim, "topics/t/f=b/t+0+0000000007.avro");
        assert!(files.has_ours_from(0, 101) && !files.has_ours_from(0, 102));
        assert!(files.javas(1).is_empty() && files.has_ours_from(1, 500));
        assert!(!files.has_ours_from(2, 0));
    }
}
