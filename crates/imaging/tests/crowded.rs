//! Files of very many parts, or with very large ones beside the picture, cost no more than their length.

#[cfg(test)]
mod pictures;

use std::{iter::repeat_n, time::Duration};

use pictures::{
    cpu_time::CpuTime,
    png::{Png, chunk},
    tiff::{Picture, longs, short},
    webp, *,
};
use rapidphoto_application::ports::Inspection;
use rapidphoto_sample_photos::Entry;
use webpx::{Encoder, Unstoppable};

const SIZE: (u32, u32) = (128, 96);
const EXIF_DIRECTORY: u16 = 0x8769;
const MAKER_NOTE: u16 = 0x927C;
const LENGTH: usize = 50 << 20;
/// To walk over something takes a part of it even on a busy machine; to copy the rest of the file for each part would take
/// minutes.
const BRIEF: Duration = Duration::from_secs(3);

#[cfg(test)]
fn colours(x: u32, y: u32) -> Vec<u16> {
    quarter(x, y, SIZE).map(u16::from).to_vec()
}

#[cfg(test)]
fn inspect_briefly(file: &[u8], what: &str) -> Inspection {
    let started = CpuTime::start();
    let inspection = inspect(file);
    let took = started.elapsed();
    assert_quarters(&inspection, what);
    assert!(took < BRIEF, "{what}: {took:?}");
    inspection
}

/// The header of an extended file with EXIF, and the chunk of its picture.
#[cfg(test)]
fn webp_parts() -> ([u8; 10], Vec<u8>) {
    let rgb: Vec<u8> = (0..SIZE.1)
        .flat_map(|y| (0..SIZE.0).flat_map(move |x| quarter(x, y, SIZE)))
        .collect();
    let encoder = Encoder::new_rgb(&rgb, SIZE.0, SIZE.1).quality(92.0);
    let file = encoder.encode(Unstoppable).unwrap();
    assert_eq!(&file[12..16], b"VP8 ");
    let less = |edge: u32| u8::try_from(edge - 1).unwrap();
    (
        [8, 0, 0, 0, less(SIZE.0), 0, 0, less(SIZE.1), 0, 0],
        file[20..].to_vec(),
    )
}

/// A directory of as many entries as can be said, all of which lead far away.
#[cfg(test)]
fn crowded_directory() -> Vec<u8> {
    let mut directory = vec![0xFF, 0xFF];
    directory.extend([0x0F, 0x01, 2, 0, 0xFF, 0xFF, 0x0F, 0, 0, 0, 1, 0].repeat(65_535));
    directory
}

#[test]
fn a_hundred_thousand_chunks_are_walked_over() {
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
        inspect_briefly(&png.file(colours), "PNG");
    }
    // Pixels in chunks of nothing, then of a byte each.
    let whole = Png::new(SIZE, 8, 2).file(colours);
    let data = whole.windows(4).position(|kind| kind == b"IDAT").unwrap() - 4;
    let empty = chunk(*b"IDAT", &[]).repeat(CHUNKS);
    let split = [&whole[..data], &empty, &whole[data..]].concat();
    inspect_briefly(&split, "PNG with chunks of nothing");

    let (header, picture) = webp_parts();
    let mut chunks: Vec<webp::Chunk<'_>> = vec![(*b"VP8X", &header)];
    chunks.extend(repeat_n::<webp::Chunk<'_>>((*b"what", b"ever"), CHUNKS));
    chunks.push((*b"VP8 ", &picture));
    chunks.extend(repeat_n::<webp::Chunk<'_>>((*b"EXIF", b"none"), CHUNKS));
    inspect_briefly(&webp::file(&chunks), "WebP");
}

#[test]
fn fifty_megabytes_of_exif_cost_nothing() {
    let (header, picture) = webp_parts();
    let mut crowded = [b"II*\0\x08\0\0\0", &crowded_directory()[..]].concat();
    crowded.resize(LENGTH, b'x');
    for exif in [crowded, vec![0; LENGTH]] {
        for chunks in [
            [(*b"VP8X", &header[..]), (*b"EXIF", &exif), (*b"VP8 ", &picture)],
            [(*b"VP8X", &header[..]), (*b"VP8 ", &picture), (*b"EXIF", &exif)],
        ] {
            let inspection = inspect_briefly(&webp::file(&chunks), "WebP");
            assert_eq!(inspection.metadata.orientation, None);
        }
    }

    // A TIFF's EXIF is a directory of its own, or is in the way.
    let file = |entries: Vec<Entry>| {
        let kind = Picture {
            entries,
            ..Picture::new(SIZE, 8, 3, 2)
        };
        kind.file(colours)
    };
    let leading_to = |place: u32| file(vec![longs(EXIF_DIRECTORY, &[place])]);
    let mut crowded = leading_to(u32::try_from(leading_to(0).len()).unwrap());
    crowded.extend(crowded_directory());
    crowded.resize(LENGTH, b'x');
    inspect_briefly(&crowded, "TIFF with a crowded directory");
    let note = longs(MAKER_NOTE, &vec![0xFFFF_FFFF; LENGTH / 4]);
    inspect_briefly(&file(vec![note]), "TIFF with a large note");
}

#[test]
fn orientations_that_there_are_not_turn_nothing() {
    const ORIENTATION: u16 = 0x0112;
    let (header, picture) = webp_parts();
    for number in [0, 9, 255, 256 + 6, 65_535] {
        let exif = exif(number);
        let png = Png {
            before: vec![chunk(*b"eXIf", &exif)],
            ..Png::new(SIZE, 8, 2)
        };
        let tiff = Picture {
            entries: vec![short(ORIENTATION, number)],
            ..Picture::new(SIZE, 8, 3, 2)
        };
        let files = [
            ("PNG", png.file(colours)),
            (
                "WebP",
                webp::file(&[(*b"VP8X", &header), (*b"VP8 ", &picture), (*b"EXIF", &exif)]),
            ),
            ("TIFF", tiff.file(colours)),
        ];
        for (what, file) in files {
            let inspection = inspect(&file);
            assert_quarters(&inspection, &format!("{what}, {number}"));
            assert_eq!((inspection.width, inspection.height), SIZE, "{what}, {number}");
            assert_eq!(inspection.metadata.orientation, None, "{what}, {number}");
        }
    }
}
