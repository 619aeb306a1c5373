//! A landscape that can be asked for the colour of any of its pixels, in any order.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a picture of at most 65 535 pixels an edge is drawn with small numbers"
)]

use crate::{
    noise::{self, Dice, Tile},
    palette::{Colour, PALETTES, Palette, lit, mix},
};

/// A landscape: a sky with sun and clouds, ranges of hills, perhaps a lake, and trees in front.
#[derive(Debug)]
pub(crate) struct Scene {
    width: u32,
    height: u32,
    /// Pixels to the thousandth of the longer edge: everything is drawn at a size that fits the picture.
    unit: f32,
    seed: u32,
    palette: Palette,
    /// The sky's colour in each row.
    sky: Vec<Colour>,
    /// Squared distance from the sun in units, of each column and of each row.
    from_sun: (Vec<f32>, Vec<f32>),
    /// The sun's glow over the squared distance in units, 0 to 256.
    glow: Vec<i32>,
    /// Where coarse ground is looked up for each column and row: at the same size in every picture.
    coarse: (Vec<u32>, Vec<u32>),
    /// Where waves are looked up for each row below the lake's edge.
    waves: Vec<u32>,
    clouds: Clouds,
    /// From the farthest to the nearest.
    hills: Vec<Hills>,
    /// The row where the lake begins, before which `hills` stand.
    lake: Option<u32>,
    /// What grows before the lake.
    shore: Vec<Hills>,
    tile: Tile,
}

/// One range of hills or one row of trees.
#[derive(Debug)]
struct Hills {
    /// The row of the upper edge, in each column.
    top: Vec<i32>,
    /// How the light falls, along a line as long as a power of two, so that it can be walked round and round.
    light: Vec<i32>,
    mask: usize,
    colour: Colour,
    /// What it fades into below.
    foot: Colour,
    /// How much it fades in a row, of 65 536.
    fade: i32,
    /// How rough it looks, of 256.
    texture: i32,
}

/// Clouds, kept coarse and drawn smooth.
#[derive(Debug)]
struct Clouds {
    width: usize,
    /// Pixels to a cell, as a power of two.
    cell: u32,
    /// 0 to 256
    cover: Vec<i16>,
}

impl Scene {
    pub(crate) fn new(seed: u64, width: u32, height: u32) -> Self {
        let mut dice = Dice::new(seed);
        let palette = dice.one_of(PALETTES);
        let unit = width.max(height) as f32 / 1000.0;
        let horizon = height as f32 * dice.between(0.48, 0.60);
        let sun_y = horizon * (1.0 - palette.sun_height) - horizon * 0.02;
        let sun_x = width as f32 * dice.between(0.18, 0.82);
        let has_lake = dice.below(3) != 0;
        let grain_seed = dice.next() as u32;
        let mut scene = Self {
            width,
            height,
            unit,
            seed: grain_seed,
            palette,
            sky: sky_rows(&palette, height, horizon),
            from_sun: (
                squared_distances(width, sun_x, unit),
                squared_distances(height, sun_y, unit),
            ),
            glow: glow(),
            coarse: (
                (0..width).map(|x| (x as f32 / unit * 2.0) as u32).collect(),
                (0..height).map(|y| (y as f32 / unit * 5.0) as u32).collect(),
            ),
            waves: Vec::new(),
            clouds: Clouds::new(dice.next() as u32, width, height, horizon, palette.clouds),
            hills: Vec::new(),
            lake: has_lake.then_some((height as f32 * dice.between(0.66, 0.72)) as u32),
            shore: Vec::new(),
            tile: Tile::new(dice.next() as u32),
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
                ..scene.range(&mut dice, &shape, colour)
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
            foot: lit(palette.ground, -90),
            texture: 150,
            ..scene.range(&mut dice, &meadow, palette.ground)
        };
        let spruces = Shape {
            base: meadow.base + height as f32 * 0.02,
            rise: height as f32 * 0.05,
            wave: 1.5,
            trees: 42.0,
        };
        let dark = lit(mix(palette.near, palette.ground, 60), -110);
        let forest = Hills {
            fade: fade(height as f32 * 0.1),
            foot: lit(dark, -60),
            texture: 120,
            ..scene.range(&mut dice, &spruces, dark)
        };
        scene.shore.push(forest);
        scene.shore.push(grass);
        scene
    }

