//! Whether the files of a plug-in path are still those that were scanned.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// How deep directories are entered: a plug-in path has plug-ins, which have jars.
const DEPTH: usize = 8;

/// A text that is another one once a file below `paths` comes, goes or changes, or `settings` does.
pub(crate) fn fingerprint(paths: &[PathBuf], settings: &[&str]) -> String {
    let mut files = Vec::new();
    for path in paths {
        add_files(path, DEPTH, &mut files);
    }
    files.sort();
    let mut hash = Sha256::new();
    for text in settings.iter().copied().chain(files.iter().map(String::as_str)) {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What cannot be read is not there.
fn add_files(path: &Path, depth: usize, files: &mut Vec<String>) {
    let Ok(metadata) = path.metadata() else { return };
    if metadata.is_file() {
        files.push(line(path, &metadata));
    } else if depth > 0 {
        let entries = path.read_dir().into_iter().flatten().flatten();
        entries.for_each(|entry| add_files(&entry.path(), depth - 1, files));
    }
}

fn line(path: &Path, file: &Metadata) -> String {
    format!("{} {} {}.{}", path.display(), file.size(), file.mtime(), file.mtime_nsec())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_comes_or_changes_gives_another_fingerprint() {
        let directory = tempfile::tempdir().unwrap();
        let of = |settings: &[&str]| fingerprint(&[directory.path().to_owned()], settings);
        std::fs::create_dir(directory.path().join("plug-in")).unwrap();
        let empty = of(&["a"]);
        assert_eq!(of(&["a"]), empty);
        assert_ne!(of(&["b"]), empty);
        std::fs::write(directory.path().join("plug-in/x.jar"), "1").unwrap();
        let one = of(&["a"]);
        assert_ne!(one, empty);
        std::fs::write(directory.path().join("plug-in/x.jar"), "12").unwrap();
        assert_ne!(of(&["a"]), one);
    }
}
