//! Encoded files are read by independent decoders, are as good as an independent encoder's, and are the same
//! with every backend.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Random;
use jpeg_encoder::{ColorType, SamplingFactor};
use jpeg_scale::{Backend, Decoder, EncodeError, Encoder, Limits, Plane, Planes, Scale};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

fn plane(width: usize, height: usize, sample: impl Fn(usize, usize) -> u8) -> Plane {
    // A stride above the width, with padding that must not affect the file.
    let stride = width + 5;
    let mut data = vec![77; stride * height];
    for y in 0..height {
        for x in 0..width {
            data[y * stride + x] = sample(x, y);
        }
    }
    Plane {
        width,
        height,
        stride,
        data,
    }
}

/// Y, Cb, Cr with subsampled chroma.
fn image(width: usize, height: usize, sub: (usize, usize), noise: usize) -> Planes {
    let samples = common::image_samples(width, height, 3, noise);
    let planes = (0..3).map(|channel| {
        let (sub_x, sub_y) = if channel == 0 { (1, 1) } else { sub };
        plane(width.div_ceil(sub_x), height.div_ceil(sub_y), |x, y| {
            samples[(y * sub_y * width + x * sub_x) * 3 + channel]
        })
    });
    Planes {
        width,
        height,
        planes: planes.collect(),
    }
}

fn decode_with_zune(file: &[u8], space: ColorSpace) -> Vec<u8> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(space)
        .set_max_width(65_535)
        .set_max_height(65_535)
        .set_strict_mode(true);
    zune_jpeg::JpegDecoder::new_with_options(std::io::Cursor::new(file), options)
        .decode()
        .unwrap()
}

const SUBSAMPLINGS: [(usize, usize); 4] = [(1, 1), (2, 1), (1, 2), (2, 2)];
const SIZES: [(usize, usize); 8] = [
    (1, 1),
    (2, 3),
    (8, 8),
    (16, 16),
    (17, 33),
    (127, 65),
    (300, 20),
    (130, 129),
];

