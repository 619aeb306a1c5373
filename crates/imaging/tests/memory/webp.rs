use rapidphoto_imaging::max_memory_bytes;
use webpx::{Encoder, Unstoppable};

use crate::{
    fixtures::*,
    measure::assert_within_memory_bound,
    samples::{MIB, PIXELS, SIZE, samples},
    vp8l::GroupedImage,
};

#[test]
fn a_lossless_webp_with_many_prefix_code_groups_stays_within_its_bound() {
    let one = GroupedImage {
        size: (1024, 1024),
        block_bits: 2,
        groups: 1,
        has_long_codes: false,
    };
    let many = GroupedImage {
        groups: 65_536,
        ..one
    };
    let bound = |image: GroupedImage| {
        max_memory_bytes(&webp::file(&[(*b"VP8L", &image.image_chunk())]), LIMITS).unwrap()
    };
    assert!(
        bound(one) < 32 * MIB,
        "the tables of one group are small: {}",
        bound(one)
    );
    assert!(bound(GroupedImage { groups: 900, ..one }) < 64 * MIB);
    assert_within_memory_bound(
        "65 536 groups",
        &webp::file(&[(*b"VP8L", &many.image_chunk())]),
        350 * MIB,
    );
    let long_codes = GroupedImage {
        size: (512, 512),
        groups: 16_384,
        has_long_codes: true,
        ..many
    };
    assert_within_memory_bound(
        "groups with long codes",
        &webp::file(&[(*b"VP8L", &long_codes.image_chunk())]),
        200 * MIB,
    );
}

#[test]
fn lossy_and_lossless_webps_stay_within_their_bound() {
    let encode = |samples: &[u8], has_alpha: bool, lossless: bool| {
        let encoder = if has_alpha {
            Encoder::new_rgba(samples, SIZE.0, SIZE.1)
        } else {
            Encoder::new_rgb(samples, SIZE.0, SIZE.1)
        };
        let encoder = encoder
            .quality(if lossless { 0.0 } else { 80.0 })
            .method(0)
            .lossless(lossless);
        encoder.encode(Unstoppable).unwrap()
    };
    for has_alpha in [false, true] {
        let samples = samples(if has_alpha { 4 } else { 3 });
        for lossless in [false, true] {
            let file = encode(&samples, has_alpha, lossless);
            let case = format!("WebP, alpha {has_alpha}, lossless {lossless}");
            assert_within_memory_bound(&case, &file, 30 * MIB);
            // Encoders write few groups.
            assert!(
                max_memory_bytes(&file, LIMITS).unwrap() < 13 * PIXELS as u64 + file.len() as u64 + 48 * MIB,
                "{case}"
            );
        }
    }
    let palette: Vec<u8> = samples(1)
        .iter()
        .flat_map(|&sample| CORNERS[usize::from(sample) % 4])
        .collect();
    assert_within_memory_bound("WebP of four colours", &encode(&palette, false, true), 40 * MIB);
}

#[test]
fn lossless_alpha_with_many_prefix_code_groups_stays_within_its_bound() {
    let size = (1024, 1024);
    let lossy = Encoder::new_rgb(&vec![99; 3 << 20], size.0, size.1)
        .method(0)
        .encode(Unstoppable)
        .unwrap();
    assert_eq!(lossy.get(12..16), Some(&b"VP8 "[..]));
    let edge_minus_one = [0xFF, 3, 0];
    let header = [&[0x10, 0, 0, 0][..], &edge_minus_one, &edge_minus_one].concat();
    let alpha = GroupedImage {
        size,
        block_bits: 2,
        groups: 65_536,
        has_long_codes: false,
    };
    let file = webp::file(&[
        (*b"VP8X", &header),
        (*b"ALPH", &alpha.alpha_chunk()),
        (*b"VP8 ", &lossy[20..]),
    ]);
    assert_within_memory_bound("alpha of 65 536 groups", &file, 350 * MIB);
}

#[test]
fn an_almost_empty_webp_canvas_stays_within_its_bound() {
    let image = Encoder::new_rgb(&[9; 3], 1, 1).encode(Unstoppable).unwrap();
    let frame = [&[0; 12][..], &[0; 4], &image[12..]].concat();
    for (width, height) in [(1 << 24, 2), (1, 1 << 24)] {
        let edge = |edge: u32| (edge - 1).to_le_bytes();
        let [w0, w1, w2, _] = edge(width);
        let [h0, h1, h2, _] = edge(height);
        let canvas = [2, 0, 0, 0, w0, w1, w2, h0, h1, h2];
        let chunks = [(*b"VP8X", &canvas[..]), (*b"ANIM", &[0; 6]), (*b"ANMF", &frame)];
        assert_within_memory_bound(&format!("{width} x {height}"), &webp::file(&chunks), 20 * MIB);
    }
}
