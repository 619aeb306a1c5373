//! Scaled planes by their definition, in floating point.

use jpeg_scale::Plane;

/// The definition of a scaled block: the inverse DCT of its lowest N × N coefficients, times N/8.
fn truncated(block: impl Fn(usize, usize) -> f64, n: usize) -> Vec<f64> {
    let basis = |k: usize, i: usize, n: usize| {
        let norm = if k == 0 {
            (1.0 / n as f64).sqrt()
        } else {
            (2.0 / n as f64).sqrt()
        };
        norm * ((2 * i + 1) as f64 * k as f64 * std::f64::consts::PI / (2 * n) as f64).cos()
    };
    let mut coefficients = vec![0.0; n * n];
    for v in 0..n {
        for u in 0..n {
            for y in 0..8 {
                for x in 0..8 {
                    coefficients[v * n + u] += block(x, y) * basis(u, x, 8) * basis(v, y, 8);
                }
            }
        }
    }
    let mut samples = vec![0.0; n * n];
    for y in 0..n {
        for x in 0..n {
            for v in 0..n {
                for u in 0..n {
                    samples[y * n + x] +=
                        coefficients[v * n + u] * basis(u, x, n) * basis(v, y, n) * n as f64 / 8.0;
                }
            }
        }
    }
    samples
}

/// Compares a scaled plane with what the definition makes of the full one.
pub fn compare(name: &str, full: &Plane, scaled: &Plane, n: usize) {
    let (mut total, mut count) = (0.0, 0.0);
    for block_y in 0..scaled.height.div_ceil(n) {
        for block_x in 0..scaled.width.div_ceil(n) {
            // The full plane's padding holds the blocks' parts outside of the picture.
            let at =
                |x: usize, y: usize| f64::from(full.data[(block_y * 8 + y) * full.stride + block_x * 8 + x]);
            let expected = truncated(at, n);
            for y in 0..n.min(scaled.height - block_y * n) {
                for x in 0..n.min(scaled.width - block_x * n) {
                    let sample = f64::from(scaled.row(block_y * n + y)[block_x * n + x]);
                    let difference = (sample - expected[y * n + x].clamp(0.0, 255.0)).abs();
                    // Half for rounding the sample, and what rounding 64 full-size samples can add up to.
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
    // In small pictures, one sample decides.
    assert!(
        count < 64.0 || total / count < 0.4,
        "{name} {n}/8: {}",
        total / count
    );
}
