//! Files on a local (or mounted) file system.
//!
//! A file is written under a temporary name in [`TEMPORARY_DIRECTORY`], forced to disk, and then linked to its final
//! name, which fails if that name is taken; so it is never seen half-written, and never replaced.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::FutureExt;
use rustix::fs::{XattrFlags, fsetxattr, getxattr};
use rustix::io::Errno;
use uuid::Uuid;

use super::claim::{Creation, FileSystem, claimed_file, create};
use super::contents::Contents;
use super::local_files::LocalFiles;
use super::spool::{Spool, SpoolPlace};
use super::storage::{Answer, ClaimedFile, Storage, StorageError};

/// Directory of unfinished files under the root; readers pass over names that begin with a dot.
const TEMPORARY_DIRECTORY: &str = ".volley-tmp";

/// Name of the extended attribute with a file's label.
const LABEL: &str = "user.volley.file";
/// Longest label: those of this sink are shorter.
const LABEL_LENGTH: usize = 4096;

/// A directory as a store.
#[derive(Clone, Debug)]
pub(crate) struct LocalStorage {
    url: String,
    root: PathBuf,
    /// Begins the names of this task's temporary files.
    temporary_prefix: String,
}

impl LocalStorage {
    /// The directory `root`, which need not exist yet. `owner` names the task.
    pub(crate) fn new(url: &str, root: PathBuf, owner: &str) -> Self {
        let legal = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
        let temporary_prefix = format!("{}.", owner.chars().map(legal).collect::<String>());
        Self { url: url.to_owned(), root, temporary_prefix }
    }

    /// Runs `work`, which blocks, beside the runtime's threads.
    fn blocking<'a, T: Send + 'static>(
        &self,
        path: &'a str,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Answer<'a, T> {
        let storage = self.clone();
        let shown = storage.root.join(path).display().to_string();
        async move {
            let outcome = tokio::task::spawn_blocking(move || work(&storage)).await;
            outcome.map_err(io::Error::other).flatten().map_err(|error| storage_error(shown, &error))
        }
        .boxed()
    }

    fn create_blocking(&self, path: &str, contents: &Contents, file_id: &str, label: Option<&str>) -> io::Result<()> {
        let target = self.root.join(path);
        let directory = target.parent().unwrap_or(&self.root);
        create_directories(directory)?;
        let outcome = match contents.parts() {
            // most of it is on this file system already
            (Some(spool), rest) if let Some(temporary) = spool.path() => {
                let completed = complete_durably(spool, rest, label);
                completed.and_then(|()| fs::hard_link(temporary, &target))
            }
            _ => {
                let temporaries = self.root.join(TEMPORARY_DIRECTORY);
                create_directories(&temporaries)?;
                let temporary = temporaries.join(format!("{}{file_id}.tmp", self.temporary_prefix));
                let written = write_durably(&temporary, contents, label);
                let outcome = written.and_then(|()| fs::hard_link(&temporary, &target));
                // what cannot be removed now is removed at the next start
                let _ = fs::remove_file(&temporary);
                outcome
            }
        };
        match outcome {
            // an earlier attempt of ours may have been cut off before the directory was forced to disk
            Err(error) if error.kind() == ErrorKind::AlreadyExists => sync_directory(directory).and(Err(error)),
            outcome => outcome.and_then(|()| sync_directory(directory)),
        }
    }

    fn write_over_blocking(&self, path: &str, contents: &Contents) -> io::Result<()> {
        let target = self.root.join(path);
        create_directories(target.parent().unwrap_or(&self.root))?;
        let temporaries = self.root.join(TEMPORARY_DIRECTORY);
        create_directories(&temporaries)?;
        // files of one name in several directories may be written at the same time
        let temporary = temporaries.join(format!("{}{}.tmp", self.temporary_prefix, Uuid::new_v4().simple()));
        write_durably(&temporary, contents, None)?;
        fs::rename(&temporary, &target)?;
        sync_directory(target.parent().unwrap_or(&self.root))
    }

    fn remove_stale_temporaries(&self) -> io::Result<()> {
        let directory = self.root.join(TEMPORARY_DIRECTORY);
        for entry in existing(fs::read_dir(&directory))?.into_iter().flatten() {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&self.temporary_prefix) {
                existing(fs::remove_file(entry.path()))?;
                tracing::info!(path = %entry.path().display(), "removed a file that an earlier run left unfinished");
            }
        }
        Ok(())
    }

    fn add_files_below(&self, directory: &str, paths: &mut Vec<String>) -> io::Result<()> {
        for entry in existing(fs::read_dir(self.root.join(directory)))?.into_iter().flatten() {
            let entry = entry?;
            // a name that is not UTF-8 is none of ours
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            match entry.file_type()?.is_dir() {
                true => self.add_files_below(&path, paths)?,
                false => paths.push(path),
            }
        }
        Ok(())
    }

