//! Damaged, hostile and unusual files give an error, or an image with its damage reported: never a panic,
//! never much memory.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/cpu_time.rs"]
mod cpu_time;
mod formats;

use std::time::Duration;

use common::{DEFAULT_OPTIONS, Options, colour, encode, grey, restarts, segment, segments};
use cpu_time::CpuTime;
use jpeg_encoder::{ColorType, SamplingFactor};
use jpeg_scale::{Corrupt, Damage, Decoded, Decoder, Error, Limits, Scale, Unsupported, read_header};

fn decode(file: &[u8]) -> Result<Decoded, Error> {
    let full = Decoder::new().decode(file, Scale::Full, &Limits::default());
    for scale in Scale::ALL {
        let scaled = Decoder::new().decode(file, scale, &Limits::default());
        // The damage of a file does not depend on the scale.
        assert_eq!(
            scaled.as_ref().map(|each| each.damage),
            full.as_ref().map(|each| each.damage),
            "at {}/8",
            scale.eighths()
        );
    }
    full
}

fn damage(file: &[u8]) -> Option<Damage> {
    decode(file).unwrap().damage
}

/// The file with a segment inserted before the first one of another kind.
fn insert_before(file: &[u8], marker: u8, segment: &[u8]) -> Vec<u8> {
    let (at, _) = common::segment(file, marker);
    [&file[..at], segment, &file[at..]].concat()
}

fn replace(file: &[u8], (from, to): (usize, usize), with: &[u8]) -> Vec<u8> {
    [&file[..from], with, &file[to..]].concat()
}

const SOF0: u8 = 0xc0;
const DHT: u8 = 0xc4;
const SOS: u8 = 0xda;
const DQT: u8 = 0xdb;

#[test]
fn truncation_at_every_marker_is_an_error_before_the_scan_and_damage_in_it() {
    let file = colour(
        120,
        90,
        Options {
            restart_interval: 4,
            ..DEFAULT_OPTIONS
        },
    );
    for (marker, from, to) in segments(&file) {
        for end in [from, from + 1, from + 2, usize::midpoint(from, to), to - 1] {
            assert!(decode(&file[..end]).is_err(), "{marker:x} at {end}");
            assert!(read_header(&file[..end]).is_err(), "{marker:x} at {end}");
        }
    }
    for restart in restarts(&file) {
        for end in [restart, restart + 1, restart + 2] {
            assert_eq!(damage(&file[..end]), Some(Damage::Truncated), "at {end}");
        }
    }
}

#[test]
fn truncation_at_every_byte_is_reported() {
    let file = colour(40, 40, DEFAULT_OPTIONS);
    let data = segment(&file, SOS).1;
    assert_eq!(damage(&file), None);
    for end in 0..data {
        assert!(decode(&file[..end]).is_err(), "at {end}");
    }
    // Without EOI the image is complete. The last byte of data may be padding.
    assert_eq!(damage(&file[..file.len() - 1]), None);
    assert_eq!(damage(&file[..file.len() - 2]), None);
    for end in data..file.len() - 3 {
        assert_eq!(
            damage(&file[..end]),
            Some(Damage::Truncated),
            "at {end} of {}",
            file.len()
        );
    }
}

#[test]
fn undecoded_samples_are_grey() {
    let file = grey(64, 64, DEFAULT_OPTIONS);
    let data = segment(&file, SOS).1;
    let decoded = decode(&file[..data + 60]).unwrap();
    assert_eq!(decoded.damage, Some(Damage::Truncated));
    assert!(
        decoded.planes.planes[0]
            .row(63)
            .iter()
            .all(|&sample| sample == 128)
    );
    assert!(
        decoded.planes.planes[0].row(0)[..8]
            .iter()
            .any(|&sample| sample != 128)
    );
}

