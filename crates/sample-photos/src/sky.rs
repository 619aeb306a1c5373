#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "coordinates and colours are small numbers"
)]

use crate::palette::{Colour, Palette, mix};

/// Colour of the sky in each row, without sun and clouds.
pub(crate) fn sky_rows(palette: &Palette, height: u32, horizon: f32) -> Vec<Colour> {
    (0..height)
        .map(|y| {
            let part = (y as f32 / horizon.max(1.0)).min(1.0);
            mix(palette.zenith, palette.horizon, (part.powf(1.4) * 256.0) as i32)
        })
        .collect()
}

/// Squared distance of each column (or row) from a position, in units.
pub(crate) fn squared_distances(count: u32, from: f32, unit: f32) -> Vec<f32> {
    (0..count).map(|at| ((at as f32 - from) / unit).powi(2)).collect()
}

/// Binary logarithm of the squared units per entry of the glow table.
pub(crate) const GLOW_SHIFT: u32 = 6;

/// Glow of the sun, 0 to 256, by squared distance.
pub(crate) fn glow() -> Vec<i32> {
    (0..8192_u32)
        .map(|entry| {
            let distance = ((entry << GLOW_SHIFT) as f32).sqrt();
            let disk = if distance < 22.0 { 256.0 } else { 0.0 };
            let halo = 190.0 * (-((distance - 22.0).max(0.0)) / 60.0).exp();
            let wide = 66.0 * (-distance / 260.0).exp();
            (halo + wide).max(disk).min(256.0) as i32
        })
        .collect()
}
