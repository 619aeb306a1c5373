//! Malformed directories.

use rapidphoto_sample_photos::{Entry, Tiff};

use super::{NOISE_SIZE, PALETTE, RGB, file_with_entries};
use crate::fixtures::{
    tiff::{TiffImage, longs, short, shorts},
    *,
};

#[test]
fn field_types_that_only_the_decoder_knows_are_malformed() {
    const LONG8: u16 = 16;
    const IFD: u16 = 13;
    let tiff = TiffImage {
        chunk: (Some(16), 16),
        entries: vec![short(317, 1), short(338, 0), short(266, 1)],
        ..TiffImage::new((16, 1), 8, 4, RGB)
    };
    let file = tiff.file(|_, _| vec![9; 4]);
    assert_eq!(inspect(&file).findings, []);
    for tag in [
        256_u16, 257, 258, 259, 262, 266, 277, 284, 317, 322, 323, 324, 325, 338,
    ] {
        let count = usize::from(u16::from_le_bytes([file[8], file[9]]));
        let entry = (0..count)
            .map(|index| 10 + index * 12)
            .find(|&at| file[at..at + 2] == tag.to_le_bytes())
            .unwrap();
        for field_type in [LONG8, IFD] {
            let mut other = file.clone();
            other[entry + 2..entry + 4].copy_from_slice(&field_type.to_le_bytes());
            assert_eq!(
                inspect(&other).findings,
                [corrupt("malformed")],
                "tag {tag}, type {field_type}"
            );
        }
    }
}

#[test]
fn circular_directories_are_bounded() {
    // The directory refers to itself as its `SubIFDs`, EXIF and GPS directories.
    let here = [8_u32];
    let mut file = file_with_entries(vec![
        longs(330, &here),
        longs(0x8769, &here),
        longs(0x8825, &here),
    ]);
    let inspection = inspect(&file);
    assert_eq!(inspection.findings, []);
    assert_eq!(inspection.thumbnails.len(), 2);
    // And as the next directory.
    let count = usize::from(u16::from_le_bytes([file[8], file[9]]));
    let next = 10 + count * 12;
    file[next..next + 4].copy_from_slice(&8_u32.to_le_bytes());
    assert_eq!(inspect(&file).findings, [corrupt("undecodable")]);

    // A declared count of 65 535 entries, of which 50 exist.
    let truncated = [b"II*\0\x08\0\0\0\xFF\xFF", &[1; 600][..]].concat();
    assert_rejected(&truncated, "corrupt", "a truncated directory");
}

#[test]
fn palettes_of_the_wrong_length_are_malformed() {
    for colours in [
        None,
        Some(0),
        Some(3),
        Some(3 * 16 - 1),
        Some(3 * 16 + 1),
        Some(70_000),
    ] {
        let tiff = TiffImage {
            entries: colours
                .map(|count| shorts(320, vec![7; count]))
                .into_iter()
                .collect(),
            ..TiffImage::new(NOISE_SIZE, 4, 1, PALETTE)
        };
        let findings = inspect(&tiff.file(|x, _| vec![u16::try_from(x % 16).unwrap()])).findings;
        assert_eq!(findings, [corrupt("malformed")], "{colours:?}");
    }
    // A palette beyond the end of the file, and one within a strip that starts at the directory.
    let with_palette = |entries: Vec<Entry>| TiffImage {
        entries: [vec![shorts(320, vec![7; 3 * 256])], entries].concat(),
        ..TiffImage::new(NOISE_SIZE, 8, 1, PALETTE)
    };
    let mut cut = with_palette(vec![]).file(|_, _| vec![3]);
    let entry = cut.windows(4).position(|entry| entry == [0x40, 1, 3, 0]).unwrap();
    let end = u32::try_from(cut.len() - 9).unwrap();
    cut[entry + 8..entry + 12].copy_from_slice(&end.to_le_bytes());
    assert_eq!(inspect(&cut).findings, [corrupt("truncated")]);
    let overlapping = with_palette(vec![
        longs(273, &[8]),
        longs(278, &[1000]),
        longs(279, &[97 * 61]),
    ]);
    assert_eq!(
        inspect(&overlapping.file_with_chunks(&[vec![3; 97 * 61]])).findings,
        [corrupt("malformed")]
    );
}

#[test]
fn a_directory_without_an_image_is_malformed() {
    let empty = TiffImage::new(NOISE_SIZE, 8, 3, RGB);
    let without_image = Tiff {
        big_endian: false,
        entries: vec![short(0x0112, 6)],
    };
    assert_eq!(inspect(&without_image.bytes()).findings, [corrupt("malformed")]);
    assert_eq!(
        inspect(&empty.file_with_chunks(&[])).findings,
        [corrupt("malformed")]
    );
    assert_eq!(inspect(b"II*\0").findings, [corrupt("truncated")]);
}

#[test]
fn contradictory_entries_are_malformed() {
    let file = file_with_entries(vec![]);
    let start = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
    let count = u16::from_le_bytes(file[start..start + 2].try_into().unwrap());
    let entries = &file[start + 2..start + 2 + usize::from(count) * 12];
    let with_entry = |entry: &[u8], times: u16| {
        let end = u32::try_from(file.len()).unwrap().to_le_bytes();
        let count = (count + times).to_le_bytes();
        let added = entry.repeat(times.into());
        let directory = [&count[..], entries, &added, &[0; 4]].concat();
        [&file[..4], &end, &file[8..], &directory].concat()
    };
    for entry in entries.chunks_exact(12) {
        assert_eq!(inspect(&with_entry(entry, 1)).findings, [], "a repeated entry");
        let mut other = entry.to_vec();
        other[8] ^= 1;
        assert_eq!(
            inspect(&with_entry(&other, 1)).findings,
            [corrupt("malformed")],
            "{entry:?}"
        );
    }
    let many = with_entry(&[0xFF, 0xFF, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0], 2000);
    assert_eq!(inspect(&many).findings, [corrupt("too_many_parts")]);
}