#[test]
fn invalid_huffman_tables_are_errors() {
    let file = colour(32, 32, DEFAULT_OPTIONS);
    let table = |head: u8, counts: [u8; 16], symbols: usize| {
        let length = (2 + 17 + symbols) as u16;
        let mut segment = vec![0xff, DHT];
        segment.extend(length.to_be_bytes());
        segment.push(head);
        segment.extend(counts);
        segment.extend((0..symbols).map(|symbol| (symbol % 256) as u8));
        segment
    };
    let counts = |pairs: &[(usize, u8)]| {
        let mut counts = [0; 16];
        for &(length, count) in pairs {
            counts[length - 1] = count;
        }
        counts
    };
    let invalid = [
        ("three codes of one bit", table(0, counts(&[(1, 3)]), 3)),
        (
            "more codes than two bits have after a code of one",
            table(0, counts(&[(1, 1), (2, 3)]), 4),
        ),
        (
            "too many of 16 bits",
            table(0x10, counts(&[(1, 1), (2, 1), (3, 1), (8, 33)]), 36),
        ),
        ("no codes", table(0, [0; 16], 0)),
        (
            "more than 256 symbols",
            table(0x10, counts(&[(9, 200), (10, 200)]), 400),
        ),
        ("a class that does not exist", table(0x20, counts(&[(2, 1)]), 1)),
        ("a slot that does not exist", table(0x04, counts(&[(2, 1)]), 1)),
        ("fewer symbols than counted", table(0, counts(&[(4, 8)]), 7)),
        ("nothing but a head", vec![0xff, DHT, 0, 3, 0]),
    ];
    for (name, segment) in invalid {
        let outcome = decode(&insert_before(&file, SOS, &segment));
        assert!(
            matches!(outcome, Err(Error::Corrupt(Corrupt::Huffman | Corrupt::Segment))),
            "{name}: {outcome:?}"
        );
    }
    // Valid tables that do not match the data: the image may be damaged, but there is one.
    let mismatched = [
        table(0, counts(&[(1, 2)]), 2),
        table(0, counts(&[(16, 200)]), 200),
        table(0x10, counts(&[(1, 1)]), 1),
        table(0x10, counts(&[(8, 255), (9, 1)]), 256),
        table(0x11, counts(&[(16, 255)]), 255),
    ];
    for segment in mismatched {
        decode(&insert_before(&file, SOS, &segment)).unwrap();
    }
    for (_, from, to) in segments(&file).into_iter().filter(|each| each.0 == DHT) {
        assert!(matches!(
            decode(&replace(&file, (from, to), &[])),
            Err(Error::Corrupt(Corrupt::Huffman))
        ));
    }
}

#[test]
fn missing_quantization_tables_are_errors_and_16_bit_tables_are_read() {
    let file = colour(32, 32, DEFAULT_OPTIONS);
    let tables: Vec<_> = segments(&file).into_iter().filter(|each| each.0 == DQT).collect();
    for &(_, from, to) in &tables {
        let outcome = decode(&replace(&file, (from, to), &[]));
        assert_eq!(outcome.unwrap_err(), Error::Corrupt(Corrupt::Quantization));
    }
    // The same steps as 16-bit numbers.
    let mut wide = file.clone();
    for &(_, from, to) in tables.iter().rev() {
        let mut segment = vec![0xff, DQT];
        let heads = file[from + 4..to].chunks(65);
        segment.extend((2 + heads.len() as u16 * 129).to_be_bytes());
        for table in heads {
            segment.push(table[0] | 0x10);
            segment.extend(table[1..].iter().flat_map(|&step| [0, step]));
        }
        wide = replace(&wide, (from, to), &segment);
    }
    assert_ne!(wide, file);
    assert_eq!(decode(&wide), decode(&file));
}

/// The file with other dimensions in its frame header.
fn with_size(file: &[u8], width: u16, height: u16) -> Vec<u8> {
    let (from, _) = segment(file, SOF0);
    let mut file = file.to_vec();
    file[from + 5..from + 7].copy_from_slice(&height.to_be_bytes());
    file[from + 7..from + 9].copy_from_slice(&width.to_be_bytes());
    file
}

#[test]
fn dimensions_are_checked_before_allocation() {
    let file = colour(8, 8, DEFAULT_OPTIONS);
    let huge = with_size(&file, 65_500, 65_500);
    let start = CpuTime::start();
    for scale in Scale::ALL {
        let outcome = Decoder::new().decode(&huge, scale, &Limits::default());
        assert_eq!(
            outcome.unwrap_err(),
            Error::Limit {
                width: 65_500,
                height: 65_500
            }
        );
    }
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(read_header(&huge).unwrap().width, 65_500);

    let allowed = with_size(&file, 1000, 1000);
    let limits = |pixels, bytes| Limits { pixels, bytes };
    let outcome = |limits| {
        Decoder::new()
            .decode(&allowed, Scale::Half, &limits)
            .map(|each| each.damage)
    };
    assert_eq!(
        outcome(limits(1_000_000, 500 * 500 * 2)),
        Ok(Some(Damage::Truncated))
    );
    assert!(matches!(
        outcome(limits(999_999, 1 << 30)),
        Err(Error::Limit { .. })
    ));
    // 63 × 63 MCUs of 8 × 8 samples of luma and 2 × 4 × 4 of chroma.
    assert_eq!(
        outcome(limits(1_000_000, 63 * 63 * 96)),
        Ok(Some(Damage::Truncated))
    );
    assert!(matches!(
        outcome(limits(1_000_000, 63 * 63 * 96 - 1)),
        Err(Error::Limit { .. })
    ));
}

