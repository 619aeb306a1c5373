//! The first frame of a GIF comes out right in colour; whatever follows it costs nothing.

#[cfg(test)]
mod pictures;

use gif::{DisposalMethod, Encoder, Frame, Repeat};
use pictures::{cpu_time::CpuTime, *};
use rapidphoto_domain::{
    photo::{Check, Finding},
    values::MimeType,
};

const SIZE: (u16, u16) = (1301, 903);

/// A frame of four quarters, by indices into the palette of the corners' colours.
#[cfg(test)]
fn quarters_of((width, height): (u16, u16)) -> Frame<'static> {
    let indices: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| {
            let colour = quarter(x.into(), y.into(), (width.into(), height.into()));
            u8::try_from(CORNERS.iter().position(|&corner| corner == colour).unwrap()).unwrap()
        })
        .collect();
    Frame {
        width,
        height,
        buffer: indices.into(),
        ..Frame::default()
    }
}

#[cfg(test)]
fn file((width, height): (u16, u16), palette: &[u8], frames: &[Frame<'_>]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height, palette).unwrap();
    for frame in frames {
        encoder.write_frame(frame).unwrap();
    }
    drop(encoder);
    file
}

/// One colour everywhere.
#[cfg(test)]
fn plain((width, height): (u16, u16), index: u8) -> Frame<'static> {
    Frame {
        width,
        height,
        buffer: vec![index; usize::from(width) * usize::from(height)].into(),
        ..Frame::default()
    }
}

#[test]
fn colours_are_right_whosever_the_palette_is() {
    for size in [SIZE, (300, 200), (33, 47)] {
        let shared = file(size, &CORNERS.concat(), &[quarters_of(size)]);
        let own = Frame {
            palette: Some(CORNERS.concat()),
            ..quarters_of(size)
        };
        for file in [
            shared,
            file(size, &[], std::slice::from_ref(&own)),
            file(size, &[0; 768], &[own]),
        ] {
            let inspection = inspect(&file);
            assert_quarters(&inspection, &format!("{size:?}"));
            assert_eq!(
                (inspection.width, inspection.height),
                (size.0.into(), size.1.into())
            );
            assert_eq!(inspection.mime_type, Some(MimeType::Gif));
        }
    }
}

#[test]
fn interlaced_rows_come_out_in_order() {
    for height in [1, 2, 5, 64, 903] {
        let size = (64, height);
        let plain = quarters_of(size);
        let rows: Vec<&[u8]> = plain.buffer.chunks(64).collect();
        let passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
        let interlaced: Vec<u8> = passes
            .into_iter()
            .flat_map(|(first, step)| rows.iter().skip(first).step_by(step).copied().flatten().copied())
            .collect();
        let frame = Frame {
            interlaced: true,
            buffer: interlaced.into(),
            ..plain.clone()
        };
        let inspection = inspect(&file(size, &CORNERS.concat(), &[frame]));
        let straight = inspect(&file(size, &CORNERS.concat(), &[plain]));
        assert_eq!(inspection.findings, []);
        assert_eq!(inspection.thumbnails, straight.thumbnails, "{height} rows");
    }
}

#[test]
fn what_can_be_seen_through_shows_white() {
    let frame = Frame {
        transparent: Some(1),
        ..quarters_of((300, 200))
    };
    let seen = see(&inspect(&file((300, 200), &CORNERS.concat(), &[frame])).thumbnails[0]);
    let corners = seen.corners();
    for (corner, wanted) in corners.into_iter().zip([RED, [255; 3], BLUE, WHITE]) {
        assert!(near(corner, wanted), "{corners:?}");
    }
}

#[test]
fn a_frame_that_covers_a_part_lies_on_white_and_is_cut_at_the_edge() {
    let frame = Frame {
        left: 100,
        top: 60,
        ..plain((80, 64), 0)
    };
    let inspection = inspect(&file((150, 200), &CORNERS.concat(), &[frame]));
    assert_eq!(inspection.findings, []);
    assert_eq!((inspection.width, inspection.height), (150, 200));
    let seen = see(&inspection.thumbnails[0]);
    for (x, y, wanted) in [
        (125, 90, RED),
        (147, 90, RED),
        (50, 90, [255; 3]),
        (125, 20, [255; 3]),
        (125, 180, [255; 3]),
    ] {
        let colour = seen.at(x, y).try_into().unwrap();
        assert!(near(colour, wanted), "{x}, {y}: {colour:?}");
    }
    let beyond = Frame {
        left: 150,
        top: 200,
        ..plain((80, 64), 0)
    };
    let inspection = inspect(&file((150, 200), &CORNERS.concat(), &[beyond]));
    assert_eq!(inspection.findings, []);
    let seen = see(&inspection.thumbnails[0]);
    assert!(near(seen.at(140, 190).try_into().unwrap(), [255; 3]));
}

