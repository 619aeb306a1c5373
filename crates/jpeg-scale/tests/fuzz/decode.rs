//! Any bytes at every scale: no panic, no more memory than the limits, and the same planes with every backend.

use std::cell::RefCell;

use jpeg_scale::{Backend, Decoder, Limits, Scale, read_header};

thread_local! {
    // Kept between inputs, as in a worker: one image must not affect the next.
    static DECODERS: RefCell<[Decoder; 2]> =
        RefCell::new([Decoder::new(), Decoder::with_backend(Backend::portable())]);
}

const LIMITS: Limits = Limits {
    pixels: 1 << 18,
    bytes: 1 << 20,
};

pub(crate) fn check(data: &[u8]) {
    let header = read_header(data);
    DECODERS.with_borrow_mut(|[best, portable]| {
        for scale in Scale::ALL {
            let outcome = best.decode(data, scale, &LIMITS);
            assert_eq!(outcome, portable.decode(data, scale, &LIMITS));
            let Ok(decoded) = outcome else { continue };
            let header = header.as_ref().expect("a decoded image has a header");
            assert_eq!(header.unsupported, None);
            assert_eq!(decoded.planes.width, scale.apply(header.width.into()));
            assert_eq!(decoded.planes.height, scale.apply(header.height.into()));
            assert_eq!(decoded.planes.planes.len(), usize::from(header.components));
            for plane in &decoded.planes.planes {
                assert!(plane.width <= plane.stride);
                assert!(plane.stride * plane.height <= plane.data.len());
            }
        }
    });
}
