//! Scripts of all kinds.

use super::*;
use common::Random;
use common::script::random_script;
use jpeg_scale::read_header;

const GREY: &[(usize, usize)] = &[(1, 1)];
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
fn the_usual_script_gives_the_planes_of_a_baseline_file() {
    for (seed, size) in (1..).zip(SIZES) {
        for sampling in SAMPLINGS {
            for (busy, most) in [(0, 1), (3, 2), (20, 60), (63, 500)] {
                let picture = Picture::random(seed, size, sampling, busy, most);
                assert_same(
                    &format!("{size:?} {sampling:?} {busy} {most}"),
                    &picture,
                    &libjpeg(),
                );
            }
        }
    }
}

#[test]
fn grey_pictures_have_scripts_too() {
    for (seed, size) in (1..).zip(SIZES) {
        for factors in [0x11, 0x22, 0x41] {
            let picture = Picture::random(seed, size, GREY, 40, 100);
            let script = [
                scan(&[0], (0, 0), 0, 1),
                scan(&[0], (1, 5), 0, 2),
                scan(&[0], (6, 63), 0, 2),
                scan(&[0], (1, 63), 2, 1),
                scan(&[0], (0, 0), 1, 0),
                scan(&[0], (1, 63), 1, 0),
            ];
            assert_same("grey", &picture, &script);
            // Factors have no meaning where a component is alone.
            let file = picture.encode(SOF2, &script);
            let frame = file.windows(2).position(|pair| pair == [0xff, SOF2]).unwrap();
            let mut other = file.clone();
            other[frame + 11] = factors;
            assert_eq!(decode_at(&other, Scale::Full), decode_at(&file, Scale::Full));
        }
    }
}

#[test]
fn spectral_selection_and_approximation_work_alone() {
    let picture = Picture::random(5, (150, 90), SAMPLINGS[3], 50, 300);
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
    assert_same("spectral", &picture, &spectral);
    assert_same("approximated", &picture, &approximated);
}

#[test]
fn scripts_at_random_give_the_planes_of_a_baseline_file() {
    let mut random = Random(77);
    for seed in 0..60 {
        let sampling = if seed % 7 == 0 {
            GREY
        } else {
            SAMPLINGS[random.below(6)]
        };
        let size = (1 + random.below(180) as u16, 1 + random.below(90) as u16);
        let picture = Picture::random(
            seed,
            size,
            sampling,
            random.below(64),
            1 + random.below(400) as i16,
        );
        let script = random_script(&mut random, sampling.len());
        assert_same(&format!("{seed}"), &picture, &script);
    }
}

#[test]
fn bands_are_refined_together_that_came_apart() {
    let picture = Picture::random(9, (90, 90), GREY, 63, 200);
    let mut script = vec![scan(&[0], (0, 0), 0, 0)];
    script.extend((1..64).map(|k| scan(&[0], (k, k), 0, 3)));
    script.push(scan(&[0], (1, 63), 3, 2));
    script.extend([(1, 20), (21, 22), (23, 63)].map(|band| scan(&[0], band, 2, 1)));
    script.push(scan(&[0], (1, 63), 1, 0));
    assert_same("together", &picture, &script);
}

#[test]
fn runs_of_blocks_are_as_long_as_a_scan() {
    // 37 632 blocks: more than one run can have.
    let mut picture = Picture::random(3, (1536, 1568), GREY, 0, 1);
    let last = picture.components[0].2.len() - 1;
    picture.components[0].2[last][5] = 9;
    picture.components[0].2[7][63] = -9;
    let script = [
        scan(&[0], (0, 0), 0, 0),
        scan(&[0], (1, 63), 0, 2),
        scan(&[0], (1, 63), 2, 1),
        scan(&[0], (1, 63), 1, 0),
    ];
    assert_same("runs", &picture, &script);
}

#[test]
fn quantisation_is_that_of_a_components_first_scan() {
    let picture = Picture::random(4, (64, 48), SAMPLINGS[3], 30, 60);
    let file = picture.encode(SOF2, &libjpeg());
    let mut changed = Vec::new();
    // Other tables before the third scan: luma and the others have theirs from the first.
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

    let apart = [
        scan(&[0], (0, 0), 0, 0),
        scan(&[1], (0, 0), 0, 0),
        scan(&[2], (0, 0), 0, 0),
        scan(&[0], (1, 63), 0, 0),
        scan(&[1], (1, 63), 0, 0),
        scan(&[2], (1, 63), 0, 0),
    ];
    let file = picture.encode(SOF2, &apart);
    let second = common::scans(&file)[1];
    let table = common::script::segment_of(0xdb, &[&[1][..], &[99; 64]].concat());
    let changed = [&file[..second], &table, &file[second..]].concat();
    let mut coarser = picture.clone();
    coarser.components[1].1 = [99; 64];
    assert_eq!(
        decode_at(&changed, Scale::Half),
        decode_at(&coarser.encode(SOF2, &apart), Scale::Half)
    );
}

#[test]
fn fill_bytes_and_other_segments_between_scans_are_passed_over() {
    let picture = Picture::random(8, (70, 50), SAMPLINGS[3], 30, 60);
    let mut script = libjpeg();
    for (index, scan) in script.iter_mut().enumerate() {
        scan.restart = [0, 3][index % 2];
    }
    let file = picture.encode(SOF2, &script);
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
fn a_header_tells_that_a_file_is_progressive_and_what_it_takes() {
    let picture = Picture::random(8, (1000, 700), SAMPLINGS[3], 3, 6);
    let progressive = picture.encode(SOF2, &libjpeg());
    let header = read_header(&progressive).unwrap();
    assert!(header.progressive);
    assert_eq!(
        (header.width, header.height, header.unsupported),
        (1000, 700, None)
    );
    let sequential = read_header(&baseline(&picture)).unwrap();
    assert!(!sequential.progressive);
    // 63 × 44 MCUs of 4 + 2 blocks; a row's blocks with 32 coefficients and a set.
    assert_eq!(sequential.bytes(Scale::Half), 63 * 44 * 6 * 16);
    assert_eq!(header.bytes(Scale::Half), 63 * 44 * 6 * 16 + 63 * 6 * (64 + 8));
    for file in [progressive, baseline(&picture)] {
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
fn a_decoder_gives_the_same_after_other_pictures() {
    let mut reused = Decoder::new();
    let mut planes = jpeg_scale::Planes::default();
    for seed in 0..30 {
        let size = [(40, 40), (300, 20), (20, 300)][seed as usize % 3];
        let sampling = if seed % 2 == 0 { GREY } else { SAMPLINGS[3] };
        let picture = Picture::random(seed, size, sampling, 30, 60);
        let mut random = Random(seed + 1);
        let file = picture.encode(SOF2, &random_script(&mut random, sampling.len()));
        for scale in [Scale::Half, Scale::Full, Scale::Eighth] {
            let damage = reused
                .decode_into(&file, scale, &Limits::default(), &mut planes)
                .unwrap();
            assert_eq!(damage, None);
            assert_eq!(planes, decode_at(&file, scale).unwrap().planes);
        }
    }
}