    fn check_blocking(&self) -> io::Result<()> {
        let nearest = self.root.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
        if nearest.is_dir() {
            return Ok(());
        }
        Err(io::Error::new(ErrorKind::NotADirectory, format!("{} is not a directory", nearest.display())))
    }
}

impl Storage for LocalStorage {
    fn list<'a>(&'a self, directory: &'a str, after: &'a str) -> Answer<'a, Vec<String>> {
        let (path, after) = (self.root.join(directory), after.to_owned());
        self.blocking(directory, move |_| {
            let mut names = Vec::new();
            for entry in existing(fs::read_dir(path))?.into_iter().flatten() {
                // a name that is not UTF-8 is none of ours
                names.extend(entry?.file_name().into_string().ok().filter(|name| *name > after));
            }
            Ok(names)
        })
    }

    fn read_tail<'a>(&'a self, path: &'a str, length: u64) -> Answer<'a, Bytes> {
        let file_path = self.root.join(path);
        self.blocking(path, move |_| {
            let mut file = File::open(file_path)?;
            let size = file.metadata()?.len();
            file.seek(SeekFrom::Start(size.saturating_sub(length)))?;
            let mut tail = Vec::new();
            file.take(length).read_to_end(&mut tail)?;
            Ok(Bytes::from(tail))
        })
    }

    fn create<'a>(
        &'a self,
        path: &'a str,
        contents: Contents,
        file_id: &'a str,
        label: Option<&'a str>,
    ) -> Answer<'a, ()> {
        let (target, id, label) = (path.to_owned(), file_id.to_owned(), label.map(str::to_owned));
        self.blocking(path, move |storage| storage.create_blocking(&target, &contents, &id, label.as_deref()))
    }

    fn create_claimed<'a>(
        &'a self,
        claim: &'a str,
        path: &'a str,
        contents: Contents,
        file_id: &'a str,
        label: &'a str,
    ) -> Answer<'a, ()> {
        async move {
            let files = LocalFiles::new(&self.root);
            let once = Uuid::new_v4().simple();
            let temporary = format!("/{TEMPORARY_DIRECTORY}/{}{file_id}.{once}.tmp", self.temporary_prefix);
            let (target, claim) = (format!("/{path}"), format!("/{claim}"));
            let file = Creation { target: &target, claim: &claim, temporary: &temporary, label: Some(label) };
            let outcome = create(&files, file, contents).await;
            if outcome.is_err() {
                // what cannot be removed now is removed at the next start
                let _ = files.remove(&temporary).await;
            }
            outcome
        }
        .boxed()
    }

    fn read_claim<'a>(&'a self, claim: &'a str) -> Answer<'a, Option<ClaimedFile>> {
        async move {
            let found = claimed_file(&LocalFiles::new(&self.root), &format!("/{claim}")).await?;
            Ok(found.map(|(path, label)| ClaimedFile { path: path.trim_start_matches('/').to_owned(), label }))
        }
        .boxed()
    }

    fn read_label<'a>(&'a self, path: &'a str) -> Answer<'a, Option<String>> {
        let file_path = self.root.join(path);
        self.blocking(path, move |_| read_label(&file_path))
    }

    fn write_over<'a>(&'a self, path: &'a str, contents: Contents) -> Answer<'a, ()> {
        let target = path.to_owned();
        self.blocking(path, move |storage| storage.write_over_blocking(&target, &contents))
    }

    fn read_all<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Bytes>> {
        let file_path = self.root.join(path);
        self.blocking(path, move |_| Ok(existing(fs::read(file_path))?.map(Bytes::from)))
    }

    fn list_below<'a>(&'a self, directory: &'a str) -> Answer<'a, Vec<String>> {
        let directory_path = directory.to_owned();
        self.blocking(directory, move |storage| {
            let mut paths = Vec::new();
            storage.add_files_below(&directory_path, &mut paths)?;
            Ok(paths)
        })
    }

    fn remove<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        let file_path = self.root.join(path);
        self.blocking(path, move |_| existing(fs::remove_file(file_path)).map(|_| ()))
    }

    fn check(&self) -> Answer<'_, ()> {
        self.blocking("", Self::check_blocking)
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn spool_place(&self) -> Option<SpoolPlace> {
        Some(SpoolPlace::Named {
            directory: self.root.join(TEMPORARY_DIRECTORY),
            prefix: self.temporary_prefix.clone(),
        })
    }

    fn prepare(&self) -> Answer<'_, ()> {
        self.blocking("", |storage| {
            storage.check_blocking()?;
            create_directories(&storage.root)?;
            storage.remove_stale_temporaries()
        })
    }
}

