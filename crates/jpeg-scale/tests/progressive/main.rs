//! Progressive files give the same planes as baseline files of the same coefficients, with any script, and
//! are compared with independent decoders.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod cost;
#[path = "../common/cpu_time.rs"]
mod cpu_time;
mod damage;
mod headers;
mod independent;
mod scripts;
mod truncation;

use common::scans;
use common::script::{CoefficientImage, Scan, libjpeg_script, scan};
use jpeg_scale::{Backend, Damage, Decoded, Decoder, Error, Limits, Scale};

const SOF0: u8 = 0xc0;
const SOF2: u8 = 0xc2;
const DHT: u8 = 0xc4;
const SAMPLING_420: &[(usize, usize)] = &[(2, 2), (1, 1), (1, 1)];
const GREY: &[(usize, usize)] = &[(1, 1)];

fn decode_at(file: &[u8], scale: Scale) -> Result<Decoded, Error> {
    let best = Decoder::new().decode(file, scale, &Limits::default());
    let portable = Decoder::with_backend(Backend::portable()).decode(file, scale, &Limits::default());
    assert_eq!(best, portable);
    best
}

/// Samples without padding.
fn rows(decoded: &Decoded) -> Vec<Vec<&[u8]>> {
    let planes = decoded.planes.planes.iter();
    planes
        .map(|plane| (0..plane.height).map(|y| plane.row(y)).collect())
        .collect()
}

fn baseline(image: &CoefficientImage) -> Vec<u8> {
    let all: Vec<usize> = (0..image.components.len()).collect();
    image.encode(SOF0, &[scan(&all, (0, 0), 0, 0)])
}

/// Asserts that a script gives the planes of the baseline file.
fn assert_same(name: &str, image: &CoefficientImage, script: &[Scan]) {
    let (file, expected) = (image.encode(SOF2, script), baseline(image));
    for scale in Scale::ALL {
        let (ours, expected) = (
            decode_at(&file, scale).unwrap(),
            decode_at(&expected, scale).unwrap(),
        );
        assert_eq!((ours.damage, expected.damage), (None, None), "{name} {script:?}");
        assert!(
            rows(&ours) == rows(&expected),
            "{name} at {}/8: {script:?}",
            scale.eighths()
        );
    }
}

fn small() -> (CoefficientImage, Vec<u8>) {
    let image = CoefficientImage::random(21, (40, 40), SAMPLING_420, 40, 60);
    let file = image.encode(SOF2, &libjpeg_script());
    (image, file)
}

/// Damage of the file, which is the same at every scale.
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

/// Position of a scan's header, and of its data.
fn header(file: &[u8], scan: usize) -> (usize, usize) {
    let from = scans(file)[scan];
    let at = from
        + file[from..]
            .windows(2)
            .position(|pair| pair == [0xff, 0xda])
            .unwrap();
    (at, at + 2 + usize::from(file[at + 3]))
}
