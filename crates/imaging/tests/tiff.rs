//! TIFF files of every kind that is read come out right in colour and upright.

#[cfg(test)]
mod pictures;

use std::io::Cursor;

use ::tiff::{
    encoder::{Compression, DeflateLevel, TiffEncoder, colortype},
    tags::Predictor,
};
use moxcms::ColorProfile;
use pictures::{
    tiff::{Picture, short, shorts},
    *,
};
use rapidphoto_domain::values::MimeType;
use rapidphoto_sample_photos::{Entry, Orientation, SamplePhoto, Value};

const SIZE: (u32, u32) = (301, 203);
const EXTRA: u16 = 338;
const BLACK_IS_ZERO: u16 = 1;
const RGB: u16 = 2;
const INKS: u16 = 5;

/// The samples of a quarter's colour in so many bits.
#[cfg(test)]
fn samples(x: u32, y: u32, size: (u32, u32), bits: u16) -> Vec<u16> {
    let most = if bits == 16 { 257 } else { 1 };
    quarter(x, y, size)
        .map(|sample| u16::from(sample) * most)
        .to_vec()
}

#[test]
fn colours_are_right_in_strips_and_tiles_of_any_size_in_both_orders() {
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
                    let kind = Picture {
                        big_endian,
                        chunk: if chunk.1 == u32::MAX {
                            (None, size.1)
                        } else {
                            chunk
                        },
                        entries: if chunk.1 == u32::MAX {
                            vec![tiff_longs(278, u32::MAX)]
                        } else {
                            vec![]
                        },
                        ..Picture::new(size, bits, 3, RGB)
                    };
                    let inspection = inspect(&kind.file(|x, y| samples(x, y, size, bits)));
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

fn tiff_longs(tag: u16, value: u32) -> Entry {
    Entry::new(tag, Value::Longs(vec![value]))
}

#[test]
fn every_compression_gives_the_same_picture() {
    let pixels: Vec<u8> = (0..SIZE.1)
        .flat_map(|y| (0..SIZE.0).flat_map(move |x| quarter(x, y, SIZE)))
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
fn grey_stays_grey_at_every_depth_whatever_zero_means() {
    for bits in [1, 2, 4, 8, 16_u16] {
        for photometric in [0, BLACK_IS_ZERO] {
            let most = u16::try_from((1_u32 << bits) - 1).unwrap();
            let kind = Picture::new((601, 300), bits, 1, photometric);
            let file = kind.file(|x, _| {
                vec![if (x < 300) == (photometric == BLACK_IS_ZERO) {
                    0
                } else {
                    most
                }]
            });
            let inspection = inspect(&file);
            assert_eq!(inspection.findings, []);
            for thumbnail in &inspection.thumbnails {
                let seen = see(thumbnail);
                assert_eq!(seen.channels, 1);
                assert!(seen.at(seen.width / 4, 9)[0] <= 2, "{bits} bits, {photometric}");
                assert!(
                    seen.at(seen.width * 3 / 4, 9)[0] >= 253,
                    "{bits} bits, {photometric}"
                );
            }
        }
    }
}

#[test]
fn numbers_of_colours_become_colours() {
    const PALETTE: u16 = 3;
    const COLOURS: u16 = 320;
    assert_quarters(
        &inspect(include_bytes!("fixtures/palette.tif")),
        "as libtiff writes it",
    );
    for bits in [2, 4, 8_u16] {
        // The last four numbers are those that are used, in palettes of 16 bits a colour, and of 8 as some have it.
        let count = 1_usize << bits;
        let first = u16::try_from(count - 4).unwrap();
        for most in [257, 1] {
            let mut palette = vec![0x55; 3 * count];
            for (number, colour) in CORNERS.iter().enumerate() {
                for (part, sample) in colour.iter().enumerate() {
                    palette[part * count + usize::from(first) + number] = u16::from(*sample) * most;
                }
            }
            for (big_endian, chunk) in [
                (false, (None, 64)),
                (true, (None, 7)),
                (false, (Some(64), 48)),
                (true, (Some(16), 16)),
            ] {
                let kind = Picture {
                    big_endian,
                    chunk,
                    entries: vec![shorts(COLOURS, palette.clone())],
                    ..Picture::new(SIZE, bits, 1, PALETTE)
                };
                let number = |colour| CORNERS.iter().position(|corner| *corner == colour).unwrap();
                let file =
                    kind.file(|x, y| vec![first + u16::try_from(number(quarter(x, y, SIZE))).unwrap()]);
                let what = format!("{bits} bits, times {most}, big endian {big_endian}, {chunk:?}");
                assert_quarters(&inspect(&file), &what);
            }
        }
    }
    // Of two colours, and with the number that says so in four bytes.
    let kind = Picture {
        entries: vec![
            shorts(COLOURS, vec![0xFFFF, 0, 0, 0, 0, 0xFFFF]),
            tiff_longs(262, PALETTE.into()),
        ],
        ..Picture::new((301, 64), 1, 1, PALETTE)
    };
    for big_endian in [false, true] {
        let kind = Picture {
            big_endian,
            ..kind.clone()
        };
        let seen = see(&inspect(&kind.file(|x, _| vec![u16::from(x >= 150)])).thumbnails[0]);
        for (x, wanted) in [(40, [255, 0, 0]), (220, [0, 0, 255])] {
            let colour = seen.at(x, 20).try_into().unwrap();
            assert!(near(colour, wanted), "{x}: {colour:?}");
        }
    }
}

#[test]
fn what_can_be_seen_through_shows_white() {
    // Half of red over white; nothing at all; all of blue. Colours as they are, and multiplied already.
    let apart = |x: u32| match x / 100 {
        0 => [255, 0, 0, 128],
        1 => [0, 0, 0, 0],
        _ => [0, 0, 255, 255],
    };
    let multiplied = |x: u32| match x / 100 {
        0 => [128, 0, 0, 128],
        1 => [0, 0, 0, 0],
        _ => [0, 0, 255, 255],
    };
    for bits in [8, 16] {
        let most = if bits == 16 { 257 } else { 1 };
        let kind = |alpha| Picture {
            entries: vec![short(EXTRA, alpha)],
            ..Picture::new((300, 64), bits, 4, RGB)
        };
        let wide = |pixel: [u16; 4]| pixel.map(|sample| sample * most).to_vec();
        let files = [
            kind(2).file(|x, _| wide(apart(x))),
            kind(1).file(|x, _| wide(multiplied(x))),
        ];
        for file in files {
            let inspection = inspect(&file);
            assert_eq!(inspection.findings, []);
            let seen = see(&inspection.thumbnails[0]);
            for (x, wanted) in [(40, [255, 127, 127]), (128, [255, 255, 255]), (215, [0, 0, 255])] {
                let colour = seen.at(x, 20).try_into().unwrap();
                assert!(near(colour, wanted), "{bits} bits, {x}: {colour:?}");
            }
        }
        let grey = Picture {
            entries: vec![short(EXTRA, 2)],
            ..Picture::new((300, 64), bits, 2, BLACK_IS_ZERO)
        };
        let seen = see(&inspect(&grey.file(|x, _| vec![0, apart(x)[3] * most])).thumbnails[0]);
        for (x, wanted) in [(40, 127), (128, 255), (215, 0)] {
            assert!(seen.at(x, 20)[0].abs_diff(wanted) <= 3, "{bits} bits, {x}");
        }
    }
}

#[test]
fn planes_that_stand_apart_are_put_together() {
    for bits in [8, 16] {
        for chunk in [(None, 64), (Some(64), 48)] {
            for big_endian in [false, true] {
                for (count, extra) in [
                    (3, vec![]),
                    (4, vec![short(EXTRA, 2)]),
                    (4, vec![short(EXTRA, 0)]),
                ] {
                    let kind = Picture {
                        apart: true,
                        big_endian,
                        chunk,
                        entries: extra.clone(),
                        ..Picture::new(SIZE, bits, count, RGB)
                    };
                    let file = kind.file(|x, y| {
                        let mut pixel = samples(x, y, SIZE, bits);
                        pixel.resize(count.into(), if bits == 16 { u16::MAX } else { 255 });
                        pixel
                    });
                    let what = format!("{bits} bits, {chunk:?}, big endian {big_endian}, {extra:?}");
                    assert_quarters(&inspect(&file), &what);
                }
            }
        }
    }
}

#[test]
fn samples_without_a_meaning_are_left_out() {
    for bits in [8, 16] {
        for (extra, count) in [(vec![short(EXTRA, 0)], 4), (vec![], 4)] {
            let kind = Picture {
                entries: extra,
                ..Picture::new(SIZE, bits, count, RGB)
            };
            let file = kind.file(|x, y| {
                let mut pixel = samples(x, y, SIZE, bits);
                pixel.resize(count.into(), 0);
                pixel
            });
            assert_quarters(&inspect(&file), &format!("{count} samples of {bits} bits"));
        }
    }
}

#[test]
fn inks_become_colours() {
    for bits in [8, 16] {
        let most = if bits == 16 { 257 } else { 1 };
        let file = Picture::new(SIZE, bits, 4, INKS).file(|x, y| {
            let colour = quarter(x, y, SIZE);
            let [cyan, magenta, yellow] = colour.map(|light| u16::from(255 - light) * most);
            vec![cyan, magenta, yellow, 0]
        });
        assert_quarters(&inspect(&file), &format!("{bits} bits"));
    }
}

#[test]
fn the_orientation_turns_the_picture_and_exif_is_read() {
    for number in 1..=8_u8 {
        let orientation = Orientation::from_exif(number).unwrap();
        let (width, height, pixels) = quarters(500, 300, orientation);
        let size = (u32::from(width), u32::from(height));
        let camera = SamplePhoto::new(5, 500, 300).camera();
        let mut entries = camera.tiff(number, size.0, size.1).entries;
        entries.retain(|entry| !matches!(entry.tag, 0x011A | 0x011B | 0x0128));
        let kind = Picture {
            entries,
            big_endian: number % 2 == 0,
            ..Picture::new(size, 8, 3, RGB)
        };
        let inspection = inspect(&kind.file(|x, y| {
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
fn a_wide_gamut_is_brought_to_srgb() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let kind = Picture {
        entries: vec![Entry::new(34_675, Value::Undefined(profile))],
        ..Picture::new((320, 240), 8, 3, RGB)
    };
    let inspection = inspect(&kind.file(|_, _| RED_OF_P3.map(u16::from).to_vec()));
    assert_red_of_srgb(&inspection);
}

#[test]
fn a_profile_that_is_no_profile_costs_nothing() {
    for profile in [vec![7; 60], vec![0; 16 << 20], vec![]] {
        let kind = Picture {
            entries: vec![Entry::new(34_675, Value::Undefined(profile))],
            ..Picture::new(SIZE, 8, 3, RGB)
        };
        assert_quarters(
            &inspect(&kind.file(|x, y| samples(x, y, SIZE, 8))),
            "a broken profile",
        );
    }
}

#[test]
fn the_thinnest_and_the_smallest_are_read() {
    for size in [(1, 1), (65_535, 1), (1, 65_535), (2, 1), (3, 3)] {
        for count in [1, 3] {
            let photometric = if count == 1 { BLACK_IS_ZERO } else { RGB };
            let kind = Picture::new(size, 8, count, photometric);
            let inspection = inspect(&kind.file(|_, _| vec![200; count.into()]));
            assert_eq!(inspection.findings, [], "{size:?}");
            let seen = see(&inspection.thumbnails[0]);
            assert!(seen.at(0, 0)[0].abs_diff(200) <= 2, "{size:?}");
        }
    }
}
