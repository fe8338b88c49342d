//! The metadata that a member sends when it joins.

use volley_api::Result;

use super::primitives::{PrimitiveReader, malformed, put_count, put_string};
use super::{ConnectProtocol, ExtendedAssignment};

/// A member's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerState {
    /// Its advertised REST URL, for example `http://10.0.0.1:8083/`.
    pub url: String,
    /// One past the last record of the config topic that the member has read.
    pub config_offset: i64,
    /// Its assignment; `None` if it never had one, or is an eager member.
    pub assignment: Option<ExtendedAssignment>,
}

impl WorkerState {
    /// Encodes the message in the version of `protocol`.
    ///
    /// # Errors
    /// If a name is too long for the format.
    pub fn encode(&self, protocol: ConnectProtocol) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(64);
        out.extend(protocol.version().to_be_bytes());
        put_string(&mut out, "url", &self.url)?;
        out.extend(self.config_offset.to_be_bytes());
        if protocol.is_cooperative() {
            match &self.assignment {
                None => out.extend((-1i32).to_be_bytes()),
                Some(assignment) => {
                    let allocation = assignment.encode(protocol)?;
                    put_count(&mut out, "allocation", allocation.len())?;
                    out.extend(allocation);
                }
            }
        }
        Ok(out)
    }

    /// Decodes the message of a member of any version.
    ///
    /// # Errors
    /// If it is malformed, or its version negative.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = PrimitiveReader::new(bytes);
        let version = reader.int16("version")?;
        if version < 0 {
            return Err(malformed("version", &format!("is {version}")));
        }
        let url = reader.string("url")?;
        let config_offset = reader.int64("config-offset")?;
        let allocation = if reader.is_at_end() { None } else { reader.nullable_bytes("allocation")? };
        let assignment = allocation.map(ExtendedAssignment::decode).transpose()?;
        Ok(Self { url, config_offset, assignment })
    }
}
