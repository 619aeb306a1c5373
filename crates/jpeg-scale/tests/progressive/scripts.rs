//! Scan scripts of all kinds.

use super::*;
use common::Random;
use common::script::random_script;
use jpeg_scale::read_header;

const SAMPLINGS: [&[(usize, usize)]; 6] = [
    &[(1, 1), (1, 1), (1, 1)],
    &[(2, 1), (1, 1), (1, 1)],
    &[(1, 2), (1, 1), (1, 1)],
    &[(2, 2), (1, 1), (1, 1)],
    &[(2, 2), (2, 1), (1, 2)],
    &[(1, 1), (2, 2), (1, 1)],
];
const SIZES: [(u16, u16); 8] = [
    (1, 1),
    (8, 8),
    (16, 16),
    (17, 9),
    (33, 31),
    (129, 67),
    (300, 40),
    (24, 200),
];

#[test]
fn the_libjpeg_script_gives_the_planes_of_a_baseline_file() {
    for (seed, size) in (1..).zip(SIZES) {
        for sampling in SAMPLINGS {
            for (max_nonzero, max_magnitude) in [(0, 1), (3, 2), (20, 60), (63, 500)] {
                let image = CoefficientImage::random(seed, size, sampling, max_nonzero, max_magnitude);
                assert_same(
                    &format!("{size:?} {sampling:?} {max_nonzero} {max_magnitude}"),
                    &image,
                    &libjpeg_script(),
                );
            }
        }
    }
}

#[test]
fn grey_scripts_give_the_planes_of_a_baseline_file() {
    for (seed, size) in (1..).zip(SIZES) {
        for factors in [0x11, 0x22, 0x41] {
            let image = CoefficientImage::random(seed, size, GREY, 40, 100);
            let script = [
                scan(&[0], (0, 0), 0, 1),
                scan(&[0], (1, 5), 0, 2),
                scan(&[0], (6, 63), 0, 2),
                scan(&[0], (1, 63), 2, 1),
                scan(&[0], (0, 0), 1, 0),
                scan(&[0], (1, 63), 1, 0),
            ];
            assert_same("grey", &image, &script);
            // Sampling factors of a single component are ignored.
            let file = image.encode(SOF2, &script);
            let frame = file.windows(2).position(|pair| pair == [0xff, SOF2]).unwrap();
            let mut other = file.clone();
            other[frame + 11] = factors;
            assert_eq!(decode_at(&other, Scale::Full), decode_at(&file, Scale::Full));
        }
    }
}

#[test]
fn spectral_selection_and_approximation_work_alone() {
    let image = CoefficientImage::random(5, (150, 90), SAMPLINGS[3], 50, 300);
    let mut spectral = vec![scan(&[0, 1, 2], (0, 0), 0, 0)];
    let mut approximated = vec![scan(&[0, 1, 2], (0, 0), 0, 6)];
    for component in 0..3 {
        for band in [(1, 1), (2, 2), (3, 9), (10, 40), (41, 62), (63, 63)] {
            spectral.push(scan(&[component], band, 0, 0));
        }
        approximated.push(scan(&[component], (1, 63), 0, 8));
    }
    for low in (0..8).rev() {
        if low < 6 {
            approximated.push(scan(&[2, 0, 1], (0, 0), low + 1, low));
        }
        for component in [1, 0, 2] {
            approximated.push(scan(&[component], (1, 63), low + 1, low));
        }
    }
    assert_same("spectral", &image, &spectral);
    assert_same("approximated", &image, &approximated);
}

#[test]
fn random_scripts_give_the_planes_of_a_baseline_file() {
    let mut random = Random(77);
    for seed in 0..60 {
        let sampling = if seed % 7 == 0 {
            GREY
        } else {
            SAMPLINGS[random.below(6)]
        };
        let size = (1 + random.below(180) as u16, 1 + random.below(90) as u16);
        let image = CoefficientImage::random(
            seed,
            size,
            sampling,
            random.below(64),
            1 + random.below(400) as i16,
        );
        let script = random_script(&mut random, sampling.len());
        assert_same(&format!("{seed}"), &image, &script);
    }
}

#[test]
fn bands_from_separate_scans_are_refined_together() {
    let image = CoefficientImage::random(9, (90, 90), GREY, 63, 200);
    let mut script = vec![scan(&[0], (0, 0), 0, 0)];
    script.extend((1..64).map(|k| scan(&[0], (k, k), 0, 3)));
    script.push(scan(&[0], (1, 63), 3, 2));
    script.extend([(1, 20), (21, 22), (23, 63)].map(|band| scan(&[0], band, 2, 1)));
    script.push(scan(&[0], (1, 63), 1, 0));
    assert_same("together", &image, &script);
}

#[test]
fn end_of_band_runs_are_as_long_as_a_scan() {
    // 37 632 blocks: more than the 32 767 of the longest end-of-band run.
    let mut image = CoefficientImage::random(3, (1536, 1568), GREY, 0, 1);
    let last = image.components[0].2.len() - 1;
    image.components[0].2[last][5] = 9;
    image.components[0].2[7][63] = -9;
    let script = [
        scan(&[0], (0, 0), 0, 0),
        scan(&[0], (1, 63), 0, 2),
        scan(&[0], (1, 63), 2, 1),
        scan(&[0], (1, 63), 1, 0),
    ];
    assert_same("runs", &image, &script);
}

