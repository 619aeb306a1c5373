//! A generated landscape, whose pixels can be computed in any order.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "coordinates of an image of at most 65 535 pixels an edge are small numbers"
)]

use crate::{
    clouds::Clouds,
    hills::{Hills, Shape, fade, light, plant},
    noise::{self, SeededRng, Tile},
    palette::{Colour, PALETTES, Palette, brighten, mix},
    sky::{GLOW_SHIFT, glow, sky_rows, squared_distances},
};

/// A landscape: sky with sun and clouds, ranges of hills, an optional lake, and trees in the foreground.
#[derive(Debug)]
pub(crate) struct Scene {
    width: u32,
    height: u32,
    /// Pixels per thousandth of the longer edge, the unit of all sizes.
    unit: f32,
    seed: u32,
    palette: Palette,
    /// Colour of the sky in each row.
    sky: Vec<Colour>,
    /// Squared distance from the sun in units, for columns and rows.
    sun_distance: (Vec<f32>, Vec<f32>),
    /// Glow of the sun, 0 to 256, by squared distance in units.
    glow: Vec<i32>,
    /// Texture coordinates of coarse ground for columns and rows, of the same scale in every image.
    coarse: (Vec<u32>, Vec<u32>),
    /// Texture row of the waves for each row of the lake.
    waves: Vec<u32>,
    clouds: Clouds,
    /// Ranges of hills from the farthest to the nearest.
    hills: Vec<Hills>,
    /// First row of the lake, which is in front of `hills`.
    lake: Option<u32>,
    /// Meadow and trees in front of the lake.
    shore: Vec<Hills>,
    tile: Tile,
}

impl Scene {
    pub(crate) fn new(seed: u64, width: u32, height: u32) -> Self {
        let mut rng = SeededRng::new(seed);
        let palette = rng.one_of(PALETTES);
        let unit = width.max(height) as f32 / 1000.0;
        let horizon = height as f32 * rng.between(0.48, 0.60);
        let sun_y = horizon * (1.0 - palette.sun_height) - horizon * 0.02;
        let sun_x = width as f32 * rng.between(0.18, 0.82);
        let has_lake = rng.below(3) != 0;
        let grain_seed = rng.next() as u32;
        let mut scene = Self {
            width,
            height,
            unit,
            seed: grain_seed,
            palette,
            sky: sky_rows(&palette, height, horizon),
            sun_distance: (
                squared_distances(width, sun_x, unit),
                squared_distances(height, sun_y, unit),
            ),
            glow: glow(),
            coarse: (
                (0..width).map(|x| (x as f32 / unit * 2.0) as u32).collect(),
                (0..height).map(|y| (y as f32 / unit * 5.0) as u32).collect(),
            ),
            waves: Vec::new(),
            clouds: Clouds::new(rng.next() as u32, width, height, horizon, palette.clouds),
            hills: Vec::new(),
            lake: has_lake.then_some((height as f32 * rng.between(0.66, 0.72)) as u32),
            shore: Vec::new(),
            tile: Tile::new(rng.next() as u32),
        };
        if let Some(lake) = scene.lake {
            let rows = height - lake;
            scene.waves = (0..rows)
                .map(|row| {
                    let near = row as f32 / rows.max(1) as f32;
                    (row as f32 / unit / (0.3 + near * 1.4) * 9.0) as u32
                })
                .collect();
        }
        let ranges = 4;
        for range in 0..ranges {
            let depth = range as f32 / (ranges - 1) as f32;
            let base = horizon + height as f32 * (0.02 + 0.10 * depth);
            let shape = Shape {
                base,
                rise: height as f32 * (0.20 - 0.11 * depth),
                wave: 3.0 + 2.5 * depth,
                trees: if range == ranges - 1 { 5.0 } else { 0.0 },
            };
            let colour = mix(palette.far, palette.near, (depth * 256.0) as i32);
            scene.hills.push(Hills {
                fade: fade(height as f32 * 0.16),
                foot: mix(colour, palette.horizon, 90),
                texture: (30.0 + 60.0 * depth) as i32,
                ..scene.range(&mut rng, &shape, colour)
            });
        }
        let meadow = Shape {
            base: height as f32 * if has_lake { 0.90 } else { 0.76 },
            rise: height as f32 * 0.05,
            wave: 2.0,
            trees: 0.0,
        };
        let grass = Hills {
            fade: fade(height as f32 * 0.3),
            foot: brighten(palette.ground, -90),
            texture: 150,
            ..scene.range(&mut rng, &meadow, palette.ground)
        };
        let spruces = Shape {
            base: meadow.base + height as f32 * 0.02,
            rise: height as f32 * 0.05,
            wave: 1.5,
            trees: 42.0,
        };
        let dark = brighten(mix(palette.near, palette.ground, 60), -110);
        let forest = Hills {
            fade: fade(height as f32 * 0.1),
            foot: brighten(dark, -60),
            texture: 120,
            ..scene.range(&mut rng, &spruces, dark)
        };
        scene.shore.push(forest);
        scene.shore.push(grass);
        scene
    }

