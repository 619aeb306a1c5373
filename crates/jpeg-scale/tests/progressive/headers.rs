//! Invalid scan headers and tables in progressive files.

use super::*;
use common::script::segment_of;
use jpeg_scale::{Corrupt, read_header};

#[test]
fn invalid_scans_are_skipped() {
    let image = CoefficientImage::random(5, (50, 30), SAMPLING_420, 40, 60);
    let valid = libjpeg_script();
    // Replacements of the fifth scan (luma, 6 to 63, down to bit 2), which two others refine.
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
    let expected = image.encode(SOF2, &without);
    for invalid in instead {
        let file = image.encode(SOF2, &valid);
        let (at, data) = header(&file, 4);
        let mut content = vec![invalid.components.len() as u8];
        content.extend(invalid.components.iter().flat_map(|&each| [each as u8 + 1, 0]));
        content.extend([
            invalid.band.0 as u8,
            invalid.band.1 as u8,
            (invalid.ah << 4 | invalid.al) as u8,
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
                "{invalid:?}"
            );
            assert!(rows(&ours) == rows(&expected), "{invalid:?}");
        }
        // An invalid first scan is an error: there is no image.
        let (at, data) = header(&file, 0);
        let file = [&file[..at], &segment_of(0xda, &content), &file[data..]].concat();
        assert_eq!(
            decode_at(&file, Scale::Half).unwrap_err(),
            Error::Corrupt(Corrupt::Scan),
            "{invalid:?}"
        );
        assert!(read_header(&file).is_err());
    }
    // AC coefficients before the DC coefficient; a repeated scan; a scan of a component that does not exist.
    let mut early = valid.clone();
    early.swap(0, 1);
    assert!(matches!(
        decode_at(&image.encode(SOF2, &early), Scale::Half),
        Err(Error::Corrupt(Corrupt::Scan))
    ));
    let mut twice = valid[..7].to_vec();
    twice.insert(5, valid[4].clone());
    assert_eq!(damage(&image.encode(SOF2, &twice)), Some(Damage::Scan));
    // If every bit of every coefficient is present and the repeated scan is skipped, the image is complete.
    let complete = libjpeg_script();
    for (at, again) in complete.iter().enumerate() {
        let mut twice = complete.clone();
        twice.insert(at + 1, again.clone());
        let twice = image.encode(SOF2, &twice);
        assert_eq!(damage(&twice), None, "scan {at}");
        assert_eq!(
            decode_at(&twice, Scale::Full).unwrap(),
            decode_at(&image.encode(SOF2, &complete), Scale::Full).unwrap()
        );
        let mut instead = complete.clone();
        if let Some(next) = instead.get_mut(at + 1) {
            *next = again.clone();
            assert_eq!(
                damage(&image.encode(SOF2, &instead)),
                Some(Damage::Scan),
                "scan {at} instead of the next"
            );
        }
    }
    let mut file = image.encode(SOF2, &valid);
    let (at, _) = header(&file, 9);
    file[at + 5] = 77;
    assert_eq!(damage(&file), Some(Damage::Scan));
}

#[test]
fn invalid_tables_are_errors_before_the_first_scan_and_damage_after_it() {
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
    // A component without any quantization table.
    let image = CoefficientImage::random(2, (30, 30), SAMPLING_420, 3, 5);
    let script = [0, 1, 2].map(|component| scan(&[component], (0, 0), 0, 0));
    let mut file = image.encode(SOF2, &script);
    let table = file
        .windows(5)
        .position(|at| at == [0xff, 0xdb, 0, 67, 2])
        .unwrap();
    file.drain(table..table + 69);
    assert_eq!(damage(&file), Some(Damage::Scan));
    // Tables that do not match their data, and missing tables.
    let (_, file) = small();
    let prefixes = [vec![0x10, 2], vec![0x10, 0, 4]];
    for (head, symbols) in prefixes.into_iter().zip([2, 4]) {
        for at in 0..10 {
            let mut content = head.clone();
            content.resize(17, 0);
            content.extend((0..symbols).map(|symbol| symbol * 17));
            let (place, _) = header(&file, at);
            let mismatched = [&file[..place], &segment_of(DHT, &content), &file[place..]].concat();
            for scale in Scale::ALL {
                decode_at(&mismatched, scale).unwrap();
            }
        }
    }
    for at in 0..10 {
        let (place, _) = header(&file, at);
        let without = [&file[..scans(&file)[at]], &file[place..]].concat();
        assert_eq!(decode_at(&without, Scale::Half).is_err(), at == 0);
    }
}
