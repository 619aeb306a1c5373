//! Comparison of scaled planes with their definition, in floating point.

use jpeg_scale::Plane;

use super::definition::truncated;

/// Compares a scaled plane with the truncated DCT of the full-size plane.
pub fn compare(name: &str, full: &Plane, scaled: &Plane, n: usize) {
    let (mut total, mut count) = (0.0, 0.0);
    for block_y in 0..scaled.height.div_ceil(n) {
        for block_x in 0..scaled.width.div_ceil(n) {
            // The padding of the full-size plane contains those parts of blocks that are outside of the
            // image.
            let at =
                |x: usize, y: usize| f64::from(full.data[(block_y * 8 + y) * full.stride + block_x * 8 + x]);
            let expected = truncated(at, n);
            for y in 0..n.min(scaled.height - block_y * n) {
                for x in 0..n.min(scaled.width - block_x * n) {
                    let sample = f64::from(scaled.row(block_y * n + y)[block_x * n + x]);
                    let difference = (sample - expected[y * n + x].clamp(0.0, 255.0)).abs();
                    // 0.5 for rounding the sample, and the most that rounding 64 full-size samples
                    // contributes.
                    assert!(
                        difference < 2.0,
                        "{name} {n}/8: {difference} in block {block_x}, {block_y}"
                    );
                    total += difference;
                    count += 1.0;
                }
            }
        }
    }
    // In small images a single sample dominates the mean.
    assert!(
        count < 64.0 || total / count < 0.4,
        "{name} {n}/8: {}",
        total / count
    );
}
