//! The bytes of a complete file: in memory, or the first of them on local disk.

use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use super::spool::Spool;

/// Read from disk at once, where nobody asks for certain bytes.
const CHUNK: u64 = 4 * 1024 * 1024;

/// The bytes of a complete file. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    spool: Option<Arc<Spool>>,
    /// What follows them.
    rest: Bytes,
}

impl Contents {
    /// The bytes of `spool`, and then `rest`.
    pub(crate) fn new(spool: Option<Spool>, rest: Bytes) -> Self {
        Self { spool: spool.map(Arc::new), rest }
    }

    /// Number of bytes.
    pub(crate) fn len(&self) -> u64 {
        self.on_disk() + self.rest.len() as u64
    }

    /// Bytes of memory.
    pub(crate) fn memory(&self) -> usize {
        self.rest.len()
    }

    /// Bytes on local disk.
    pub(crate) fn on_disk(&self) -> u64 {
        self.spool.as_ref().map_or(0, |spool| spool.len())
    }

    /// The bytes, if all are in memory.
    pub(crate) fn in_memory(&self) -> Option<&Bytes> {
        self.spool.is_none().then_some(&self.rest)
    }

    /// The bytes on disk, if any are, and those behind them.
    pub(crate) fn parts(&self) -> (Option<&Spool>, &Bytes) {
        (self.spool.as_deref(), &self.rest)
    }

    /// The bytes `range`, none of which lies behind the end. Blocks while it reads the disk.
    ///
    /// # Errors
    /// If the disk fails.
    pub(crate) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let on_disk = self.on_disk();
        let of_rest = |offset: u64| usize::try_from(offset.saturating_sub(on_disk)).unwrap_or(usize::MAX);
        let rest = self.rest.slice(of_rest(range.start)..of_rest(range.end));
        let Some(spool) = self.spool.as_ref().filter(|_| range.start < on_disk) else { return Ok(rest) };
        let mut bytes = vec![0; usize::try_from(range.end.min(on_disk) - range.start).map_err(io::Error::other)?];
        spool.file().read_exact_at(&mut bytes, range.start)?;
        bytes.extend_from_slice(&rest);
        Ok(bytes.into())
    }

    /// All of it.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> Bytes {
        self.read(0..self.len()).unwrap()
    }

    /// The bytes `range`, without blocking.
    ///
    /// # Errors
    /// If the disk fails.
    pub(crate) async fn read_beside(&self, range: Range<u64>) -> io::Result<Bytes> {
        if self.spool.is_none() {
            return self.read(range);
        }
        let contents = self.clone();
        tokio::task::spawn_blocking(move || contents.read(range)).await.map_err(io::Error::other)?
    }

    /// Ranges that make up all of it, each of at most so many bytes.
    pub(crate) fn ranges(&self, most: u64) -> impl Iterator<Item = Range<u64>> + use<> {
        let length = self.len();
        (0..length.div_ceil(most)).map(move |part| part * most..((part + 1) * most).min(length))
    }

    /// Writes all of it. Blocks.
    ///
    /// # Errors
    /// If one of the disks fails.
    pub(crate) fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        match self.in_memory() {
            Some(bytes) => out.write_all(bytes),
            None => self.ranges(CHUNK).try_for_each(|range| out.write_all(&self.read(range)?)),
        }
    }
}

impl<B: Into<Bytes>> From<B> for Contents {
    fn from(bytes: B) -> Self {
        Self { spool: None, rest: bytes.into() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::SpoolPlace;

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written_wherever_it_is(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..6),
            rest in prop::collection::vec(any::<u8>(), 0..50),
            named in any::<bool>(),
            cuts in any::<(prop::sample::Index, prop::sample::Index)>(),
            most in 1..70_u64,
        ) {
            let root = tempfile::tempdir().unwrap();
            let directory = root.path().to_owned();
            let place = match named {
                true => SpoolPlace::Named { directory: directory.join("below"), prefix: "c-0.".to_owned() },
                false => SpoolPlace::Unnamed(directory),
            };
            let mut spool = place.begin().unwrap();
            pieces.iter().for_each(|piece| spool.append(piece).unwrap());
            let contents = Contents::new(Some(spool), Bytes::from(rest.clone()));
            let all: Vec<u8> = pieces.concat().into_iter().chain(rest).collect();
            prop_assert_eq!(contents.len(), all.len() as u64);
            let (one, other) = (cuts.0.index(all.len() + 1), cuts.1.index(all.len() + 1));
            let (start, end) = (one.min(other), one.max(other));
            prop_assert_eq!(&contents.read(start as u64..end as u64).unwrap()[..], &all[start..end]);
            let read: Vec<u8> = contents.ranges(most).flat_map(|range| contents.read(range).unwrap()).collect();
            prop_assert_eq!(&read, &all);
            let mut written = Vec::new();
            contents.write_to(&mut written).unwrap();
            prop_assert_eq!(&written, &all);
            drop(contents);
            let below = root.path().join("below");
            prop_assert!(!below.exists() || below.read_dir().unwrap().next().is_none());
        }
    }
}
