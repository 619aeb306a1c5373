//! Damaged and hostile progressive files: a picture with its damage told, or an error, never a panic; and in no time.

use std::time::Duration;

use super::*;
use common::script::segment_of;
use common::{Random, scans};
use cpu_time::CpuTime;
use jpeg_scale::{Corrupt, Damage, read_header};

const COLOUR: &[(usize, usize)] = &[(2, 2), (1, 1), (1, 1)];
const GREY: &[(usize, usize)] = &[(1, 1)];
const DHT: u8 = 0xc4;

fn small() -> (Picture, Vec<u8>) {
    let picture = Picture::random(21, (40, 40), COLOUR, 40, 60);
    let file = picture.encode(SOF2, &libjpeg());
    (picture, file)
}

/// The damage that every scale tells.
fn damage(file: &[u8]) -> Option<Damage> {
    let full = decode_at(file, Scale::Full).unwrap().damage;
    for scale in Scale::ALL {
        assert_eq!(
            decode_at(file, scale).unwrap().damage,
            full,
            "at {}/8",
            scale.eighths()
        );
    }
    full
}

/// Where the header of a scan is, and where its data begin.
fn header(file: &[u8], scan: usize) -> (usize, usize) {
    let from = scans(file)[scan];
    let at = from
        + file[from..]
            .windows(2)
            .position(|pair| pair == [0xff, 0xda])
            .unwrap();
    (at, at + 2 + usize::from(file[at + 3]))
}

#[test]
fn truncation_at_every_byte_is_noticed_at_every_scale() {
    let (_, file) = small();
    let data = header(&file, 0).1;
    for end in 0..data {
        assert!(decode_at(&file[..end], Scale::Half).is_err(), "at {end}");
        assert!(read_header(&file[..end]).is_err(), "at {end}");
    }
    for end in data..file.len() - 2 {
        assert_eq!(
            damage(&file[..end]),
            Some(Damage::Truncated),
            "at {end} of {}",
            file.len()
        );
    }
    // Without EOI alone the picture is whole.
    for end in [file.len() - 2, file.len() - 1, file.len()] {
        assert_eq!(damage(&file[..end]), None);
    }
}

#[test]
fn what_came_before_a_truncation_is_shown() {
    let (picture, file) = small();
    let expected = decode_at(&file, Scale::Eighth).unwrap();
    let cut = decode_at(&file[..scans(&file)[9] + 60], Scale::Eighth).unwrap();
    assert_eq!(cut.damage, Some(Damage::Truncated));
    assert!(rows(&cut) == rows(&expected), "DC coefficients were complete");
    // One bit of luma is missing at most.
    let full = decode_at(&file, Scale::Full).unwrap();
    let cut = decode_at(&file[..scans(&file)[9] + 60], Scale::Full).unwrap();
    let steps: i32 = picture.components[0].1.iter().map(|&step| i32::from(step)).sum();
    for y in 0..40 {
        for (a, b) in full.planes.planes[0]
            .row(y)
            .iter()
            .zip(cut.planes.planes[0].row(y))
        {
            assert!(i32::from(a.abs_diff(*b)) <= steps / 4);
        }
    }
    assert_ne!(rows(&full), rows(&cut));
}

#[test]
fn a_script_may_leave_bits_out_but_no_component() {
    let (picture, file) = small();
    let starts = scans(&file);
    // EOI after each scan that is no refinement of DC.
    for &start in &starts[1..] {
        let mut ended = file[..start].to_vec();
        ended.extend([0xff, 0xd9]);
        assert_eq!(damage(&ended), None);
    }
    let without = [
        scan(&[0], (0, 0), 0, 0),
        scan(&[2], (0, 0), 0, 0),
        scan(&[0], (1, 63), 0, 0),
    ];
    assert_eq!(damage(&picture.encode(SOF2, &without)), Some(Damage::Truncated));
}

