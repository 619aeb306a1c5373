//! WebP files. Of an animation only the first frame is decoded.

use moxcms::ColorProfile;
use rapidphoto_domain::{
    photo::{Check, Finding},
    values::MimeType,
};
use rapidphoto_sample_photos::Orientation;
use webpx::{Encoder, Unstoppable};

use crate::fixtures::{cpu_time::CpuTime, *};

const SIZE: (u32, u32) = (1301, 903);

/// RGBA pixels of four quarters.
fn rgba_quarters(size: (u32, u32)) -> Vec<u8> {
    (0..size.1)
        .flat_map(|y| (0..size.0).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let [red, green, blue] = quarter_colour(x, y, size);
            [red, green, blue, 255]
        })
        .collect()
}

fn encode(rgba: &[u8], size: (u32, u32), lossless: bool) -> Vec<u8> {
    Encoder::new_rgba(rgba, size.0, size.1)
        .quality(92.0)
        .method(1)
        .lossless(lossless)
        .encode(Unstoppable)
        .unwrap()
}

fn chunk(fourcc: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = fourcc.to_vec();
    chunk.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    chunk.extend(content);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let content = chunks.concat();
    let mut file = b"RIFF".to_vec();
    file.extend(u32::try_from(content.len() + 4).unwrap().to_le_bytes());
    file.extend(b"WEBP");
    file.extend(content);
    file
}

/// An edge as the container stores it: minus one, in 24 bits.
fn u24_minus_one(edge: u32) -> [u8; 3] {
    let [a, b, c, _] = (edge - 1).to_le_bytes();
    [a, b, c]
}

/// A `VP8X` chunk.
fn extended_header(flags: u8, (width, height): (u32, u32)) -> Vec<u8> {
    chunk(
        *b"VP8X",
        &[
            &[flags, 0, 0, 0],
            &u24_minus_one(width)[..],
            &u24_minus_one(height),
        ]
        .concat(),
    )
}

/// The image chunks of an encoded file: alpha, if there is any, and the bitstream.
fn image_chunks(file: &[u8]) -> Vec<u8> {
    let mut rest = &file[12..];
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        let (whole, after) = rest.split_at((8 + length).next_multiple_of(2));
        if matches!(&whole[..4], b"ALPH" | b"VP8 " | b"VP8L") {
            chunks.extend(whole);
        }
        rest = after;
    }
    chunks
}

/// An `ANMF` chunk at a position on the canvas.
fn frame(at: (u32, u32), size: (u32, u32), image: &[u8]) -> Vec<u8> {
    let position = [at.0 / 2 + 1, at.1 / 2 + 1].map(u24_minus_one).concat();
    let edges = [size.0, size.1].map(u24_minus_one).concat();
    chunk(
        *b"ANMF",
        &[&position[..], &edges, &[100, 0, 0, 0], image].concat(),
    )
}

#[test]
fn lossy_and_lossless_images_are_read() {
    for size in [SIZE, (300, 200), (33, 47)] {
        for lossless in [false, true] {
            let inspection = inspect(&encode(&rgba_quarters(size), size, lossless));
            assert_quarters(&inspection, &format!("{size:?}, lossless {lossless}"));
            assert_eq!((inspection.width, inspection.height), size);
            assert_eq!(inspection.mime_type, Some(MimeType::Webp));
        }
    }
}

#[test]
fn black_and_white_keep_their_full_range() {
    for lossless in [false, true] {
        let rgba: Vec<u8> = (0..200 * 100)
            .flat_map(|at| {
                let grey = if at % 200 < 100 { 0 } else { 255 };
                [grey, grey, grey, 255]
            })
            .collect();
        let inspection = inspect(&encode(&rgba, (200, 100), lossless));
        let decoded = decode(&inspection.thumbnails[0]);
        let [black, white] = [decoded.at(40, 50), decoded.at(160, 50)];
        assert!(black.iter().all(|&sample| sample <= 2), "{black:?}");
        assert!(white.iter().all(|&sample| sample >= 253), "{white:?}");
    }
}

#[test]
fn alpha_is_blended_with_white() {
    for lossless in [false, true] {
        let rgba: Vec<u8> = (0..300 * 64)
            .flat_map(|at| match at % 300 / 100 {
                0 => [255, 0, 0, 128],
                1 => [0, 0, 0, 0],
                _ => [0, 0, 255, 255],
            })
            .collect();
        let inspection = inspect(&encode(&rgba, (300, 64), lossless));
        assert_eq!(inspection.findings, []);
        let decoded = decode(&inspection.thumbnails[0]);
        for (x, expected) in [(40, [255, 127, 127]), (128, [255, 255, 255]), (215, [0, 0, 255])] {
            let colour = decoded.at(x, 20).try_into().unwrap();
            assert!(is_near(colour, expected), "lossless {lossless}, {x}: {colour:?}");
        }
    }
}

