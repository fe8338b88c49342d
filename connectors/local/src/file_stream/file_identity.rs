//! Which file a position belongs to.
//!
//! A path says little: the file at it may be renamed away, deleted and made again, or overwritten in place. So beside the
//! position stands `INODE-POSITION-HASH`: the file's inode, and a hash of the bytes before the position. The device is not
//! part of it: its number changes when a machine or a volume is started anew, and from one machine to another.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::str::FromStr;

use super::line_splitter::LOOK_BACK;

/// A file, as it was when it had been read up to a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    inode: u64,
    position: u64,
    hash: u64,
}

impl FileIdentity {
    /// The file of an inode in which `before` stands before the position.
    pub(super) fn new(inode: u64, position: u64, before: &[u8]) -> Self {
        Self { inode, position, hash: hash(before) }
    }

    /// The inode.
    pub(super) fn inode(&self) -> u64 {
        self.inode
    }

    /// Whether this is the file, perhaps grown.
    pub(super) fn is_of(&self, file: &File) -> io::Result<bool> {
        let metadata = file.metadata()?;
        Ok(metadata.is_file()
            && metadata.ino() == self.inode
            && metadata.len() >= self.position
            && hash(&bytes_before(file, self.position)?) == self.hash)
    }
}

impl fmt::Display for FileIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:016x}", self.inode, self.position, self.hash)
    }
}

impl FromStr for FileIdentity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('-');
        let mut number = |radix| u64::from_str_radix(parts.next().unwrap_or_default(), radix).map_err(|_| ());
        let identity = Self { inode: number(10)?, position: number(10)?, hash: number(16)? };
        parts.next().map_or(Ok(identity), |_| Err(()))
    }
}

/// What stands before a position: its last `LOOK_BACK` bytes, or all if there are fewer. Less at the end of the file.
pub(super) fn bytes_before(file: &File, position: u64) -> io::Result<Vec<u8>> {
    let start = position.saturating_sub(LOOK_BACK as u64);
    let mut bytes = vec![0; (position - start) as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], start + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// FNV-1a, which stays the same in every version of every library.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_read_back_and_nothing_else() {
        let identity = FileIdentity::new(7, 5, b"abcd\n");
        assert_eq!(identity.to_string().parse(), Ok(identity));
        for text in ["", "7", "7-5", "7-5-x", "7-5-1-1", "-7-5-1", "7-5-"] {
            assert!(text.parse::<FileIdentity>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_stays_the_same_while_it_only_grows() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        let text = "0123456789".repeat(500);
        std::fs::write(&path, &text[..3_000]).unwrap();
        let file = File::open(&path).unwrap();
        let identity =
            FileIdentity::new(file.metadata().unwrap().ino(), 2_900, &text.as_bytes()[2_900 - LOOK_BACK..2_900]);
        assert!(identity.is_of(&file).unwrap());
        std::fs::write(&path, &text).unwrap();
        assert!(identity.is_of(&file).unwrap());
        for other in [text[..2_899].to_owned(), format!("x{}", &text[..4_000]), String::new()] {
            std::fs::write(&path, other).unwrap();
            assert!(!identity.is_of(&file).unwrap());
        }
        std::fs::write(directory.path().join("g"), &text).unwrap();
        assert!(!identity.is_of(&File::open(directory.path().join("g")).unwrap()).unwrap());
    }
}
