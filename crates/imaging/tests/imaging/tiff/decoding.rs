//! Strips, tiles, compressions, colour spaces and metadata.

use std::io::Cursor;

use ::tiff::{
    encoder::{Compression, DeflateLevel, TiffEncoder, colortype},
    tags::Predictor,
};
use moxcms::ColorProfile;
use rapidphoto_domain::values::MimeType;
use rapidphoto_sample_photos::{Entry, Orientation, SamplePhoto, Value};

use super::{BLACK_IS_ZERO, CMYK, COLOUR_MAP, EXTRA_SAMPLES, PALETTE, RGB, SIZE, WHITE_IS_ZERO};
use crate::fixtures::{
    tiff::{TiffImage, longs, short, shorts},
    *,
};

/// RGB samples of a pixel in an image of four quarters, of 8 or 16 bits each.
fn samples(x: u32, y: u32, size: (u32, u32), bits: u16) -> Vec<u16> {
    let scale = if bits == 16 { 257 } else { 1 };
    quarter_colour(x, y, size)
        .map(|sample| u16::from(sample) * scale)
        .to_vec()
}

#[test]
fn strips_and_tiles_of_any_size_and_byte_order_are_read() {
    for size in [SIZE, (1501, 700), (40, 33)] {
        for bits in [8, 16] {
            for chunk in [
                (None, 64),
                (None, 1),
                (None, u32::MAX),
                (Some(64), 48),
                (Some(16), 16),
                (Some(2048), 1024),
            ] {
                for big_endian in [false, true] {
                    if chunk.1 == u32::MAX && size != SIZE {
                        continue;
                    }
                    let tiff = TiffImage {
                        big_endian,
                        chunk: if chunk.1 == u32::MAX {
                            (None, size.1)
                        } else {
                            chunk
                        },
                        entries: if chunk.1 == u32::MAX {
                            vec![longs(278, &[u32::MAX])]
                        } else {
                            vec![]
                        },
                        ..TiffImage::new(size, bits, 3, RGB)
                    };
                    let inspection = inspect(&tiff.file(|x, y| samples(x, y, size, bits)));
                    assert_quarters(
                        &inspection,
                        &format!("{size:?}, {bits} bits, {chunk:?}, big endian {big_endian}"),
                    );
                    assert_eq!((inspection.width, inspection.height), size);
                    assert_eq!(inspection.mime_type, Some(MimeType::Tiff));
                }
            }
        }
    }
}

#[test]
fn every_supported_compression_and_predictor_is_read() {
    let pixels: Vec<u8> = (0..SIZE.1)
        .flat_map(|y| (0..SIZE.0).flat_map(move |x| quarter_colour(x, y, SIZE)))
        .collect();
    let wide: Vec<u16> = pixels.iter().map(|&sample| u16::from(sample) * 257).collect();
    for (name, compression) in [
        ("none", Compression::Uncompressed),
        ("LZW", Compression::Lzw),
        ("Deflate", Compression::Deflate(DeflateLevel::Balanced)),
        ("PackBits", Compression::Packbits),
    ] {
        for predictor in [Predictor::None, Predictor::Horizontal] {
            let mut files = [Cursor::new(Vec::new()), Cursor::new(Vec::new())];
            let encoder = |file| {
                TiffEncoder::new(file)
                    .unwrap()
                    .with_compression(compression)
                    .with_predictor(predictor)
            };
            let [narrow_file, wide_file] = &mut files;
            encoder(narrow_file)
                .write_image::<colortype::RGB8>(SIZE.0, SIZE.1, &pixels)
                .unwrap();
            encoder(wide_file)
                .write_image::<colortype::RGB16>(SIZE.0, SIZE.1, &wide)
                .unwrap();
            for file in files {
                assert_quarters(&inspect(file.get_ref()), &format!("{name}, {predictor:?}"));
            }
        }
    }
}

#[test]
fn greyscale_of_every_depth_and_polarity_gives_greyscale_thumbnails() {
    for bits in [1, 2, 4, 8, 16_u16] {
        for photometric in [WHITE_IS_ZERO, BLACK_IS_ZERO] {
            let max = u16::try_from((1_u32 << bits) - 1).unwrap();
            let tiff = TiffImage::new((601, 300), bits, 1, photometric);
            let file = tiff.file(|x, _| {
                vec![if (x < 300) == (photometric == BLACK_IS_ZERO) {
                    0
                } else {
                    max
                }]
            });
            let inspection = inspect(&file);
            assert_eq!(inspection.findings, []);
            for thumbnail in &inspection.thumbnails {
                let decoded = decode(thumbnail);
                assert_eq!(decoded.channels, 1);
                assert!(
                    decoded.at(decoded.width / 4, 9)[0] <= 2,
                    "{bits} bits, {photometric}"
                );
                assert!(
                    decoded.at(decoded.width * 3 / 4, 9)[0] >= 253,
                    "{bits} bits, {photometric}"
                );
            }
        }
    }
}