    /// A range of hills along the whole width.
    fn range(&self, dice: &mut Dice, shape: &Shape, colour: Colour) -> Hills {
        let seed = dice.next() as u32;
        let span = self.width.max(self.height) as f32;
        let mut top: Vec<f32> = (0..self.width)
            .map(|x| {
                let at = x as f32 / span * shape.wave;
                shape.base - shape.rise * (0.35 + 0.9 * noise::line(seed, at, 8))
            })
            .collect();
        let length = (self.width as usize).next_power_of_two();
        if shape.trees > 0.0 {
            plant(dice, &mut top, shape.trees * self.unit);
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

    /// A colour with the grain that a sensor has at this place.
    pub(crate) fn grained(&self, colour: Colour, x: u32, y: u32) -> [u8; 3] {
        let noise = noise::grain(self.seed, x, y);
        // Two dice, so that small deviations are the most frequent; more of it in the dark.
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

    /// The colour at a place of the upright picture, without grain.
    pub(crate) fn colour(&self, x: u32, y: u32) -> Colour {
        if let Some(colour) = self.on(&self.shore, x, y) {
            return colour;
        }
        match self.lake {
            Some(lake) if y >= lake => self.water(x, y, lake),
            _ => self.backdrop(x, y),
        }
    }

    /// Sky and hills, as they are seen and as the lake mirrors them.
    fn backdrop(&self, x: u32, y: u32) -> Colour {
        self.on(&self.hills, x, y).unwrap_or_else(|| self.sky_at(x, y))
    }

    /// The colour of the nearest of some ranges that covers a place.
    fn on(&self, ranges: &[Hills], x: u32, y: u32) -> Option<Colour> {
        ranges.iter().rev().find_map(|hills| {
            let below = y as i32 - *hills.top.get(x as usize)?;
            (below >= 0).then(|| {
                let part = ((below * hills.fade) >> 16).min(256);
                // Ground is squeezed, as it is seen from the side.
                let coarse = self.coarse_ground(x, y);
                let fine = self.tile.at(x * 3, y * 4);
                let rough = ((coarse + fine) * hills.texture) >> 8;
                // Spurs run down aslant.
                let spur = x as i32 + ((below * 5) >> 3) + coarse;
                let light = hills.light.get(spur as usize & hills.mask).copied().unwrap_or(0);
                lit(
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

    fn sky_at(&self, x: u32, y: u32) -> Colour {
        let base = self.sky.get(y as usize).copied().unwrap_or(self.palette.horizon);
        let across = self.from_sun.0.get(x as usize).copied().unwrap_or(0.0);
        let up = self.from_sun.1.get(y as usize).copied().unwrap_or(0.0);
        let glow = self
            .glow
            .get((across + up) as usize >> GLOW_SHIFT)
            .copied()
            .unwrap_or(0);
        let lit_sky = mix(base, self.palette.sun, glow);
        let cover = self.clouds.at(x, y);
        let cloud = mix(
            mix(self.palette.horizon, [255, 255, 255], 120),
            self.palette.sun,
            100 + glow / 2,
        );
        mix(lit_sky, lit(cloud, -cover / 8), (cover * 220) >> 8)
    }

    /// The lake mirrors what stands above it, the less the nearer, in waves that grow towards us.
    fn water(&self, x: u32, y: u32, lake: u32) -> Colour {
        let below = y - lake;
        let near = (below << 8) as i32 / (self.height - lake).max(1) as i32;
        let row = self.waves.get(below as usize).copied().unwrap_or(0);
        let wave = self
            .tile
            .at(self.coarse.0.get(x as usize).copied().unwrap_or(0), row);
        let shift = (wave * (4 + near / 4)) >> 6;
        let rise = shift * (self.unit.max(1.0) as i32) / 2;
        let mirrored = (lake as i32 - below as i32 + rise).clamp(0, lake as i32 - 1) as u32;
        let sideways = (x as i32 + shift).clamp(0, self.width as i32 - 1) as u32;
        let seen = self.backdrop(sideways, mirrored);
        let deep = lit(mix(self.palette.zenith, self.palette.near, 128), -60);
        // A bright line where the water begins.
        let edge = if (below as f32) < self.unit * 1.5 { 70 } else { 0 };
        mix(
            lit(mix(seen, deep, 50 + near / 3), wave / 3),
            self.palette.horizon,
            edge,
        )
    }
}

struct Shape {
    /// The row around which the upper edge runs.
    base: f32,
    /// How far it rises and falls, in rows.
    rise: f32,
    /// How many hills there are along the longer edge.
    wave: f32,
    /// Height of trees on it, in units; 0: none.
    trees: f32,
}

fn sky_rows(palette: &Palette, height: u32, horizon: f32) -> Vec<Colour> {
    (0..height)
        .map(|y| {
            let part = (y as f32 / horizon.max(1.0)).min(1.0);
            mix(palette.zenith, palette.horizon, (part.powf(1.4) * 256.0) as i32)
        })
        .collect()
}

/// How much fades in a row, of 65 536 per 256, if all has faded after this many rows.
fn fade(rows: f32) -> i32 {
    (16_777_216.0 / rows.max(1.0)) as i32
}

fn squared_distances(count: u32, from: f32, unit: f32) -> Vec<f32> {
    (0..count).map(|at| ((at as f32 - from) / unit).powi(2)).collect()
}

/// Entries of the glow table stand for 2^6 squared units.
const GLOW_SHIFT: u32 = 6;

fn glow() -> Vec<i32> {
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

/// Light from the left on spurs and gullies: bright on one side, dark on the other.
fn light(seed: u32, unit: f32, length: usize) -> Vec<i32> {
    (0..length)
        .map(|at| {
            // The ends meet: the line fades out towards both.
            let ends = (at.min(length - at) as f32 / (unit * 20.0 + 1.0)).min(1.0);
            (noise::line(seed ^ 0x11, at as f32 / unit / 26.0, 4) * 75.0 * ends) as i32
        })
        .collect()
}

/// Raises spruces of about this height on an edge.
fn plant(dice: &mut Dice, top: &mut [f32], height: f32) {
    let ground = top.to_vec();
    let mut at = 0.0;
    while (at as usize) < ground.len() {
        let tall = height * dice.between(0.45, 1.6);
        let half = (tall * dice.between(0.17, 0.24)).max(1.0);
        let foot = ground.get(at as usize).copied().unwrap_or(0.0);
        let tiers = 5.0;
        for x in (at - half).max(0.0) as usize..((at + half) as usize).min(ground.len()) {
            let aside = (x as f32 - at).abs() / half;
            // Branches hang in tiers, so the outline is a saw and not a straight line.
            let saw = ((1.0 - aside) * tiers).fract() / tiers * 0.55;
            let row = foot - tall * ((1.0 - aside) - saw).max(0.0);
            if let Some(edge) = top.get_mut(x) {
                *edge = edge.min(row);
            }
        }
        at += half * dice.between(0.5, 2.2);
    }
}

impl Clouds {
    fn new(seed: u32, width: u32, height: u32, horizon: f32, amount: f32) -> Self {
        let cell = (width.max(height) / 250).max(1).ilog2();
        let columns = ((width >> cell) + 2) as usize;
        let rows = ((height >> cell) + 2) as usize;
        let size = (1_u32 << cell) as f32;
        let across = width.max(height) as f32 / size / 3.6;
        let cover = (0..columns * rows).map(|at| {
            let (column, row) = ((at % columns) as f32, (at / columns) as f32);
            // Clouds lie flatter and closer together towards the horizon.
            let above = (1.0 - row * size / horizon).clamp(0.02, 1.0);
            let density = noise::plane(
                seed,
                column / across / (0.4 + above),
                3.0 / (0.35 + above) * 2.0,
                6,
                64,
            );
            let covered = (density - (1.0 - amount)) * 5.0;
            (covered.clamp(0.0, 1.0) * 256.0 * (above * 4.0).min(1.0)) as i16
        });
        Self {
            width: columns,
            cell,
            cover: cover.collect(),
        }
    }

    /// 0 to 256, between the four nearest cells.
    fn at(&self, x: u32, y: u32) -> i32 {
        let (column, row) = ((x >> self.cell) as usize, (y >> self.cell) as usize);
        let size = 1 << self.cell;
        let (right, down) = ((x as i32) & (size - 1), (y as i32) & (size - 1));
        let first = row * self.width + column;
        let value = |at: usize| self.cover.get(at).copied().map_or(0, i32::from);
        let (upper_left, upper_right) = (value(first), value(first + 1));
        let (lower_left, lower_right) = (value(first + self.width), value(first + self.width + 1));
        if upper_left == upper_right && lower_left == lower_right && upper_left == lower_left {
            return upper_left;
        }
        let upper = upper_left * (size - right) + upper_right * right;
        let lower = lower_left * (size - right) + lower_right * right;
        (upper * (size - down) + lower * down) >> (2 * self.cell)
    }
}
