//! What is known of the ends of a partition's chains without listing directories.

use indexmap::IndexMap;

use super::adoption::AdoptedFile;
use super::names::StreamKey;

/// At most this many ends are remembered: those whose streams were there last. Directories of the others are listed again when
/// rows for them come.
const MAX_KNOWN: usize = 4096;

/// Ends of chains that have no stream, those used last at the end. `None`: the chain does not reach beyond the offset that was
/// committed last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ChainEnds(IndexMap<StreamKey, Option<AdoptedFile>>);

impl ChainEnds {
    /// The end of the chain of `key`; `None`: it is not known.
    pub(crate) fn get(&self, key: &StreamKey) -> Option<&Option<AdoptedFile>> {
        self.0.get(key)
    }

    /// The chain of `key` ends so.
    pub(crate) fn insert(&mut self, key: StreamKey, end: Option<AdoptedFile>) {
        self.0.shift_remove(&key);
        self.0.insert(key, end);
    }

    /// All of them, those used last at the end.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StreamKey, &Option<AdoptedFile>)> {
        self.0.iter()
    }

    /// Rows before `offset` never come again: chains that end before it need not be known more closely.
    pub(crate) fn advance_to(&mut self, offset: i64) {
        for end in self.0.values_mut() {
            end.take_if(|file| file.identity.end <= offset);
        }
        let too_many = self.0.len().saturating_sub(MAX_KNOWN);
        self.0.drain(..too_many);
    }
}

impl FromIterator<(StreamKey, Option<AdoptedFile>)> for ChainEnds {
    fn from_iter<I: IntoIterator<Item = (StreamKey, Option<AdoptedFile>)>>(ends: I) -> Self {
        Self(ends.into_iter().collect())
    }
}
