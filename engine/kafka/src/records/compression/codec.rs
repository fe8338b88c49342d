//! The codecs that attributes name.

use crate::records::error::Fault;

/// A compression codec of Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::records) enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// The bits of the attributes that name the codec.
const CODEC_BITS: u8 = 0x07;

impl Codec {
    /// The codec that the lowest byte of attributes names.
    pub(in crate::records) fn of_attributes(attributes: u8) -> Result<Self, Fault> {
        match attributes & CODEC_BITS {
            0 => Ok(Self::None),
            1 => Ok(Self::Gzip),
            2 => Ok(Self::Snappy),
            3 => Ok(Self::Lz4),
            4 => Ok(Self::Zstd),
            unknown => Err(Fault::UnknownCodec(unknown)),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}