#[test]
fn exif_with_or_without_its_prefix_sets_the_orientation() {
    for number in 1..=8_u8 {
        let orientation = Orientation::from_exif(number).unwrap();
        let (width, height, rgb) = stored_quarters(500, 300, orientation);
        let size = (u32::from(width), u32::from(height));
        let rgba: Vec<u8> = rgb
            .as_chunks::<3>()
            .0
            .iter()
            .flat_map(|&[r, g, b]| [r, g, b, 255])
            .collect();
        let image = image_chunks(&encode(&rgba, size, false));
        let plain = exif(number.into());
        for exif in [plain.clone(), [b"Exif\0\0", &plain[..]].concat()] {
            let whole = file(&[extended_header(8, size), image.clone(), chunk(*b"EXIF", &exif)]);
            let inspection = inspect(&whole);
            assert_quarters(&inspection, &format!("orientation {number}"));
            assert_eq!((inspection.width, inspection.height), (500, 300));
            assert_eq!(inspection.metadata.orientation, Some(number));
        }
    }
}

#[test]
fn display_p3_is_converted_to_srgb() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    for lossless in [false, true] {
        let image = image_chunks(&encode(
            &[200, 60, 60, 255].repeat(320 * 240),
            (320, 240),
            lossless,
        ));
        let whole = file(&[
            extended_header(0x20, (320, 240)),
            chunk(*b"ICCP", &profile),
            image,
        ]);
        let inspection = inspect(&whole);
        assert_converted_to_srgb(&inspection);
    }
}

#[test]
fn invalid_profiles_are_ignored() {
    let image = image_chunks(&encode(&rgba_quarters(SIZE), SIZE, false));
    for profile in [vec![], vec![7; 60], vec![0; 16 << 20]] {
        let whole = file(&[
            extended_header(0x20, SIZE),
            chunk(*b"ICCP", &profile),
            image.clone(),
        ]);
        assert_quarters(&inspect(&whole), "an invalid profile");
    }
}

#[test]
fn only_the_first_of_ten_thousand_frames_is_decoded() {
    let image = image_chunks(&encode(&rgba_quarters(SIZE), SIZE, false));
    let start = CpuTime::start();
    let one = file(&[extended_header(2, SIZE), frame((0, 0), SIZE, &image)]);
    assert_quarters(&inspect(&one), "one frame");
    let took = start.elapsed();

    let small = image_chunks(&encode(&rgba_quarters((16, 16)), (16, 16), true));
    let mut chunks = vec![
        extended_header(2, SIZE),
        chunk(*b"ANIM", &[0; 6]),
        frame((0, 0), SIZE, &image),
    ];
    chunks.extend(std::iter::repeat_n(frame((0, 0), (16, 16), &small), 9_999));
    let whole = file(&chunks);
    let start = CpuTime::start();
    let inspection = inspect(&whole);
    assert_quarters(&inspection, "ten thousand frames");
    assert_eq!((inspection.width, inspection.height), SIZE);
    // A wide margin: decoding all of them would take hundreds of times as long.
    assert!(start.elapsed() < took * 20, "{:?} for {took:?}", start.elapsed());
}

#[test]
fn a_partial_first_frame_lies_on_white() {
    for lossless in [false, true] {
        let image = image_chunks(&encode(&[220, 30, 30, 255].repeat(64 * 64), (64, 64), lossless));
        let whole = file(&[extended_header(2, (200, 160)), frame((100, 60), (64, 64), &image)]);
        let inspection = inspect(&whole);
        assert_eq!(inspection.findings, []);
        assert_eq!((inspection.width, inspection.height), (200, 160));
        let decoded = decode(&inspection.thumbnails[0]);
        for (x, y, expected) in [
            (130, 90, RED),
            (50, 90, [255; 3]),
            (190, 90, [255; 3]),
            (130, 20, [255; 3]),
            (130, 150, [255; 3]),
        ] {
            let colour = decoded.at(x, y).try_into().unwrap();
            assert!(is_near(colour, expected), "{x}, {y}: {colour:?}");
        }
    }
}

#[test]
fn contradictory_frames_and_headers_are_malformed() {
    let image = image_chunks(&encode(&rgba_quarters((64, 64)), (64, 64), false));
    for (case, chunks) in [
        (
            "beyond the canvas",
            vec![extended_header(2, (100, 100)), frame((50, 0), (64, 64), &image)],
        ),
        (
            "below the canvas",
            vec![extended_header(2, (100, 100)), frame((0, 50), (64, 64), &image)],
        ),
        (
            "of another size",
            vec![extended_header(2, (100, 100)), frame((0, 0), (64, 65), &image)],
        ),
        (
            "without an image",
            vec![extended_header(2, (100, 100)), frame((0, 0), (64, 64), &[])],
        ),
        (
            "an image of another size",
            vec![extended_header(0, (100, 100)), image.clone()],
        ),
        ("no lossy header", vec![chunk(*b"VP8 ", &[0; 100])]),
        ("no lossless header", vec![chunk(*b"VP8L", &[0; 100])]),
        ("half a lossless header", vec![chunk(*b"VP8L", &[0x2F, 0])]),
    ] {
        assert_eq!(inspect(&file(&chunks)).findings, [corrupt("malformed")], "{case}");
    }
    assert_eq!(
        inspect(&file(&[extended_header(0, (9, 9))])).findings,
        [corrupt("truncated")]
    );
}

