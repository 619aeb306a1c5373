//! Thumbnails are upright, of the right size and of the right colours, whatever kind of JPEG they come from.

#[cfg(test)]
mod pictures;

use jpeg_encoder::{ColorType, SamplingFactor};
use moxcms::ColorProfile;
use pictures::{png::Png, *};
use rapidphoto_domain::values::{MimeType, ThumbnailEdge};
use rapidphoto_sample_photos::{Orientation, SamplePhoto};

fn sizes(file: &[u8]) -> Vec<(u32, u32, u32)> {
    inspect(file)
        .thumbnails
        .iter()
        .map(|thumbnail| (thumbnail.edge.pixels(), thumbnail.width, thumbnail.height))
        .collect()
}

#[test]
fn all_orientations_come_out_upright() {
    for orientation in 1..=8 {
        let kind = Kind {
            orientation: Some(orientation),
            ..Kind::default()
        };
        let inspection = inspect(&picture(1500, 1100, &kind));
        assert_quarters(&inspection, &format!("orientation {orientation}"));
        assert_eq!((inspection.width, inspection.height), (1500, 1100));
        assert_eq!(inspection.mime_type, Some(MimeType::Jpeg));
        assert_eq!(inspection.metadata.orientation.map(u16::from), Some(orientation));
        let sizes: Vec<_> = inspection
            .thumbnails
            .iter()
            .map(|made| (made.width, made.height))
            .collect();
        assert_eq!(sizes, [(256, 188), (1024, 751)]);
    }
}

#[test]
fn an_orientation_that_does_not_exist_turns_nothing() {
    for orientation in [0, 9, 255, 256, 262, 65_535] {
        let kind = Kind {
            orientation: Some(orientation),
            ..Kind::default()
        };
        let (width, height, pixels) = quarters(300, 200, Orientation::UPRIGHT);
        let inspection = inspect(&encode(width, height, &pixels, &kind));
        assert_quarters(&inspection, &format!("orientation {orientation}"));
        assert_eq!(inspection.metadata.orientation, None);
    }
}

#[test]
fn every_kind_of_jpeg_is_read() {
    let samplings = [
        SamplingFactor::R_4_4_4,
        SamplingFactor::R_4_2_2,
        SamplingFactor::R_4_2_0,
        SamplingFactor::R_4_4_0,
        SamplingFactor::R_4_1_1,
    ];
    for sampling in samplings {
        for progressive in [false, true] {
            for restart in [0, 7] {
                let kind = Kind {
                    progressive,
                    sampling,
                    restart,
                    ..Kind::default()
                };
                // Sizes at which a file is decoded whole, to a half and to a quarter, with edges within a block. The
                // small thumbnails are high enough that a block of their tints, which JPEG rounds together, has one.
                for (width, height) in [(403, 299), (2101, 403), (4201, 807)] {
                    let what = format!(
                        "{width} × {height}, {sampling:?}, progressive {progressive}, restart {restart}"
                    );
                    assert_quarters(&inspect(&picture(width, height, &kind)), &what);
                }
            }
        }
    }
}

#[test]
fn grey_stays_grey() {
    let pixels: Vec<u8> = (0..600 * 400)
        .map(|at| if at % 600 < 300 { 40 } else { 200 })
        .collect();
    for progressive in [false, true] {
        let kind = Kind {
            colour: ColorType::Luma,
            progressive,
            ..Kind::default()
        };
        let inspection = inspect(&encode(600, 400, &pixels, &kind));
        assert_eq!(inspection.findings, []);
        for thumbnail in &inspection.thumbnails {
            let seen = see(thumbnail);
            assert_eq!(seen.channels, 1);
            assert!(seen.at(seen.width / 4, 9)[0].abs_diff(40) <= 3);
            assert!(seen.at(seen.width * 3 / 4, 9)[0].abs_diff(200) <= 3);
        }
    }
}

