//! The newest file of each key until it is in the store, and what may be committed meanwhile.

use std::collections::HashMap;

use indexmap::IndexMap;
use volley_api::{Offsets, TopicPartition};

use super::file_of_key::FileOfKey;

/// A file, and the first offset of each partition that it stands for.
#[derive(Clone, Debug)]
struct Newest {
    file: FileOfKey,
    /// Of other partitions than the file's, where keys are in several.
    others: Vec<(TopicPartition, i64)>,
}

/// Files that are not in the store yet. Each path is waiting or due, or neither, and may be under way besides.
#[derive(Debug, Default)]
pub(super) struct NewestFiles {
    /// To be written some time.
    waiting: IndexMap<String, Newest>,
    /// To be written now.
    due: IndexMap<String, Newest>,
    /// Under way; nothing is known of these but that they are older.
    writing: HashMap<String, Newest>,
    memory: usize,
}

impl NewestFiles {
    /// Takes a file in place of an older one of the same path that has not been begun.
    pub(super) fn put(&mut self, file: FileOfKey) {
        let place = if self.due.contains_key(&file.path) { &mut self.due } else { &mut self.waiting };
        self.memory += file.memory();
        match place.get_mut(&file.path) {
            Some(known) => self.memory -= known.take(file),
            None => {
                place.insert(file.path.clone(), Newest { file, others: Vec::new() });
            }
        }
    }

    /// Everything that waits is to be written now.
    pub(super) fn make_all_due(&mut self) {
        // none of them is due already: `put` sees to that
        self.due.append(&mut self.waiting);
    }

    /// Begins the write of a file that is due and of whose path none is under way.
    pub(super) fn begin(&mut self) -> Option<FileOfKey> {
        let place = self.due.keys().position(|path| !self.writing.contains_key(path))?;
        let (path, newest) = self.due.swap_remove_index(place)?;
        let file = newest.file.clone();
        self.writing.insert(path, newest);
        Some(file)
    }

    /// The file under way at this path is in the store; its bytes.
    pub(super) fn written(&mut self, path: &str) -> Option<usize> {
        let written = self.writing.remove(path)?;
        self.memory -= written.file.memory();
        Some(written.file.contents.len())
    }

    /// Forgets what stands for nothing but records of these partitions, unless it is under way.
    pub(super) fn forget(&mut self, partitions: &[TopicPartition]) {
        for files in [&mut self.waiting, &mut self.due] {
            files.retain(|_, newest| {
                newest.others.retain(|(partition, _)| !partitions.contains(partition));
                let is_kept = !partitions.contains(&newest.file.partition) || !newest.others.is_empty();
                if !is_kept {
                    self.memory -= newest.file.memory();
                }
                is_kept
            });
        }
    }

    /// Paths under way that stand for records of these partitions.
    pub(super) fn writing_of(&self, partitions: &[TopicPartition]) -> Vec<String> {
        let is_of = |newest: &Newest| newest.since().any(|(partition, _)| partitions.contains(partition));
        self.writing.iter().filter(|(_, newest)| is_of(newest)).map(|(path, _)| path.clone()).collect()
    }

    /// Given how far each partition was put: how far it may be committed.
    pub(super) fn committable(&self, current: &Offsets) -> Offsets {
        let mut committable = current.clone();
        let all = self.waiting.values().chain(self.due.values()).chain(self.writing.values());
        for (partition, since) in all.flat_map(Newest::since) {
            if let Some(offset) = committable.get_mut(partition) {
                *offset = since.min(*offset);
            }
        }
        committable
    }

    /// Number of files.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.due.len() + self.writing.len()
    }

    /// Whether nothing waits to be due.
    pub(super) fn has_none_waiting(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Number of writes under way.
    pub(super) fn writes(&self) -> usize {
        self.writing.len()
    }

    /// Number and bytes of files that are due or under way.
    pub(super) fn unwritten(&self) -> (usize, usize) {
        let all = self.due.values().chain(self.writing.values());
        all.fold((0, 0), |(files, bytes), newest| (files + 1, bytes + newest.file.memory()))
    }

    /// Bytes of memory, roughly.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }
}

impl Newest {
    /// Takes the newer of the two files. Returns the memory of the other one.
    fn take(&mut self, file: FileOfKey) -> usize {
        let is_same_partition = self.file.partition == file.partition;
        // records that were given to several topics come topic after topic
        if is_same_partition && file.offset < self.file.offset {
            self.file.since = self.file.since.min(file.since);
            return file.memory();
        }
        let known = std::mem::replace(&mut self.file, file);
        if is_same_partition {
            self.file.since = self.file.since.min(known.since);
        } else {
            let position = self.others.iter().position(|(partition, _)| *partition == self.file.partition);
            if let Some((_, since)) = position.map(|position| self.others.swap_remove(position)) {
                self.file.since = self.file.since.min(since);
            }
            self.others.push((known.partition.clone(), known.since));
        }
        known.memory()
    }

    /// The first offset of each partition that it stands for.
    fn since(&self) -> impl Iterator<Item = (&TopicPartition, i64)> {
        let own = std::iter::once((&self.file.partition, self.file.since));
        own.chain(self.others.iter().map(|(partition, since)| (partition, *since)))
    }
}