#[test]
fn palette_indices_of_every_depth_are_read() {
    assert_quarters(
        &inspect(include_bytes!("../data/palette.tif")),
        "written by libtiff",
    );
    for bits in [2, 4, 8_u16] {
        // The image uses the last four indices. Some programs write palettes of 8 bits instead of 16 per sample.
        let count = 1_usize << bits;
        let first = u16::try_from(count - 4).unwrap();
        for scale in [257, 1] {
            let mut palette = vec![0x55; 3 * count];
            for (index, colour) in CORNERS.iter().enumerate() {
                for (component, sample) in colour.iter().enumerate() {
                    palette[component * count + usize::from(first) + index] = u16::from(*sample) * scale;
                }
            }
            for (big_endian, chunk) in [
                (false, (None, 64)),
                (true, (None, 7)),
                (false, (Some(64), 48)),
                (true, (Some(16), 16)),
            ] {
                let tiff = TiffImage {
                    big_endian,
                    chunk,
                    entries: vec![shorts(COLOUR_MAP, palette.clone())],
                    ..TiffImage::new(SIZE, bits, 1, PALETTE)
                };
                let index = |colour| CORNERS.iter().position(|corner| *corner == colour).unwrap();
                let file =
                    tiff.file(|x, y| vec![first + u16::try_from(index(quarter_colour(x, y, SIZE))).unwrap()]);
                let case = format!("{bits} bits, scale {scale}, big endian {big_endian}, {chunk:?}");
                assert_quarters(&inspect(&file), &case);
            }
        }
    }
    // A palette of two colours, with `PhotometricInterpretation` in four bytes.
    let tiff = TiffImage {
        entries: vec![
            shorts(COLOUR_MAP, vec![0xFFFF, 0, 0, 0, 0, 0xFFFF]),
            longs(262, &[PALETTE.into()]),
        ],
        ..TiffImage::new((301, 64), 1, 1, PALETTE)
    };
    for big_endian in [false, true] {
        let tiff = TiffImage {
            big_endian,
            ..tiff.clone()
        };
        let decoded = decode(&inspect(&tiff.file(|x, _| vec![u16::from(x >= 150)])).thumbnails[0]);
        for (x, expected) in [(40, [255, 0, 0]), (220, [0, 0, 255])] {
            let colour = decoded.at(x, 20).try_into().unwrap();
            assert!(is_near(colour, expected), "{x}: {colour:?}");
        }
    }
}

#[test]
fn alpha_is_blended_with_white() {
    // Half transparent red, fully transparent black, and opaque blue, with unassociated and associated alpha.
    let unassociated = |x: u32| match x / 100 {
        0 => [255, 0, 0, 128],
        1 => [0, 0, 0, 0],
        _ => [0, 0, 255, 255],
    };
    let associated = |x: u32| match x / 100 {
        0 => [128, 0, 0, 128],
        1 => [0, 0, 0, 0],
        _ => [0, 0, 255, 255],
    };
    for bits in [8, 16] {
        let scale = if bits == 16 { 257 } else { 1 };
        let tiff = |alpha| TiffImage {
            entries: vec![short(EXTRA_SAMPLES, alpha)],
            ..TiffImage::new((300, 64), bits, 4, RGB)
        };
        let wide = |pixel: [u16; 4]| pixel.map(|sample| sample * scale).to_vec();
        let files = [
            tiff(2).file(|x, _| wide(unassociated(x))),
            tiff(1).file(|x, _| wide(associated(x))),
        ];
        for file in files {
            let inspection = inspect(&file);
            assert_eq!(inspection.findings, []);
            let decoded = decode(&inspection.thumbnails[0]);
            for (x, expected) in [(40, [255, 127, 127]), (128, [255, 255, 255]), (215, [0, 0, 255])] {
                let colour = decoded.at(x, 20).try_into().unwrap();
                assert!(is_near(colour, expected), "{bits} bits, {x}: {colour:?}");
            }
        }
        let grey = TiffImage {
            entries: vec![short(EXTRA_SAMPLES, 2)],
            ..TiffImage::new((300, 64), bits, 2, BLACK_IS_ZERO)
        };
        let decoded = decode(&inspect(&grey.file(|x, _| vec![0, unassociated(x)[3] * scale])).thumbnails[0]);
        for (x, expected) in [(40, 127), (128, 255), (215, 0)] {
            assert!(decoded.at(x, 20)[0].abs_diff(expected) <= 3, "{bits} bits, {x}");
        }
    }
}