#[test]
fn a_screen_that_is_missing_or_too_small_counts_for_nothing() {
    let size = (300, 200);
    for screen in [(0, 0), (0, 200), (299, 1000), (1000, 199)] {
        let frame = Frame {
            left: 7,
            top: 9,
            ..quarters_of(size)
        };
        let mut whole = file(size, &CORNERS.concat(), &[frame]);
        let [width, height] = [screen.0, screen.1].map(u16::to_le_bytes);
        whole[6..10].copy_from_slice(&[width, height].concat());
        let inspection = inspect(&whole);
        assert_quarters(&inspection, &format!("{screen:?}"));
        assert_eq!((inspection.width, inspection.height), (300, 200));
    }
}

#[test]
fn of_ten_thousand_frames_only_the_first_is_decoded() {
    let size = (1000, 800);
    let one = file(size, &CORNERS.concat(), &[quarters_of(size)]);
    let started = CpuTime::start();
    assert_quarters(&inspect(&one), "one frame");
    let took = started.elapsed();

    // Written once: all other frames are the same.
    let second = Frame {
        dispose: DisposalMethod::Background,
        ..plain(size, 1)
    };
    let two = file(size, &CORNERS.concat(), &[quarters_of(size), second]);
    let mut whole = one[..one.len() - 1].to_vec();
    whole.extend(two[one.len() - 1..two.len() - 1].repeat(9_999));
    whole.push(0x3B);
    let started = CpuTime::start();
    assert_quarters(&inspect(&whole), "ten thousand frames");
    // A generous guard: decoding all of them would take thousands of times as long.
    assert!(
        started.elapsed() < took * 50,
        "{:?} for {took:?}",
        started.elapsed()
    );
}

#[test]
fn a_picture_that_is_a_script_as_well_is_a_picture_alone() {
    let mut polyglot = file((0x2A2F, 64), &CORNERS.concat(), &[plain((300, 64), 0)]);
    // The width reads `/*`; whatever comes after the picture closes the comment and runs.
    assert_eq!(&polyglot[..8], b"GIF89a/*");
    polyglot.extend(b"*/=1;alert(document.domain);//");
    let inspection = inspect(&polyglot);
    assert_eq!(inspection.findings, []);
    assert_eq!(inspection.mime_type, Some(MimeType::Gif));
    let script = b"alert";
    for thumbnail in &inspection.thumbnails {
        assert!(thumbnail.jpeg.starts_with(&[0xFF, 0xD8, 0xFF]));
        assert!(!thumbnail.jpeg.windows(script.len()).any(|part| part == script));
    }
    // A signature alone makes no picture.
    assert_refused(b"GIF89a/**/=1;alert(1)", "corrupt", "a script");
}

/// Where the LZW data of a file's first frame begin: the sub-blocks behind the bits of their first codes.
#[cfg(test)]
fn data_of(file: &[u8]) -> usize {
    let frame = file.windows(2).position(|start| start == [0x2C, 0]).unwrap();
    assert_eq!(file[frame + 9] & 0x80, 0, "no palette of its own");
    frame + 11
}

#[test]
fn codes_that_begin_anew_for_ever_are_refused() {
    let size = (90, 70);
    let noise = |x: usize| u8::try_from((x * x / 7 + x * 31) % 256).unwrap();
    let frame = Frame {
        buffer: (0..90 * 70).map(noise).collect::<Vec<_>>().into(),
        ..plain(size, 0)
    };
    let honest = file(size, &[99; 768], &[frame]);
    assert_eq!(inspect(&honest).findings, []);
    let data = data_of(&honest);
    assert_eq!(honest[data - 1], 8);
    // Eight times the code of nine bits that begins anew are nine bytes.
    let eight = [0x00, 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80];
    let with = |times: usize| {
        let flood = eight.repeat(times);
        let blocks = flood.chunks(255).flat_map(|block| {
            let length = u8::try_from(block.len()).unwrap();
            std::iter::once(length).chain(block.iter().copied())
        });
        let blocks: Vec<u8> = blocks.collect();
        [&honest[..data], &blocks, &honest[data..]].concat()
    };
    assert_eq!(inspect(&with(100)).findings, [], "pointless, and harmless");
    assert_eq!(inspect(&with(1_000_000)).findings, [corrupt("too_many_parts")]);
    let mut other = honest;
    for bits in [0, 9, 11, 12, 255] {
        other[data - 1] = bits;
        assert_eq!(inspect(&other).findings, [corrupt("malformed")], "{bits} bits");
    }
}

