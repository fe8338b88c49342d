//! A file's identity in its Parquet footer.

use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};

use crate::format::identity::FileIdentity;
use crate::store::{Storage, StorageError};

/// Length of what ends a Parquet file: four bytes with the length of the metadata before it, and the magic `PAR1`.
const TRAILER: usize = 8;
const MAGIC: &[u8] = b"PAR1";
/// Read from the end of a file at first; holds the metadata of most.
const TAIL: u64 = 64 * 1024;

/// The key-values that say it.
pub(crate) fn key_values(identity: &FileIdentity) -> Vec<KeyValue> {
    let entries = identity.to_entries().into_iter();
    entries.map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect()
}

/// The identity of the file at `path`, from its end only. `None`: not a file of this sink.
///
/// # Cancellation
/// Safe at any point; nothing is changed.
pub(crate) async fn read_footer(storage: &dyn Storage, path: &str) -> Result<Option<FileIdentity>, StorageError> {
    let mut tail = storage.read_tail(path, TAIL).await?;
    let Some(length) = metadata_length(&tail) else { return Ok(None) };
    if tail.len() < length + TRAILER {
        tail = storage.read_tail(path, (length + TRAILER) as u64).await?;
    }
    let Some(start) = tail.len().checked_sub(length + TRAILER) else { return Ok(None) };
    let metadata = ParquetMetaDataReader::decode_metadata(&tail[start..tail.len() - TRAILER]);
    let metadata = metadata.ok();
    let Some(entries) = metadata.as_ref().and_then(|metadata| metadata.file_metadata().key_value_metadata()) else {
        return Ok(None);
    };
    let value = |key: &str| entries.iter().find(|entry| entry.key == key)?.value.as_deref();
    Ok(FileIdentity::from_entries(value))
}

fn metadata_length(tail: &[u8]) -> Option<usize> {
    let (rest, magic) = tail.split_last_chunk::<4>()?;
    let (_, length) = rest.split_last_chunk::<4>()?;
    (magic == MAGIC).then(|| u32::from_le_bytes(*length) as usize)
}
