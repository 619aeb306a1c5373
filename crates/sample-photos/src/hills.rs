#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "coordinates and colours are small numbers"
)]

use crate::{
    noise::{self, SeededRng},
    palette::Colour,
};

/// A range of hills, a meadow or a row of trees.
#[derive(Debug)]
pub(crate) struct Hills {
    /// Row of the upper edge in each column.
    pub(crate) top: Vec<i32>,
    /// Brightness along the range; the length is a power of two, so that positions wrap around.
    pub(crate) light: Vec<i32>,
    /// Length of `light` minus one.
    pub(crate) mask: usize,
    pub(crate) colour: Colour,
    /// Colour at the lower end of the fade.
    pub(crate) foot: Colour,
    /// Part of the fade from `colour` to `foot` in each row, in 1/16 777 216.
    pub(crate) fade: i32,
    /// Strength of the surface texture, in 1/256.
    pub(crate) texture: i32,
}

/// Outline of [`Hills`].
pub(crate) struct Shape {
    /// Mean row of the upper edge.
    pub(crate) base: f32,
    /// Amplitude of the upper edge, in rows.
    pub(crate) rise: f32,
    /// Number of hills along the longer edge of the image.
    pub(crate) wave: f32,
    /// Height of the trees in units; 0 for none.
    pub(crate) trees: f32,
}

/// [`Hills::fade`] of a fade that is complete after `rows`.
pub(crate) fn fade(rows: f32) -> i32 {
    (16_777_216.0 / rows.max(1.0)) as i32
}

/// Light from the left on spurs and gullies: bright on one side, dark on the other.
pub(crate) fn light(seed: u32, unit: f32, length: usize) -> Vec<i32> {
    (0..length)
        .map(|at| {
            // The light fades out towards both ends, so that it wraps around without an edge.
            let ends = (at.min(length - at) as f32 / (unit * 20.0 + 1.0)).min(1.0);
            (noise::line(seed ^ 0x11, at as f32 / unit / 26.0, 4) * 75.0 * ends) as i32
        })
        .collect()
}

/// Raises the upper edge by spruces of about this height.
pub(crate) fn plant(rng: &mut SeededRng, top: &mut [f32], height: f32) {
    let ground = top.to_vec();
    let mut at = 0.0;
    while (at as usize) < ground.len() {
        let tall = height * rng.between(0.45, 1.6);
        let half = (tall * rng.between(0.17, 0.24)).max(1.0);
        let foot = ground.get(at as usize).copied().unwrap_or(0.0);
        let tiers = 5.0;
        for x in (at - half).max(0.0) as usize..((at + half) as usize).min(ground.len()) {
            let aside = (x as f32 - at).abs() / half;
            // Branches form tiers, so the outline is a sawtooth.
            let saw = ((1.0 - aside) * tiers).fract() / tiers * 0.55;
            let row = foot - tall * ((1.0 - aside) - saw).max(0.0);
            if let Some(edge) = top.get_mut(x) {
                *edge = edge.min(row);
            }
        }
        at += half * rng.between(0.5, 2.2);
    }
}