#[test]
fn what_stands_around_the_frames_does_not_matter() {
    let mut whole = Vec::new();
    let mut encoder = Encoder::new(&mut whole, SIZE.0, SIZE.1, &CORNERS.concat()).unwrap();
    encoder.set_repeat(Repeat::Infinite).unwrap();
    let comments = vec![&[b'x'; 200][..]; 20_000];
    encoder
        .write_raw_extension(gif::AnyExtension(0xFE), &comments)
        .unwrap();
    encoder.write_frame(&quarters_of(SIZE)).unwrap();
    drop(encoder);
    assert_quarters(&inspect(&whole), "comments");
    assert_quarters(&inspect(&whole[..whole.len() - 1]), "without a trailer");
    for rest in [
        vec![0; 100_000],
        b"<script>alert(1)</script>".to_vec(),
        whole.clone(),
    ] {
        assert_quarters(&inspect(&[whole.clone(), rest.clone()].concat()), "with a rest");
        assert_quarters(
            &inspect(&[&whole[..whole.len() - 1], &rest].concat()),
            "with a rest in place of a trailer",
        );
    }
}

#[test]
fn a_file_that_ends_early_is_corrupt_wherever_it_ends() {
    let noise: Vec<u8> = (0..97 * 61_u32)
        .map(|at| u8::try_from(at * at % 251 % 4).unwrap())
        .collect();
    let frame = Frame {
        width: 97,
        height: 61,
        buffer: noise.into(),
        ..Frame::default()
    };
    let whole = file((97, 61), &CORNERS.concat(), &[frame]);
    assert_eq!(inspect(&whole).findings, []);
    for end in 6..whole.len() - 1 {
        assert_refused(&whole[..end], "corrupt", &format!("{end} of {}", whole.len()));
    }
}

#[test]
fn pixels_that_end_early_within_sound_blocks_are_corrupt() {
    let size = (200, 200);
    let half = Frame {
        height: 100,
        buffer: quarters_of(size).buffer[..200 * 100].to_vec().into(),
        ..quarters_of(size)
    };
    let mut whole = file(size, &CORNERS.concat(), &[half]);
    // The descriptor speaks of more rows than there are.
    let descriptor = whole.iter().skip(25).position(|&byte| byte == 0x2C).unwrap() + 25;
    assert_eq!(whole[descriptor + 7..descriptor + 9], [100, 0]);
    whole[descriptor + 7] = 200;
    assert_eq!(inspect(&whole).findings, [corrupt("undecodable")]);
}

#[test]
fn flipped_bits_never_break_anything() {
    let whole = file((97, 61), &CORNERS.concat(), &[quarters_of((97, 61))]);
    assert_flips_are_borne(&whole, 6..whole.len());
}

#[test]
fn dimensions_are_judged_before_anything_is_allocated() {
    let whole = file((64, 64), &CORNERS.concat(), &[plain((64, 64), 0)]);
    let descriptor = whole.iter().skip(25).position(|&byte| byte == 0x2C).unwrap() + 25;
    let claimed = |screen: u16, frame: u16| {
        let mut whole = whole.clone();
        let [screen, frame] = [screen, frame].map(u16::to_le_bytes);
        whole[6..10].copy_from_slice(&[screen, screen].concat());
        whole[descriptor + 5..descriptor + 9].copy_from_slice(&[frame, frame].concat());
        inspect(&whole)
    };
    assert!(claimed(65_500, 65_500).findings.contains(&Finding::measured(
        Check::TooManyPixels,
        65_500 * 65_500,
        100_000_000
    )));
    assert_eq!(claimed(9_000, 9_000).findings, [corrupt("truncated")]);
    assert_eq!(codes(&claimed(64, 65_500)), ["too_many_pixels", "corrupt"]);
    assert_eq!(claimed(64, 0).findings, [corrupt("no_pixels")]);
}

#[test]
fn the_thinnest_and_the_smallest_are_read() {
    for size in [(1, 1), (65_535, 1), (1, 65_535), (2, 1), (3, 3)] {
        let inspection = inspect(&file(size, &[200; 6], &[plain(size, 0)]));
        assert_eq!(inspection.findings, [], "{size:?}");
        let seen = see(&inspection.thumbnails[0]);
        assert!(seen.at(0, 0)[0].abs_diff(200) <= 2, "{size:?}");
    }
}

#[test]
fn a_file_without_a_frame_or_a_palette_is_corrupt() {
    let none = file((64, 64), &CORNERS.concat(), &[]);
    assert_eq!(inspect(&none).findings, [corrupt("no_pixels")]);
    let mut colourless = file((64, 64), &CORNERS.concat(), &[plain((64, 64), 0)]);
    colourless[10] &= 0x7F;
    colourless.drain(13..13 + CORNERS.len() * 3);
    assert_eq!(inspect(&colourless).findings, [corrupt("undecodable")]);
}
