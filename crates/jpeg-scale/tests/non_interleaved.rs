//! Sequential files with several scans give the same planes as files with one scan.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::script::{CoefficientImage, Scan, scan, segment_of};
use jpeg_scale::{Corrupt, Damage, Decoded, Decoder, Error, Limits, Planes, Scale, read_header};

const SOF0: u8 = 0xc0;
const SAMPLING_420: &[(usize, usize)] = &[(2, 2), (1, 1), (1, 1)];

fn decode(file: &[u8], scale: Scale) -> Result<Decoded, Error> {
    Decoder::new().decode(file, scale, &Limits::default())
}

/// Damage of the file, which is the same at every scale.
fn damage(file: &[u8]) -> Option<Damage> {
    let full = decode(file, Scale::Full).unwrap().damage;
    for scale in Scale::ALL {
        assert_eq!(decode(file, scale).unwrap().damage, full);
    }
    full
}

fn scans_of(scans_of: &[&[usize]]) -> Vec<Scan> {
    scans_of
        .iter()
        .map(|components| scan(components, (0, 0), 0, 0))
        .collect()
}

/// Samples without padding.
fn rows(planes: &Planes) -> Vec<Vec<&[u8]>> {
    let planes = planes.planes.iter();
    planes
        .map(|plane| (0..plane.height).map(|y| plane.row(y)).collect())
        .collect()
}

#[test]
fn planes_equal_those_of_an_interleaved_scan() {
    let samplings: [&[(usize, usize)]; 4] = [
        SAMPLING_420,
        &[(1, 1), (1, 1), (1, 1)],
        &[(2, 1), (1, 1), (1, 2)],
        &[(1, 1), (2, 2), (1, 1)],
    ];
    let orders: [&[&[usize]]; 5] = [
        &[&[0], &[1], &[2]],
        &[&[2], &[0], &[1]],
        &[&[0], &[1, 2]],
        &[&[0, 1], &[2]],
        &[&[2, 0], &[1]],
    ];
    let mut reused = Decoder::new();
    let mut planes = Planes::default();
    for (seed, size) in [(1, 1), (17, 9), (129, 67), (40, 200)].into_iter().enumerate() {
        for factors in samplings {
            let image = CoefficientImage::random(seed as u64, size, factors, 40, 100);
            let whole = image.encode(SOF0, &scans_of(&[&[0, 1, 2]]));
            for order in orders {
                for restart in [0, 3] {
                    let mut script = scans_of(order);
                    script[1].restart = restart;
                    let file = image.encode(SOF0, &script);
                    assert_eq!(read_header(&file).unwrap().unsupported, None);
                    for scale in Scale::ALL {
                        let (ours, expected) =
                            (decode(&file, scale).unwrap(), decode(&whole, scale).unwrap());
                        assert_eq!((ours.damage, expected.damage), (None, None));
                        assert!(
                            rows(&ours.planes) == rows(&expected.planes),
                            "{size:?} {factors:?} {order:?}"
                        );
                        reused
                            .decode_into(&file, scale, &Limits::default(), &mut planes)
                            .unwrap();
                        assert_eq!(planes, ours.planes);
                    }
                }
            }
        }
    }
}

#[test]
fn missing_scans_are_grey_and_reported() {
    let image = CoefficientImage::random(3, (50, 50), SAMPLING_420, 40, 60);
    let file = image.encode(SOF0, &scans_of(&[&[0], &[1], &[2]]));
    let scans = common::scans(&file);
    let data = file.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap() + 10;
    for end in 0..data {
        assert!(decode(&file[..end], Scale::Half).is_err());
    }
    for end in data..file.len() - 3 {
        assert_eq!(damage(&file[..end]), Some(Damage::Truncated), "at {end}");
    }
    assert_eq!(damage(&file[..file.len() - 2]), None);
    let cut = decode(&file[..scans[2]], Scale::Full).unwrap();
    assert!(cut.planes.planes[2].data.iter().all(|&sample| sample == 128));
    assert_eq!(
        cut.planes.planes[1],
        decode(&file, Scale::Full).unwrap().planes.planes[1]
    );
    assert_eq!(
        damage(&image.encode(SOF0, &scans_of(&[&[0], &[2]]))),
        Some(Damage::Truncated)
    );
}

