//! Lengths that lie, limits, and buffers that are used again.

use super::*;

fn malformed(codec: Codec, input: &[u8]) -> (String, usize) {
    let mut decompressor = Decompressor::default();
    match decompressor.decompress(codec, input) {
        Err(Fault::Decompression { reason, .. }) => (reason, decompressor.spare_bytes()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stated_length_that_lies_reserves_no_memory() {
    // raw snappy: a length of nearly 4 GiB, then a byte
    let (reason, held) = malformed(Codec::Snappy, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
    assert!(reason.contains("more than the compressed bytes can become") && held == 0, "{reason}, {held} bytes");
    // xerial: a block longer than what is there
    let (_, held) = malformed(Codec::Snappy, b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\x7f\xff\xff\xff\0");
    assert_eq!(held, 0);

    // zstd: a content of 1 GiB in a single segment, then one raw block of a byte
    let frame = [&[0x28, 0xB5, 0x2F, 0xFD, 0xA0][..], &(1_u32 << 30).to_le_bytes(), &[0x09, 0, 0, b'x']].concat();
    let (_, held) = malformed(Codec::Zstd, &frame);
    assert!(held <= 1 << 20, "{held} bytes");

    // lz4: a content of 2^63 bytes in blocks of 4 MiB, of which one stores a byte
    let header = [0x04, 0x22, 0x4D, 0x18, 0b0110_1000, 0x70, 0, 0, 0, 0, 0, 0, 0, 0x80, 0];
    let frame = [&header[..], &(1_u32 | 1 << 31).to_le_bytes(), b"x", &[0; 4]].concat();
    let mut decompressor = Decompressor::default();
    let decompressed = decompressor.decompress(Codec::Lz4, &frame).unwrap();
    assert_eq!(decompressed.bytes(), b"x");
    assert!(decompressed.capacity() < 1000, "{} bytes", decompressed.capacity());
}

#[test]
fn compressed_bytes_that_end_too_early_are_an_error() {
    let long: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    let zstd = ::zstd::bulk::compress(&long, 1).unwrap();
    malformed(Codec::Zstd, &zstd[..zstd.len() / 2]);
    malformed(Codec::Zstd, &[]);
    malformed(Codec::Lz4, &[]);
    malformed(Codec::Lz4, &[0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0]);
    malformed(Codec::Snappy, &[]);
    malformed(Codec::Gzip, &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
}

#[test]
fn a_batch_that_becomes_more_than_the_limit_is_an_error_and_one_at_the_limit_is_not() {
    use std::io::Write;
    let long = vec![7; 300_000];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&long).unwrap();
    let mut lz4 = vec![0x04, 0x22, 0x4D, 0x18, 0x60, 0x70, 0];
    let block = lz4_flex::block::compress(&long);
    lz4.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
    lz4.extend(block);
    lz4.extend([0; 4]);
    let inputs = [
        (Codec::None, long.clone()),
        (Codec::Gzip, gzip.finish().unwrap()),
        (Codec::Snappy, snap::raw::Encoder::new().compress_vec(&long).unwrap()),
        (Codec::Lz4, lz4),
        (Codec::Zstd, ::zstd::bulk::compress(&long, 1).unwrap()),
        (Codec::Zstd, ::zstd::stream::encode_all(&long[..], 1).unwrap()),
    ];
    let mut decompressor = Decompressor::default();
    for (codec, input) in inputs {
        let decompressed = decompressor.decompress_up_to(300_000, codec, &input).unwrap();
        assert_eq!(decompressed.bytes(), long, "{codec:?}");
        decompressor.take_back(decompressed);
        let too_large = decompressor.decompress_up_to(299_999, codec, &input);
        assert_eq!(too_large.unwrap_err(), Fault::TooLarge(299_999), "{codec:?}");
    }
}

#[test]
fn a_buffer_is_used_again_and_shows_nothing_of_what_was_in_it() {
    let mut decompressor = Decompressor::default();
    let long = snap::raw::Encoder::new().compress_vec(&[1; 10_000]).unwrap();
    let short = snap::raw::Encoder::new().compress_vec(&[2; 10]).unwrap();
    let first = decompressor.decompress(Codec::Snappy, &long).unwrap();
    let capacity = first.capacity();
    decompressor.take_back(first);
    let second = decompressor.decompress(Codec::Snappy, &short).unwrap();
    assert_eq!((second.bytes(), second.capacity()), (&[2; 10][..], capacity));
}
