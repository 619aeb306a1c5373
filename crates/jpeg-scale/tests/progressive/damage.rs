//! Damaged entropy-coded data in progressive files.

use super::*;
use common::Random;
use common::script::segment_of;

#[test]
fn damage_ends_at_the_next_restart_marker() {
    let image = CoefficientImage::random(17, (320, 48), GREY, 40, 60);
    let mut script = vec![
        scan(&[0], (0, 0), 0, 0),
        scan(&[0], (1, 63), 0, 1),
        scan(&[0], (1, 63), 1, 0),
    ];
    for scan in &mut script {
        scan.restart = 4;
    }
    let file = image.encode(SOF2, &script);
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
    // The same after a scan that another scan follows.
    let place = scans(&file)[1];
    let surplus = [&file[..place], &[0x55; 40], &file[place..]].concat();
    assert_eq!(differing(&surplus), (0, Some(Damage::Surplus)));
    // Damage that leaves a hole takes precedence over surplus data, even if it is found later, in another
    // scan or the same.
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
fn codes_beyond_the_band_are_reported() {
    // One block and one code of one bit, for each symbol that is invalid there.
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
    // A run of zeros beyond the band; a coefficient after its end; a run that is one too long.
    assert_eq!(file(1, 0xf0, None), Some(Damage::InvalidCode));
    assert_eq!(file(60, 0x51, None), Some(Damage::InvalidCode));
    assert_eq!(file(60, 0x31, None), None);
    assert_eq!(file(60, 0x00, Some(0x51)), Some(Damage::InvalidCode));
    assert_eq!(file(60, 0x00, Some(0xf0)), Some(Damage::InvalidCode));
    assert_eq!(file(60, 0x00, Some(0x31)), None);
    assert_eq!(file(60, 0x31, Some(0x31)), Some(Damage::InvalidCode));
    // New coefficients have a single magnitude bit.
    assert_eq!(file(60, 0x31, Some(0x02)), Some(Damage::InvalidCode));
    // Sizes of DC coefficients are at most 15.
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
    let mut script = libjpeg_script();
    for scan in &mut script {
        scan.restart = [0, 3][random.below(2)];
    }
    for factors in [SAMPLING_420, &[(1, 1); 3], &[(2, 1), (1, 2), (1, 1)]] {
        let file = CoefficientImage::random(random.next(), (60, 50), factors, 40, 100).encode(SOF2, &script);
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
