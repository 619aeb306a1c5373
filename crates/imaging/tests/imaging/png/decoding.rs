//! Colours, transparency and orientation.

use moxcms::ColorProfile;
use rapidphoto_domain::values::MimeType;
use rapidphoto_sample_photos::Orientation;

use super::{SIZE, file_with_chunks, rgb_samples};
use crate::fixtures::{
    png::{Png, chunk},
    *,
};

/// Content of an `iCCP` chunk.
fn compressed_profile(name: &str, data: &[u8]) -> Vec<u8> {
    [name.as_bytes(), &[0, 0], &fdeflate::compress_to_vec(data)].concat()
}

#[test]
fn truecolour_of_every_depth_and_size_is_read() {
    for size in [SIZE, (1501, 700), (40, 33)] {
        for depth in [8_u8, 16] {
            for colour in [2_u8, 6] {
                for interlaced in [false, true] {
                    let png = Png {
                        interlaced,
                        ..Png::new(size, depth, colour)
                    };
                    let file = png.file(|x, y| {
                        let mut pixel = rgb_samples(x, y, size);
                        if colour == 6 {
                            pixel.push(255);
                        }
                        let scale = if depth == 16 { 257 } else { 1 };
                        pixel.iter().map(|sample| sample * scale).collect()
                    });
                    let inspection = inspect(&file);
                    assert_quarters(
                        &inspection,
                        &format!("{size:?}, {depth} bits, colour {colour}, interlaced {interlaced}"),
                    );
                    assert_eq!((inspection.width, inspection.height), size);
                    assert_eq!(inspection.mime_type, Some(MimeType::Png));
                }
            }
        }
    }
}

#[test]
fn palette_indices_of_every_depth_are_read() {
    for depth in [2, 4, 8] {
        for interlaced in [false, true] {
            let png = Png {
                interlaced,
                before: vec![chunk(*b"PLTE", &CORNERS.concat())],
                ..Png::new(SIZE, depth, 3)
            };
            let file = png.file(|x, y| {
                let colour = quarter_colour(x, y, SIZE);
                let index = CORNERS.iter().position(|&corner| corner == colour).unwrap();
                vec![u16::try_from(index).unwrap()]
            });
            assert_quarters(&inspect(&file), &format!("{depth} bits, interlaced {interlaced}"));
        }
    }
}

#[test]
fn greyscale_of_every_depth_gives_greyscale_thumbnails() {
    for depth in [1, 2, 4, 8, 16_u8] {
        for interlaced in [false, true] {
            let png = Png {
                interlaced,
                ..Png::new((600, 300), depth, 0)
            };
            let max = u16::try_from((1_u32 << depth) - 1).unwrap();
            let file = png.file(|x, _| vec![if x < 300 { 0 } else { max }]);
            let inspection = inspect(&file);
            assert_eq!(inspection.findings, []);
            for thumbnail in &inspection.thumbnails {
                let decoded = decode(thumbnail);
                assert_eq!(decoded.channels, 1);
                assert!(decoded.at(decoded.width / 4, 9)[0] <= 2, "{depth} bits");
                assert!(decoded.at(decoded.width * 3 / 4, 9)[0] >= 253, "{depth} bits");
            }
        }
    }
}

#[test]
fn alpha_is_blended_with_white() {
    // Half transparent red, fully transparent black, and opaque blue.
    let pixel = |x: u32| match x / 100 {
        0 => ([255, 0, 0], 128),
        1 => ([0, 0, 0], 0),
        _ => ([0, 0, 255], 255),
    };
    let colours = Png::new((300, 64), 8, 6).file(|x, _| {
        let ([red, green, blue], alpha) = pixel(x);
        vec![red, green, blue, alpha]
    });
    let decoded = decode(&inspect(&colours).thumbnails[0]);
    for (x, expected) in [(40, [255, 127, 127]), (128, [255, 255, 255]), (215, [0, 0, 255])] {
        let colour = decoded.at(x, 20).try_into().unwrap();
        assert!(is_near(colour, expected), "{x}: {colour:?}");
    }

    let grey = Png::new((300, 64), 8, 4).file(|x, _| vec![0, pixel(x).1]);
    let decoded = decode(&inspect(&grey).thumbnails[0]);
    for (x, expected) in [(40, 127), (128, 255), (215, 0)] {
        assert!(decoded.at(x, 20)[0].abs_diff(expected) <= 3, "{x}");
    }
}

#[test]
fn colours_marked_transparent_become_white() {
    let mut palette = Png::new((64, 64), 8, 3);
    palette.before = vec![chunk(*b"PLTE", &[9, 9, 9, 200, 0, 0]), chunk(*b"tRNS", &[0])];
    let mut truecolour = Png::new((64, 64), 8, 2);
    truecolour.before = vec![chunk(*b"tRNS", &[0, 9, 0, 9, 0, 9])];
    let mut grey = Png::new((64, 64), 8, 0);
    grey.before = vec![chunk(*b"tRNS", &[0, 9])];
    let files = [
        palette.file(|_, _| vec![0]),
        truecolour.file(|_, _| vec![9; 3]),
        grey.file(|_, _| vec![9]),
    ];
    for file in files {
        let inspection = inspect(&file);
        assert_eq!(inspection.findings, []);
        let decoded = decode(&inspection.thumbnails[0]);
        assert!(decoded.at(30, 30).iter().all(|&sample| sample >= 253));
    }
}

