//! Planes and parts of any size: refused, or the same with every backend, within what was there plus what Lanczos adds,
//! and even where the plane is even.
#![no_main]

use std::cell::RefCell;

use jpeg_scale::{Backend, Plane, Resizer};
use libfuzzer_sys::{arbitrary::{self, Arbitrary}, fuzz_target};

thread_local! {
    // Kept from input to input: weights of another size must not be taken for this one's.
    static RESIZERS: RefCell<[Resizer; 2]> =
        RefCell::new([Resizer::new(), Resizer::with_backend(Backend::portable())]);
}

#[derive(Arbitrary, Debug)]
struct Input {
    width: u16,
    height: u16,
    gap: u8,
    missing: bool,
    part: (f64, f64),
    /// Of the whole in 65 535ths, in place of `part`.
    share: Option<(u16, u16)>,
    target: (u16, u16),
    samples: Vec<u8>,
}

fuzz_target!(|input: Input| {
    let (width, height) = (usize::from(input.width % 600), usize::from(input.height % 600));
    let target = (usize::from(input.target.0 % 600), usize::from(input.target.1 % 600));
    let stride = width + usize::from(input.gap);
    let samples = if input.samples.is_empty() { vec![9] } else { input.samples };
    let plane = Plane {
        width,
        height,
        stride,
        data: samples.iter().copied().cycle().take((stride * height).saturating_sub(input.missing.into())).collect(),
    };
    let of = |whole: usize, share: u16| whole as f64 * f64::from(share) / 65_535.0;
    let part = input.share.map_or(input.part, |(x, y)| (of(width, x), of(height, y)));
    RESIZERS.with_borrow_mut(|[best, portable]| {
        let outcome = best.resize(plane.samples(), part, target);
        assert_eq!(outcome, portable.resize(plane.samples(), part, target));
        let Ok(resized) = outcome else { return };
        assert!(!input.missing && part.0 > 0.0 && part.1 > 0.0);
        assert_eq!((resized.width, resized.height), target);
        assert_eq!(resized.data.len(), target.0 * target.1);
        if let [even] = samples[..] {
            assert!(resized.data.iter().all(|&sample| sample == even));
        }
    });
});