#[test]
fn quantization_tables_are_those_of_a_components_first_scan() {
    let image = CoefficientImage::random(4, (64, 48), SAMPLINGS[3], 30, 60);
    let file = image.encode(SOF2, &libjpeg_script());
    let mut changed = Vec::new();
    // Other tables before the third scan: all components had their tables at the first.
    let scans: Vec<usize> = common::scans(&file);
    changed.extend(&file[..scans[2]]);
    for slot in 0..3 {
        changed.extend(common::script::segment_of(
            0xdb,
            &[&[slot][..], &[99; 64]].concat(),
        ));
    }
    changed.extend(&file[scans[2]..]);
    assert_eq!(decode_at(&changed, Scale::Full), decode_at(&file, Scale::Full));

    let separate = [
        scan(&[0], (0, 0), 0, 0),
        scan(&[1], (0, 0), 0, 0),
        scan(&[2], (0, 0), 0, 0),
        scan(&[0], (1, 63), 0, 0),
        scan(&[1], (1, 63), 0, 0),
        scan(&[2], (1, 63), 0, 0),
    ];
    let file = image.encode(SOF2, &separate);
    let second = common::scans(&file)[1];
    let table = common::script::segment_of(0xdb, &[&[1][..], &[99; 64]].concat());
    let changed = [&file[..second], &table, &file[second..]].concat();
    let mut coarser = image.clone();
    coarser.components[1].1 = [99; 64];
    assert_eq!(
        decode_at(&changed, Scale::Half),
        decode_at(&coarser.encode(SOF2, &separate), Scale::Half)
    );
}

#[test]
fn fill_bytes_and_other_segments_between_scans_are_skipped() {
    let image = CoefficientImage::random(8, (70, 50), SAMPLINGS[3], 30, 60);
    let mut script = libjpeg_script();
    for (index, scan) in script.iter_mut().enumerate() {
        scan.restart = [0, 3][index % 2];
    }
    let file = image.encode(SOF2, &script);
    let mut filled = file.clone();
    for scan in common::scans(&file).into_iter().rev() {
        filled.splice(scan..scan, *b"\xff\xff\xff\xff\xfe\x00\x07hello\xff\xff");
    }
    let restarts: Vec<usize> = (0..filled.len() - 1)
        .filter(|&at| filled[at] == 0xff && (0xd0..=0xd7).contains(&filled[at + 1]))
        .collect();
    assert!(restarts.len() > 40);
    for at in restarts.into_iter().rev() {
        filled.splice(at..at, [0xff; 3]);
    }
    for scale in Scale::ALL {
        assert_eq!(decode_at(&filled, scale), decode_at(&file, scale));
    }
}

#[test]
fn headers_report_progressive_files_and_their_memory() {
    let image = CoefficientImage::random(8, (1000, 700), SAMPLINGS[3], 3, 6);
    let progressive = image.encode(SOF2, &libjpeg_script());
    let header = read_header(&progressive).unwrap();
    assert!(header.progressive);
    assert_eq!(
        (header.width, header.height, header.unsupported),
        (1000, 700, None)
    );
    let sequential = read_header(&baseline(&image)).unwrap();
    assert!(!sequential.progressive);
    // 63 × 44 MCUs of 4 + 2 blocks; for a row of MCUs, blocks with 32 coefficients and a set.
    assert_eq!(sequential.bytes(Scale::Half), 63 * 44 * 6 * 16);
    assert_eq!(header.bytes(Scale::Half), 63 * 44 * 6 * 16 + 63 * 6 * (64 + 8));
    for file in [progressive, baseline(&image)] {
        for scale in Scale::ALL {
            let bytes = read_header(&file).unwrap().bytes(scale);
            let outcome = |bytes| {
                let limits = Limits {
                    bytes,
                    ..Limits::default()
                };
                Decoder::new()
                    .decode(&file, scale, &limits)
                    .map(|each| each.damage)
            };
            assert_eq!(outcome(bytes), Ok(None));
            assert!(matches!(outcome(bytes - 1), Err(Error::Limit { .. })));
        }
    }
}

#[test]
fn reused_decoders_and_planes_give_the_same_planes() {
    let mut reused = Decoder::new();
    let mut planes = jpeg_scale::Planes::default();
    for seed in 0..30 {
        let size = [(40, 40), (300, 20), (20, 300)][seed as usize % 3];
        let sampling = if seed % 2 == 0 { GREY } else { SAMPLINGS[3] };
        let image = CoefficientImage::random(seed, size, sampling, 30, 60);
        let mut random = Random(seed + 1);
        let file = image.encode(SOF2, &random_script(&mut random, sampling.len()));
        for scale in [Scale::Half, Scale::Full, Scale::Eighth] {
            let damage = reused
                .decode_into(&file, scale, &Limits::default(), &mut planes)
                .unwrap();
            assert_eq!(damage, None);
            assert_eq!(planes, decode_at(&file, scale).unwrap().planes);
        }
    }
}
