//! The directory that the quickstart writes to. The embedded broker forgets its topics, so a run starts from nothing:
//! what an earlier run left is removed, and nothing else.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Tells a directory of the quickstart from one of the user's.
const MARKER: &str = ".volley-quickstart";

/// An empty directory of the quickstart's own.
#[derive(Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// Creates `path`, or empties it if it is that of an earlier run.
    pub(crate) fn prepare(path: &Path) -> Result<Self> {
        if path.join(MARKER).is_file() {
            std::fs::remove_dir_all(path).with_context(|| format!("could not empty {}", path.display()))?;
        } else if path.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            bail!("{} holds files that are not the quickstart's; give another directory with --dir", path.display());
        }
        std::fs::create_dir_all(path).with_context(|| format!("could not create {}", path.display()))?;
        std::fs::write(
            path.join(MARKER),
            "Made by `volley quickstart`, which empties this directory when it starts.\n",
        )?;
        Ok(Self(std::path::absolute(path)?))
    }

    /// The absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// All Parquet files below it, sorted.
    pub(crate) fn parquet_files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        collect(&self.0, &mut files)?;
        files.sort();
        Ok(files)
    }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in dir.read_dir()? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            files.push(path);
        }
    }
    Ok(())
}