#[test]
fn invalid_scans_are_skipped() {
    let image = CoefficientImage::random(3, (50, 50), SAMPLING_420, 40, 60);
    let file = image.encode(SOF0, &scans_of(&[&[0], &[1], &[2]]));
    let whole = decode(&file, Scale::Full).unwrap();
    let starts = common::scans(&file);
    // The first scan is repeated 5000 times.
    let twice = [
        &file[..starts[1]],
        &file[starts[0]..starts[1]].repeat(5000),
        &file[starts[1]..],
    ]
    .concat();
    let decoded = decode(&twice, Scale::Full).unwrap();
    assert_eq!(
        (decoded.damage, decoded.planes),
        (Some(Damage::Scan), whole.planes.clone())
    );
    // The third scan repeats luma: it is skipped, and its chroma is missing.
    let both = image.encode(SOF0, &scans_of(&[&[0], &[1], &[0, 2]]));
    assert_eq!(damage(&both), Some(Damage::Scan));
    for segment in [
        segment_of(0xc4, &[0x20; 30]),
        segment_of(0xdb, &[0x40; 65]),
        vec![0xff, 0xd8],
    ] {
        for (at, &start) in starts.iter().enumerate() {
            let broken = [&file[..start], &segment, &file[start..]].concat();
            if at == 0 {
                assert!(matches!(decode(&broken, Scale::Half), Err(Error::Corrupt(_))));
            } else {
                assert_eq!(damage(&broken), Some(Damage::Scan));
            }
        }
    }
    let none = file.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    let header = [
        &file[..none],
        &segment_of(0xda, &[0, 0, 63, 0]),
        &file[none + 10..],
    ]
    .concat();
    assert_eq!(
        decode(&header, Scale::Half).unwrap_err(),
        Error::Corrupt(Corrupt::Scan)
    );
}

#[test]
fn random_damage_never_panics() {
    let image = CoefficientImage::random(9, (60, 50), SAMPLING_420, 40, 60);
    let mut script = scans_of(&[&[0], &[1, 2]]);
    script[0].restart = 5;
    let file = image.encode(SOF0, &script);
    let mut random = common::Random(5);
    let mut decoder = Decoder::new();
    for _ in 0..3000 {
        let mut file = file.clone();
        for _ in 0..=random.below(6) {
            let at = random.below(file.len());
            file[at] = random.next() as u8;
        }
        file.truncate(file.len() - random.below(20) * random.below(20));
        let limits = Limits {
            pixels: 1 << 22,
            bytes: 1 << 24,
        };
        let _ = decoder.decode(&file, Scale::ALL[random.below(5)], &limits);
    }
}

#[test]
fn codes_after_a_full_block_are_not_taken_for_its_end() {
    // After the last coefficient follow four zero bits, each of which is a code: taken for runs of the same
    // block, they would advance as far as its end does.
    let mut image = CoefficientImage::random(3, (200, 100), &[(1, 1)], 0, 1);
    for (index, block) in image.components[0].2.iter_mut().enumerate() {
        *block = [0; 64];
        (block[62], block[63]) = (300, i16::from(index % 7 != 0));
    }
    let file = image.encode(SOF0, &scans_of(&[&[0]]));
    let script = [scan(&[0], (0, 0), 0, 0), scan(&[0], (1, 63), 0, 0)];
    let progressive = image.encode(0xc2, &script);
    for scale in Scale::ALL {
        let decoded = decode(&file, scale).unwrap();
        assert_eq!(decoded.damage, None, "at {}/8", scale.eighths());
        assert_eq!(decoded, decode(&progressive, scale).unwrap());
    }
}