#[test]
fn inks_become_colours() {
    let (width, height, pixels) = quarters(700, 500, Orientation::UPRIGHT);
    // Half of what all inks share is printed in black.
    let inks: Vec<u8> = pixels
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|colour| {
            let black = (255 - colour.iter().copied().max().unwrap()) / 2;
            let ink = |light: u8| {
                u8::try_from(255 - (u32::from(light) * 255 / u32::from(255 - black)).min(255)).unwrap()
            };
            [ink(colour[0]), ink(colour[1]), ink(colour[2]), black]
        })
        .collect();
    for colour in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        for progressive in [false, true] {
            let kind = Kind {
                colour,
                progressive,
                sampling: SamplingFactor::R_4_4_4,
                ..Kind::default()
            };
            let what = format!("{colour:?}, progressive {progressive}");
            assert_quarters(&inspect(&encode(width, height, &inks, &kind)), &what);
        }
    }
}

#[test]
fn components_that_adobe_calls_red_green_and_blue_are() {
    let (width, height, pixels) = quarters(400, 300, Orientation::UPRIGHT);
    let kind = Kind {
        // Written as they are, and not as luma and chroma.
        colour: ColorType::Ycbcr,
        sampling: SamplingFactor::R_4_4_4,
        ..Kind::default()
    };
    let mut file = encode(width, height, &pixels, &kind);
    let jfif = file.windows(2).position(|marker| marker == [0xFF, 0xE0]).unwrap();
    let adobe = [
        0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, 0,
    ];
    file.splice(jfif..jfif + 18, adobe);
    assert_quarters(&inspect(&file), "RGB");
}

#[test]
fn a_wide_gamut_is_brought_to_srgb() {
    let kind = Kind {
        profile: ColorProfile::new_display_p3().encode().unwrap(),
        sampling: SamplingFactor::R_4_4_4,
        ..Kind::default()
    };
    let pixels = RED_OF_P3.repeat(320 * 240);
    let inspection = inspect(&encode(320, 240, &pixels, &kind));
    assert_red_of_srgb(&inspection);
}

#[test]
fn a_profile_that_is_no_profile_costs_nothing() {
    for profile in [
        vec![7; 60],
        vec![0; 200_000],
        ColorProfile::new_srgb().encode().unwrap()[..300].to_vec(),
    ] {
        let kind = Kind {
            profile,
            ..Kind::default()
        };
        assert_quarters(&inspect(&picture(300, 300, &kind)), "a broken profile");
    }
}

#[test]
fn small_pictures_keep_their_size() {
    let plain = Kind::default();
    assert_eq!(sizes(&picture(1, 1, &plain)), [(256, 1, 1), (1024, 1, 1)]);
    assert_eq!(
        sizes(&picture(256, 256, &plain)),
        [(256, 256, 256), (1024, 256, 256)]
    );
    assert_eq!(
        sizes(&picture(256, 100, &plain)),
        [(256, 256, 100), (1024, 256, 100)]
    );
    assert_eq!(
        sizes(&picture(257, 100, &plain)),
        [(256, 256, 100), (1024, 257, 100)]
    );
    assert_eq!(
        sizes(&picture(1024, 1024, &plain)),
        [(256, 256, 256), (1024, 1024, 1024)]
    );
}

#[test]
fn thin_pictures_keep_a_pixel() {
    let turned = Kind {
        orientation: Some(6),
        ..Kind::default()
    };
    assert_eq!(
        sizes(&picture(1, 5000, &Kind::default())),
        [(256, 1, 256), (1024, 1, 1024)]
    );
    assert_eq!(
        sizes(&picture(1, 5000, &turned)),
        [(256, 1, 256), (1024, 1, 1024)]
    );
    assert_eq!(
        sizes(&picture(65_535, 1, &Kind::default())),
        [(256, 256, 1), (1024, 1024, 1)]
    );
    assert_eq!(
        sizes(&picture(1, 65_535, &Kind::default())),
        [(256, 1, 256), (1024, 1, 1024)]
    );
    assert_eq!(
        sizes(&picture(2500, 3, &Kind::default())),
        [(256, 256, 1), (1024, 1024, 1)]
    );
}

/// A picture whose last row is blue and whose others are red, or its columns.
#[cfg(test)]
fn last_is_blue(size: (u32, u32), x: u32, y: u32) -> Colour {
    let (width, height) = size;
    let is_last = if width > height {
        y + 1 == height
    } else {
        x + 1 == width
    };
    if is_last { BLUE } else { RED }
}

