//! What a drain has left on disk.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};

/// Sums over Parquet files and files of JSON lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DrainedFiles {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// As the footers say, or as there are lines.
    pub(crate) rows: u64,
    /// Whether there are Parquet files.
    pub(crate) is_parquet: bool,
}

impl DrainedFiles {
    /// All `.parquet` and `.json` files under `directory`.
    pub(crate) fn under(directory: &Path) -> Result<Self> {
        let mut output = Self::default();
        output.add(directory)?;
        Ok(output)
    }

    fn add(&mut self, directory: &Path) -> Result<()> {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if path.is_dir() && !is_hidden {
                self.add(&path)?;
            } else if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
                let added = match extension {
                    "parquet" => self.add_file(&path),
                    "json" => self.add_lines(&path),
                    _ => Ok(()),
                };
                added.with_context(|| format!("could not read {}", path.display()))?;
            }
        }
        Ok(())
    }

    fn add_lines(&mut self, path: &Path) -> Result<()> {
        let bytes = fs::read(path)?;
        self.files += 1;
        self.bytes += bytes.len() as u64;
        self.rows += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(())
    }

    fn add_file(&mut self, path: &Path) -> Result<()> {
        let reader = SerializedFileReader::new(File::open(path)?)?;
        self.files += 1;
        self.bytes += fs::metadata(path)?.len();
        self.is_parquet = true;
        self.rows += u64::try_from(reader.metadata().file_metadata().num_rows())?;
        Ok(())
    }
}
