//! WebP files of every kind come out right in colour and upright; of an animation only the first frame costs anything.

#[cfg(test)]
mod pictures;

use moxcms::ColorProfile;
use pictures::{cpu_time::CpuTime, *};
use rapidphoto_domain::{
    photo::{Check, Finding},
    values::MimeType,
};
use rapidphoto_sample_photos::Orientation;
use webpx::{Encoder, Unstoppable};

const SIZE: (u32, u32) = (1301, 903);

/// Four quarters in red, green, blue and alpha.
#[cfg(test)]
fn pixels(size: (u32, u32)) -> Vec<u8> {
    (0..size.1)
        .flat_map(|y| (0..size.0).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let [red, green, blue] = quarter(x, y, size);
            [red, green, blue, 255]
        })
        .collect()
}

#[cfg(test)]
fn encode(rgba: &[u8], size: (u32, u32), lossless: bool) -> Vec<u8> {
    Encoder::new_rgba(rgba, size.0, size.1)
        .quality(92.0)
        .method(1)
        .lossless(lossless)
        .encode(Unstoppable)
        .unwrap()
}

#[cfg(test)]
fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = kind.to_vec();
    chunk.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    chunk.extend(content);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

#[cfg(test)]
fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let content = chunks.concat();
    let mut file = b"RIFF".to_vec();
    file.extend(u32::try_from(content.len() + 4).unwrap().to_le_bytes());
    file.extend(b"WEBP");
    file.extend(content);
    file
}

fn less(edge: u32) -> [u8; 3] {
    let [a, b, c, _] = (edge - 1).to_le_bytes();
    [a, b, c]
}

#[cfg(test)]
fn extended(flags: u8, (width, height): (u32, u32)) -> Vec<u8> {
    chunk(
        *b"VP8X",
        &[&[flags, 0, 0, 0], &less(width)[..], &less(height)].concat(),
    )
}

/// The chunks that hold the pixels of an encoded file: alpha, if there is any, and the picture.
#[cfg(test)]
fn picture_chunks(file: &[u8]) -> Vec<u8> {
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

#[cfg(test)]
fn frame(at: (u32, u32), size: (u32, u32), picture: &[u8]) -> Vec<u8> {
    let place = [at.0 / 2 + 1, at.1 / 2 + 1].map(less).concat();
    let edges = [size.0, size.1].map(less).concat();
    chunk(*b"ANMF", &[&place[..], &edges, &[100, 0, 0, 0], picture].concat())
}

#[test]
fn colours_are_right_with_and_without_loss() {
    for size in [SIZE, (300, 200), (33, 47)] {
        for lossless in [false, true] {
            let inspection = inspect(&encode(&pixels(size), size, lossless));
            assert_quarters(&inspection, &format!("{size:?}, lossless {lossless}"));
            assert_eq!((inspection.width, inspection.height), size);
            assert_eq!(inspection.mime_type, Some(MimeType::Webp));
        }
    }
}

#[test]
fn black_and_white_are_as_black_and_white_as_they_were() {
    for lossless in [false, true] {
        let rgba: Vec<u8> = (0..200 * 100)
            .flat_map(|at| {
                let light = if at % 200 < 100 { 0 } else { 255 };
                [light, light, light, 255]
            })
            .collect();
        let inspection = inspect(&encode(&rgba, (200, 100), lossless));
        let seen = see(&inspection.thumbnails[0]);
        let [black, white] = [seen.at(40, 50), seen.at(160, 50)];
        assert!(black.iter().all(|&sample| sample <= 2), "{black:?}");
        assert!(white.iter().all(|&sample| sample >= 253), "{white:?}");
    }
}

#[test]
fn what_can_be_seen_through_shows_white() {
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
        let seen = see(&inspection.thumbnails[0]);
        for (x, wanted) in [(40, [255, 127, 127]), (128, [255, 255, 255]), (215, [0, 0, 255])] {
            let colour = seen.at(x, 20).try_into().unwrap();
            assert!(near(colour, wanted), "lossless {lossless}, {x}: {colour:?}");
        }
    }
}

