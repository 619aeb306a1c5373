//! PNG files of every kind come out right in colour and upright; what is odd in them costs nothing.

#[cfg(test)]
mod pictures;

use moxcms::ColorProfile;
use pictures::{
    cpu_time::CpuTime,
    png::{Png, chunk},
    *,
};
use rapidphoto_application::ports::InspectionLimits;
use rapidphoto_domain::{
    photo::{Check, Finding},
    values::MimeType,
};
use rapidphoto_sample_photos::Orientation;

const SIZE: (u32, u32) = (301, 203);

fn eight(x: u32, y: u32, size: (u32, u32)) -> Vec<u16> {
    quarter(x, y, size).map(u16::from).to_vec()
}

/// A colour file with these chunks before its pixels.
#[cfg(test)]
fn with(chunks: Vec<Vec<u8>>) -> Vec<u8> {
    let kind = Png {
        before: chunks,
        ..Png::new(SIZE, 8, 2)
    };
    kind.file(|x, y| eight(x, y, SIZE))
}

fn compressed(name: &str, data: &[u8]) -> Vec<u8> {
    [name.as_bytes(), &[0, 0], &fdeflate::compress_to_vec(data)].concat()
}

#[test]
fn colours_are_right_at_every_depth_and_size() {
    for size in [SIZE, (1501, 700), (40, 33)] {
        for depth in [8_u8, 16] {
            for colour in [2_u8, 6] {
                for interlaced in [false, true] {
                    let kind = Png {
                        interlaced,
                        ..Png::new(size, depth, colour)
                    };
                    let file = kind.file(|x, y| {
                        let mut pixel = eight(x, y, size);
                        if colour == 6 {
                            pixel.push(255);
                        }
                        let most = if depth == 16 { 257 } else { 1 };
                        pixel.iter().map(|sample| sample * most).collect()
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
fn palettes_give_their_colours() {
    for depth in [2, 4, 8] {
        for interlaced in [false, true] {
            let kind = Png {
                interlaced,
                before: vec![chunk(*b"PLTE", &CORNERS.concat())],
                ..Png::new(SIZE, depth, 3)
            };
            let file = kind.file(|x, y| {
                let colour = quarter(x, y, SIZE);
                let index = CORNERS.iter().position(|&corner| corner == colour).unwrap();
                vec![u16::try_from(index).unwrap()]
            });
            assert_quarters(&inspect(&file), &format!("{depth} bits, interlaced {interlaced}"));
        }
    }
}

#[test]
fn grey_stays_grey_at_every_depth() {
    for depth in [1, 2, 4, 8, 16_u8] {
        for interlaced in [false, true] {
            let kind = Png {
                interlaced,
                ..Png::new((600, 300), depth, 0)
            };
            let most = u16::try_from((1_u32 << depth) - 1).unwrap();
            let file = kind.file(|x, _| vec![if x < 300 { 0 } else { most }]);
            let inspection = inspect(&file);
            assert_eq!(inspection.findings, []);
            for thumbnail in &inspection.thumbnails {
                let seen = see(thumbnail);
                assert_eq!(seen.channels, 1);
                assert!(seen.at(seen.width / 4, 9)[0] <= 2, "{depth} bits");
                assert!(seen.at(seen.width * 3 / 4, 9)[0] >= 253, "{depth} bits");
            }
        }
    }
}

#[test]
fn what_can_be_seen_through_shows_white() {
    // Half of red over white; nothing at all; all of blue.
    let pixel = |x: u32| match x / 100 {
        0 => ([255, 0, 0], 128),
        1 => ([0, 0, 0], 0),
        _ => ([0, 0, 255], 255),
    };
    let colours = Png::new((300, 64), 8, 6).file(|x, _| {
        let ([red, green, blue], alpha) = pixel(x);
        vec![red, green, blue, alpha]
    });
    let seen = see(&inspect(&colours).thumbnails[0]);
    for (x, wanted) in [(40, [255, 127, 127]), (128, [255, 255, 255]), (215, [0, 0, 255])] {
        let colour = seen.at(x, 20).try_into().unwrap();
        assert!(near(colour, wanted), "{x}: {colour:?}");
    }

    let grey = Png::new((300, 64), 8, 4).file(|x, _| vec![0, pixel(x).1]);
    let seen = see(&inspect(&grey).thumbnails[0]);
    for (x, wanted) in [(40, 127), (128, 255), (215, 0)] {
        assert!(seen.at(x, 20)[0].abs_diff(wanted) <= 3, "{x}");
    }
}

#[test]
fn a_colour_that_is_called_transparent_shows_white() {
    let mut palette = Png::new((64, 64), 8, 3);
    palette.before = vec![chunk(*b"PLTE", &[9, 9, 9, 200, 0, 0]), chunk(*b"tRNS", &[0])];
    let mut plain = Png::new((64, 64), 8, 2);
    plain.before = vec![chunk(*b"tRNS", &[0, 9, 0, 9, 0, 9])];
    let mut grey = Png::new((64, 64), 8, 0);
    grey.before = vec![chunk(*b"tRNS", &[0, 9])];
    let files = [
        palette.file(|_, _| vec![0]),
        plain.file(|_, _| vec![9; 3]),
        grey.file(|_, _| vec![9]),
    ];
    for file in files {
        let inspection = inspect(&file);
        assert_eq!(inspection.findings, []);
        let seen = see(&inspection.thumbnails[0]);
        assert!(seen.at(30, 30).iter().all(|&sample| sample >= 253));
    }
}

#[test]
fn exif_turns_the_picture_wherever_it_stands() {
    for number in 1..=8_u8 {
        let orientation = Orientation::from_exif(number).unwrap();
        let (width, height, pixels) = quarters(500, 300, orientation);
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
        for kind in [before, after] {
            let inspection = inspect(&kind.file(pixel));
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
fn a_wide_gamut_is_brought_to_srgb() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let kind = Png {
        before: vec![chunk(*b"iCCP", &compressed("Display P3", &profile))],
        ..Png::new((320, 240), 8, 2)
    };
    let inspection = inspect(&kind.file(|_, _| RED_OF_P3.map(u16::from).to_vec()));
    assert_red_of_srgb(&inspection);
}

#[test]
fn a_profile_or_text_that_is_a_bomb_is_never_inflated() {
    const BOMBS: u32 = 40;
    let bomb = fdeflate::compress_to_vec(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    let inspecting = |chunks: Vec<Vec<u8>>| {
        let file = with(chunks);
        let started = CpuTime::start();
        assert_quarters(&inspect(&file), "a bomb");
        started.elapsed()
    };
    let started = CpuTime::start();
    assert_eq!(
        fdeflate::decompress_to_vec(&bomb).map(|zeros| zeros.len()),
        Ok(64 << 20)
    );
    let inflating = started.elapsed();
    let plain = inspecting(vec![]);
    for bombs in [
        chunk(*b"iCCP", &[b"x\0\0", &bomb[..]].concat()),
        chunk(*b"zTXt", &[b"Comment\0\0", &bomb[..]].concat()),
        chunk(*b"iTXt", &[b"Comment\0\x01\0\0\0", &bomb[..]].concat()),
    ] {
        // Of a profile, as much as a profile may have is inflated to find that it has more.
        let took = inspecting(vec![bombs; BOMBS as usize]);
        assert!(
            took < plain * 5 + inflating * BOMBS / 4,
            "{took:?}, {plain:?} without, {inflating:?} for each"
        );
    }
}

#[test]
fn blocks_of_nothing_are_not_inflated_for_ever() {
    let pixels = vec![0; (SIZE.0 as usize * 3 + 1) * SIZE.1 as usize];
    let stream = fdeflate::compress_to_vec(&pixels);
    let with = |blocks: usize| {
        // An empty stored block each, behind the stream's head.
        let nothing = [0, 0, 0, 0xFF, 0xFF].repeat(blocks);
        let stream = [&stream[..2], &nothing, &stream[2..]].concat();
        inspect(&Png::new(SIZE, 8, 2).around(&stream)).findings
    };
    assert_eq!(with(1000), []);
    assert_eq!(with(1 << 20), [corrupt("too_many_parts")]);
    // In a profile they are as little worth.
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let stream = fdeflate::compress_to_vec(&profile);
    let profile = |blocks: usize| {
        let nothing = [0, 0, 0, 0xFF, 0xFF].repeat(blocks);
        let content = [&b"x\0\0"[..], &stream[..2], &nothing, &stream[2..]].concat();
        let kind = Png {
            before: vec![chunk(*b"iCCP", &content)],
            ..Png::new((320, 240), 8, 2)
        };
        inspect(&kind.file(|_, _| RED_OF_P3.map(u16::from).to_vec()))
    };
    assert_red_of_srgb(&profile(1000));
    let ignored = see(&profile(1 << 20).thumbnails[0]);
    assert!(near(ignored.at(9, 9).try_into().unwrap(), RED_OF_P3));
}

#[test]
fn a_profile_that_is_no_profile_costs_nothing() {
    for profile in [
        compressed("x", &[7; 60]),
        compressed("x", &vec![7; 16 << 20]),
        compressed(&"x".repeat(90), &[7; 60]),
        b"x\0\0no stream".to_vec(),
        b"x\0\x01another way".to_vec(),
        b"x".to_vec(),
        vec![],
    ] {
        assert_quarters(
            &inspect(&with(vec![chunk(*b"iCCP", &profile)])),
            "a broken profile",
        );
    }
}

#[test]
fn of_an_animation_the_default_image_is_shown() {
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
    let kind = Png {
        before: vec![
            control,
            chunk(*b"fcTL", &[vec![0; 4], frame[4..].to_vec()].concat()),
        ],
        after: vec![after],
        ..Png::new(SIZE, 8, 2)
    };
    assert_quarters(&inspect(&kind.file(|x, y| eight(x, y, SIZE))), "an animation");
}

#[test]
fn what_follows_the_end_does_not_matter() {
    let file = with(vec![]);
    for rest in [
        vec![0; 100_000],
        b"<script>alert(1)</script>".to_vec(),
        file.clone(),
    ] {
        assert_quarters(&inspect(&[file.clone(), rest].concat()), "with a rest");
    }
}

#[test]
fn a_file_that_ends_early_is_corrupt_wherever_it_ends() {
    for interlaced in [false, true] {
        let kind = Png {
            interlaced,
            before: vec![chunk(*b"tEXt", b"Comment\0none")],
            ..Png::new((97, 61), 8, 2)
        };
        let file = kind.file(|x, y| vec![(x * y % 256) as u16, (x * x % 251) as u16, ((x ^ y) % 256) as u16]);
        assert_eq!(inspect(&file).findings, []);
        let step = (file.len() / 400).max(1);
        for end in (8..file.len()).step_by(step).chain(file.len() - 30..file.len()) {
            assert_eq!(
                inspect(&file[..end]).findings,
                [corrupt("truncated")],
                "{end} of {}",
                file.len()
            );
        }
    }
}

#[test]
fn a_flipped_bit_in_the_pixels_is_noticed() {
    let file = Png::new((97, 61), 8, 2).file(|x, y| eight(x, y, (97, 61)));
    let start = file.windows(4).position(|kind| kind == b"IDAT").unwrap();
    for at in (start..file.len() - 12).step_by(7) {
        let mut flipped = file.clone();
        flipped[at] ^= 1 << (at % 8);
        assert_refused(&flipped, "corrupt", &format!("bit in byte {at}"));
    }
}

#[test]
fn rows_that_end_behind_sound_check_sums_are_corrupt() {
    // Half of the rows, in a stream that is whole by itself.
    let rows = vec![0; 31 * 301];
    let whole = vec![0; 61 * 301];
    let kind = Png::new((100, 61), 8, 2);
    assert_eq!(
        inspect(&kind.around(&fdeflate::compress_to_vec(&whole))).findings,
        []
    );
    assert_eq!(
        inspect(&kind.around(&fdeflate::compress_to_vec(&rows))).findings,
        [corrupt("undecodable")]
    );
    // A sum of another stream.
    let mut stream = fdeflate::compress_to_vec(&whole);
    *stream.last_mut().unwrap() ^= 1;
    assert_eq!(inspect(&kind.around(&stream)).findings, [corrupt("undecodable")]);
}

#[test]
fn dimensions_are_judged_before_anything_is_allocated() {
    let claimed = |size: (u32, u32)| Png::new(size, 16, 6).around(&fdeflate::compress_to_vec(&[0; 64]));
    assert_eq!(inspect(&claimed((0, 10))).findings, [corrupt("no_pixels")]);
    assert_eq!(inspect(&claimed((10, 0))).findings, [corrupt("no_pixels")]);
    assert_eq!(inspect(&claimed((9_000, 9_000))).findings, [corrupt("truncated")]);
    for size in [(65_500, 65_500), (u32::MAX >> 1, u32::MAX >> 1), (u32::MAX, 1)] {
        let inspection = inspect(&claimed(size));
        let pixels = u64::from(size.0) * u64::from(size.1);
        assert!(
            inspection
                .findings
                .contains(&Finding::measured(Check::TooManyPixels, pixels, 100_000_000)),
            "{:?}",
            inspection.findings
        );
        assert!(inspection.thumbnails.is_empty());
    }
    let limits = InspectionLimits {
        max_pixels: 301 * 203 - 1,
        min_edge: Some(204),
    };
    let file = with(vec![]);
    assert_eq!(
        inspect_within(&file, limits).findings,
        [
            Finding::measured(Check::TooManyPixels, 301 * 203, 301 * 203 - 1),
            Finding::measured(Check::TooSmallResolution, 203, 204),
        ]
    );
}

#[test]
fn the_thinnest_and_the_smallest_are_read() {
    for size in [(1, 1), (65_535, 1), (1, 65_535), (2, 1), (1, 2), (3, 3)] {
        for interlaced in [false, true] {
            for colour in [0, 2] {
                let kind = Png {
                    interlaced,
                    ..Png::new(size, 8, colour)
                };
                let inspection = inspect(&kind.file(|_, _| vec![200; if colour == 0 { 1 } else { 3 }]));
                assert_eq!(inspection.findings, [], "{size:?}");
                let seen = see(&inspection.thumbnails[0]);
                assert!(seen.at(0, 0)[0].abs_diff(200) <= 2, "{size:?}");
            }
        }
    }
}

#[test]
fn chunks_that_contradict_the_format_are_malformed() {
    let end = chunk(*b"IEND", &[]);
    let mut header = SIZE.0.to_be_bytes().to_vec();
    header.extend(SIZE.1.to_be_bytes());
    let head = |rest: &[u8]| chunk(*b"IHDR", &[&header[..], rest].concat());
    let cases = [
        ("no header", chunk(*b"IDAT", &[0])),
        (
            "two headers",
            [head(&[8, 2, 0, 0, 0]), head(&[8, 2, 0, 0, 0])].concat(),
        ),
        ("a short header", chunk(*b"IHDR", &[0; 12])),
        ("3 bits", head(&[3, 0, 0, 0, 0])),
        ("colour 5", head(&[8, 5, 0, 0, 0])),
        ("another compression", head(&[8, 2, 1, 0, 0])),
        ("another filter", head(&[8, 2, 0, 1, 0])),
        ("another interlacing", head(&[8, 2, 0, 0, 2])),
        (
            "pixels in two places",
            [
                head(&[8, 2, 0, 0, 0]),
                chunk(*b"IDAT", &[0]),
                chunk(*b"tEXt", b"a\0b"),
                chunk(*b"IDAT", &[0]),
            ]
            .concat(),
        ),
        (
            "a type of no letters",
            [head(&[8, 2, 0, 0, 0]), chunk(*b"\0\0\0\0", &[])].concat(),
        ),
        (
            "a palette of palettes",
            [head(&[8, 3, 0, 0, 0]), chunk(*b"PLTE", &[1, 2, 3]).repeat(1000)].concat(),
        ),
    ];
    for (what, chunks) in cases {
        let file = [b"\x89PNG\r\n\x1a\n", &chunks[..], &end].concat();
        assert_eq!(inspect(&file).findings, [corrupt("malformed")], "{what}");
    }
    let no_palette = Png::new((4, 4), 8, 3).file(|_, _| vec![0]);
    assert_eq!(inspect(&no_palette).findings, [corrupt("undecodable")]);
}

#[test]
fn kinds_that_can_not_be_read_are_named() {
    let apple = [
        b"\x89PNG\r\n\x1a\n",
        &chunk(*b"CgBI", &[0; 4])[..],
        &with(vec![])[8..],
    ]
    .concat();
    assert_eq!(
        inspect(&apple).findings,
        [unsupported("image/png in Apple's own way")]
    );
    let strange = with(vec![chunk(*b"XyZW", &[0; 4])]);
    assert_eq!(
        inspect(&strange).findings,
        [unsupported("image/png with unknown necessary parts")]
    );
}
