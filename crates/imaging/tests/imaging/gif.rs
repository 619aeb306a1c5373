//! GIF files. Only the first frame is decoded.

use ::gif::{AnyExtension, DisposalMethod, Encoder, Frame, Repeat};
use rapidphoto_domain::{
    photo::{Check, Finding},
    values::MimeType,
};

use crate::fixtures::{cpu_time::CpuTime, *};

const SIZE: (u16, u16) = (1301, 903);

/// A frame of four quarters, as indices into the palette [`CORNERS`].
fn quarters_frame((width, height): (u16, u16)) -> Frame<'static> {
    let indices: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| {
            let colour = quarter_colour(x.into(), y.into(), (width.into(), height.into()));
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

fn file((width, height): (u16, u16), palette: &[u8], frames: &[Frame<'_>]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height, palette).unwrap();
    for frame in frames {
        encoder.write_frame(frame).unwrap();
    }
    drop(encoder);
    file
}

/// A frame of one colour.
fn solid_frame((width, height): (u16, u16), index: u8) -> Frame<'static> {
    Frame {
        width,
        height,
        buffer: vec![index; usize::from(width) * usize::from(height)].into(),
        ..Frame::default()
    }
}

/// Position of the first LZW sub-block, after the minimum code size. The first frame must have no local palette.
fn lzw_data_position(file: &[u8]) -> usize {
    let frame = file.windows(2).position(|start| start == [0x2C, 0]).unwrap();
    assert_eq!(file[frame + 9] & 0x80, 0, "no local palette");
    frame + 11
}

#[test]
fn global_and_local_palettes_give_the_right_colours() {
    for size in [SIZE, (300, 200), (33, 47)] {
        let with_global_palette = file(size, &CORNERS.concat(), &[quarters_frame(size)]);
        let with_local_palette = Frame {
            palette: Some(CORNERS.concat()),
            ..quarters_frame(size)
        };
        for file in [
            with_global_palette,
            file(size, &[], std::slice::from_ref(&with_local_palette)),
            file(size, &[0; 768], &[with_local_palette]),
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
fn interlaced_rows_are_put_in_order() {
    for height in [1, 2, 5, 64, 903] {
        let size = (64, height);
        let sequential = quarters_frame(size);
        let rows: Vec<&[u8]> = sequential.buffer.chunks(64).collect();
        let passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
        let interlaced: Vec<u8> = passes
            .into_iter()
            .flat_map(|(first, step)| rows.iter().skip(first).step_by(step).copied().flatten().copied())
            .collect();
        let frame = Frame {
            interlaced: true,
            buffer: interlaced.into(),
            ..sequential.clone()
        };
        let inspection = inspect(&file(size, &CORNERS.concat(), &[frame]));
        let expected = inspect(&file(size, &CORNERS.concat(), &[sequential]));
        assert_eq!(inspection.findings, []);
        assert_eq!(inspection.thumbnails, expected.thumbnails, "{height} rows");
    }
}

#[test]
fn transparent_pixels_become_white() {
    let frame = Frame {
        transparent: Some(1),
        ..quarters_frame((300, 200))
    };
    let decoded = decode(&inspect(&file((300, 200), &CORNERS.concat(), &[frame])).thumbnails[0]);
    let corners = decoded.corners();
    for (corner, expected) in corners.into_iter().zip([RED, [255; 3], BLUE, WHITE]) {
        assert!(is_near(corner, expected), "{corners:?}");
    }
}

#[test]
fn a_partial_frame_lies_on_white_and_is_clipped() {
    let frame = Frame {
        left: 100,
        top: 60,
        ..solid_frame((80, 64), 0)
    };
    let inspection = inspect(&file((150, 200), &CORNERS.concat(), &[frame]));
    assert_eq!(inspection.findings, []);
    assert_eq!((inspection.width, inspection.height), (150, 200));
    let decoded = decode(&inspection.thumbnails[0]);
    for (x, y, expected) in [
        (125, 90, RED),
        (147, 90, RED),
        (50, 90, [255; 3]),
        (125, 20, [255; 3]),
        (125, 180, [255; 3]),
    ] {
        let colour = decoded.at(x, y).try_into().unwrap();
        assert!(is_near(colour, expected), "{x}, {y}: {colour:?}");
    }
    let beyond = Frame {
        left: 150,
        top: 200,
        ..solid_frame((80, 64), 0)
    };
    let inspection = inspect(&file((150, 200), &CORNERS.concat(), &[beyond]));
    assert_eq!(inspection.findings, []);
    let decoded = decode(&inspection.thumbnails[0]);
    assert!(is_near(decoded.at(140, 190).try_into().unwrap(), [255; 3]));
}

#[test]
fn a_logical_screen_smaller_than_its_frame_is_ignored() {
    let size = (300, 200);
    for screen in [(0, 0), (0, 200), (299, 1000), (1000, 199)] {
        let frame = Frame {
            left: 7,
            top: 9,
            ..quarters_frame(size)
        };
        let mut screened = file(size, &CORNERS.concat(), &[frame]);
        let [width, height] = [screen.0, screen.1].map(u16::to_le_bytes);
        screened[6..10].copy_from_slice(&[width, height].concat());
        let inspection = inspect(&screened);
        assert_quarters(&inspection, &format!("{screen:?}"));
        assert_eq!((inspection.width, inspection.height), (300, 200));
    }
}

#[test]
fn only_the_first_of_ten_thousand_frames_is_decoded() {
    let size = (1000, 800);
    let one = file(size, &CORNERS.concat(), &[quarters_frame(size)]);
    let start = CpuTime::start();
    assert_quarters(&inspect(&one), "one frame");
    let took = start.elapsed();

    // The second frame is encoded once and repeated.
    let second = Frame {
        dispose: DisposalMethod::Background,
        ..solid_frame(size, 1)
    };
    let two = file(size, &CORNERS.concat(), &[quarters_frame(size), second]);
    let mut whole = one[..one.len() - 1].to_vec();
    whole.extend(two[one.len() - 1..two.len() - 1].repeat(9_999));
    whole.push(0x3B);
    let start = CpuTime::start();
    assert_quarters(&inspect(&whole), "ten thousand frames");
    // A wide margin: decoding all of them would take thousands of times as long.
    assert!(start.elapsed() < took * 50, "{:?} for {took:?}", start.elapsed());
}

#[test]
fn a_gif_that_is_also_a_script_is_only_a_gif() {
    let mut polyglot = file((0x2A2F, 64), &CORNERS.concat(), &[solid_frame((300, 64), 0)]);
    // The bytes of the width are `/*`, so that the file is a script with a comment up to the bytes after the image.
    assert_eq!(&polyglot[..8], b"GIF89a/*");
    polyglot.extend(b"*/=1;alert(document.domain);//");
    let inspection = inspect(&polyglot);
    assert_eq!(inspection.findings, []);
    assert_eq!(inspection.mime_type, Some(MimeType::Gif));
    let script = b"alert";
    for thumbnail in &inspection.thumbnails {
        assert!(thumbnail.jpeg.starts_with(&[0xFF, 0xD8, 0xFF]));
        assert!(!thumbnail.jpeg.windows(script.len()).any(|bytes| bytes == script));
    }
    // A signature alone makes no image.
    assert_rejected(b"GIF89a/**/=1;alert(1)", "corrupt", "a script");
}

#[test]
fn excessive_clear_codes_and_invalid_code_sizes_are_rejected() {
    let size = (90, 70);
    let noise = |x: usize| u8::try_from((x * x / 7 + x * 31) % 256).unwrap();
    let frame = Frame {
        buffer: (0..90 * 70).map(noise).collect::<Vec<_>>().into(),
        ..solid_frame(size, 0)
    };
    let valid = file(size, &[99; 768], &[frame]);
    assert_eq!(inspect(&valid).findings, []);
    let position = lzw_data_position(&valid);
    assert_eq!(valid[position - 1], 8);
    // Eight clear codes of nine bits are nine bytes.
    let clear_codes = [0x00, 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80];
    let with_clear_codes = |times: usize| {
        let data = clear_codes.repeat(times);
        let blocks = data.chunks(255).flat_map(|block| {
            let length = u8::try_from(block.len()).unwrap();
            std::iter::once(length).chain(block.iter().copied())
        });
        let blocks: Vec<u8> = blocks.collect();
        [&valid[..position], &blocks, &valid[position..]].concat()
    };
    assert_eq!(inspect(&with_clear_codes(100)).findings, [], "few are harmless");
    assert_eq!(
        inspect(&with_clear_codes(1_000_000)).findings,
        [corrupt("too_many_parts")]
    );
    let mut other = valid;
    for bits in [0, 9, 11, 12, 255] {
        other[position - 1] = bits;
        assert_eq!(inspect(&other).findings, [corrupt("malformed")], "{bits} bits");
    }
}

#[test]
fn comments_and_bytes_after_the_frame_are_ignored() {
    let mut whole = Vec::new();
    let mut encoder = Encoder::new(&mut whole, SIZE.0, SIZE.1, &CORNERS.concat()).unwrap();
    encoder.set_repeat(Repeat::Infinite).unwrap();
    let comments = vec![&[b'x'; 200][..]; 20_000];
    encoder
        .write_raw_extension(AnyExtension(0xFE), &comments)
        .unwrap();
    encoder.write_frame(&quarters_frame(SIZE)).unwrap();
    drop(encoder);
    assert_quarters(&inspect(&whole), "comments");
    assert_quarters(&inspect(&whole[..whole.len() - 1]), "without a trailer");
    for trailing in [
        vec![0; 100_000],
        b"<script>alert(1)</script>".to_vec(),
        whole.clone(),
    ] {
        assert_quarters(
            &inspect(&[whole.clone(), trailing.clone()].concat()),
            "with trailing bytes",
        );
        assert_quarters(
            &inspect(&[&whole[..whole.len() - 1], &trailing].concat()),
            "with trailing bytes and no trailer",
        );
    }
}

#[test]
fn a_gif_truncated_anywhere_is_corrupt() {
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
        assert_rejected(&whole[..end], "corrupt", &format!("{end} of {}", whole.len()));
    }
}

#[test]
fn a_frame_with_too_few_pixels_is_corrupt() {
    let size = (200, 200);
    let half = Frame {
        height: 100,
        buffer: quarters_frame(size).buffer[..200 * 100].to_vec().into(),
        ..quarters_frame(size)
    };
    let mut whole = file(size, &CORNERS.concat(), &[half]);
    // The descriptor declares more rows than there are.
    let descriptor = whole.iter().skip(25).position(|&byte| byte == 0x2C).unwrap() + 25;
    assert_eq!(whole[descriptor + 7..descriptor + 9], [100, 0]);
    whole[descriptor + 7] = 200;
    assert_eq!(inspect(&whole).findings, [corrupt("undecodable")]);
}

#[test]
fn flipped_bits_give_thumbnails_or_findings() {
    let whole = file((97, 61), &CORNERS.concat(), &[quarters_frame((97, 61))]);
    assert_bit_flips_are_handled(&whole, 6..whole.len());
}

#[test]
fn dimensions_are_checked_before_allocation() {
    let whole = file((64, 64), &CORNERS.concat(), &[solid_frame((64, 64), 0)]);
    let descriptor = whole.iter().skip(25).position(|&byte| byte == 0x2C).unwrap() + 25;
    let inspect_declared = |screen: u16, frame: u16| {
        let mut whole = whole.clone();
        let [screen, frame] = [screen, frame].map(u16::to_le_bytes);
        whole[6..10].copy_from_slice(&[screen, screen].concat());
        whole[descriptor + 5..descriptor + 9].copy_from_slice(&[frame, frame].concat());
        inspect(&whole)
    };
    assert!(
        inspect_declared(65_500, 65_500)
            .findings
            .contains(&Finding::measured(
                Check::TooManyPixels,
                65_500 * 65_500,
                100_000_000
            ))
    );
    assert_eq!(inspect_declared(9_000, 9_000).findings, [corrupt("truncated")]);
    assert_eq!(
        finding_codes(&inspect_declared(64, 65_500)),
        ["too_many_pixels", "corrupt"]
    );
    assert_eq!(inspect_declared(64, 0).findings, [corrupt("no_pixels")]);
}

#[test]
fn the_thinnest_and_smallest_images_are_read() {
    for size in [(1, 1), (65_535, 1), (1, 65_535), (2, 1), (3, 3)] {
        let inspection = inspect(&file(size, &[200; 6], &[solid_frame(size, 0)]));
        assert_eq!(inspection.findings, [], "{size:?}");
        let decoded = decode(&inspection.thumbnails[0]);
        assert!(decoded.at(0, 0)[0].abs_diff(200) <= 2, "{size:?}");
    }
}

#[test]
fn a_file_without_a_frame_or_a_palette_is_corrupt() {
    let frameless = file((64, 64), &CORNERS.concat(), &[]);
    assert_eq!(inspect(&frameless).findings, [corrupt("no_pixels")]);
    let mut without_palette = file((64, 64), &CORNERS.concat(), &[solid_frame((64, 64), 0)]);
    without_palette[10] &= 0x7F;
    without_palette.drain(13..13 + CORNERS.len() * 3);
    assert_eq!(inspect(&without_palette).findings, [corrupt("undecodable")]);
}
