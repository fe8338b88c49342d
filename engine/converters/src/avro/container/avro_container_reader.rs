//! Reads a container file.

use std::sync::Arc;

use arrow::buffer::Buffer;
use volley_api::{ConfigMap, Error, Result, Run};

use crate::avro::container::avro_codec::AvroCodec;
use crate::avro::container::header::{Header, SyncMarker};
use crate::avro::keys::{avro_file_def, avro_settings};
use crate::avro::reader::AvroReader;
use crate::avro::schema::schema_parser::SchemaParser;
use crate::avro::values::boundaries::Boundaries;
use crate::avro::values::input::Input;
use crate::json::Decoded;
use crate::registry::SectionReader as _;
use crate::runs::put_run;

/// A block may have as many bytes as this when it is decompressed: the largest blocks that Java makes.
const BLOCK_BYTES: usize = 1 << 30;

/// A block may have as many values as this that have no bytes.
const EMPTY_VALUES: usize = 1_000_000;

/// The values of a block.
#[derive(Debug)]
pub struct AvroBlock {
    /// How many there are.
    pub len: usize,
    /// Columns of those that have a place in Connect's types. Their rows are numbered within the block.
    pub runs: Vec<Run>,
    /// The others, and why they are left out.
    pub rejected: Vec<(usize, Error)>,
}

/// The blocks of an object container file, from front to back. Nothing follows an error.
#[derive(Debug)]
pub struct AvroContainerReader {
    file: Buffer,
    header: Header,
    blocks: Blocks,
    /// Where the next block begins.
    at: usize,
}

/// What reads the values of blocks.
#[derive(Debug)]
struct Blocks {
    boundaries: Boundaries,
    reader: AvroReader,
}

impl AvroContainerReader {
    /// Reads the header of a file. `config` has keys of [`avro_file_def`]; others are passed over.
    ///
    /// # Errors
    /// `Data` if it is no such file, or its schema or codec cannot be used; `Config` if a setting is invalid.
    pub fn new(file: impl Into<Buffer>, config: &ConfigMap) -> Result<Self> {
        let settings = avro_settings(&avro_file_def().parse(config)?);
        let file = file.into();
        let (header, at) = Header::read(&file)?;
        let schema = SchemaParser::default()
            .parse(&header.schema)
            .map_err(|reason| Error::data(format!("the schema of the Avro file cannot be used: {reason}")))?;
        let reader = AvroReader::new(Ok(&schema), None, settings)?;
        let blocks = Blocks { boundaries: Boundaries::new(Arc::new(schema)), reader };
        Ok(Self { file, header, blocks, at })
    }

    /// The schema of all values, as JSON text.
    pub fn schema(&self) -> &str {
        &self.header.schema
    }

    /// How the blocks are compressed.
    pub fn codec(&self) -> AvroCodec {
        self.header.codec
    }

    /// The entries of the header besides schema and codec.
    pub fn metadata(&self) -> &[(String, Vec<u8>)] {
        &self.header.metadata
    }

    fn next_block(&mut self) -> Result<AvroBlock> {
        let at = self.at;
        let (count, data, next) = frame_of(&self.file, at, &self.header.sync)?;
        let block = self.header.codec.decompress(data, BLOCK_BYTES).map_err(|error| {
            corrupt(at, format!("the block cannot be decompressed with {}", self.header.codec.name()))
                .with_source(error)
        })?;
        let block = self.blocks.read(&block, count, at)?;
        self.at = next;
        Ok(block)
    }
}

impl Iterator for AvroContainerReader {
    type Item = Result<AvroBlock>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.file.len() {
            return None;
        }
        let block = self.next_block();
        if block.is_err() {
            self.at = self.file.len();
        }
        Some(block)
    }
}

impl Blocks {
    /// Reads a block that begins at byte `at` of the file.
    fn read(&mut self, block: &[u8], count: usize, at: usize) -> Result<AvroBlock> {
        if count > block.len().max(EMPTY_VALUES) {
            return Err(corrupt(at, format!("the block cannot have {count} values in {} bytes", block.len())));
        }
        let values = self.values_of(block, count, at)?;
        let mut rejected = Vec::new();
        let parts = self.reader.read("", &values, &mut |row, failure| {
            let reason =
                format!("value {row} of the block at byte {at} of the Avro file has no place in Connect's types");
            rejected.push((row, Error::data(reason).with_source(failure.into_error())));
        })?;
        rejected.sort_by_key(|(row, _)| *row);
        let mut runs = Vec::with_capacity(parts.len());
        for (rows, column) in parts {
            // a block has less than 2^32 values
            put_run(rows.into_iter().map(|row| row as u32).collect(), column, &mut runs);
        }
        Ok(AvroBlock { len: count, runs, rejected })
    }

    /// The values of a block, one by one.
    fn values_of<'b>(&self, block: &'b [u8], count: usize, at: usize) -> Result<Vec<Option<&'b [u8]>>> {
        let mut values = Vec::new();
        let mut input = Input::new(block);
        for row in 0..count {
            let start = block.len() - input.left();
            self.boundaries.pass_value(&mut input).map_err(|failure| {
                corrupt(at, format!("value {row} of the block, at byte {start} of its data, is broken: {failure}"))
            })?;
            values.push(Some(&block[start..block.len() - input.left()]));
        }
        match input.left() {
            0 => Ok(values),
            left => Err(corrupt(at, format!("{left} bytes follow the {count} values of the block"))),
        }
    }
}

/// The number of values of the block at byte `at`, its data, and where the next one begins.
fn frame_of<'f>(file: &'f [u8], at: usize, sync: &SyncMarker) -> Result<(usize, &'f [u8], usize)> {
    let mut input = Input::new(&file[at..]);
    let mut frame = || -> Decoded<(i64, i64)> { Ok((input.long()?, input.long()?)) };
    let (count, size) =
        frame().map_err(|_| corrupt(at, "the file ends within a block, or there is none".to_owned()))?;
    let start = file.len() - input.left();
    let (Ok(count), Ok(size)) = (usize::try_from(count), usize::try_from(size)) else {
        return Err(corrupt(at, format!("a block cannot have {count} values and {size} bytes")));
    };
    let data = input.take(size).map_err(|_| {
        corrupt(at, format!("the file ends within a block: of its {size} bytes there are {}", file.len() - start))
    })?;
    let end = start + size;
    match input.take_array() {
        Ok(found) if found == *sync => Ok((count, data, end + sync.len())),
        Ok(_) => Err(corrupt(end, "the block does not end with the sync marker of the file".to_owned())),
        Err(_) => Err(corrupt(end, "the file ends within the sync marker of a block".to_owned())),
    }
}

fn corrupt(at: usize, reason: String) -> Error {
    Error::data(format!("byte {at} of the Avro file: {reason}"))
}
