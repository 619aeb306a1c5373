//! Planes and regions of any size: an error, or a plane that is the same with every backend, and uniform if the source is
//! uniform.

use std::cell::RefCell;

use arbitrary::{Arbitrary, Unstructured};
use jpeg_scale::{Backend, Plane, Resizer};

thread_local! {
    // Kept between inputs: weights of another size must not be used.
    static RESIZERS: RefCell<[Resizer; 2]> =
        RefCell::new([Resizer::new(), Resizer::with_backend(Backend::portable())]);
}

#[derive(Arbitrary, Debug)]
struct Input {
    width: u16,
    height: u16,
    gap: u8,
    missing: bool,
    region: (f64, f64),
    /// Region in 65 535ths of the plane; replaces `region`.
    share: Option<(u16, u16)>,
    target: (u16, u16),
    samples: Vec<u8>,
}

pub(crate) fn check(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let (width, height) = (usize::from(input.width % 600), usize::from(input.height % 600));
    let target = (
        usize::from(input.target.0 % 600),
        usize::from(input.target.1 % 600),
    );
    let stride = width + usize::from(input.gap);
    let samples = if input.samples.is_empty() {
        vec![9]
    } else {
        input.samples
    };
    let plane = Plane {
        width,
        height,
        stride,
        data: samples
            .iter()
            .copied()
            .cycle()
            .take((stride * height).saturating_sub(input.missing.into()))
            .collect(),
    };
    let of = |whole: usize, share: u16| whole as f64 * f64::from(share) / 65_535.0;
    let region = input
        .share
        .map_or(input.region, |(x, y)| (of(width, x), of(height, y)));
    RESIZERS.with_borrow_mut(|[best, portable]| {
        let outcome = best.resize(plane.samples(), region, target);
        assert_eq!(outcome, portable.resize(plane.samples(), region, target));
        let Ok(resized) = outcome else { return };
        assert!(!input.missing && region.0 > 0.0 && region.1 > 0.0);
        assert_eq!((resized.width, resized.height), target);
        assert_eq!(resized.data.len(), target.0 * target.1);
        if let [uniform] = samples[..] {
            assert!(resized.data.iter().all(|&sample| sample == uniform));
        }
    });
}
