//! Progressive files: the same planes as the same coefficients give in a baseline file, whatever the script; and what
//! independent decoders make of them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/cpu_time.rs"]
mod cpu_time;
mod damage;
mod independent;
mod scripts;

use common::script::{Picture, Scan, libjpeg, scan};
use jpeg_scale::{Backend, Decoded, Decoder, Error, Limits, Scale};

const SOF0: u8 = 0xc0;
const SOF2: u8 = 0xc2;

fn decode_at(file: &[u8], scale: Scale) -> Result<Decoded, Error> {
    let best = Decoder::new().decode(file, scale, &Limits::default());
    let portable = Decoder::with_backend(Backend::portable()).decode(file, scale, &Limits::default());
    assert_eq!(best, portable);
    best
}

/// The samples without the padding, which has no meaning.
fn rows(decoded: &Decoded) -> Vec<Vec<&[u8]>> {
    let planes = decoded.planes.planes.iter();
    planes
        .map(|plane| (0..plane.height).map(|y| plane.row(y)).collect())
        .collect()
}

fn baseline(picture: &Picture) -> Vec<u8> {
    let all: Vec<usize> = (0..picture.components.len()).collect();
    picture.encode(SOF0, &[scan(&all, (0, 0), 0, 0)])
}

/// A script gives the planes of the baseline file.
fn assert_same(name: &str, picture: &Picture, script: &[Scan]) {
    let (file, expected) = (picture.encode(SOF2, script), baseline(picture));
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