#[test]
fn exif_turns_the_picture_with_or_without_its_prefix() {
    for number in 1..=8_u8 {
        let orientation = Orientation::from_exif(number).unwrap();
        let (width, height, rgb) = quarters(500, 300, orientation);
        let size = (u32::from(width), u32::from(height));
        let rgba: Vec<u8> = rgb
            .as_chunks::<3>()
            .0
            .iter()
            .flat_map(|&[r, g, b]| [r, g, b, 255])
            .collect();
        let picture = picture_chunks(&encode(&rgba, size, false));
        let plain = exif(number.into());
        for exif in [plain.clone(), [b"Exif\0\0", &plain[..]].concat()] {
            let whole = file(&[extended(8, size), picture.clone(), chunk(*b"EXIF", &exif)]);
            let inspection = inspect(&whole);
            assert_quarters(&inspection, &format!("orientation {number}"));
            assert_eq!((inspection.width, inspection.height), (500, 300));
            assert_eq!(inspection.metadata.orientation, Some(number));
        }
    }
}

#[test]
fn a_wide_gamut_is_brought_to_srgb() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    for lossless in [false, true] {
        let picture = picture_chunks(&encode(
            &[200, 60, 60, 255].repeat(320 * 240),
            (320, 240),
            lossless,
        ));
        let whole = file(&[extended(0x20, (320, 240)), chunk(*b"ICCP", &profile), picture]);
        let inspection = inspect(&whole);
        assert_red_of_srgb(&inspection);
    }
}

#[test]
fn a_profile_that_is_no_profile_costs_nothing() {
    let picture = picture_chunks(&encode(&pixels(SIZE), SIZE, false));
    for profile in [vec![], vec![7; 60], vec![0; 16 << 20]] {
        let whole = file(&[extended(0x20, SIZE), chunk(*b"ICCP", &profile), picture.clone()]);
        assert_quarters(&inspect(&whole), "a broken profile");
    }
}

#[test]
fn of_ten_thousand_frames_only_the_first_is_decoded() {
    let picture = picture_chunks(&encode(&pixels(SIZE), SIZE, false));
    let started = CpuTime::start();
    let one = file(&[extended(2, SIZE), frame((0, 0), SIZE, &picture)]);
    assert_quarters(&inspect(&one), "one frame");
    let took = started.elapsed();

    let small = picture_chunks(&encode(&pixels((16, 16)), (16, 16), true));
    let mut chunks = vec![
        extended(2, SIZE),
        chunk(*b"ANIM", &[0; 6]),
        frame((0, 0), SIZE, &picture),
    ];
    chunks.extend(std::iter::repeat_n(frame((0, 0), (16, 16), &small), 9_999));
    let whole = file(&chunks);
    let started = CpuTime::start();
    let inspection = inspect(&whole);
    assert_quarters(&inspection, "ten thousand frames");
    assert_eq!((inspection.width, inspection.height), SIZE);
    // A generous guard: decoding all of them would take hundreds of times as long.
    assert!(
        started.elapsed() < took * 20,
        "{:?} for {took:?}",
        started.elapsed()
    );
}

#[test]
fn a_first_frame_that_covers_a_part_lies_on_white() {
    for lossless in [false, true] {
        let picture = picture_chunks(&encode(&[220, 30, 30, 255].repeat(64 * 64), (64, 64), lossless));
        let whole = file(&[extended(2, (200, 160)), frame((100, 60), (64, 64), &picture)]);
        let inspection = inspect(&whole);
        assert_eq!(inspection.findings, []);
        assert_eq!((inspection.width, inspection.height), (200, 160));
        let seen = see(&inspection.thumbnails[0]);
        for (x, y, wanted) in [
            (130, 90, RED),
            (50, 90, [255; 3]),
            (190, 90, [255; 3]),
            (130, 20, [255; 3]),
            (130, 150, [255; 3]),
        ] {
            let colour = seen.at(x, y).try_into().unwrap();
            assert!(near(colour, wanted), "{x}, {y}: {colour:?}");
        }
    }
}

