use jpeg_encoder::{ColorType, SamplingFactor};
use rapidphoto_imaging::max_memory_bytes;
use rapidphoto_sample_photos::SamplePhoto;

use crate::{
    fixtures::*,
    measure::assert_within_memory_bound,
    samples::{EDGES, MIB, PIXELS, samples},
};

#[test]
fn jpegs_of_every_colour_space_stay_within_their_bound() {
    let photo = |progressive| SamplePhoto {
        progressive,
        ..SamplePhoto::new(3, EDGES.0, EDGES.1)
    };
    assert_within_memory_bound("a baseline JPEG", &photo(false).jpeg(), MIB);
    assert_within_memory_bound("a progressive JPEG", &photo(true).jpeg(), MIB);
    for (case, colour, min) in [("greyscale", ColorType::Luma, 1), ("CMYK", ColorType::Cmyk, 4)] {
        let samples = samples(if colour == ColorType::Cmyk { 4 } else { 1 });
        for progressive in [false, true] {
            let options = JpegOptions {
                progressive,
                colour,
                ..JpegOptions::default()
            };
            let file = encode_jpeg(EDGES.0, EDGES.1, &samples, &options);
            assert_within_memory_bound(&format!("{case}, progressive {progressive}"), &file, min * MIB);
        }
    }
}

#[test]
fn a_late_adobe_marker_takes_no_memory() {
    let options = JpegOptions {
        progressive: true,
        sampling: SamplingFactor::R_4_4_4,
        ..JpegOptions::default()
    };
    let file = encode_jpeg(EDGES.0, EDGES.1, &samples(3), &options);
    let markers = |code| {
        file.windows(2)
            .enumerate()
            .filter(move |(_, bytes)| *bytes == [0xFF, code])
    };
    let second = markers(0xDA).nth(1).unwrap().0;
    let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0";
    // If it were honoured, the components would be RGB and all their coefficients kept in memory.
    let late = [&file[..second], adobe, &file[second..]].concat();
    assert_within_memory_bound("a late Adobe marker", &late, MIB);
    let bound = max_memory_bytes(&late, LIMITS).unwrap();
    assert!(bound < 2 * PIXELS as u64 + 16 * MIB, "{bound}");
}
