//! Sizes of thumbnails, and the colours of those of thin images.

use jpeg_encoder::{ColorType, SamplingFactor};

use crate::fixtures::{png::Png, *};

/// Maximum edge, width and height of each thumbnail.
fn sizes(file: &[u8]) -> Vec<(u32, u32, u32)> {
    inspect(file)
        .thumbnails
        .iter()
        .map(|thumbnail| (thumbnail.edge.pixels(), thumbnail.width, thumbnail.height))
        .collect()
}

#[test]
fn small_images_keep_their_size() {
    let plain = JpegOptions::default();
    assert_eq!(sizes(&quarters_jpeg(1, 1, &plain)), [(256, 1, 1), (1024, 1, 1)]);
    assert_eq!(
        sizes(&quarters_jpeg(256, 256, &plain)),
        [(256, 256, 256), (1024, 256, 256)]
    );
    assert_eq!(
        sizes(&quarters_jpeg(256, 100, &plain)),
        [(256, 256, 100), (1024, 256, 100)]
    );
    assert_eq!(
        sizes(&quarters_jpeg(257, 100, &plain)),
        [(256, 256, 100), (1024, 257, 100)]
    );
    assert_eq!(
        sizes(&quarters_jpeg(1024, 1024, &plain)),
        [(256, 256, 256), (1024, 1024, 1024)]
    );
}

#[test]
fn thin_images_keep_at_least_one_pixel() {
    let rotated = JpegOptions {
        orientation: Some(6),
        ..JpegOptions::default()
    };
    assert_eq!(
        sizes(&quarters_jpeg(1, 5000, &JpegOptions::default())),
        [(256, 1, 256), (1024, 1, 1024)]
    );
    assert_eq!(
        sizes(&quarters_jpeg(1, 5000, &rotated)),
        [(256, 1, 256), (1024, 1, 1024)]
    );
    assert_eq!(
        sizes(&quarters_jpeg(65_535, 1, &JpegOptions::default())),
        [(256, 256, 1), (1024, 1024, 1)]
    );
    assert_eq!(
        sizes(&quarters_jpeg(1, 65_535, &JpegOptions::default())),
        [(256, 1, 256), (1024, 1, 1024)]
    );
    assert_eq!(
        sizes(&quarters_jpeg(2500, 3, &JpegOptions::default())),
        [(256, 256, 1), (1024, 1024, 1)]
    );
}

/// Colour of a pixel in a red image whose last row (if it is wide) or column (if it is high) is blue.
fn red_with_last_row_blue(size: (u32, u32), x: u32, y: u32) -> Colour {
    let (width, height) = size;
    let is_last = if width > height {
        y + 1 == height
    } else {
        x + 1 == width
    };
    if is_last { BLUE } else { RED }
}

/// Colour of the single row to which Lanczos3, by its definition, resizes this many rows of such an image.
fn lanczos_mean(rows: u32) -> Colour {
    let count = f64::from(rows);
    let sinc = |x: f64| {
        if x == 0.0 {
            1.0
        } else {
            (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x)
        }
    };
    let weights: Vec<f64> = (0..rows)
        .map(|row| (f64::from(row) + 0.5 - count / 2.0) / count)
        .map(|x| sinc(x) * sinc(x / 3.0))
        .collect();
    let blue_share = weights.last().unwrap() / weights.iter().sum::<f64>();
    std::array::from_fn(|at| {
        let mixed = f64::from(RED[at]) * (1.0 - blue_share) + f64::from(BLUE[at]) * blue_share;
        let distance = |sample: &u8| (f64::from(*sample) - mixed).abs();
        (0..=u8::MAX)
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .unwrap()
    })
}

/// A thin image in several formats and variants, each with a description.
fn thin_files(size: (u32, u32)) -> Vec<(String, Vec<u8>)> {
    let png = Png::new(size, 8, 2).file(|x, y| red_with_last_row_blue(size, x, y).map(u16::from).to_vec());
    let positions = (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
    let pixels: Vec<u8> = positions
        .flat_map(|(x, y)| red_with_last_row_blue(size, x, y))
        .collect();
    let cmyk: Vec<u8> = pixels
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|&[red, green, blue]| [255 - red, 255 - green, 255 - blue, 0])
        .collect();
    let (width, height) = (size.0.try_into().unwrap(), size.1.try_into().unwrap());
    let opaque: Vec<u8> = pixels
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|&[red, green, blue]| [red, green, blue, 255])
        .collect();
    let webp = webpx::Encoder::new_rgba(&opaque, size.0, size.1)
        .quality(100.0)
        .encode(webpx::Unstoppable)
        .unwrap();
    let mut files = vec![("PNG".to_owned(), png), ("WebP".to_owned(), webp)];
    let samplings = [SamplingFactor::R_4_4_4, SamplingFactor::R_4_2_0];
    // The encoder subsamples chroma by skipping every second sample: of an even number of rows, the last.
    let is_odd = size.0.min(size.1) % 2 == 1;
    for sampling in samplings.into_iter().take(if is_odd { 2 } else { 1 }) {
        for (progressive, orientation) in [(false, None), (true, None), (false, Some(3)), (false, Some(6))] {
            let options = JpegOptions {
                orientation,
                progressive,
                sampling,
                ..JpegOptions::default()
            };
            let case = format!("{sampling:?}, progressive {progressive}, orientation {orientation:?}");
            files.push((case, encode_jpeg(width, height, &pixels, &options)));
        }
    }
    let options = JpegOptions {
        colour: ColorType::Cmyk,
        sampling: SamplingFactor::R_4_4_4,
        ..JpegOptions::default()
    };
    files.push(("CMYK".to_owned(), encode_jpeg(width, height, &cmyk, &options)));
    files
}

#[test]
fn thin_images_keep_their_colours() {
    for thickness in [2, 3, 5, 7, 8] {
        let expected = lanczos_mean(thickness);
        for size in [(9000, thickness), (thickness, 9000)] {
            for (case, file) in thin_files(size) {
                for thumbnail in &inspect(&file).thumbnails {
                    let decoded = decode(thumbnail);
                    assert_eq!(decoded.width.min(decoded.height), 1);
                    for quarter in [1, 2, 3] {
                        let (x, y) = (decoded.width * quarter / 4, decoded.height * quarter / 4);
                        let colour: Colour = decoded.at(x, y).try_into().unwrap();
                        assert!(
                            is_near(colour, expected),
                            "{case}, {size:?}: {colour:?} for {expected:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_last_of_three_rows_does_not_colour_the_first() {
    for size in [(300, 3), (3, 300)] {
        let (_, png) = thin_files(size).swap_remove(0);
        for thumbnail in &inspect(&png).thumbnails {
            let decoded = decode(thumbnail);
            let first = decoded.at(0, 0).try_into().unwrap();
            assert!(is_near(first, RED), "{size:?}, {:?}: {first:?}", thumbnail.edge);
            let last = decoded.at(decoded.width - 1, decoded.height - 1);
            assert!(last[2] > 2 * last[0], "{size:?}, {:?}: {last:?}", thumbnail.edge);
        }
    }
}
