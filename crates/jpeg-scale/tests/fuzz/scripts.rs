//! Coefficients and scan scripts from the input: progressive files, and sequential files with a scan for each component,
//! give the planes of a file with one scan, at every scale and with every backend.

use std::cell::RefCell;

use jpeg_scale::{Backend, Decoder, Limits, Planes, Scale};

use crate::common::Random;
use crate::common::script::{CoefficientImage, random_script, scan};

thread_local! {
    // Kept between inputs, as in a worker: one image must not affect the next.
    static DECODERS: RefCell<[Decoder; 2]> =
        RefCell::new([Decoder::new(), Decoder::with_backend(Backend::portable())]);
}

const SAMPLINGS: [&[(usize, usize)]; 6] = [
    &[(1, 1)],
    &[(1, 1), (1, 1), (1, 1)],
    &[(2, 2), (1, 1), (1, 1)],
    &[(2, 1), (1, 1), (1, 1)],
    &[(1, 2), (1, 1), (2, 1)],
    &[(1, 1), (2, 2), (1, 1)],
];

/// Samples without padding.
fn rows(planes: &Planes) -> Vec<&[u8]> {
    planes
        .planes
        .iter()
        .flat_map(|plane| (0..plane.height).map(|y| plane.row(y)))
        .collect()
}

pub(crate) fn check(data: &[u8]) {
    let Some((&[width, height, kind, max_nonzero, max_magnitude, seed, script], values)) =
        data.split_first_chunk()
    else {
        return;
    };
    let factors = SAMPLINGS[usize::from(kind) % 6];
    let size = (u16::from(width % 90) + 1, u16::from(height % 60) + 1);
    let (max_nonzero, max_magnitude) = (usize::from(max_nonzero % 64), i16::from(max_magnitude) * 4 + 1);
    let mut image = CoefficientImage::random(seed.into(), size, factors, max_nonzero, max_magnitude);
    // Coefficients from the input replace random ones.
    for (at, value) in values.iter().enumerate() {
        let component = at % image.components.len();
        let coefficients = image.components[component].2.as_flattened_mut();
        let at = at * 7 % coefficients.len();
        coefficients[at] = i16::from(*value as i8) << (at % 3);
    }
    let all: Vec<usize> = (0..factors.len()).collect();
    let whole = image.encode(0xc0, &[scan(&all, (0, 0), 0, 0)]);
    let file = if kind & 128 == 0 {
        image.encode(
            0xc2,
            &random_script(&mut Random(u64::from(script) + 1), factors.len()),
        )
    } else {
        let mut scans: Vec<_> = all
            .iter()
            .map(|&component| scan(&[component], (0, 0), 0, 0))
            .collect();
        scans.rotate_left(usize::from(script) % factors.len());
        scans[0].restart = u16::from(script % 4);
        image.encode(0xc0, &scans)
    };
    DECODERS.with_borrow_mut(|[best, portable]| {
        for scale in Scale::ALL {
            let decode = |decoder: &mut Decoder, file: &[u8]| {
                decoder.decode(file, scale, &Limits::default()).expect("decoded")
            };
            let ours = decode(best, &file);
            assert_eq!(ours, decode(portable, &file));
            let expected = decode(best, &whole);
            assert_eq!((ours.damage, expected.damage), (None, None));
            assert!(rows(&ours.planes) == rows(&expected.planes));
        }
    });
}