#[test]
fn zero_dimensions_are_rejected() {
    let file = colour(8, 8, DEFAULT_OPTIONS);
    assert_eq!(
        decode(&with_size(&file, 0, 8)).unwrap_err(),
        Error::Corrupt(Corrupt::Frame)
    );
    assert_eq!(
        decode(&with_size(&file, 8, 0)).unwrap_err(),
        Error::Unsupported(Unsupported::NoHeight)
    );
    assert_eq!(
        decode(&with_size(&file, 0, 0)).unwrap_err(),
        Error::Corrupt(Corrupt::Frame)
    );
    assert_eq!(damage(&with_size(&file, 16_384, 1)), Some(Damage::Truncated));
}

#[test]
fn a_hundred_thousand_segments_are_skipped_quickly() {
    let file = colour(32, 32, DEFAULT_OPTIONS);
    let quantization = segment(&file, DQT);
    for each in [
        &[0xff, 0xfe, 0, 2][..],
        &[0xff, 0xe1, 0, 4, 0, 0],
        &file[quantization.0..quantization.1],
    ] {
        let long = insert_before(&file, SOF0, &each.repeat(100_000));
        let start = CpuTime::start();
        assert_eq!(
            Decoder::new().decode(&long, Scale::Full, &Limits::default()),
            decode(&file)
        );
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    let huffman = segment(&file, DHT);
    let long = insert_before(&file, SOS, &file[huffman.0..huffman.1].repeat(100_000));
    let start = CpuTime::start();
    assert_eq!(decode(&long), decode(&file));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn bytes_after_the_image_are_not_read() {
    let file = colour(64, 64, DEFAULT_OPTIONS);
    let expected = decode(&file).unwrap();
    // With EOI, and without it, where the zeros continue the data.
    for end in [file.len(), file.len() - 2] {
        // Pages of zeros take memory only when they are touched.
        let mut long = vec![0; 1 << 30];
        long[..end].copy_from_slice(&file[..end]);
        let start = CpuTime::start();
        let decoded = Decoder::new()
            .decode(&long, Scale::Full, &Limits::default())
            .unwrap();
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert_eq!(decoded, expected);
    }
    let page = [&file[..], b"<html><script>"].concat();
    assert_eq!(decode(&page).unwrap(), expected);
}

#[test]
fn restart_markers_out_of_order_are_reported() {
    let options = Options {
        restart_interval: 2,
        ..DEFAULT_OPTIONS
    };
    let file = colour(300, 60, options);
    assert_eq!(damage(&file), None);
    let markers = restarts(&file);
    assert!(markers.len() > 20);

    let mut swapped = file.clone();
    swapped.swap(markers[3] + 1, markers[7] + 1);
    assert_eq!(damage(&swapped), Some(Damage::Restart));

    // A lost interval leaves a hole; the intervals after it are at their own positions.
    let without = replace(&file, (markers[4], markers[5]), &[]);
    let (damaged, whole) = (decode(&without).unwrap(), decode(&file).unwrap());
    assert_eq!(damaged.damage, Some(Damage::Restart));
    let differing = |decoded: &Decoded| {
        let (a, b) = (&decoded.planes.planes[0].data, &whole.planes.planes[0].data);
        a.iter().zip(b).filter(|(a, b)| a != b).count()
    };
    assert!(differing(&damaged) <= 2 * 16 * 16, "{}", differing(&damaged));

    // A marker other than a restart marker ends the data.
    let mut ended = file.clone();
    ended[markers[5] + 1] = 0xd9;
    assert_eq!(damage(&ended), Some(Damage::Truncated));

    // More data than two MCUs need.
    let surplus = replace(&file, (markers[5], markers[5]), &[0x55; 40]);
    assert_eq!(damage(&surplus), Some(Damage::Surplus));
    assert_eq!(differing(&decode(&surplus).unwrap()), 0);
}

#[test]
fn damage_ends_at_the_next_restart_marker() {
    let file = colour(
        300,
        60,
        Options {
            restart_interval: 2,
            ..DEFAULT_OPTIONS
        },
    );
    let markers = restarts(&file);
    let whole = decode(&file).unwrap();
    let mut random = common::Random(3);
    for _ in 0..200 {
        let interval = random.below(markers.len() - 1);
        let (from, to) = (markers[interval] + 2, markers[interval + 1]);
        let mut file = file.clone();
        for byte in &mut file[from..to] {
            *byte = (random.next() as u8).min(0xfe);
        }
        let decoded = decode(&file).unwrap();
        let (a, b) = (&decoded.planes.planes[0].data, &whole.planes.planes[0].data);
        let differing = a.iter().zip(b).filter(|(a, b)| a != b).count();
        assert!(differing <= 2 * 16 * 16, "{differing}");
    }
}
