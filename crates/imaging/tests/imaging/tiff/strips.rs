//! Positions, lengths and sizes of strips and tiles.

use rapidphoto_sample_photos::{Entry, Value};

use super::{BLACK_IS_ZERO, RGB, file_with_entries};
use crate::fixtures::{
    tiff::{TiffImage, longs, short},
    *,
};

#[test]
fn invalid_strips_and_tiles_are_rejected() {
    let max = [u32::MAX];
    let cases = [
        ("a strip beyond the file", vec![longs(273, &max)], "truncated"),
        ("no strips", vec![longs(273, &[])], "malformed"),
        ("strips without rows", vec![longs(278, &[0])], "malformed"),
        (
            "more strips than rows",
            vec![longs(273, &[8; 5000]), longs(279, &[1; 5000])],
            "malformed",
        ),
        (
            "tiles and strips",
            vec![longs(322, &[16]), longs(323, &[16]), longs(324, &[8])],
            "malformed",
        ),
        (
            "tiles without width",
            vec![longs(322, &[0]), longs(323, &[16])],
            "malformed",
        ),
        ("tiles without height", vec![longs(322, &[16])], "malformed"),
        (
            "strips of a text type",
            vec![Entry::new(273, Value::Text("here".to_owned()))],
            "malformed",
        ),
    ];
    for (case, entries, damage) in cases {
        assert_eq!(
            inspect(&file_with_entries(entries)).findings,
            [corrupt(damage)],
            "{case}"
        );
    }
    // A declared count of 2^32 − 1 strips.
    let mut file = file_with_entries(vec![]);
    let entry = file.windows(4).position(|tag| tag == [0x11, 1, 4, 0]).unwrap();
    file[entry + 4..entry + 8].fill(0xFF);
    assert_eq!(inspect(&file).findings, [corrupt("truncated")]);

    // Tiles of 4 billion by 4 billion pixels for an image of one.
    let huge = TiffImage {
        chunk: (Some(1), 1),
        entries: vec![longs(322, &max), longs(323, &max)],
        ..TiffImage::new((1, 1), 8, 3, RGB)
    };
    let inspection = inspect(&huge.file_with_chunks(&[vec![0; 3]]));
    assert_eq!(inspection.findings, [corrupt("malformed")]);
}

#[test]
fn excessive_tile_pixels_beyond_the_image_are_rejected() {
    // A few bytes that decode to four billion pixels, of which one column is the image.
    let (width, height) = (65_520, 16);
    let tile = fdeflate::compress_to_vec(&vec![0; (width * height * 3) as usize]);
    let length = u32::try_from(tile.len()).unwrap();
    let file_of_height = |edge: u32| {
        let count = edge.div_ceil(height) as usize;
        let with_tile_at = |offset: u32| {
            let tiff = TiffImage {
                chunk: (Some(width), height),
                entries: vec![
                    short(259, 8),
                    longs(324, &vec![offset; count]),
                    longs(325, &vec![length; count]),
                ],
                ..TiffImage::new((1, edge), 8, 3, RGB)
            };
            tiff.file_with_chunks(std::slice::from_ref(&tile))
        };
        with_tile_at(u32::try_from(with_tile_at(0).len()).unwrap() - length)
    };
    assert_eq!(inspect(&file_of_height(160)).findings, []);
    assert_eq!(inspect(&file_of_height(65_535)).findings, [corrupt("malformed")]);
    let thin = TiffImage {
        chunk: (Some(512), 512),
        ..TiffImage::new((1, 65_535), 8, 1, BLACK_IS_ZERO)
    };
    assert_eq!(inspect(&thin.file(|_, _| vec![99])).findings, []);
}