/// Nothing where there is no such file.
pub(super) fn existing<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

pub(super) fn write_durably(path: &Path, contents: &Contents, label: Option<&str>) -> io::Result<()> {
    let mut file = File::create(path)?;
    contents.write_to(&mut file)?;
    label_and_sync(&file, label)
}

/// Writes `rest` behind what is there, as often as one likes.
fn complete_durably(spool: &Spool, rest: &[u8], label: Option<&str>) -> io::Result<()> {
    spool.file().write_all_at(rest, spool.len())?;
    label_and_sync(spool.file(), label)
}

fn label_and_sync(file: &File, label: Option<&str>) -> io::Result<()> {
    if let Some(label) = label {
        let outcome = fsetxattr(file, LABEL, label.as_bytes(), XattrFlags::empty());
        outcome.map_err(|error| match error {
            Errno::OPNOTSUPP => io::Error::new(
                ErrorKind::Unsupported,
                "the file system must support extended attributes for files of this format; Parquet does without them",
            ),
            error => error.into(),
        })?;
    }
    file.sync_all()
}

fn read_label(path: &Path) -> io::Result<Option<String>> {
    let mut label = vec![0; LABEL_LENGTH];
    match getxattr(path, LABEL, label.as_mut_slice()) {
        Ok(length) => {
            label.truncate(length);
            Ok(String::from_utf8(label).ok())
        }
        // without the attribute it is not a file of ours
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Creates the directory and its missing parents, each recorded durably in its parent.
pub(super) fn create_directories(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let Some(parent) = directory.parent() else { return Ok(()) };
    create_directories(parent)?;
    match fs::create_dir(directory) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && directory.is_dir() => Ok(()),
        // "exists already" would be said of the file that is to be created in it
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(io::Error::other(format!(
            "{} is a file, and a directory has to have this name: move the file away",
            directory.display()
        ))),
        outcome => outcome.and_then(|()| sync_directory(parent)),
    }
}

pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

pub(super) fn storage_error(path: String, error: &io::Error) -> StorageError {
    let reason = match error.kind() {
        ErrorKind::AlreadyExists => return StorageError::AlreadyExists { path },
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            return StorageError::NotFound { path, reason: error.to_string() };
        }
        ErrorKind::PermissionDenied => return StorageError::Denied { path, reason: error.to_string() },
        ErrorKind::Unsupported if error.raw_os_error().is_some() => {
            format!("{error}; the file system must support hard links")
        }
        ErrorKind::CrossesDevices => format!("{error}; all of `store.url` must be on one file system"),
        _ => error.to_string(),
    };
    StorageError::Unavailable { path, reason }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::runtime;
    use crate::store::storage_url::check_error;

    fn wait<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
        runtime::wait(future, Duration::from_secs(20)).unwrap().unwrap()
    }

    fn create(storage: &LocalStorage, path: &'static str, contents: &'static [u8]) -> Result<(), StorageError> {
        let storage = storage.clone();
        wait(async move { storage.create(path, contents.into(), "id", None).await })
    }

    #[test]
    fn a_file_is_never_replaced_and_no_temporary_file_stays() {
        let root = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new("file:///x", root.path().join("new/root"), "c-0");
        create(&storage, "a/b/f", b"first").unwrap();
        let error = create(&storage, "a/b/f", b"second").unwrap_err();
        assert!(matches!(error, StorageError::AlreadyExists { .. }), "{error}");
        assert_eq!(fs::read(root.path().join("new/root/a/b/f")).unwrap(), b"first");
        assert_eq!(fs::read_dir(root.path().join("new/root").join(TEMPORARY_DIRECTORY)).unwrap().count(), 0);
    }

    #[test]
    fn a_file_in_the_place_of_a_directory_is_named_and_is_not_taken_for_the_one_to_be_created() {
        let root = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new("file:///x", root.path().to_owned(), "c-0");
        fs::write(root.path().join("a"), "not a directory").unwrap();
        for path in ["a/f", "a/b/f"] {
            let error = create(&storage, path, b"1").unwrap_err();
            let is_named = error.to_string().contains(&format!("{} is a file", root.path().join("a").display()));
            assert!(matches!(error, StorageError::Unavailable { .. }) && is_named, "{error}");
        }
        assert_eq!(fs::read(root.path().join("a")).unwrap(), b"not a directory");
    }

    #[test]
    fn a_file_that_is_written_over_has_the_last_contents() {
        let root = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new("file:///x", root.path().to_owned(), "c-0");
        for contents in ["first", "second"] {
            let shared = storage.clone();
            wait(async move { shared.write_over("d/a", contents.into()).await }).unwrap();
        }
        let shared = storage.clone();
        assert_eq!(wait(async move { shared.read_all("d/a").await }).unwrap().unwrap(), "second");
        assert_eq!(wait(async move { storage.read_all("d/b").await }).unwrap(), None);
        assert_eq!(fs::read_dir(root.path().join(TEMPORARY_DIRECTORY)).unwrap().count(), 0);
    }

    #[test]
    fn files_at_any_depth_are_listed_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new("file:///x", root.path().to_owned(), "c-0");
        for path in ["t/a", "t/x=1/y=2/b", "tt/c"] {
            create(&storage, path, b"1").unwrap();
        }
        let listed = |directory: &'static str| {
            let shared = storage.clone();
            let mut paths = wait(async move { shared.list_below(directory).await }).unwrap();
            paths.sort();
            paths
        };
        assert_eq!(listed("t"), ["t/a", "t/x=1/y=2/b"]);
        assert!(listed("none").is_empty());
        for path in ["t/x=1/y=2/b", "t/never"] {
            let shared = storage.clone();
            wait(async move { shared.remove(path).await }).unwrap();
        }
        assert_eq!(listed("t"), ["t/a"]);
    }

    #[test]
    fn a_label_is_kept_beside_the_contents() {
        let root = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new("file:///x", root.path().to_owned(), "c-0");
        let shared = storage.clone();
        wait(async move { shared.create("d/a", Contents::from("1"), "id", Some("a=b&c=d")).await }).unwrap();
        create(&storage, "d/b", b"2").unwrap();
        assert_eq!(fs::read(root.path().join("d/a")).unwrap(), b"1");
        let label = |path: &'static str| {
            let shared = storage.clone();
            wait(async move { shared.read_label(path).await })
        };
        assert_eq!(label("d/a").unwrap().as_deref(), Some("a=b&c=d"));
        assert_eq!(label("d/b").unwrap(), None);
        assert!(matches!(label("d/none").unwrap_err(), StorageError::NotFound { .. }));
    }

    #[test]
    fn only_stale_files_of_the_same_task_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join(TEMPORARY_DIRECTORY);
        fs::create_dir(&directory).unwrap();
        for name in ["c-1.aa.tmp", "c-10.bb.tmp", "d-1.cc.tmp"] {
            fs::write(directory.join(name), "half").unwrap();
        }
        let storage = LocalStorage::new("file:///x", root.path().to_owned(), "c-1");
        wait(async move { storage.prepare().await }).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["c-10.bb.tmp", "d-1.cc.tmp"]);
    }

    #[test]
    fn the_tail_and_the_later_names_are_read() {
        let root = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new("file:///x", root.path().to_owned(), "c-0");
        create(&storage, "d/a", b"123456").unwrap();
        create(&storage, "d/b", b"").unwrap();
        let shared = storage.clone();
        assert_eq!(wait(async move { shared.read_tail("d/a", 4).await }).unwrap(), "3456");
        let shared = storage.clone();
        assert_eq!(wait(async move { shared.read_tail("d/a", 400).await }).unwrap(), "123456");
        let shared = storage.clone();
        assert_eq!(wait(async move { shared.list("d", "a").await }).unwrap(), ["b"]);
        assert!(wait(async move { storage.list("none", "").await }).unwrap().is_empty());
    }

    #[test]
    fn a_root_that_is_a_file_is_named() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("f"), "").unwrap();
        let storage = LocalStorage::new("file:///x", root.path().join("f/below"), "c-0");
        let error = wait(async move { storage.prepare().await }).unwrap_err();
        assert!(error.to_string().contains("f is not a directory"), "{error}");
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_called_one() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("f"), "").unwrap();
        for (path, reason) in
            [(root.path().join("f/below"), "f is not a directory"), ("/proc/below".into(), "No such file")]
        {
            let url = format!("file://{}", path.display());
            let storage = LocalStorage::new(&url, path, "c-0");
            let error = wait(async move { storage.prepare().await }).unwrap_err();
            let said = check_error(&url, &error).unwrap().to_string();
            assert!(said.starts_with(&format!("the directory of `store.url` {url} cannot be made: ")), "{said}");
            assert!(said.contains(reason) && !said.contains("store.s3"), "{said}");
        }
        let denied = storage_error("/x".to_owned(), &io::Error::from(ErrorKind::PermissionDenied));
        let said = check_error("file:///x", &denied).unwrap().to_string();
        assert!(
            said.starts_with("the directory of `store.url` file:///x may not be used: permission denied"),
            "{said}"
        );
    }
}
