//! Compression, as producers do it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A codec, and the way in which a producer uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    RawSnappy,
    /// Java's.
    XerialSnappy,
    Lz4,
    /// Blocks that refer to those before them, with checksums and the size of the content.
    LinkedLz4,
    /// librdkafka's: the size of the content is stated.
    SizedZstd,
    /// Java's: it is not.
    StreamedZstd,
}

pub(super) const PACKINGS: [Packing; 8] = [
    Packing::None,
    Packing::Gzip,
    Packing::RawSnappy,
    Packing::XerialSnappy,
    Packing::Lz4,
    Packing::LinkedLz4,
    Packing::SizedZstd,
    Packing::StreamedZstd,
];

const XERIAL_BLOCK: usize = 32 << 10;
const LZ4_BLOCK: usize = 64 << 10;

impl Packing {
    /// The number in the attributes.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::RawSnappy | Self::XerialSnappy => 2,
            Self::Lz4 | Self::LinkedLz4 => 3,
            Self::SizedZstd | Self::StreamedZstd => 4,
        }
    }

    pub(super) fn pack(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::None => bytes.to_vec(),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Self::RawSnappy => raw_snappy(bytes),
            Self::XerialSnappy => {
                let mut packed = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
                for block in bytes.chunks(XERIAL_BLOCK) {
                    let block = raw_snappy(block);
                    packed.extend(u32::try_from(block.len()).unwrap().to_be_bytes());
                    packed.extend(block);
                }
                packed
            }
            Self::Lz4 => lz4(bytes, false),
            Self::LinkedLz4 => lz4(bytes, true),
            Self::SizedZstd => zstd::bulk::compress(bytes, 3).unwrap(),
            Self::StreamedZstd => zstd::stream::encode_all(bytes, 3).unwrap(),
        }
    }
}

fn raw_snappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

/// A frame whose checksums are wrong, which nobody looks at.
fn lz4(bytes: &[u8], linked: bool) -> Vec<u8> {
    let mut packed = 0x184D_2204_u32.to_le_bytes().to_vec();
    packed.extend(if linked { [0b0101_1100, 0x40] } else { [0b0110_0000, 0x40] });
    if linked {
        packed.extend((bytes.len() as u64).to_le_bytes());
    }
    packed.push(0xCC);
    for (index, block) in bytes.chunks(LZ4_BLOCK).enumerate() {
        let window = &bytes[(index * LZ4_BLOCK).saturating_sub(LZ4_BLOCK)..index * LZ4_BLOCK];
        let compressed = if linked && index > 0 {
            lz4_flex::block::compress_with_dict(block, window)
        } else {
            lz4_flex::block::compress(block)
        };
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
        let (size, content) = if compressed.len() < block.len() {
            (length(&compressed), &compressed[..])
        } else {
            (length(block) | 1 << 31, block)
        };
        packed.extend(size.to_le_bytes());
        packed.extend(content);
        if linked {
            packed.extend([0xCC; 4]);
        }
    }
    packed.extend([0; 4]);
    if linked {
        packed.extend([0xCC; 4]);
    }
    packed
}
