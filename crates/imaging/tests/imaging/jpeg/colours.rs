//! Samplings, colour spaces and colour markers.

use jpeg_encoder::{ColorType, SamplingFactor};
use moxcms::ColorProfile;
use rapidphoto_sample_photos::Orientation;

use super::{insert, marker_position, scan_ranges};
use crate::fixtures::*;

#[test]
fn baseline_and_progressive_jpegs_of_all_samplings_are_read() {
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
                let options = JpegOptions {
                    progressive,
                    sampling,
                    restart,
                    ..JpegOptions::default()
                };
                // Sizes that are decoded at full, half and quarter scale, with edges within a block. The small
                // thumbnails are high enough for chroma blocks of one colour, as JPEG rounds a block as a whole.
                for (width, height) in [(403, 299), (2101, 403), (4201, 807)] {
                    let case = format!(
                        "{width} × {height}, {sampling:?}, progressive {progressive}, restart {restart}"
                    );
                    assert_quarters(&inspect(&quarters_jpeg(width, height, &options)), &case);
                }
            }
        }
    }
}

#[test]
fn greyscale_gives_greyscale_thumbnails() {
    let pixels: Vec<u8> = (0..600 * 400)
        .map(|at| if at % 600 < 300 { 40 } else { 200 })
        .collect();
    for progressive in [false, true] {
        let options = JpegOptions {
            colour: ColorType::Luma,
            progressive,
            ..JpegOptions::default()
        };
        let inspection = inspect(&encode_jpeg(600, 400, &pixels, &options));
        assert_eq!(inspection.findings, []);
        for thumbnail in &inspection.thumbnails {
            let decoded = decode(thumbnail);
            assert_eq!(decoded.channels, 1);
            assert!(decoded.at(decoded.width / 4, 9)[0].abs_diff(40) <= 3);
            assert!(decoded.at(decoded.width * 3 / 4, 9)[0].abs_diff(200) <= 3);
        }
    }
}

#[test]
fn cmyk_and_ycck_are_converted_to_rgb() {
    let (width, height, pixels) = stored_quarters(700, 500, Orientation::UPRIGHT);
    // Half of the component that cyan, magenta and yellow have in common becomes black.
    let cmyk: Vec<u8> = pixels
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|colour| {
            let black = (255 - colour.iter().copied().max().unwrap()) / 2;
            let component = |sample: u8| {
                u8::try_from(255 - (u32::from(sample) * 255 / u32::from(255 - black)).min(255)).unwrap()
            };
            [
                component(colour[0]),
                component(colour[1]),
                component(colour[2]),
                black,
            ]
        })
        .collect();
    for colour in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        for progressive in [false, true] {
            let options = JpegOptions {
                colour,
                progressive,
                sampling: SamplingFactor::R_4_4_4,
                ..JpegOptions::default()
            };
            let case = format!("{colour:?}, progressive {progressive}");
            assert_quarters(&inspect(&encode_jpeg(width, height, &cmyk, &options)), &case);
        }
    }
}

#[test]
fn components_that_adobe_marks_as_rgb_are_rgb() {
    let (width, height, pixels) = stored_quarters(400, 300, Orientation::UPRIGHT);
    let options = JpegOptions {
        // The encoder writes such pixels without conversion.
        colour: ColorType::Ycbcr,
        sampling: SamplingFactor::R_4_4_4,
        ..JpegOptions::default()
    };
    let mut file = encode_jpeg(width, height, &pixels, &options);
    let jfif = marker_position(&file, 0xE0);
    let adobe = [
        0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, 0,
    ];
    file.splice(jfif..jfif + 18, adobe);
    assert_quarters(&inspect(&file), "RGB");
}

#[test]
fn display_p3_is_converted_to_srgb() {
    let options = JpegOptions {
        profile: ColorProfile::new_display_p3().encode().unwrap(),
        sampling: SamplingFactor::R_4_4_4,
        ..JpegOptions::default()
    };
    let pixels = DISPLAY_P3_RED.repeat(320 * 240);
    let inspection = inspect(&encode_jpeg(320, 240, &pixels, &options));
    assert_converted_to_srgb(&inspection);
}