#[test]
fn scans_that_do_not_fit_are_left_out() {
    let picture = Picture::random(5, (50, 30), COLOUR, 40, 60);
    let valid = libjpeg();
    // Instead of the fifth scan (luma, 6 to 63, down to bit 2), which is refined by two others.
    let instead = [
        scan(&[0], (63, 6), 0, 2),
        scan(&[0], (6, 64), 0, 2),
        scan(&[0], (0, 63), 0, 2),
        scan(&[0], (5, 63), 0, 2),
        scan(&[0], (6, 63), 0, 14),
        scan(&[0], (6, 63), 3, 2),
        scan(&[0], (6, 63), 4, 2),
        scan(&[0], (6, 63), 2, 2),
        scan(&[0, 1], (6, 63), 0, 2),
        scan(&[0, 0], (0, 0), 0, 2),
        scan(&[], (6, 63), 0, 2),
    ];
    let without: Vec<Scan> = [0, 1, 2, 3, 6, 7, 8].map(|index| valid[index].clone()).to_vec();
    let expected = picture.encode(SOF2, &without);
    for odd in instead {
        let file = picture.encode(SOF2, &valid);
        let (at, data) = header(&file, 4);
        let mut content = vec![odd.components.len() as u8];
        content.extend(odd.components.iter().flat_map(|&each| [each as u8 + 1, 0]));
        content.extend([
            odd.band.0 as u8,
            odd.band.1 as u8,
            (odd.high << 4 | odd.low) as u8,
        ]);
        let file = [&file[..at], &segment_of(0xda, &content), &file[data..]].concat();
        for scale in Scale::ALL {
            let (ours, expected) = (
                decode_at(&file, scale).unwrap(),
                decode_at(&expected, scale).unwrap(),
            );
            assert_eq!(
                (ours.damage, expected.damage),
                (Some(Damage::Scan), None),
                "{odd:?}"
            );
            assert!(rows(&ours) == rows(&expected), "{odd:?}");
        }
        // The first scan is another matter: there is nothing to show.
        let (at, data) = header(&file, 0);
        let file = [&file[..at], &segment_of(0xda, &content), &file[data..]].concat();
        assert_eq!(
            decode_at(&file, Scale::Half).unwrap_err(),
            Error::Corrupt(Corrupt::Scan),
            "{odd:?}"
        );
        assert!(read_header(&file).is_err());
    }
    // AC coefficients before the DC coefficient; a scan for the second time; one of a component that there is not.
    let mut early = valid.clone();
    early.swap(0, 1);
    assert!(matches!(
        decode_at(&picture.encode(SOF2, &early), Scale::Half),
        Err(Error::Corrupt(Corrupt::Scan))
    ));
    let mut twice = valid[..7].to_vec();
    twice.insert(5, valid[4].clone());
    assert_eq!(damage(&picture.encode(SOF2, &twice)), Some(Damage::Scan));
    // Once every bit of every coefficient is told, and that scan is left out, nothing of the picture is missing.
    let complete = libjpeg();
    for (at, again) in complete.iter().enumerate() {
        let mut twice = complete.clone();
        twice.insert(at + 1, again.clone());
        let twice = picture.encode(SOF2, &twice);
        assert_eq!(damage(&twice), None, "scan {at}");
        assert_eq!(
            decode_at(&twice, Scale::Full).unwrap(),
            decode_at(&picture.encode(SOF2, &complete), Scale::Full).unwrap()
        );
        let mut instead = complete.clone();
        if let Some(next) = instead.get_mut(at + 1) {
            *next = again.clone();
            assert_eq!(
                damage(&picture.encode(SOF2, &instead)),
                Some(Damage::Scan),
                "scan {at} instead of the next"
            );
        }
    }
    let mut file = picture.encode(SOF2, &valid);
    let (at, _) = header(&file, 9);
    file[at + 5] = 77;
    assert_eq!(damage(&file), Some(Damage::Scan));
}

