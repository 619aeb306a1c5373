//! Bounded time and memory for hostile progressive files.

use std::time::Duration;

use super::*;
use cpu_time::CpuTime;
use jpeg_scale::{Corrupt, read_header};

#[test]
fn five_thousand_scans_are_rejected_quickly() {
    let (_, file) = small();
    let start = CpuTime::start();
    for at in [1, 5, 9] {
        let from = scans(&file)[at];
        let to = scans(&file).get(at + 1).copied().unwrap_or(file.len() - 2);
        let many = [&file[..from], &file[from..to].repeat(5000), &file[to..]].concat();
        for scale in Scale::ALL {
            assert_eq!(
                decode_at(&many, scale).unwrap_err(),
                Error::Corrupt(Corrupt::TooManyScans)
            );
        }
        assert_eq!(read_header(&many).unwrap().unsupported, None);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// End-of-band runs alone, in nearly the maximum number of scans: a few bytes that affect every block.
#[test]
fn tiny_scans_of_a_large_image_are_cheap() {
    let image = CoefficientImage::random(1, (4096, 2048), GREY, 0, 1);
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
    let file = image.encode(SOF2, &script);
    let start = CpuTime::start();
    let decoded = Decoder::new()
        .decode(&file, Scale::Half, &Limits::default())
        .unwrap();
    assert_eq!(decoded.damage, None);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    // Without the data of all scans but the first, none of these has any work.
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
fn dimensions_are_checked_before_allocation() {
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
fn bytes_after_the_image_are_not_read() {
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