#[test]
fn invalid_profiles_are_ignored() {
    for profile in [
        vec![7; 60],
        vec![0; 200_000],
        ColorProfile::new_srgb().encode().unwrap()[..300].to_vec(),
    ] {
        let options = JpegOptions {
            profile,
            ..JpegOptions::default()
        };
        assert_quarters(&inspect(&quarters_jpeg(300, 300, &options)), "an invalid profile");
    }
}

#[test]
fn unknown_adobe_transforms_of_four_components_mean_ycck() {
    // Transform 0 is CMYK and 2 is YCCK. libjpeg reads all other values as YCCK, too.
    let thumbnail = |colour, transform: u8| {
        let options = JpegOptions {
            colour,
            ..JpegOptions::default()
        };
        let mut file = encode_jpeg(64, 48, &[40, 90, 140, 20].repeat(64 * 48), &options);
        let adobe = file.windows(5).position(|name| name == b"Adobe").unwrap();
        assert_eq!(file[adobe + 11], if colour == ColorType::Cmyk { 0 } else { 2 });
        file[adobe + 11] = transform;
        inspect(&file).thumbnails.remove(0).jpeg
    };
    for transform in [1, 3, 255] {
        assert_eq!(
            thumbnail(ColorType::CmykAsYcck, transform),
            thumbnail(ColorType::CmykAsYcck, 2)
        );
    }
    assert_ne!(
        thumbnail(ColorType::CmykAsYcck, 2),
        thumbnail(ColorType::CmykAsYcck, 0)
    );
}

/// The file with a segment after its first scan.
fn with_segment_after_the_first_scan(file: &[u8], segment: &[u8]) -> Vec<u8> {
    insert(file, scan_ranges(file)[0].end, segment)
}

#[test]
fn colour_markers_after_the_first_scan_are_ignored() {
    let adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\0");
    let jfif = segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0");
    let (width, height, pixels) = stored_quarters(400, 300, Orientation::UPRIGHT);
    for progressive in [false, true] {
        let options = JpegOptions {
            progressive,
            sampling: SamplingFactor::R_4_4_4,
            ..JpegOptions::default()
        };
        let without_jfif = |mut file: Vec<u8>| {
            assert_eq!(file[2..4], [0xFF, 0xE0]);
            file.drain(2..20);
            file
        };
        let ycbcr = without_jfif(encode_jpeg(width, height, &pixels, &options));
        let late_adobe = with_segment_after_the_first_scan(&ycbcr, &adobe);
        assert_quarters(&inspect(&late_adobe), "a late Adobe marker");

        let unconverted = JpegOptions {
            colour: ColorType::Ycbcr,
            ..options
        };
        let rgb = without_jfif(encode_jpeg(width, height, &pixels, &unconverted));
        let rgb = with_segments(&rgb, &adobe);
        assert_quarters(&inspect(&rgb), "RGB");
        let late_jfif = with_segment_after_the_first_scan(&rgb, &jfif);
        assert_quarters(&inspect(&late_jfif), "a late JFIF marker");
    }
}

#[test]
fn a_valid_profile_of_five_mebibytes_is_ignored() {
    let inspect_with_profile_of = |length: usize| {
        let mut profile = ColorProfile::new_display_p3().encode().unwrap();
        profile.resize(length, 0);
        profile[..4].copy_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
        let options = JpegOptions {
            profile,
            ..JpegOptions::default()
        };
        inspect(&quarters_jpeg(300, 300, &options))
    };
    let applied = inspect_with_profile_of(3 << 20);
    assert_eq!(applied.findings, []);
    for thumbnail in &applied.thumbnails {
        let red = decode(thumbnail).corners()[0];
        assert!(!is_near(red, RED), "a profile of this length is applied: {red:?}");
    }
    assert_quarters(&inspect_with_profile_of(5 << 20), "a large profile");
}