#[test]
fn invalid_tables_are_an_error_before_the_first_scan_and_damage_behind_it() {
    let (_, file) = small();
    let invalid = [
        segment_of(DHT, &[&[0x10][..], &[3], &[0; 15], &[1, 2, 3]].concat()),
        segment_of(DHT, &[&[0x10][..], &[0; 16]].concat()),
        segment_of(DHT, &[0x20; 30]),
        segment_of(DHT, &[0x10; 5]),
        segment_of(0xdb, &[0x40; 65]),
        segment_of(0xdb, &[0; 30]),
        segment_of(0xdd, &[0; 3]),
        vec![0xff, 0xd8],
        segment_of(SOF2, &[8, 0, 40, 0, 40, 1, 1, 0x11, 0]),
        vec![0xff, 0xe5, 0, 1],
    ];
    for segment in &invalid {
        for at in 0..10 {
            let place = scans(&file)[at];
            let broken = [&file[..place], segment, &file[place..]].concat();
            if at == 0 {
                assert!(matches!(decode_at(&broken, Scale::Half), Err(Error::Corrupt(_))));
            } else {
                assert_eq!(
                    damage(&broken),
                    Some(Damage::Scan),
                    "{segment:x?} before scan {at}"
                );
            }
        }
    }
    // A component that never had a quantisation table.
    let picture = Picture::random(2, (30, 30), COLOUR, 3, 5);
    let script = [0, 1, 2].map(|component| scan(&[component], (0, 0), 0, 0));
    let mut file = picture.encode(SOF2, &script);
    let table = file
        .windows(5)
        .position(|at| at == [0xff, 0xdb, 0, 67, 2])
        .unwrap();
    file.drain(table..table + 69);
    assert_eq!(damage(&file), Some(Damage::Scan));
    // Tables that do not fit their data, and tables that are not there.
    let (_, file) = small();
    let fits = [vec![0x10, 2], vec![0x10, 0, 4]];
    for (head, symbols) in fits.into_iter().zip([2, 4]) {
        for at in 0..10 {
            let mut content = head.clone();
            content.resize(17, 0);
            content.extend((0..symbols).map(|symbol| symbol * 17));
            let (place, _) = header(&file, at);
            let unfit = [&file[..place], &segment_of(DHT, &content), &file[place..]].concat();
            for scale in Scale::ALL {
                decode_at(&unfit, scale).unwrap();
            }
        }
    }
    for at in 0..10 {
        let (place, _) = header(&file, at);
        let without = [&file[..scans(&file)[at]], &file[place..]].concat();
        assert_eq!(decode_at(&without, Scale::Half).is_err(), at == 0);
    }
}

