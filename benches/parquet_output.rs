//! What a drain has left on disk.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};

/// Sums over Parquet files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ParquetOutput {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// As the footers say.
    pub(crate) rows: u64,
}

impl ParquetOutput {
    /// All `.parquet` files under `directory`.
    pub(crate) fn under(directory: &Path) -> Result<Self> {
        let mut output = Self::default();
        output.add(directory)?;
        Ok(output)
    }

    fn add(&mut self, directory: &Path) -> Result<()> {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                self.add(&path)?;
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                self.add_file(&path).with_context(|| format!("could not read {}", path.display()))?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path) -> Result<()> {
        let reader = SerializedFileReader::new(File::open(path)?)?;
        self.files += 1;
        self.bytes += fs::metadata(path)?.len();
        self.rows += u64::try_from(reader.metadata().file_metadata().num_rows())?;
        Ok(())
    }
}