#[test]
fn exif_before_or_after_the_pixels_sets_the_orientation() {
    for number in 1..=8_u8 {
        let orientation = Orientation::from_exif(number).unwrap();
        let (width, height, pixels) = stored_quarters(500, 300, orientation);
        let size = (u32::from(width), u32::from(height));
        let pixel = |x: u32, y: u32| {
            let at = ((y * size.0 + x) * 3) as usize;
            pixels[at..at + 3]
                .iter()
                .map(|&sample| u16::from(sample))
                .collect()
        };
        let exif = vec![chunk(*b"eXIf", &exif(number.into()))];
        let before = Png {
            before: exif.clone(),
            ..Png::new(size, 8, 2)
        };
        let after = Png {
            after: exif,
            ..Png::new(size, 8, 2)
        };
        for png in [before, after] {
            let inspection = inspect(&png.file(pixel));
            assert_quarters(&inspection, &format!("orientation {number}"));
            assert_eq!((inspection.width, inspection.height), (500, 300));
            assert_eq!(inspection.metadata.orientation, Some(number));
            assert_eq!(
                inspection.metadata.camera.unwrap().make.as_deref(),
                Some("Nordlicht")
            );
        }
    }
}

#[test]
fn display_p3_is_converted_to_srgb() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let png = Png {
        before: vec![chunk(*b"iCCP", &compressed_profile("Display P3", &profile))],
        ..Png::new((320, 240), 8, 2)
    };
    let inspection = inspect(&png.file(|_, _| DISPLAY_P3_RED.map(u16::from).to_vec()));
    assert_converted_to_srgb(&inspection);
}

#[test]
fn invalid_profiles_are_ignored() {
    for profile in [
        compressed_profile("x", &[7; 60]),
        compressed_profile("x", &vec![7; 16 << 20]),
        compressed_profile(&"x".repeat(90), &[7; 60]),
        b"x\0\0no stream".to_vec(),
        b"x\0\x01another compression".to_vec(),
        b"x".to_vec(),
        vec![],
    ] {
        assert_quarters(
            &inspect(&file_with_chunks(vec![chunk(*b"iCCP", &profile)])),
            "an invalid profile",
        );
    }
}

#[test]
fn an_animated_png_gives_its_default_image() {
    let control = chunk(*b"acTL", &[0, 0, 0x27, 0x10, 0, 0, 0, 0]);
    let mut frame = vec![0, 0, 0, 0];
    frame.extend(SIZE.0.to_be_bytes());
    frame.extend(SIZE.1.to_be_bytes());
    frame.extend([0; 12]);
    frame.extend([0, 0]);
    let mut after = Vec::new();
    for number in 1..10_000_u32 {
        frame[..4].copy_from_slice(&(number * 2).to_be_bytes());
        after.extend(chunk(*b"fcTL", &frame));
        after.extend(chunk(
            *b"fdAT",
            &[&(number * 2 + 1).to_be_bytes()[..], b"no stream"].concat(),
        ));
    }
    let png = Png {
        before: vec![
            control,
            chunk(*b"fcTL", &[vec![0; 4], frame[4..].to_vec()].concat()),
        ],
        after: vec![after],
        ..Png::new(SIZE, 8, 2)
    };
    assert_quarters(
        &inspect(&png.file(|x, y| rgb_samples(x, y, SIZE))),
        "an animation",
    );
}

#[test]
fn bytes_after_the_end_are_ignored() {
    let file = file_with_chunks(vec![]);
    for trailing in [
        vec![0; 100_000],
        b"<script>alert(1)</script>".to_vec(),
        file.clone(),
    ] {
        assert_quarters(
            &inspect(&[file.clone(), trailing].concat()),
            "with trailing bytes",
        );
    }
}

#[test]
fn the_thinnest_and_smallest_images_are_read() {
    for size in [(1, 1), (65_535, 1), (1, 65_535), (2, 1), (1, 2), (3, 3)] {
        for interlaced in [false, true] {
            for colour in [0, 2] {
                let png = Png {
                    interlaced,
                    ..Png::new(size, 8, colour)
                };
                let inspection = inspect(&png.file(|_, _| vec![200; if colour == 0 { 1 } else { 3 }]));
                assert_eq!(inspection.findings, [], "{size:?}");
                let decoded = decode(&inspection.thumbnails[0]);
                assert!(decoded.at(0, 0)[0].abs_diff(200) <= 2, "{size:?}");
            }
        }
    }
}
