use ::gif::{Encoder, Frame};

use crate::{
    measure::assert_within_memory_bound,
    samples::{EDGES, MIB, samples},
};

#[test]
fn a_gif_stays_within_its_bound() {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, EDGES.0, EDGES.1, &[7; 768]).unwrap();
    let frame = Frame {
        width: EDGES.0,
        height: EDGES.1,
        buffer: samples(1).into(),
        ..Frame::default()
    };
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    assert_within_memory_bound("GIF", &file, 20 * MIB);
}