#[test]
fn frames_that_contradict_their_file_are_malformed() {
    let picture = picture_chunks(&encode(&pixels((64, 64)), (64, 64), false));
    for (what, chunks) in [
        (
            "beyond the canvas",
            vec![extended(2, (100, 100)), frame((50, 0), (64, 64), &picture)],
        ),
        (
            "below the canvas",
            vec![extended(2, (100, 100)), frame((0, 50), (64, 64), &picture)],
        ),
        (
            "of another size",
            vec![extended(2, (100, 100)), frame((0, 0), (64, 65), &picture)],
        ),
        (
            "without a picture",
            vec![extended(2, (100, 100)), frame((0, 0), (64, 64), &[])],
        ),
        (
            "a picture of another size",
            vec![extended(0, (100, 100)), picture.clone()],
        ),
        ("no header", vec![chunk(*b"VP8 ", &[0; 100])]),
        ("no lossless header", vec![chunk(*b"VP8L", &[0; 100])]),
        ("half a lossless header", vec![chunk(*b"VP8L", &[0x2F, 0])]),
    ] {
        assert_eq!(inspect(&file(&chunks)).findings, [corrupt("malformed")], "{what}");
    }
    assert_eq!(
        inspect(&file(&[extended(0, (9, 9))])).findings,
        [corrupt("truncated")]
    );
}

#[test]
fn a_file_that_ends_early_is_corrupt_wherever_it_ends() {
    for lossless in [false, true] {
        let noise: Vec<u8> = (0..97 * 61_u32)
            .flat_map(|at| {
                [at * 7 % 256, at * at % 251, at / 97, 255].map(|sample| u8::try_from(sample % 256).unwrap())
            })
            .collect();
        let size = (97, 61);
        let picture = picture_chunks(&encode(&noise, size, lossless));
        for whole in [
            encode(&noise, size, lossless),
            file(&[extended(8, size), picture.clone(), chunk(*b"EXIF", &exif(6))]),
            file(&[extended(2, size), frame((0, 0), size, &picture)]),
        ] {
            assert_eq!(inspect(&whole).findings, []);
            let step = (whole.len() / 400).max(1);
            for end in (12..whole.len()).step_by(step) {
                assert_refused(&whole[..end], "corrupt", &format!("{end} of {}", whole.len()));
            }
        }
    }
}

#[test]
fn a_picture_that_ends_early_within_a_sound_file_is_corrupt() {
    for lossless in [false, true] {
        let noise: Vec<u8> = (0..97 * 61_u32)
            .flat_map(|at| {
                [at * 7 % 256, at * at % 251, at / 97, 255].map(|sample| u8::try_from(sample % 256).unwrap())
            })
            .collect();
        let chunks = picture_chunks(&encode(&noise, (97, 61), lossless));
        let (kind, content) = (chunks[..4].try_into().unwrap(), &chunks[8..]);
        for part in 1..20 {
            let whole = file(&[chunk(kind, &content[..content.len() * part / 20])]);
            assert_refused(&whole, "corrupt", &format!("{part} of 20, lossless {lossless}"));
        }
    }
}

#[test]
fn flipped_bits_never_break_anything() {
    for lossless in [false, true] {
        let whole = encode(&pixels((97, 61)), (97, 61), lossless);
        assert_flips_are_borne(&whole, 12..whole.len().min(600));
    }
}

#[test]
fn dimensions_are_judged_before_anything_is_allocated() {
    // The largest that the format can say.
    let lossless = file(&[chunk(*b"VP8L", &[0x2F, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0])]);
    let lossy = file(&[chunk(
        *b"VP8 ",
        &[0x10, 0, 0, 0x9D, 0x01, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F],
    )]);
    let canvas = file(&[
        extended(2, (1 << 24, 1 << 24)),
        frame(
            (0, 0),
            (16, 16),
            &picture_chunks(&encode(&pixels((16, 16)), (16, 16), false)),
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
fn the_thinnest_and_the_smallest_are_read() {
    for size in [(1, 1), (16_383, 1), (1, 16_383), (2, 1), (3, 3)] {
        for lossless in [false, true] {
            let rgba = [200, 200, 200, 255].repeat((size.0 * size.1) as usize);
            let inspection = inspect(&encode(&rgba, size, lossless));
            assert_eq!(inspection.findings, [], "{size:?}");
            let seen = see(&inspection.thumbnails[0]);
            assert!(
                seen.at(0, 0)[0].abs_diff(200) <= 2,
                "{size:?}: {:?}",
                seen.at(0, 0)
            );
        }
    }
}

#[test]
fn what_follows_the_end_does_not_matter() {
    let whole = encode(&pixels(SIZE), SIZE, false);
    for rest in [
        vec![0; 100_000],
        b"<script>alert(1)</script>".to_vec(),
        whole.clone(),
    ] {
        assert_quarters(&inspect(&[whole.clone(), rest].concat()), "with a rest");
    }
}