#[test]
fn planar_images_are_read() {
    for bits in [8, 16] {
        for chunk in [(None, 64), (Some(64), 48)] {
            for big_endian in [false, true] {
                for (count, extra) in [
                    (3, vec![]),
                    (4, vec![short(EXTRA_SAMPLES, 2)]),
                    (4, vec![short(EXTRA_SAMPLES, 0)]),
                ] {
                    let tiff = TiffImage {
                        planar: true,
                        big_endian,
                        chunk,
                        entries: extra.clone(),
                        ..TiffImage::new(SIZE, bits, count, RGB)
                    };
                    let file = tiff.file(|x, y| {
                        let mut pixel = samples(x, y, SIZE, bits);
                        pixel.resize(count.into(), if bits == 16 { u16::MAX } else { 255 });
                        pixel
                    });
                    let case = format!("{bits} bits, {chunk:?}, big endian {big_endian}, {extra:?}");
                    assert_quarters(&inspect(&file), &case);
                }
            }
        }
    }
}

#[test]
fn unspecified_extra_samples_are_ignored() {
    for bits in [8, 16] {
        for (extra, count) in [(vec![short(EXTRA_SAMPLES, 0)], 4), (vec![], 4)] {
            let tiff = TiffImage {
                entries: extra,
                ..TiffImage::new(SIZE, bits, count, RGB)
            };
            let file = tiff.file(|x, y| {
                let mut pixel = samples(x, y, SIZE, bits);
                pixel.resize(count.into(), 0);
                pixel
            });
            assert_quarters(&inspect(&file), &format!("{count} samples of {bits} bits"));
        }
    }
}

#[test]
fn cmyk_is_converted_to_rgb() {
    for bits in [8, 16] {
        let scale = if bits == 16 { 257 } else { 1 };
        let file = TiffImage::new(SIZE, bits, 4, CMYK).file(|x, y| {
            let colour = quarter_colour(x, y, SIZE);
            let [cyan, magenta, yellow] = colour.map(|sample| u16::from(255 - sample) * scale);
            vec![cyan, magenta, yellow, 0]
        });
        assert_quarters(&inspect(&file), &format!("{bits} bits"));
    }
}

#[test]
fn the_orientation_is_applied_and_exif_is_read() {
    for number in 1..=8_u8 {
        let orientation = Orientation::from_exif(number).unwrap();
        let (width, height, pixels) = stored_quarters(500, 300, orientation);
        let size = (u32::from(width), u32::from(height));
        let camera = SamplePhoto::new(5, 500, 300).camera();
        let mut entries = camera.tiff(number, size.0, size.1).entries;
        entries.retain(|entry| !matches!(entry.tag, 0x011A | 0x011B | 0x0128));
        let tiff = TiffImage {
            entries,
            big_endian: number % 2 == 0,
            ..TiffImage::new(size, 8, 3, RGB)
        };
        let inspection = inspect(&tiff.file(|x, y| {
            let at = ((y * size.0 + x) * 3) as usize;
            pixels[at..at + 3]
                .iter()
                .map(|&sample| u16::from(sample))
                .collect()
        }));
        assert_quarters(&inspection, &format!("orientation {number}"));
        assert_eq!((inspection.width, inspection.height), (500, 300));
        assert_eq!(inspection.metadata.orientation, Some(number));
        assert_eq!(
            inspection.metadata.camera.unwrap().make.as_deref(),
            Some(camera.make)
        );
        assert!(inspection.metadata.taken_at.is_some() && inspection.metadata.location.is_some());
    }
}

#[test]
fn display_p3_is_converted_to_srgb() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let tiff = TiffImage {
        entries: vec![Entry::new(34_675, Value::Undefined(profile))],
        ..TiffImage::new((320, 240), 8, 3, RGB)
    };
    let inspection = inspect(&tiff.file(|_, _| DISPLAY_P3_RED.map(u16::from).to_vec()));
    assert_converted_to_srgb(&inspection);
}

#[test]
fn invalid_profiles_are_ignored() {
    for profile in [vec![7; 60], vec![0; 16 << 20], vec![]] {
        let tiff = TiffImage {
            entries: vec![Entry::new(34_675, Value::Undefined(profile))],
            ..TiffImage::new(SIZE, 8, 3, RGB)
        };
        assert_quarters(
            &inspect(&tiff.file(|x, y| samples(x, y, SIZE, 8))),
            "an invalid profile",
        );
    }
}

#[test]
fn the_thinnest_and_smallest_images_are_read() {
    for size in [(1, 1), (65_535, 1), (1, 65_535), (2, 1), (3, 3)] {
        for count in [1, 3] {
            let photometric = if count == 1 { BLACK_IS_ZERO } else { RGB };
            let tiff = TiffImage::new(size, 8, count, photometric);
            let inspection = inspect(&tiff.file(|_, _| vec![200; count.into()]));
            assert_eq!(inspection.findings, [], "{size:?}");
            let decoded = decode(&inspection.thumbnails[0]);
            assert!(decoded.at(0, 0)[0].abs_diff(200) <= 2, "{size:?}");
        }
    }
}