    /// Range of hills along the whole width.
    fn range(&self, rng: &mut SeededRng, shape: &Shape, colour: Colour) -> Hills {
        let seed = rng.next() as u32;
        let span = self.width.max(self.height) as f32;
        let mut top: Vec<f32> = (0..self.width)
            .map(|x| {
                let at = x as f32 / span * shape.wave;
                shape.base - shape.rise * (0.35 + 0.9 * noise::line(seed, at, 8))
            })
            .collect();
        let length = (self.width as usize).next_power_of_two();
        if shape.trees > 0.0 {
            plant(rng, &mut top, shape.trees * self.unit);
        }
        Hills {
            top: top.into_iter().map(|row| row as i32).collect(),
            light: light(seed, self.unit, length),
            mask: length - 1,
            colour,
            foot: colour,
            fade: 0,
            texture: 0,
        }
    }

    /// Adds sensor noise (grain) to the colour of a stored pixel.
    pub(crate) fn with_grain(&self, colour: Colour, x: u32, y: u32) -> [u8; 3] {
        let noise = noise::hash(self.seed, x, y);
        // The sum of two uniform numbers favours small deviations; dark colours have more noise.
        let luma = ((noise & 15) + ((noise >> 4) & 15)) as i32 - 15;
        let red_noise = ((noise >> 8) & 7) as i32 - 3;
        let blue_noise = ((noise >> 12) & 7) as i32 - 3;
        let [red, green, blue] = colour;
        let strength = 180 - ((red + green + blue) >> 3);
        let luma = (luma * strength) >> 8;
        [
            (red + luma + (red_noise >> 1)).clamp(0, 255) as u8,
            (green + luma).clamp(0, 255) as u8,
            (blue + luma + (blue_noise >> 1)).clamp(0, 255) as u8,
        ]
    }

    /// Colour of a pixel of the upright image, without grain.
    pub(crate) fn colour(&self, x: u32, y: u32) -> Colour {
        if let Some(colour) = self.range_colour(&self.shore, x, y) {
            return colour;
        }
        match self.lake {
            Some(lake) if y >= lake => self.water(x, y, lake),
            _ => self.backdrop(x, y),
        }
    }

    /// Sky and hills, which the lake reflects.
    fn backdrop(&self, x: u32, y: u32) -> Colour {
        self.range_colour(&self.hills, x, y)
            .unwrap_or_else(|| self.sky_colour(x, y))
    }

    /// Colour of the nearest range that covers a pixel.
    fn range_colour(&self, ranges: &[Hills], x: u32, y: u32) -> Option<Colour> {
        ranges.iter().rev().find_map(|hills| {
            let below = y as i32 - *hills.top.get(x as usize)?;
            (below >= 0).then(|| {
                let part = ((below * hills.fade) >> 16).min(256);
                // The texture of the ground is compressed vertically, because it is seen from the side.
                let coarse = self.coarse_ground(x, y);
                let fine = self.tile.at(x * 3, y * 4);
                let rough = ((coarse + fine) * hills.texture) >> 8;
                // Spurs descend diagonally.
                let spur = x as i32 + ((below * 5) >> 3) + coarse;
                let light = hills.light.get(spur as usize & hills.mask).copied().unwrap_or(0);
                brighten(
                    mix(hills.colour, hills.foot, part),
                    ((light * (256 - part)) >> 8) + rough,
                )
            })
        })
    }

    fn coarse_ground(&self, x: u32, y: u32) -> i32 {
        let column = self.coarse.0.get(x as usize).copied().unwrap_or(0);
        let row = self.coarse.1.get(y as usize).copied().unwrap_or(0);
        self.tile.at(column, row)
    }

    fn sky_colour(&self, x: u32, y: u32) -> Colour {
        let base = self.sky.get(y as usize).copied().unwrap_or(self.palette.horizon);
        let across = self.sun_distance.0.get(x as usize).copied().unwrap_or(0.0);
        let up = self.sun_distance.1.get(y as usize).copied().unwrap_or(0.0);
        let glow = self
            .glow
            .get((across + up) as usize >> GLOW_SHIFT)
            .copied()
            .unwrap_or(0);
        let sunlit = mix(base, self.palette.sun, glow);
        let cover = self.clouds.at(x, y);
        let cloud = mix(
            mix(self.palette.horizon, [255, 255, 255], 120),
            self.palette.sun,
            100 + glow / 2,
        );
        mix(sunlit, brighten(cloud, -cover / 8), (cover * 220) >> 8)
    }

    /// Reflection of the backdrop in the lake, with waves that grow and a reflection that fades towards the viewer.
    fn water(&self, x: u32, y: u32, lake: u32) -> Colour {
        let below = y - lake;
        let near = (below << 8) as i32 / (self.height - lake).max(1) as i32;
        let row = self.waves.get(below as usize).copied().unwrap_or(0);
        let wave = self
            .tile
            .at(self.coarse.0.get(x as usize).copied().unwrap_or(0), row);
        let shift = (wave * (4 + near / 4)) >> 6;
        let rise = shift * (self.unit.max(1.0) as i32) / 2;
        let reflected_row = (lake as i32 - below as i32 + rise).clamp(0, lake as i32 - 1) as u32;
        let reflected_column = (x as i32 + shift).clamp(0, self.width as i32 - 1) as u32;
        let reflection = self.backdrop(reflected_column, reflected_row);
        let deep = brighten(mix(self.palette.zenith, self.palette.near, 128), -60);
        // Bright line along the far shore.
        let edge = if (below as f32) < self.unit * 1.5 { 70 } else { 0 };
        mix(
            brighten(mix(reflection, deep, 50 + near / 3), wave / 3),
            self.palette.horizon,
            edge,
        )
    }
}
