//! Local files as claims need them: a name is given by a hard link, which overwrites nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::claim::{Entry, FileSystem, Outcome};
use super::contents::Contents;
use super::local_storage::{create_directories, existing, storage_error, sync_directory, write_durably};

/// The files below a directory. Paths begin with a slash, which stands for that directory.
#[derive(Clone, Debug)]
pub(super) struct LocalFiles {
    root: PathBuf,
}

impl LocalFiles {
    /// Those below `root`.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn place(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Runs `work`, which blocks, beside the runtime's threads.
    async fn blocking<T: Send + 'static>(
        &self,
        path: &str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Outcome<T> {
        let place = self.place(path);
        let outcome = tokio::task::spawn_blocking(move || work(&place)).await;
        outcome.map_err(io::Error::other).flatten().map_err(|error| storage_error(self.shown(path), &error))
    }
}

impl FileSystem for LocalFiles {
    async fn entry(&self, path: &str) -> Outcome<Option<Entry>> {
        self.blocking(path, |place| {
            let metadata = existing(fs::metadata(place))?;
            Ok(metadata.map(|metadata| match metadata.is_dir() {
                true => Entry::Directory,
                false => Entry::File(metadata.len()),
            }))
        })
        .await
    }

    async fn read(&self, path: &str) -> Outcome<Option<Bytes>> {
        self.blocking(path, |place| Ok(existing(fs::read(place))?.map(Bytes::from))).await
    }

    async fn make_directory(&self, path: &str) -> Outcome<()> {
        self.blocking(path, create_directories).await
    }

    async fn write(&self, path: &str, contents: Contents) -> Outcome<()> {
        self.blocking(path, move |place| {
            create_directories(place.parent().unwrap_or(place))?;
            write_durably(place, &contents, None)
        })
        .await
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        let from = self.place(from);
        self.blocking(to, move |place| {
            let outcome = fs::hard_link(&from, place);
            if let Err(error) = &outcome
                && error.kind() != io::ErrorKind::AlreadyExists
            {
                return outcome;
            }
            // also what somebody else has linked and not forced to disk
            sync_directory(place.parent().unwrap_or(place))?;
            outcome.and_then(|()| existing(fs::remove_file(&from)).map(drop))
        })
        .await
    }

    async fn remove(&self, path: &str) -> Outcome<()> {
        self.blocking(path, |place| existing(fs::remove_file(place)).map(drop)).await
    }

    fn shown(&self, path: &str) -> String {
        self.place(path).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::{ClaimedFile, LocalStorage, Storage, StorageError, look};

    fn create(storage: &Arc<dyn Storage>, path: &'static str, label: &'static str) -> Outcome<()> {
        look("", Arc::clone(storage), move |storage| {
            storage.create_claimed("t/t+0+5.json", path, Contents::from("rows"), label, label)
        })
    }

    #[test]
    fn of_files_with_one_claim_the_first_comes_into_being_whatever_they_are_called() {
        let root = tempfile::tempdir().unwrap();
        let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new("file:///x", root.path().to_owned(), "c-0"));
        let claimed = || look("", Arc::clone(&storage), |storage| storage.read_claim("t/t+0+5.json")).unwrap();
        assert_eq!(claimed(), None);
        create(&storage, "t/t+0+5+9.json", "first").unwrap();
        for path in ["t/t+0+5+7.json", "t/t+0+5+9.json"] {
            let error = create(&storage, path, "second").unwrap_err();
            assert!(matches!(error, StorageError::AlreadyExists { .. }), "{error}");
        }
        let winner = ClaimedFile { path: "t/t+0+5+9.json".to_owned(), label: "first".to_owned() };
        assert_eq!(claimed(), Some(winner));
        let names = |directory: &str| {
            let entries = fs::read_dir(root.path().join(directory)).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        assert_eq!(names("t"), [".t+0+5.json.volley", "t+0+5+9.json"]);
        assert!(names(".volley-tmp").is_empty());
    }
}