#[test]
fn five_thousand_scans_are_refused_at_once() {
    let (_, file) = small();
    let start = CpuTime::start();
    for at in [1, 5, 9] {
        let from = scans(&file)[at];
        let to = scans(&file).get(at + 1).copied().unwrap_or(file.len() - 2);
        let many = [&file[..from], &file[from..to].repeat(5000), &file[to..]].concat();
        for scale in Scale::ALL {
            assert_eq!(
                decode_at(&many, scale).unwrap_err(),
                Error::Corrupt(Corrupt::Scans)
            );
        }
        assert_eq!(read_header(&many).unwrap().unsupported, None);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// Nothing but runs of empty blocks, in as many scans as there may be: a few bytes that concern every block.
#[test]
fn tiny_scans_of_a_large_picture_cost_little() {
    let picture = Picture::random(1, (4096, 2048), GREY, 0, 1);
    let mut script = vec![scan(&[0], (0, 0), 0, 0)];
    for band in [
        (1, 10),
        (11, 20),
        (21, 30),
        (31, 40),
        (41, 50),
        (51, 60),
        (61, 63),
    ] {
        script.push(scan(&[0], band, 0, 13));
        script.extend((0..13).rev().map(|low| scan(&[0], band, low + 1, low)));
    }
    assert_eq!(script.len(), 99);
    let file = picture.encode(SOF2, &script);
    let start = CpuTime::start();
    let decoded = Decoder::new()
        .decode(&file, Scale::Half, &Limits::default())
        .unwrap();
    assert_eq!(decoded.damage, None);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    // The data of all scans but the first are cut off: there is nothing to do for any of them.
    let mut cut = file[..scans(&file)[1]].to_vec();
    for scan in 1..99 {
        let (from, to) = (scans(&file)[scan], header(&file, scan).1);
        cut.extend(&file[from..to]);
    }
    let start = CpuTime::start();
    assert_eq!(
        Decoder::new()
            .decode(&cut, Scale::Half, &Limits::default())
            .unwrap()
            .damage,
        Some(Damage::Truncated)
    );
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn claimed_dimensions_are_judged_before_memory_is_taken() {
    let (_, mut file) = small();
    let frame = file.windows(2).position(|pair| pair == [0xff, SOF2]).unwrap();
    file[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    let start = CpuTime::start();
    for scale in Scale::ALL {
        assert!(matches!(
            decode_at(&file, scale),
            Err(Error::Limit {
                width: 65_500,
                height: 65_500
            })
        ));
    }
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn what_follows_the_picture_is_not_looked_at() {
    let (_, mut file) = small();
    let expected = decode_at(&file, Scale::Half).unwrap();
    for without_eoi in [false, true] {
        if without_eoi {
            file.truncate(file.len() - 2);
        }
        file.resize(1 << 26, 0);
        let start = CpuTime::start();
        assert_eq!(decode_at(&file, Scale::Half).unwrap(), expected);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        file.truncate(small().1.len());
    }
}

#[test]
fn damage_ends_at_the_next_restart_marker() {
    let picture = Picture::random(17, (320, 48), GREY, 40, 60);
    let mut script = vec![
        scan(&[0], (0, 0), 0, 0),
        scan(&[0], (1, 63), 0, 1),
        scan(&[0], (1, 63), 1, 0),
    ];
    for scan in &mut script {
        scan.restart = 4;
    }
    let file = picture.encode(SOF2, &script);
    let whole = decode_at(&file, Scale::Full).unwrap();
    assert_eq!(whole.damage, None);
    let differing = |file: &[u8]| {
        let decoded = decode_at(file, Scale::Full).unwrap();
        let (a, b) = (&decoded.planes.planes[0].data, &whole.planes.planes[0].data);
        (a.iter().zip(b).filter(|(a, b)| a != b).count(), decoded.damage)
    };
    let mut random = Random(3);
    for scan in 0..3 {
        let data = header(&file, scan).1;
        let end = scans(&file).get(scan + 1).copied().unwrap_or(file.len() - 2);
        let markers: Vec<usize> = (data..end)
            .filter(|&at| file[at] == 0xff && (0xd0..=0xd7).contains(&file[at + 1]))
            .collect();
        assert_eq!(markers.len(), 59);
        for _ in 0..50 {
            let interval = random.below(58);
            let (from, to) = (markers[interval] + 2, markers[interval + 1]);
            let mut file = file.clone();
            for byte in &mut file[from..to] {
                *byte = (random.next() as u8).min(0xfe);
            }
            assert!(differing(&file).0 <= 4 * 64);
        }
        let lost = [&file[..markers[7]], &file[markers[8]..]].concat();
        let (count, damage) = differing(&lost);
        assert!(count <= 4 * 64, "{count}");
        assert_eq!(damage, Some(Damage::Restart));
        let surplus = [&file[..markers[7]], &[0x55; 40], &file[markers[7]..]].concat();
        assert_eq!(differing(&surplus), (0, Some(Damage::Surplus)));
        let mut ended = file.clone();
        ended[markers[20] + 1] = 0xfe;
        assert!(differing(&ended).1.is_some());
    }
    // Behind a scan, too, but for the last.
    let place = scans(&file)[1];
    let surplus = [&file[..place], &[0x55; 40], &file[place..]].concat();
    assert_eq!(differing(&surplus), (0, Some(Damage::Surplus)));
    // What leaves a hole is told rather than what leaves none, though it comes later: in another scan, in the same.
    let end = surplus.len() - 60;
    let cut = [&surplus[..end], &[0xff, 0xd9]].concat();
    assert_eq!(differing(&cut).1, Some(Damage::Truncated));
    let data = header(&file, 0).1;
    let first = (data..place)
        .find(|&at| file[at] == 0xff && file[at + 1] == 0xd0)
        .unwrap();
    let cut = [
        &file[..first],
        &[0x55; 40],
        &file[first..place - 30],
        &file[place..],
    ]
    .concat();
    assert_eq!(differing(&cut).1, Some(Damage::Truncated));
}

#[test]
fn codes_that_lead_beyond_the_band_are_told() {
    // One block and one code of one bit, for each symbol that cannot stand there.
    let frame = segment_of(SOF2, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    let steps = segment_of(0xdb, &[&[0][..], &[1; 64]].concat());
    let table = |class: u8, symbol: u8| {
        let mut counts = [0; 16];
        counts[0] = 1;
        segment_of(DHT, &[&[class << 4][..], &counts, &[symbol]].concat())
    };
    let file = |first: u8, symbol: u8, refined: Option<u8>| {
        let mut file = [&[0xff, 0xd8][..], &frame, &steps, &table(0, 0)].concat();
        file.extend(segment_of(0xda, &[1, 1, 0, 0, 0, 0]));
        file.push(0x7f);
        file.extend(table(1, symbol));
        file.extend(segment_of(
            0xda,
            &[1, 1, 0, first, 63, u8::from(refined.is_some())],
        ));
        file.extend(vec![0x00; if refined.is_some() { 1 } else { 40 }]);
        if let Some(symbol) = refined {
            file.extend(table(1, symbol));
            file.extend(segment_of(0xda, &[1, 1, 0, first, 63, 0x10]));
            file.extend([0x00; 40]);
        }
        file.extend([0xff, 0xd9]);
        decode_at(&file, Scale::Full).unwrap().damage
    };
    // A run of zeros to the end and on; a coefficient behind it; a zero too many.
    assert_eq!(file(1, 0xf0, None), Some(Damage::InvalidCode));
    assert_eq!(file(60, 0x51, None), Some(Damage::InvalidCode));
    assert_eq!(file(60, 0x31, None), None);
    assert_eq!(file(60, 0x00, Some(0x51)), Some(Damage::InvalidCode));
    assert_eq!(file(60, 0x00, Some(0xf0)), Some(Damage::InvalidCode));
    assert_eq!(file(60, 0x00, Some(0x31)), None);
    assert_eq!(file(60, 0x31, Some(0x31)), Some(Damage::InvalidCode));
    // New coefficients have one bit.
    assert_eq!(file(60, 0x31, Some(0x02)), Some(Damage::InvalidCode));
    // Sizes of DC coefficients end at 15.
    let mut dc = [&[0xff, 0xd8][..], &frame, &steps, &table(0, 16)].concat();
    dc.extend(segment_of(0xda, &[1, 1, 0, 0, 0, 0]));
    dc.extend([0x00; 40]);
    dc.extend([0xff, 0xd9]);
    assert_eq!(
        decode_at(&dc, Scale::Full).unwrap().damage,
        Some(Damage::InvalidCode)
    );
}

#[test]
fn random_damage_never_panics_and_is_the_same_with_every_backend() {
    let mut random = Random(11);
    let mut script = libjpeg();
    for scan in &mut script {
        scan.restart = [0, 3][random.below(2)];
    }
    for factors in [COLOUR, &[(1, 1); 3], &[(2, 1), (1, 2), (1, 1)]] {
        let file = Picture::random(random.next(), (60, 50), factors, 40, 100).encode(SOF2, &script);
        let limits = Limits {
            pixels: 1 << 22,
            bytes: 1 << 24,
        };
        for _ in 0..2000 {
            let mut file = file.clone();
            for _ in 0..=random.below(6) {
                let at = random.below(file.len());
                file[at] = random.next() as u8;
            }
            file.truncate(file.len() - random.below(20) * random.below(20));
            let scale = Scale::ALL[random.below(5)];
            let best = Decoder::new().decode(&file, scale, &limits);
            let portable = Decoder::with_backend(Backend::portable()).decode(&file, scale, &limits);
            assert_eq!(best, portable);
        }
    }
}