#[test]
fn a_webp_truncated_anywhere_is_corrupt() {
    for lossless in [false, true] {
        let noise: Vec<u8> = (0..97 * 61_u32)
            .flat_map(|at| {
                [at * 7 % 256, at * at % 251, at / 97, 255].map(|sample| u8::try_from(sample % 256).unwrap())
            })
            .collect();
        let size = (97, 61);
        let image = image_chunks(&encode(&noise, size, lossless));
        for whole in [
            encode(&noise, size, lossless),
            file(&[extended_header(8, size), image.clone(), chunk(*b"EXIF", &exif(6))]),
            file(&[extended_header(2, size), frame((0, 0), size, &image)]),
        ] {
            assert_eq!(inspect(&whole).findings, []);
            let step = (whole.len() / 400).max(1);
            for end in (12..whole.len()).step_by(step) {
                assert_rejected(&whole[..end], "corrupt", &format!("{end} of {}", whole.len()));
            }
        }
    }
}

#[test]
fn a_truncated_bitstream_in_a_complete_file_is_corrupt() {
    for lossless in [false, true] {
        let noise: Vec<u8> = (0..97 * 61_u32)
            .flat_map(|at| {
                [at * 7 % 256, at * at % 251, at / 97, 255].map(|sample| u8::try_from(sample % 256).unwrap())
            })
            .collect();
        let chunks = image_chunks(&encode(&noise, (97, 61), lossless));
        let (fourcc, content) = (chunks[..4].try_into().unwrap(), &chunks[8..]);
        for part in 1..20 {
            let whole = file(&[chunk(fourcc, &content[..content.len() * part / 20])]);
            assert_rejected(&whole, "corrupt", &format!("{part} of 20, lossless {lossless}"));
        }
    }
}

#[test]
fn flipped_bits_give_thumbnails_or_findings() {
    for lossless in [false, true] {
        let whole = encode(&rgba_quarters((97, 61)), (97, 61), lossless);
        assert_bit_flips_are_handled(&whole, 12..whole.len().min(600));
    }
}

#[test]
fn dimensions_are_checked_before_allocation() {
    // The maximum dimensions of the format.
    let lossless = file(&[chunk(*b"VP8L", &[0x2F, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0])]);
    let lossy = file(&[chunk(
        *b"VP8 ",
        &[0x10, 0, 0, 0x9D, 0x01, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F],
    )]);
    let canvas = file(&[
        extended_header(2, (1 << 24, 1 << 24)),
        frame(
            (0, 0),
            (16, 16),
            &image_chunks(&encode(&rgba_quarters((16, 16)), (16, 16), false)),
        ),
    ]);
    for (whole, pixels) in [
        (lossless, 16_384 * 16_384_u64),
        (lossy, 16_383 * 16_383),
        (canvas, 1 << 48),
    ] {
        let inspection = inspect(&whole);
        assert!(
            inspection
                .findings
                .contains(&Finding::measured(Check::TooManyPixels, pixels, 100_000_000)),
            "{:?}",
            inspection.findings
        );
    }
    let empty = file(&[chunk(*b"VP8 ", &[0x10, 0, 0, 0x9D, 0x01, 0x2A, 0, 0, 9, 0])]);
    assert_eq!(inspect(&empty).findings, [corrupt("no_pixels")]);
}

#[test]
fn the_thinnest_and_smallest_images_are_read() {
    for size in [(1, 1), (16_383, 1), (1, 16_383), (2, 1), (3, 3)] {
        for lossless in [false, true] {
            let rgba = [200, 200, 200, 255].repeat((size.0 * size.1) as usize);
            let inspection = inspect(&encode(&rgba, size, lossless));
            assert_eq!(inspection.findings, [], "{size:?}");
            let decoded = decode(&inspection.thumbnails[0]);
            assert!(
                decoded.at(0, 0)[0].abs_diff(200) <= 2,
                "{size:?}: {:?}",
                decoded.at(0, 0)
            );
        }
    }
}

#[test]
fn bytes_after_the_end_are_ignored() {
    let whole = encode(&rgba_quarters(SIZE), SIZE, false);
    for trailing in [
        vec![0; 100_000],
        b"<script>alert(1)</script>".to_vec(),
        whole.clone(),
    ] {
        assert_quarters(
            &inspect(&[whole.clone(), trailing].concat()),
            "with trailing bytes",
        );
    }
}
