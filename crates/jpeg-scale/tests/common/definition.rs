//! Definition of a scaled block.

/// A scaled block: the inverse DCT of its lowest N × N coefficients, times N/8.
pub fn truncated(block: impl Fn(usize, usize) -> f64, n: usize) -> Vec<f64> {
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
