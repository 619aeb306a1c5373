//! Files with very many chunks or with very large metadata take no more time than reading them once.

use std::{iter::repeat_n, time::Duration};

use rapidphoto_application::ports::Inspection;
use rapidphoto_sample_photos::Entry;

use crate::fixtures::{
    cpu_time::CpuTime,
    png::{Png, chunk},
    tiff::{TiffImage, longs},
    *,
};

const SIZE: (u32, u32) = (128, 96);
const EXIF_DIRECTORY: u16 = 0x8769;
const MAKER_NOTE: u16 = 0x927C;
/// Bytes of large metadata.
const LENGTH: usize = 50 << 20;
/// Skipping all chunks takes a fraction of it even on a busy machine; copying the rest of the file for each chunk would
/// take minutes.
const MAX_CPU_TIME: Duration = Duration::from_secs(3);

fn samples(x: u32, y: u32) -> Vec<u16> {
    quarter_colour(x, y, SIZE).map(u16::from).to_vec()
}

fn inspect_in_linear_time(file: &[u8], case: &str) -> Inspection {
    let start = CpuTime::start();
    let inspection = inspect(file);
    let took = start.elapsed();
    assert_quarters(&inspection, case);
    assert!(took < MAX_CPU_TIME, "{case}: {took:?}");
    inspection
}

/// An EXIF directory with the maximum number of entries, whose values are all beyond its end.
fn large_directory() -> Vec<u8> {
    let mut directory = vec![0xFF, 0xFF];
    directory.extend([0x0F, 0x01, 2, 0, 0xFF, 0xFF, 0x0F, 0, 0, 0, 1, 0].repeat(65_535));
    directory
}

/// EXIF of [`LENGTH`]: a large directory, and zeros.
fn large_exif() -> [Vec<u8>; 2] {
    let mut exif = [b"II*\0\x08\0\0\0", &large_directory()[..]].concat();
    exif.resize(LENGTH, b'x');
    [exif, vec![0; LENGTH]]
}

#[test]
fn a_hundred_thousand_chunks_are_skipped_in_linear_time() {
    const CHUNKS: usize = 100_000;
    let text = chunk(*b"tEXt", b"Comment\0none").repeat(CHUNKS);
    let animation = chunk(*b"fdAT", &[0; 5]).repeat(CHUNKS);
    for (before, after) in [
        (vec![text.clone()], vec![]),
        (vec![], vec![text]),
        (vec![], vec![animation]),
    ] {
        let png = Png {
            before,
            after,
            ..Png::new(SIZE, 8, 2)
        };
        inspect_in_linear_time(&png.file(samples), "PNG");
    }
    // Empty chunks before those with pixels.
    let whole = Png::new(SIZE, 8, 2).file(samples);
    let data = whole.windows(4).position(|name| name == b"IDAT").unwrap() - 4;
    let empty = chunk(*b"IDAT", &[]).repeat(CHUNKS);
    let split = [&whole[..data], &empty, &whole[data..]].concat();
    inspect_in_linear_time(&split, "PNG with empty chunks");

    let (header, image) = webp::header_and_image(SIZE);
    let mut chunks: Vec<webp::Chunk<'_>> = vec![(*b"VP8X", &header)];
    chunks.extend(repeat_n::<webp::Chunk<'_>>((*b"abcd", b"efgh"), CHUNKS));
    chunks.push((*b"VP8 ", &image));
    chunks.extend(repeat_n::<webp::Chunk<'_>>((*b"EXIF", b"none"), CHUNKS));
    inspect_in_linear_time(&webp::file(&chunks), "WebP");
}

#[test]
fn fifty_mebibytes_of_exif_in_png_and_jpeg_are_skipped() {
    for exif in large_exif() {
        let png = Png {
            after: vec![chunk_without_crc(*b"eXIf", &exif)],
            ..Png::new((64, 64), 8, 2)
        };
        let file = png.file(|x, y| quarter_colour(x, y, (64, 64)).map(u16::from).to_vec());
        let start = CpuTime::start();
        let inspection = inspect(&file);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert_quarters(&inspection, "large EXIF");
        assert_eq!(inspection.metadata.orientation, None);
    }
    // In a JPEG it takes several segments, of which only the first is read.
    let exif = segment(0xE1, &[b"Exif\0\0", &vec![7; 65_000][..]].concat());
    let file = quarters_jpeg(64, 64, &JpegOptions::default());
    let large = with_segments(&file, &exif.repeat(LENGTH / exif.len()));
    assert_quarters(&inspect(&large), "large EXIF");
}

/// A PNG chunk without a valid CRC, which would take long to compute. It is not checked, as no decoder reads the chunk.
fn chunk_without_crc(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = chunk(name, &[]);
    chunk[..4].copy_from_slice(&u32::try_from(content.len()).unwrap().to_be_bytes());
    chunk.splice(8..8, content.iter().copied());
    chunk
}

#[test]
fn fifty_mebibytes_of_exif_in_webp_and_tiff_are_skipped() {
    let (header, image) = webp::header_and_image(SIZE);
    for exif in large_exif() {
        for chunks in [
            [(*b"VP8X", &header[..]), (*b"EXIF", &exif), (*b"VP8 ", &image)],
            [(*b"VP8X", &header[..]), (*b"VP8 ", &image), (*b"EXIF", &exif)],
        ] {
            let inspection = inspect_in_linear_time(&webp::file(&chunks), "WebP");
            assert_eq!(inspection.metadata.orientation, None);
        }
    }

    // The EXIF of a TIFF is a directory of the file. A maker note in the main directory is skipped.
    let file = |entries: Vec<Entry>| {
        let tiff = TiffImage {
            entries,
            ..TiffImage::new(SIZE, 8, 3, 2)
        };
        tiff.file(samples)
    };
    let with_exif_at = |offset: u32| file(vec![longs(EXIF_DIRECTORY, &[offset])]);
    let mut large = with_exif_at(u32::try_from(with_exif_at(0).len()).unwrap());
    large.extend(large_directory());
    large.resize(LENGTH, b'x');
    inspect_in_linear_time(&large, "TIFF with a large EXIF directory");
    let note = longs(MAKER_NOTE, &vec![0xFFFF_FFFF; LENGTH / 4]);
    inspect_in_linear_time(&file(vec![note]), "TIFF with a large maker note");
}