#[test]
fn encoded_planes_are_decoded_within_two() {
    for (width, height) in SIZES {
        for sub in SUBSAMPLINGS {
            // Images with a single column of chroma are 4:4:4 whatever the subsampling.
            let image = image(width, height, sub, 8);
            let file = Encoder::new(100).encode(&image).unwrap();
            let decoded = Decoder::new()
                .decode(&file, Scale::Full, &Limits::default())
                .unwrap();
            assert_eq!(decoded.damage, None);
            let theirs = decode_with_zune(&file, ColorSpace::YCbCr);
            for (channel, (plane, back)) in image.planes.iter().zip(&decoded.planes.planes).enumerate() {
                assert_eq!(
                    (plane.width, plane.height),
                    (back.width, back.height),
                    "{width}x{height} {sub:?}"
                );
                for y in 0..plane.height {
                    for (x, (before, after)) in plane.row(y).iter().zip(back.row(y)).enumerate() {
                        assert!(
                            before.abs_diff(*after) <= 2,
                            "{before} {after} {width}x{height} {sub:?} {channel}"
                        );
                        if channel == 0 {
                            assert!(before.abs_diff(theirs[(y * width + x) * 3]) <= 2);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn grey_images_are_decoded_within_two() {
    for (width, height) in SIZES {
        let samples = common::image_samples(width, height, 1, 8);
        let grey = plane(width, height, |x, y| samples[y * width + x]);
        let image = Planes {
            width,
            height,
            planes: vec![grey],
        };
        let file = Encoder::new(100).encode(&image).unwrap();
        let theirs = decode_with_zune(&file, ColorSpace::Luma);
        assert_eq!(theirs.len(), samples.len());
        assert!(
            samples
                .iter()
                .zip(&theirs)
                .all(|(before, after)| before.abs_diff(*after) <= 2)
        );
    }
}

#[test]
fn every_backend_writes_the_same_file() {
    let mut random = Random(5);
    for (width, height) in SIZES {
        for sub in SUBSAMPLINGS {
            for quality in [1, 30, 80, 100] {
                let mut image = image(width, height, sub, 60);
                if quality > 50 {
                    // Only the extremes of the range.
                    for sample in image.planes.iter_mut().flat_map(|plane| &mut plane.data) {
                        *sample = if random.below(2) == 0 { 0 } else { 255 };
                    }
                }
                let best = Encoder::new(quality).encode(&image).unwrap();
                let portable = Encoder::with_backend(quality, Backend::portable())
                    .encode(&image)
                    .unwrap();
                assert_eq!(best, portable);
                decode_with_zune(&best, ColorSpace::YCbCr);
            }
        }
    }
}

#[test]
fn largest_coefficients_are_encoded() {
    // Every basis function at full amplitude gives the largest possible coefficients.
    for k in 0..64 {
        for sign in [1.0, -1.0] {
            let basis =
                |i: usize, k: usize| ((2 * i + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos();
            let block = plane(24, 24, |x, y| {
                if sign * basis(x % 8, k % 8) * basis(y % 8, k / 8) > 0.0 {
                    255
                } else {
                    0
                }
            });
            let image = Planes {
                width: 24,
                height: 24,
                planes: vec![block.clone()],
            };
            let file = Encoder::new(100).encode(&image).unwrap();
            let theirs = decode_with_zune(&file, ColorSpace::Luma);
            for y in 0..24 {
                for x in 0..24 {
                    assert!(theirs[y * 24 + x].abs_diff(block.row(y)[x]) <= 3, "{k}");
                }
            }
        }
    }
}

/// Mean squared error of a file's luma.
fn mean_squared_error(file: &[u8], image: &Planes) -> f64 {
    let decoded = Decoder::new()
        .decode(file, Scale::Full, &Limits::default())
        .unwrap()
        .planes;
    let (before, after) = (&image.planes[0], &decoded.planes[0]);
    let mut sum = 0.0;
    for y in 0..before.height {
        for (a, b) in before.row(y).iter().zip(after.row(y)) {
            sum += (f64::from(*a) - f64::from(*b)).powi(2);
        }
    }
    sum / (before.width * before.height) as f64
}

#[test]
fn files_are_as_small_and_as_good_as_those_of_an_independent_encoder() {
    let image = image(320, 240, (1, 1), 20);
    for quality in [20, 50, 80, 90, 95] {
        let ours = Encoder::new(quality).encode(&image).unwrap();
        let options = common::Options {
            quality,
            sampling: SamplingFactor::F_1_1,
            restart_interval: 0,
            optimized: false,
            noise: 20,
        };
        let theirs = common::encode(320, 240, options, ColorType::Ycbcr, 3, |_| {});
        let size = ours.len() as f64 / theirs.len() as f64;
        assert!(
            (0.98..1.02).contains(&size),
            "quality {quality}: {} and {}",
            ours.len(),
            theirs.len()
        );
        let (ours, theirs) = (
            mean_squared_error(&ours, &image),
            mean_squared_error(&theirs, &image),
        );
        assert!(
            ours <= theirs * 1.02 + 0.01,
            "quality {quality}: {ours} and {theirs}"
        );
    }
}

#[test]
fn inconsistent_planes_are_errors() {
    let encoder = Encoder::new(80);
    let grey = |width, height| plane(width, height, |_, _| 1);
    let outcome = |planes: Vec<Plane>| {
        let (width, height) = (planes.first().map_or(0, |each| each.width), 0);
        encoder
            .encode(&Planes {
                width,
                height,
                planes,
            })
            .unwrap_err()
    };
    assert_eq!(outcome(vec![]), EncodeError::Planes(0));
    assert_eq!(outcome(vec![grey(8, 8), grey(8, 8)]), EncodeError::Planes(2));
    assert_eq!(
        outcome(vec![grey(0, 8)]),
        EncodeError::Size { width: 0, height: 8 }
    );
    assert_eq!(
        outcome(vec![grey(8, 0)]),
        EncodeError::Size { width: 8, height: 0 }
    );
    assert_eq!(
        outcome(vec![grey(65_536, 1)]),
        EncodeError::Size {
            width: 65_536,
            height: 1
        }
    );
    assert_eq!(
        outcome(vec![grey(8, 8), grey(3, 8), grey(3, 8)]),
        EncodeError::Plane
    );
    assert_eq!(
        outcome(vec![grey(8, 8), grey(4, 8), grey(8, 8)]),
        EncodeError::Plane
    );
    let short = Plane {
        width: 8,
        height: 8,
        stride: 8,
        data: vec![0; 63],
    };
    assert_eq!(outcome(vec![short]), EncodeError::Plane);
    let narrow = Plane {
        width: 8,
        height: 8,
        stride: 7,
        data: vec![0; 64],
    };
    assert_eq!(outcome(vec![narrow]), EncodeError::Plane);
    let overflowing = Plane {
        width: 8,
        height: 8,
        stride: usize::MAX,
        data: vec![0; 64],
    };
    assert_eq!(outcome(vec![overflowing]), EncodeError::Plane);
    let chroma = Plane {
        width: 4,
        height: 4,
        stride: 4,
        data: vec![0; 15],
    };
    assert_eq!(outcome(vec![grey(8, 8), grey(4, 4), chroma]), EncodeError::Plane);
}

#[test]
fn images_65535_wide_are_encoded() {
    let samples = |x: usize, _| (x / 9 % 200) as u8;
    let image = Planes {
        width: 65_535,
        height: 1,
        planes: vec![plane(65_535, 1, samples)],
    };
    let file = Encoder::new(95).encode(&image).unwrap();
    let theirs = decode_with_zune(&file, ColorSpace::Luma);
    assert!(
        theirs
            .iter()
            .enumerate()
            .all(|(x, &after)| after.abs_diff(samples(x, 0)) < 30)
    );
    assert!(mean_squared_error(&file, &image) < 4.0);
}
