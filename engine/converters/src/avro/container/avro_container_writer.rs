//! Writes a container file.

use std::fmt;

use volley_api::Result;

use crate::avro::container::avro_codec::{AvroCodec, Compressor};
use crate::avro::container::header::{Header, SyncMarker};
use crate::avro::values::input::write_long;

/// A block ends with the value that reaches this many bytes, as in Java.
const BLOCK_BYTES: usize = 64_000;

/// Values need not have bytes, but a block must end some time.
const BLOCK_VALUES: usize = BLOCK_BYTES;

/// An object container file that is being written, in memory.
pub struct AvroContainerWriter {
    /// The header and all complete blocks.
    file: Vec<u8>,
    /// The values of the block that is open, not compressed.
    block: Vec<u8>,
    /// How many there are.
    count: usize,
    compressor: Compressor,
    compressed: Vec<u8>,
    sync: SyncMarker,
}

impl AvroContainerWriter {
    /// A file of values of this schema, which is a JSON text. `sync` stands between the blocks, and should be random; `metadata`
    /// are further entries of the header.
    ///
    /// # Errors
    /// `Config` if the codec does not have its level, or an entry has a name that begins with `avro.`.
    pub fn new(schema: &str, codec: AvroCodec, sync: [u8; 16], metadata: &[(String, Vec<u8>)]) -> Result<Self> {
        let header = Header { schema: schema.to_owned(), codec, metadata: metadata.to_vec(), sync };
        let mut file = Vec::new();
        header.write(&mut file)?;
        let compressor = Compressor::new(codec)?;
        Ok(Self { file, block: Vec::new(), count: 0, compressor, compressed: Vec::new(), sync })
    }

    /// Appends a value. It MUST be one of the file's schema.
    ///
    /// # Errors
    /// `Fatal` if the codec fails.
    pub fn append(&mut self, value: &[u8]) -> Result<()> {
        self.block.extend_from_slice(value);
        self.count += 1;
        if self.block.len() >= BLOCK_BYTES || self.count >= BLOCK_VALUES {
            self.end_block()?;
        }
        Ok(())
    }

    /// How long the file is so far without what was taken out, where the block that is open counts as it is before it is compressed.
    pub fn bytes_so_far(&self) -> usize {
        self.file.len() + self.block.len()
    }

    /// The bytes so far that do not change any more. Whoever takes them out keeps them: `finish` gives those that follow.
    pub fn output_mut(&mut self) -> &mut Vec<u8> {
        &mut self.file
    }

    /// The complete file, without what was taken out.
    ///
    /// # Errors
    /// `Fatal` if the codec fails.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if self.count > 0 {
            self.end_block()?;
        }
        Ok(self.file)
    }

    fn end_block(&mut self) -> Result<()> {
        self.compressor.compress(&self.block, &mut self.compressed)?;
        write_long(&mut self.file, self.count as i64);
        write_long(&mut self.file, self.compressed.len() as i64);
        self.file.extend_from_slice(&self.compressed);
        self.file.extend_from_slice(&self.sync);
        self.block.clear();
        self.count = 0;
        Ok(())
    }
}

impl fmt::Debug for AvroContainerWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = (self.file.len(), self.block.len(), self.count);
        write!(f, "AvroContainerWriter({} bytes, and {} of {} values in a block)", fields.0, fields.1, fields.2)
    }
}
