//! Decoded planes are compared with an independent decoder, with the definition of a scaled image, and
//! between backends.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{DEFAULT_OPTIONS, Options, colour, grey};
use jpeg_encoder::SamplingFactor::{F_1_1, F_1_2, F_2_1, F_2_2};
use jpeg_scale::{Backend, Decoded, Decoder, Limits, Scale};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

fn decode(file: &[u8], scale: Scale) -> Decoded {
    let decoded = Decoder::new().decode(file, scale, &Limits::default()).unwrap();
    assert_eq!(decoded.damage, None);
    decoded
}

/// Files with every sampling, and a selection of restart intervals, tables, qualities and sizes.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let sizes = [
        (1, 1),
        (8, 8),
        (16, 16),
        (17, 9),
        (33, 31),
        (129, 67),
        (300, 40),
        (513, 20),
        (24, 500),
    ];
    for (width, height) in sizes {
        for sampling in [F_1_1, F_2_1, F_1_2, F_2_2] {
            for (quality, restart_interval, noise) in [(90, 0, 20), (100, 3, 60), (30, 1, 40), (75, 0, 0)] {
                let options = Options {
                    quality,
                    sampling,
                    restart_interval,
                    noise,
                    ..DEFAULT_OPTIONS
                };
                let name = format!("{width}x{height} {sampling:?} q{quality} r{restart_interval}");
                files.push((name, colour(width, height, options)));
            }
        }
        // The encoder optimises tables only in files with one scan for each component.
        for sampling in [F_1_1, F_2_2] {
            let options = Options {
                sampling,
                optimized: true,
                ..DEFAULT_OPTIONS
            };
            files.push((
                format!("{width}x{height} {sampling:?} separate scans"),
                colour(width, height, options),
            ));
        }
        for (quality, noise) in [(90, 20), (100, 100), (20, 0)] {
            files.push((
                format!("grey {width}x{height} q{quality}"),
                grey(
                    width,
                    height,
                    Options {
                        quality,
                        noise,
                        ..DEFAULT_OPTIONS
                    },
                ),
            ));
            let options = Options {
                quality,
                noise,
                optimized: true,
                ..DEFAULT_OPTIONS
            };
            files.push((
                format!("grey {width}x{height} q{quality}, own tables"),
                grey(width, height, options),
            ));
        }
    }
    files
}

fn decode_with_zune(file: &[u8], grey: bool) -> Vec<u8> {
    let space = if grey { ColorSpace::Luma } else { ColorSpace::YCbCr };
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(space)
        .set_max_width(65_535)
        .set_max_height(65_535);
    zune_jpeg::JpegDecoder::new_with_options(std::io::Cursor::new(file), options)
        .decode()
        .unwrap()
}

/// Interleaved Y, Cb, Cr. For subsampled components in separate scans, which zune-jpeg decodes incorrectly.
fn decode_with_jpeg_decoder(file: &[u8]) -> Vec<u8> {
    let mut decoder = jpeg_decoder::Decoder::new(file);
    // `RGB` leaves the components as they are.
    decoder.set_color_transform(jpeg_decoder::ColorTransform::RGB);
    decoder.decode().unwrap()
}

#[test]
fn full_size_luma_is_within_two_of_an_independent_decoder() {
    for (name, file) in files() {
        let decoded = decode(&file, Scale::Full).planes;
        let channels = decoded.planes.len();
        let expected = if name.contains("separate scans") {
            decode_with_jpeg_decoder(&file)
        } else {
            decode_with_zune(&file, channels == 1)
        };
        let luma = &decoded.planes[0];
        assert_eq!(
            (luma.width, luma.height),
            (decoded.width, decoded.height),
            "{name}"
        );
        assert_eq!(expected.len(), luma.width * luma.height * channels, "{name}");
        let mut total = 0;
        for y in 0..luma.height {
            for (x, &sample) in luma.row(y).iter().enumerate() {
                let difference = sample.abs_diff(expected[(y * luma.width + x) * channels]);
                assert!(difference <= 2, "{name}: {difference} at {x}, {y}");
                total += usize::from(difference);
            }
        }
        // On average at most one sample in five differs.
        assert!(total * 5 <= luma.width * luma.height, "{name}: {total}");
    }
}

#[test]
fn full_size_chroma_is_within_two_of_an_independent_decoder() {
    for noise in [0, 40] {
        let file = colour(
            123,
            77,
            Options {
                sampling: F_1_1,
                noise,
                ..DEFAULT_OPTIONS
            },
        );
        let decoded = decode(&file, Scale::Full).planes;
        let expected = decode_with_zune(&file, false);
        for (channel, plane) in decoded.planes.iter().enumerate() {
            for y in 0..plane.height {
                for (x, &sample) in plane.row(y).iter().enumerate() {
                    assert!(sample.abs_diff(expected[(y * plane.width + x) * 3 + channel]) <= 2);
                }
            }
        }
    }
}

