//! What stands at the beginning of a container file.

use volley_api::{Error, Result};

use crate::avro::container::avro_codec::AvroCodec;
use crate::avro::values::input::{Input, write_long};
use crate::json::{Decoded, Failure};

/// The first bytes of every file.
const MAGIC: [u8; 4] = *b"Obj\x01";
const SCHEMA: &str = "avro.schema";
const CODEC: &str = "avro.codec";
/// What begins with this is Avro's.
const RESERVED: &str = "avro.";

/// Stands behind the header and behind each block.
pub(super) type SyncMarker = [u8; 16];

/// The header of a file.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) schema: String,
    pub(super) codec: AvroCodec,
    /// The other entries, in their order.
    pub(super) metadata: Vec<(String, Vec<u8>)>,
    pub(super) sync: SyncMarker,
}

impl Header {
    /// Appends the header.
    ///
    /// # Errors
    /// `Config` if an entry has a name that belongs to Avro.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        if let Some((name, _)) = self.metadata.iter().find(|(name, _)| name.starts_with(RESERVED)) {
            return Err(Error::config(format!(
                "the metadata of an Avro file cannot have `{name}`: names that begin with `{RESERVED}` belong to Avro"
            )));
        }
        out.extend_from_slice(&MAGIC);
        write_long(out, self.metadata.len() as i64 + 2);
        write_entry(out, SCHEMA, self.schema.as_bytes());
        write_entry(out, CODEC, self.codec.name().as_bytes());
        self.metadata.iter().for_each(|(name, value)| write_entry(out, name, value));
        out.push(0);
        out.extend_from_slice(&self.sync);
        Ok(())
    }

    /// Reads the header of a file, and says how long it is.
    ///
    /// # Errors
    /// `Data` if it is none, or of a codec that is not there.
    pub(super) fn read(file: &[u8]) -> Result<(Self, usize)> {
        if !file.starts_with(&MAGIC) {
            return Err(Error::data(
                "byte 0 of the Avro file: it does not begin with `Obj` and 1, so it is no such file",
            ));
        }
        let mut input = Input::new(&file[MAGIC.len()..]);
        let read = read_metadata(&mut input).and_then(|metadata| Ok((metadata, input.take_array()?)));
        let at = file.len() - input.left();
        let (mut metadata, sync) = read
            .map_err(|failure| Error::data(format!("byte {at} of the Avro file: its header is broken: {failure}")))?;
        let mut taken = |name: &str| {
            let place = metadata.iter().position(|(known, _)| known == name)?;
            Some(String::from_utf8_lossy(&metadata.remove(place).1).into_owned())
        };
        let schema = taken(SCHEMA).ok_or_else(|| Error::data("the header of the Avro file has no `avro.schema`"))?;
        let codec = match taken(CODEC) {
            Some(name) => AvroCodec::named(&name).map_err(|error| Error::data(error.to_string()))?,
            None => AvroCodec::Null,
        };
        Ok((Self { schema, codec, metadata, sync }, at))
    }
}

fn write_entry(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    for bytes in [name.as_bytes(), value] {
        write_long(out, bytes.len() as i64);
        out.extend_from_slice(bytes);
    }
}

fn read_metadata(input: &mut Input<'_>) -> Decoded<Vec<(String, Vec<u8>)>> {
    let mut metadata = Vec::new();
    loop {
        match input.block()? {
            0 => return Ok(metadata),
            count => {
                for _ in 0..count {
                    let name = input.text()?.into_owned();
                    let value = input.sized().map_err(|failure: Failure| failure.within(&name))?;
                    metadata.push((name, value.to_vec()));
                }
            }
        }
    }
}