/// What Lanczos3 makes of so many rows when one is left, by its definition.
#[cfg(test)]
fn one_of(rows: u32) -> Colour {
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
    let part = weights.last().unwrap() / weights.iter().sum::<f64>();
    std::array::from_fn(|at| {
        let mixed = f64::from(RED[at]) * (1.0 - part) + f64::from(BLUE[at]) * part;
        let distance = |sample: &u8| (f64::from(*sample) - mixed).abs();
        (0..=u8::MAX)
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .unwrap()
    })
}

/// The kinds of files that a thin picture comes as.
#[cfg(test)]
fn thin_files(size: (u32, u32)) -> Vec<(String, Vec<u8>)> {
    let png = Png::new(size, 8, 2).file(|x, y| last_is_blue(size, x, y).map(u16::from).to_vec());
    let places = (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
    let pixels: Vec<u8> = places.flat_map(|(x, y)| last_is_blue(size, x, y)).collect();
    let inks: Vec<u8> = pixels
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
    // The encoder takes every second tint and leaves out the others: of an even count, the last.
    let is_odd = size.0.min(size.1) % 2 == 1;
    for sampling in samplings.into_iter().take(if is_odd { 2 } else { 1 }) {
        for (progressive, orientation) in [(false, None), (true, None), (false, Some(3)), (false, Some(6))] {
            let kind = Kind {
                orientation,
                progressive,
                sampling,
                ..Kind::default()
            };
            let what = format!("{sampling:?}, progressive {progressive}, orientation {orientation:?}");
            files.push((what, encode(width, height, &pixels, &kind)));
        }
    }
    let kind = Kind {
        colour: ColorType::Cmyk,
        sampling: SamplingFactor::R_4_4_4,
        ..Kind::default()
    };
    files.push(("inks".to_owned(), encode(width, height, &inks, &kind)));
    files
}

#[test]
fn thin_pictures_keep_their_colours() {
    for thickness in [2, 3, 5, 7, 8] {
        let wanted = one_of(thickness);
        for size in [(9000, thickness), (thickness, 9000)] {
            for (what, file) in thin_files(size) {
                for thumbnail in &inspect(&file).thumbnails {
                    let seen = see(thumbnail);
                    assert_eq!(seen.width.min(seen.height), 1);
                    for place in [1, 2, 3] {
                        let (x, y) = (seen.width * place / 4, seen.height * place / 4);
                        let colour: Colour = seen.at(x, y).try_into().unwrap();
                        assert!(
                            near(colour, wanted),
                            "{what}, {size:?}: {colour:?} for {wanted:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_last_of_three_rows_leaves_the_first_as_it_is() {
    for size in [(300, 3), (3, 300)] {
        let (_, png) = thin_files(size).swap_remove(0);
        for thumbnail in &inspect(&png).thumbnails {
            let seen = see(thumbnail);
            let first = seen.at(0, 0).try_into().unwrap();
            assert!(near(first, RED), "{size:?}, {:?}: {first:?}", thumbnail.edge);
            let last = seen.at(seen.width - 1, seen.height - 1);
            assert!(last[2] > 2 * last[0], "{size:?}, {:?}: {last:?}", thumbnail.edge);
        }
    }
}

#[test]
fn a_camera_photo_has_its_sky_above() {
    for orientation in Orientation::ALL {
        let photo = SamplePhoto::new(11, 2000, 1500).turned(orientation);
        let inspection = inspect(&photo.jpeg());
        assert_eq!((inspection.width, inspection.height), (2000, 1500));
        let large = inspection
            .thumbnails
            .iter()
            .find(|thumbnail| thumbnail.edge == ThumbnailEdge::Large)
            .unwrap();
        let seen = see(large);
        let light = |y: usize| -> u32 {
            (0..seen.width)
                .flat_map(|x| seen.at(x, y))
                .map(|&part| u32::from(part))
                .sum()
        };
        assert!(light(20) > light(seen.height - 20), "{orientation:?}");
    }
}