#[test]
fn subsampled_chroma_is_aligned_with_luma() {
    for sampling in [F_2_1, F_1_2, F_2_2] {
        let file = colour(
            200,
            120,
            Options {
                sampling,
                noise: 0,
                quality: 100,
                ..DEFAULT_OPTIONS
            },
        );
        let decoded = decode(&file, Scale::Full).planes;
        let (sub_x, sub_y) = (
            if sampling == F_1_2 { 1 } else { 2 },
            if sampling == F_2_1 { 1 } else { 2 },
        );
        let original = common::image_samples(200, 120, 3, 0);
        for channel in 1..3 {
            let plane = &decoded.planes[channel];
            assert_eq!((plane.width, plane.height), (200 / sub_x, 120 / sub_y));
            for y in 0..plane.height {
                for (x, &sample) in plane.row(y).iter().enumerate() {
                    let at = |x, y| i32::from(original[(y * 200 + x) * 3 + channel]);
                    let (x, y) = (x * sub_x, y * sub_y);
                    let mean = (at(x, y)
                        + at(x + sub_x - 1, y)
                        + at(x, y + sub_y - 1)
                        + at(x + sub_x - 1, y + sub_y - 1))
                        / 4;
                    assert!(
                        (mean - i32::from(sample)).abs() <= 4,
                        "{sampling:?} {channel} at {x}, {y}"
                    );
                }
            }
        }
    }
}

#[test]
fn scaled_planes_are_truncated_transforms_of_the_full_ones() {
    for (name, file) in files() {
        let full = decode(&file, Scale::Full).planes;
        for scale in [Scale::Eighth, Scale::Quarter, Scale::ThreeEighths, Scale::Half] {
            let scaled = decode(&file, scale).planes;
            assert_eq!(
                (scaled.width, scaled.height),
                (scale.apply(full.width), scale.apply(full.height))
            );
            assert_eq!(scaled.planes.len(), full.planes.len());
            for (full, scaled) in full.planes.iter().zip(&scaled.planes) {
                common::truncated::compare(&name, full, scaled, scale.eighths());
            }
        }
    }
}

#[test]
fn every_backend_gives_the_same_bytes() {
    let mut best = Decoder::new();
    let mut portable = Decoder::with_backend(Backend::portable());
    for (name, mut file) in files() {
        for damaged in [false, true] {
            if damaged {
                let middle = usize::midpoint(common::segment(&file, 0xda).1, file.len());
                file[middle] ^= 0x55;
            }
            for scale in Scale::ALL {
                let limits = Limits::default();
                assert_eq!(
                    best.decode(&file, scale, &limits),
                    portable.decode(&file, scale, &limits),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn extreme_coefficients_saturate_the_same_with_every_backend() {
    let mut best = Decoder::new();
    let mut portable = Decoder::with_backend(Backend::portable());
    let mut random = common::Random(7);
    let original = colour(
        200,
        100,
        Options {
            noise: 100,
            quality: 100,
            ..DEFAULT_OPTIONS
        },
    );
    for _ in 0..100 {
        let mut file = original.clone();
        let (from, to) = common::segment(&file, 0xdb);
        for byte in &mut file[from + 5..to] {
            // Keeps the first byte of a second table in the segment.
            if *byte > 1 {
                *byte = random.next() as u8 | 2;
            }
        }
        for scale in Scale::ALL {
            let limits = Limits::default();
            assert_eq!(
                best.decode(&file, scale, &limits),
                portable.decode(&file, scale, &limits)
            );
        }
    }
}

#[test]
fn reused_decoders_and_planes_give_the_same_planes() {
    let files = files();
    let mut reused = Decoder::new();
    let mut planes = jpeg_scale::Planes::default();
    for (name, file) in files.iter().chain(files.iter().rev()) {
        for scale in [Scale::Half, Scale::Full, Scale::Eighth] {
            let damage = reused
                .decode_into(file, scale, &Limits::default(), &mut planes)
                .unwrap();
            assert_eq!((damage, &planes), (None, &decode(file, scale).planes), "{name}");
        }
    }
}

#[test]
fn images_of_65535_by_1_are_decoded() {
    for (width, height) in [(65_535, 1), (1, 65_535)] {
        let file = colour(width, height, DEFAULT_OPTIONS);
        let expected = decode_with_zune(&file, false);
        let decoded = decode(&file, Scale::Full).planes;
        for at in (0..65_535).step_by(97) {
            let (x, y) = if width == 1 { (0, at) } else { (at, 0) };
            assert!(decoded.planes[0].row(y)[x].abs_diff(expected[at * 3]) <= 2);
        }
        let eighth = decode(&file, Scale::Eighth).planes;
        assert_eq!(eighth.width.max(eighth.height), 8192);
        assert_eq!(eighth.width.min(eighth.height), 1);
    }
}

#[test]
fn smallest_for_is_the_smallest_sufficient_scale() {
    assert_eq!(Scale::smallest_for(4000, 1024), Scale::ThreeEighths);
    assert_eq!(Scale::smallest_for(4000, 1501), Scale::Half);
    assert_eq!(Scale::smallest_for(8192, 1024), Scale::Eighth);
    assert_eq!(Scale::smallest_for(1023, 1024), Scale::Full);
}
